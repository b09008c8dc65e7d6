// Whether tracking broke: odd days of volumes, outages, and the day as of which an account is seen.
#include "core/metrics/volume.hpp"

#include "local_day.hpp"
#include "number_arrays.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

namespace {

std::string_view name_of(health::OddKind kind) {
  switch (kind) {
    case health::OddKind::lost:
      return "lost";
    case health::OddKind::flood:
      return "flood";
    case health::OddKind::doubled:
      return "doubled";
    case health::OddKind::suspect:
      return "suspect";
  }
  return "";
}

}  // namespace

// odd_days(first_day, events, divisors, cells, largest, whole_source)
HEALTH_FUNCTION(health_odd_days) {
  constexpr int columns = 5;
  InitMaterializedSRF(fcinfo, 0);
  const health::Day first = day_argument(fcinfo, 0, "first_day");
  const health::DailyVolume volume{numbers_argument<std::int64_t>(fcinfo, 1, "events"),
                                   numbers_argument<std::int64_t>(fcinfo, 2, "divisors"),
                                   numbers_argument<std::int64_t>(fcinfo, 3, "cells"),
                                   numbers_argument<std::int64_t>(fcinfo, 4, "largest"),
                                   !PG_ARGISNULL(5) && PG_GETARG_BOOL(5)};
  const RowBlock rows = guarded([&] {
    const auto odd = health::find_odd_days(volume);
    RowWriter writer(odd.size(), columns);
    for (const health::OddDay& one : odd) {
      writer.add_date(health::days_before(first, -static_cast<std::int64_t>(one.day)));
      writer.add(name_of(one.kind));
      writer.add_bigint(one.events);
      writer.add(one.usual);
      writer.add_bigint(one.times);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// join_outages(days, judged_until): first and last days by turns
HEALTH_FUNCTION(health_join_outages) {
  const auto days = numbers_argument<health::Day>(fcinfo, 0, "days");
  const health::Day judged_until = day_argument(fcinfo, 1, "judged_until");
  struct Ends {
    Datum* days;
    int count;
  };
  const Ends ends = guarded([&] {
    const auto outages = health::join_outages(days, judged_until);
    Ends made{allocate_array<Datum>(2 * outages.size() + 1), 0};
    for (const health::Outage& outage : outages) {
      made.days[made.count++] = DateADTGetDatum(outage.first);
      made.days[made.count++] = DateADTGetDatum(outage.last == health::max_day ? DATEVAL_NOEND : outage.last);
    }
    return made;
  });
  if (ends.count == 0) PG_RETURN_NULL();
  return PointerGetDatum(
      construct_array(ends.days, ends.count, DATEOID, sizeof(DateADT), true, TYPALIGN_INT));
}

// seen_as_of(as_of, outages)
HEALTH_FUNCTION(health_seen_as_of) {
  const health::Day as_of = day_argument(fcinfo, 0, "as_of");
  const auto outages = outages_argument(fcinfo, 1);
  PG_RETURN_DATEADT(health::seen_as_of(as_of, outages));
}
