// What is usual among numbers, how far one is from it, and the line that most points follow: medians, which a
// few strange accounts do not move.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/value.hpp"

namespace health {

// Where a number stands among its peers.
struct Place {
  std::size_t n = 0;        // peers
  Value low, median, high;  // quartiles, as percentile_cont has them. Unknown: no peers (no_data)
  Value percentile;  // 0..100: share of the peers below, and half of those equal. Unknown: fewer than two
                     // peers (not_applicable), no number (no_data)
};

// The number may be unknown, the peers not. Errors 22023: a number that is not finite.
Place place_among(Value number, std::span<const double> peers);

// |x - median| / (1.4826 MAD) of each: in units of what the standard deviation would be, were they normal
// (Hampel 1974; 3.5 is far: Iglewicz and Hoaglin 1993). Signed: below the median is negative. Unknown when
// more than half of the numbers are equal, so that MAD is 0 (zero_denominator).
std::vector<Value> measure_distances(std::span<const double> numbers);

// The line y = intercept + slope x with the median slope over pairs of points with different x, and the
// median of y - slope x (Theil 1950, Sen 1968). All pairs of up to 2,000 points; of more, ordered by x, each
// of the first half with its partner in the second, half of all points further on. Without two different x it
// is level. Unknown: no points (no_data).
struct Line {
  Value slope, intercept;
};
Line fit_line(std::span<const double> x, std::span<const double> y);

}  // namespace health
