// period_start(): the quarter that a day is in; all_days_start(): the one period of what is not cut into
// quarters.
#include "core/base/civil.hpp"

#include "guard.hpp"

extern "C" {
#include "utils/date.h"
}

using namespace health::pg;

HEALTH_FUNCTION(health_period_start) {
  const DateADT day = PG_GETARG_DATEADT(0);
  PG_RETURN_DATEADT(DATE_NOT_FINITE(day) ? day : health::period_start(day));
}

HEALTH_FUNCTION(health_all_days_start) {
  (void)fcinfo;
  PG_RETURN_DATEADT(health::all_days.from);
}
