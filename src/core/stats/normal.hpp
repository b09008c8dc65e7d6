// The standard normal distribution, as far as intervals and tests need it.
#pragma once

#include <cmath>
#include <numbers>

namespace health {

// Its 97.5 % point: a two-sided 95 % interval reaches so many standard errors to either side.
inline constexpr double normal_95 = 1.959963984540054;

// P(|Z| >= |z|): the two-sided p value of z.
inline double normal_p_value(double z) { return std::erfc(std::fabs(z) / std::numbers::sqrt2); }

}  // namespace health
