// A local calendar day as a number.
#pragma once

#include <cstdint>

namespace health {

// A local calendar day, counted from 2000-01-01 (PostgreSQL's date).
using Day = std::int32_t;

inline constexpr Day min_day = -2451545;    // 4714-11-24 BC, PostgreSQL's first date (Julian day 0)
inline constexpr Day max_day = 2145031948;  // 5874897-12-31, PostgreSQL's last date

// PostgreSQL's infinite dates, the smallest and the largest integer, are no days.
inline constexpr Day no_day = INT32_MAX;

constexpr bool is_day(Day day) { return day >= min_day && day <= max_day; }

}  // namespace health
