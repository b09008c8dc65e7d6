// concentration(): how much of an account hangs on few users, read from a ledger.
#include "concentration.hpp"

#include "local_day.hpp"
#include "metric_values.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/date.h"
}

namespace health::pg {

Datum concentration_row(TupleDesc row_type, const Concentration& concentration, double total) {
  const Value* shares[] = {&concentration.top1,
                           &concentration.top2,
                           &concentration.top3,
                           &concentration.hhi,
                           &concentration.effective_users,
                           &concentration.hhi_normalized,
                           &concentration.gini};
  Datum values[concentration_columns];
  bool nulls[concentration_columns] = {};
  int column = 0;
  values[column++] = Int64GetDatum(concentration.users);
  values[column++] = Float8GetDatum(total);
  for (const Value* share : shares) {
    nulls[column] = !share->known();
    values[column++] = Float8GetDatum(share->number);
  }
  nulls[column] = !concentration.absence_factor.known();
  values[column] = Int64GetDatum(to_bigint(concentration.absence_factor.number));
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

}  // namespace health::pg

using namespace health::pg;

// concentration(usage, as_of, catalog, window_days, events, by_value, daily_cap)
HEALTH_FUNCTION(health_concentration_reader) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, concentration_options);
  const TupleDesc row_type = result_row_type(fcinfo, concentration_columns);
  const health::Concentration concentration = guarded([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    const auto request = request_from(options, health::MetricId::power_user_dependency);
    return health::concentration(ledger, request, as_of);
  });
  const double total =
      options.by_value ? health::from_micro(concentration.total) : health::to_double(concentration.total);
  return concentration_row(row_type, concentration, total);
}
