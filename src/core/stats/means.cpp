// Welch's interval.
#include "means.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "checks.hpp"
#include "normal.hpp"

namespace health {

namespace {

struct Moments {
  double n = 0, mean = 0;
  double error = 0;  // variance of the mean
};

// In the order of the numbers, so that they may come in any.
Moments measure_moments(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  for (const double number : sorted)
    if (!std::isfinite(number)) refuse_number("number", number, "Leave out what is unknown.");
  std::sort(sorted.begin(), sorted.end());
  Moments found{static_cast<double>(sorted.size())};
  for (const double number : sorted) found.mean += number;
  found.mean /= std::max(found.n, 1.0);
  double squares = 0;
  for (const double number : sorted) squares += (number - found.mean) * (number - found.mean);
  const bool varies = !sorted.empty() && sorted.front() != sorted.back();
  if (varies) found.error = squares / (found.n - 1) / found.n;
  return found;
}

}  // namespace

double student_95(double freedom) {
  const double z = normal_95, v = freedom;
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v);
}

MeanComparison compare_means(std::span<const double> first, std::span<const double> second) {
  const Moments one = measure_moments(first), other = measure_moments(second);
  const auto none = [](Unknown reason) { return Value::none(reason); };
  MeanComparison found;
  found.first = first.empty() ? none(Unknown::no_data) : Value::of(one.mean);
  found.second = second.empty() ? none(Unknown::no_data) : Value::of(other.mean);
  found.difference = none(Unknown::no_data);
  found.interval = {none(Unknown::insufficient_history), none(Unknown::insufficient_history)};
  if (first.empty() || second.empty()) return found;
  const double difference = one.mean - other.mean;
  found.difference = Value::of(difference);
  if (first.size() < 2 || second.size() < 2) return found;
  const double variance = one.error + other.error;
  double reach = 0;
  if (variance > 0) {
    const double freedom = variance * variance /
                           (one.error * one.error / (one.n - 1) + other.error * other.error / (other.n - 1));
    reach = student_95(freedom) * std::sqrt(variance);
  }
  found.interval = {Value::of(difference - reach), Value::of(difference + reach)};
  return found;
}

}  // namespace health
