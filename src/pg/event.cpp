// is_event(): which rows are events that can be counted.
#include "core/collect/event.hpp"

#include "guard.hpp"
#include "local_day.hpp"

extern "C" {
#include "utils/date.h"
#include "utils/timestamp.h"
}

using namespace health::pg;

namespace {

// is_event(occurred_at, event_name, amount) of an event on a day: NULL stands for no amount.
Datum is_event_on(FunctionCallInfo fcinfo, health::Day day) {
  std::int64_t micro_units = 0;
  return BoolGetDatum(health::is_event(text_argument(fcinfo, 1), day) &&
                      (PG_ARGISNULL(2) || health::to_micro(PG_GETARG_FLOAT8(2), micro_units)));
}

}  // namespace

HEALTH_FUNCTION(health_is_event_timestamptz) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return BoolGetDatum(false);
  ZoneClock utc;
  utc.zone = nullptr;
  return is_event_on(fcinfo, day_if_finite(utc, PG_GETARG_TIMESTAMPTZ(0)));
}

HEALTH_FUNCTION(health_is_event_date) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return BoolGetDatum(false);
  return is_event_on(fcinfo, PG_GETARG_DATEADT(0));
}
