// fact_periods(): the facts of an account, each from its start to its end.
#include "core/metrics/fact_periods.hpp"

#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

// fact_periods(model, account, fact)
HEALTH_FUNCTION(health_fact_periods) {
  constexpr int columns = 4;
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const std::string_view fact = text_argument(fcinfo, 2);
  const RowBlock rows = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    const auto periods = health::list_fact_periods(ledger, fact);
    RowWriter writer(periods.size(), columns);
    for (const health::FactPeriod& period : periods) {
      writer.add_or_null(period.kind);
      writer.add_date(period.began);
      period.ended ? writer.add_date(*period.ended) : writer.add_null();
      writer.add_bigint(period.count);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
