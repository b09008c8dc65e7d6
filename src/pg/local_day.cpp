// The local calendar day of a timestamp in a named time zone, and to_local_day(), to_moment().
#include "local_day.hpp"

#include <algorithm>
#include <cstring>

extern "C" {
#include "parser/scansup.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
}

namespace health::pg {

namespace {

constexpr int64 seconds_to_2000 =
    (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * static_cast<int64>(SECS_PER_DAY);

int64 floor_divide(int64 value, int64 by) {
  const int64 quotient = value / by;
  return quotient - (value % by < 0 ? 1 : 0);
}

// Looks a name up among the abbreviations of time zones: TZ or DTZ with the seconds east of Greenwich, DYNTZ
// with a zone, anything else for a name that is none.
int decode_abbreviation(const char* name, int& east, pg_tz*& zone) {
  char* lower = downcase_truncate_identifier(name, static_cast<int>(std::strlen(name)), false);
#if PG_VERSION_NUM >= 160000
  int type = UNKNOWN_FIELD;
  DateTimeErrorExtra extra;
  return DecodeTimezoneAbbrev(0, lower, &type, &east, &zone, &extra) == 0 ? type : UNKNOWN_FIELD;
#else
  return DecodeTimezoneAbbrev(0, lower, &east, &zone);
#endif
}

// The zone of AT TIME ZONE `name`; null when there is none.
pg_tz* find_zone(const char* name, char* abbreviation) {
  abbreviation[0] = '\0';
  if (std::strlen(name) > TZ_STRLEN_MAX) return nullptr;
  int east = 0;
  pg_tz* zone = nullptr;
  switch (decode_abbreviation(name, east, zone)) {
    case TZ:
    case DTZ:
      return pg_tzset_offset(-east);  // which counts to the west
    case DYNTZ:
      std::strcpy(abbreviation, name);
      return zone;
    default:
      zone = pg_tzset(name);
      return zone != nullptr && pg_tz_acceptable(zone) ? zone : nullptr;
  }
}

// What zone_clock keeps in fn_extra.
struct ZoneCache {
  ZoneClock clock;
  std::size_t name_size;
  char name[TZ_STRLEN_MAX + 1];
};

}  // namespace

void set_zone(ZoneClock& clock, std::string_view name) {
  const char* zone_name = pnstrdup(name.data(), name.size());
  pg_tz* zone = find_zone(zone_name, clock.abbreviation);
  if (zone == nullptr) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" not recognized", zone_name),
             errhint("SELECT name FROM pg_timezone_names lists the zones that this server knows.")));
  }
  clock.zone = zone;
  for (ZoneClock::Stretch& stretch : clock.known) stretch = {1, 0, 0};
  clock.day_from = clock.day_until = 0;
}

ZoneClock& zone_clock(FunctionCallInfo fcinfo, std::string_view name) {
  auto* cache = static_cast<ZoneCache*>(fcinfo->flinfo->fn_extra);
  if (cache == nullptr || cache->name_size != name.size() ||
      std::memcmp(cache->name, name.data(), name.size()) != 0) {
    if (cache == nullptr) {
      cache = static_cast<ZoneCache*>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ZoneCache)));
      fcinfo->flinfo->fn_extra = cache;
    }
    cache->name_size = SIZE_MAX;  // stays so if the name is refused
    set_zone(cache->clock, name);
    std::memcpy(cache->name, name.data(), name.size());
    cache->name_size = name.size();
  }
  return cache->clock;
}

Day local_day(ZoneClock& clock, TimestampTz timestamp) {
  // Without a zone only `zone` is set.
  if (clock.zone != nullptr && timestamp >= clock.day_from && timestamp < clock.day_until) return clock.day;
  if (TIMESTAMP_NOT_FINITE(timestamp)) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW), errmsg("the time of an event is infinite"),
                    errhint("Leave such events out with FILTER (WHERE isfinite(occurred_at)).")));
  }
  if (clock.zone == nullptr) return static_cast<Day>(floor_divide(timestamp, USECS_PER_DAY));
  if (clock.abbreviation[0] != '\0') {
    int is_dst = 0;
    const int64 west = DetermineTimeZoneAbbrevOffsetTS(timestamp, clock.abbreviation, clock.zone, &is_dst);
    return static_cast<Day>(floor_divide(timestamp - west * USECS_PER_SEC, USECS_PER_DAY));
  }
  const pg_time_t seconds = floor_divide(timestamp, USECS_PER_SEC) + seconds_to_2000;
  // Half a year of seconds is about 2^24: clocks that change twice a year meet few stretches per slot.
  ZoneClock::Stretch& stretch = clock.known[(static_cast<uint64>(seconds) >> 24) % ZoneClock::stretches];
  if (seconds < stretch.from || seconds >= stretch.to) {
    long before = 0;
    long after = 0;
    int before_dst = 0;
    int after_dst = 0;
    pg_time_t boundary = 0;
    const int found =
        pg_next_dst_boundary(&seconds, &before, &before_dst, &boundary, &after, &after_dst, clock.zone);
    if (found < 0) {
      ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW), errmsg("timestamp out of range")));
    }
    stretch = {seconds, found == 0 ? PG_INT64_MAX : boundary, before};
  }
  const Day day = static_cast<Day>(floor_divide(seconds + stretch.offset - seconds_to_2000, SECS_PER_DAY));
  // Known as far as the offset holds.
  const int64 midnight = static_cast<int64>(day) * SECS_PER_DAY - stretch.offset;
  clock.day_from = std::max<int64>(midnight, stretch.from - seconds_to_2000) * USECS_PER_SEC;
  clock.day_until =
      (stretch.to == PG_INT64_MAX ? midnight + SECS_PER_DAY
                                  : std::min<int64>(midnight + SECS_PER_DAY, stretch.to - seconds_to_2000)) *
      USECS_PER_SEC;
  clock.day = day;
  return day;
}

Day finite_day(int32 date, const char* argument) {
  if (DATE_NOT_FINITE(date)) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW), errmsg("%s is infinite", argument),
                    errhint("Give a calendar day.")));
  }
  return date;
}

}  // namespace health::pg

using namespace health::pg;

// to_local_day(moment, zone): (moment AT TIME ZONE zone)::date without its error near the ends of time.
HEALTH_FUNCTION(health_to_local_day) {
  const TimestampTz moment = PG_GETARG_TIMESTAMPTZ(0);
  if (TIMESTAMP_IS_NOBEGIN(moment)) PG_RETURN_DATEADT(DATEVAL_NOBEGIN);
  if (TIMESTAMP_IS_NOEND(moment)) PG_RETURN_DATEADT(DATEVAL_NOEND);
  const health::Day day = local_day(zone_clock(fcinfo, text_argument(fcinfo, 1)), moment);
  PG_RETURN_DATEADT(day < health::min_day ? DATEVAL_NOBEGIN : day);
}

// to_moment(local time, zone): local time AT TIME ZONE zone without its error near the ends of time. There
// the offset is asked for 400 years further in, after which the calendar and the rules of all zones repeat.
HEALTH_FUNCTION(health_to_moment) {
  const Timestamp local = PG_GETARG_TIMESTAMP(0);
  const Datum zone = PG_GETARG_DATUM(1);
  constexpr int64 margin = 7 * USECS_PER_DAY;  // more than any offset
  const bool early = local < MIN_TIMESTAMP + margin;
  if (TIMESTAMP_NOT_FINITE(local) || (!early && local < END_TIMESTAMP - margin))
    return DirectFunctionCall2(timestamp_zone, zone, TimestampGetDatum(local));
  const int64 shift = (early ? 146097 : -146097) * USECS_PER_DAY;
  const TimestampTz moment =
      DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, zone, TimestampGetDatum(local + shift))) -
      shift;
  if (IS_VALID_TIMESTAMP(moment)) PG_RETURN_TIMESTAMPTZ(moment);
  TimestampTz beyond;
  if (early) {
    TIMESTAMP_NOBEGIN(beyond);
  } else {
    TIMESTAMP_NOEND(beyond);
  }
  PG_RETURN_TIMESTAMPTZ(beyond);
}
