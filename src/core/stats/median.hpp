// Exact quantiles of a few numbers.
#pragma once

#include <span>

#include "core/base/value.hpp"

namespace health {

// What PostgreSQL's percentile_cont gives: the number at `fraction` (0..1) of the way through the numbers in
// order, linear between two. O(n). Unknown: no numbers (no_data). Errors 22023: a number that is not finite,
// a fraction outside 0..1.
Value measure_percentile(std::span<const double> numbers, double fraction);

// The middle one, or the mean of the two middle ones.
Value measure_median(std::span<const double> numbers);

}  // namespace health
