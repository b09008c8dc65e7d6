// Windows and weeks in whole local days, counted back from an as_of date that they exclude.
// docs/reference/metrics.md, "Rules that hold for all".
#pragma once

#include <algorithm>
#include <cstdint>

#include "day.hpp"

namespace health {

// The half-open range of days [from, until).
struct Window {
  Day from = 0;
  Day until = 0;

  constexpr bool contains(Day day) const { return from <= day && day < until; }
};

// The day `days` before `day` (after it when negative), held within the range of dates.
constexpr Day days_before(Day day, std::int64_t days) {
  return static_cast<Day>(std::clamp<std::int64_t>(static_cast<std::int64_t>(day) - days, min_day, max_day));
}

// The last `days` days before `as_of`: [as_of - days, as_of).
constexpr Window window_before(Day as_of, std::int64_t days) { return {days_before(as_of, days), as_of}; }

// Weeks `newest`..`oldest` before `as_of`, where week 1 is [as_of - 7, as_of) and week 2 the seven days
// before it.
constexpr Window weeks_before(Day as_of, int newest, int oldest) {
  return {days_before(as_of, std::int64_t{7} * oldest), days_before(as_of, std::int64_t{7} * (newest - 1))};
}

// Whole weeks from `start` to `as_of`, 0 when it starts later.
constexpr std::int64_t whole_weeks(Day start, Day as_of) {
  return std::max<std::int64_t>(0, (static_cast<std::int64_t>(as_of) - start) / 7);
}

}  // namespace health
