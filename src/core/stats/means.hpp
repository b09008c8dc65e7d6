// Whether the numbers of one group are larger than those of another.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/value.hpp"
#include "core/stats/wilson.hpp"

namespace health {

struct MeanComparison {
  Value first, second;  // means; unknown of no numbers (no_data)
  Value difference;     // first - second
  Interval interval;    // of the difference, 95 %; unknown with fewer than two numbers in a group
};

// Two means of independent numbers, whose variances may differ: Welch, Biometrika 34 (1947), 28-35. Where all
// numbers of both groups are the same, the interval has no width. Error 22023: a number that is not finite.
MeanComparison compare_means(std::span<const double> first, std::span<const double> second);

// The 97.5 % point of Student's t with so many degrees of freedom (>= 1, whole or not), to 5 digits from 9
// on: Abramowitz and Stegun 26.7.5.
double student_95(double freedom);

}  // namespace health
