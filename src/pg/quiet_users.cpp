// quiet_users(): who did less in the last window than in the one before it, and what part of the fall is
// theirs.
#include "core/metrics/quiet_users.hpp"

#include "local_day.hpp"
#include "metric_options.hpp"
#include "row_block.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

// quiet_users(usage, as_of, catalog, window_days, events, by_value, daily_cap, actor)
HEALTH_FUNCTION(health_quiet_users) {
  constexpr int columns = 6;
  InitMaterializedSRF(fcinfo, 0);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, concentration_options);
  const RowBlock rows = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    const auto request = request_from(options, health::MetricId::events);
    const health::QuietUsers quiet = health::find_quiet_users(ledger, request, as_of);
    const auto number = [&](health::Exact amount) {
      return options.by_value ? health::from_micro(amount) : health::to_double(amount);
    };
    RowWriter writer(quiet.users.size(), columns);
    for (const health::QuietUser& user : quiet.users) {
      writer.add(ledger.user_text(user.user));
      writer.add_date(user.last_day);
      writer.add(number(user.before));
      writer.add(number(user.now));
      writer.add(number(user.lost()));
      writer.add(quiet.share_of_fall(user));
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
