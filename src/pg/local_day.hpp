// The local calendar day of a timestamp in a named time zone: (occurred_at AT TIME ZONE zone)::date.
#pragma once

#include "guard.hpp"

extern "C" {
#include "datatype/timestamp.h"
#include "pgtime.h"
}

namespace health::pg {

// Remembers the stretches between changes of the clock that it met, so that most days cost an addition and a
// division. Plain memory: lives in fn_extra or on the stack, start it with {}.
struct ZoneClock {
  static constexpr int stretches = 16;
  struct Stretch {
    pg_time_t from, to;  // seconds since 1970 in which `offset` holds; from > to: unused
    long offset;         // seconds east of Greenwich
  };
  pg_tz* zone;  // null: UTC
  // An abbreviation like MSK, whose offset was not always the same: `zone` knows when it was which. Else
  // empty.
  char abbreviation[TZ_STRLEN_MAX + 1];
  Stretch known[stretches];
  // The day of the last timestamp: the next one is mostly of the same.
  TimestampTz day_from, day_until;  // [from, until); empty: unused
  Day day;
};

// Points the clock at a zone, by the rules of AT TIME ZONE: CET and EST are abbreviations, one hour east and
// five west of Greenwich the year round. Error 22023 for a name that PostgreSQL does not know.
void set_zone(ZoneClock& clock, std::string_view name);

// The clock of a function's time zone argument, kept in fn_extra for the next call where the caller keeps its
// FmgrInfo. The function must keep nothing else there. Error as for set_zone.
ZoneClock& zone_clock(FunctionCallInfo fcinfo, std::string_view name);

// Error 22008 for infinite timestamps.
Day local_day(ZoneClock& clock, TimestampTz timestamp);

// The same, no_day for infinite timestamps.
inline Day day_if_finite(ZoneClock& clock, TimestampTz timestamp) {
  return TIMESTAMP_NOT_FINITE(timestamp) ? no_day : local_day(clock, timestamp);
}

// A finite date argument. Error 22008 for infinities, naming the argument.
Day finite_day(int32 date, const char* argument);

}  // namespace health::pg
