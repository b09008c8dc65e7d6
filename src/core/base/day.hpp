// A local calendar day as a number.
#pragma once

#include <cstdint>

namespace health {

// A local calendar day, counted from 2000-01-01 (PostgreSQL's date).
using Day = std::int32_t;

inline constexpr Day min_day = -2451545;    // 4713-11-24 BC, PostgreSQL's first date (Julian day 0)
inline constexpr Day max_day = 2145031948;  // 5874897-12-31, PostgreSQL's last date

}  // namespace health
