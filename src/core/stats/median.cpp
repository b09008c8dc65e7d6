// Quantiles by selection.
#include "median.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "checks.hpp"
#include "core/base/error.hpp"

namespace health {

Value measure_percentile(std::span<const double> numbers, double fraction) {
  if (!(fraction >= 0 && fraction <= 1)) refuse_number("fraction", fraction, "Fractions are from 0 to 1.");
  check_numbers(numbers, "numbers");
  if (numbers.empty()) return Value::none(Unknown::no_data);
  std::vector<double> values(numbers.begin(), numbers.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(std::floor(place));
  poll_cancel();
  std::nth_element(values.begin(), below, values.end());
  const double share = place - std::floor(place);
  if (share == 0) return Value::of(*below);
  const double above = *std::min_element(below + 1, values.end());
  // The difference of huge numbers need not be finite.
  const double distance = above - *below;
  return Value::of(std::isfinite(distance) ? *below + share * distance
                                           : (1 - share) * *below + share * above);
}

Value measure_median(std::span<const double> numbers) { return measure_percentile(numbers, 0.5); }

}  // namespace health
