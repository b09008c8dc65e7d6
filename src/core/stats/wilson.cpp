// The Wilson score interval of a share.
#include "wilson.hpp"

#include <algorithm>
#include <cmath>

#include "normal.hpp"

namespace health {

Interval wilson_interval(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return {Value::none(Unknown::zero_denominator), Value::none(Unknown::zero_denominator)};
  if (part < 0 || part > whole)
    return {Value::none(Unknown::not_applicable), Value::none(Unknown::not_applicable)};
  constexpr double z = normal_95;
  const double n = static_cast<double>(whole);
  const double share = static_cast<double>(part) / n;
  const double scale = 1 + z * z / n;
  const double centre = share + z * z / (2 * n);
  const double reach = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  // At the ends the formula gives exactly 0 and 1, which rounding must not blur.
  const double low = part == 0 ? 0.0 : std::max(0.0, (centre - reach) / scale);
  const double high = part == whole ? 1.0 : std::min(1.0, (centre + reach) / scale);
  return {Value::of(low), Value::of(high)};
}

}  // namespace health
