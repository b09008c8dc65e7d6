// Integers wide enough for any sum of counts, value points or amounts of a ledger, so that no metric depends
// on the order of events.
#pragma once

#include <cmath>
#include <cstdint>

namespace health {

__extension__ typedef __int128 Exact;
__extension__ typedef unsigned __int128 UnsignedExact;

inline constexpr std::int64_t micro = 1000000;  // amounts are stored in units of 10^-6

inline double to_double(Exact value) { return static_cast<double>(value); }

// A sum of micro units (10^-6) as a number.
inline double from_micro(Exact value) { return static_cast<double>(value) / 1e6; }

// A number in micro units, rounded to nearest; it must be finite and below 9.2e12 in size.
inline std::int64_t to_micro(double value) { return static_cast<std::int64_t>(std::llround(value * 1e6)); }

}  // namespace health
