// Quartiles and ranks, distances by the median absolute deviation, and lines by the median of slopes.
#include "robust.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "checks.hpp"
#include "core/base/error.hpp"
#include "median.hpp"

namespace health {

namespace {

constexpr double normal_scale = 1.4826;          // standard deviations of a normal distribution in one MAD
constexpr std::size_t most_of_all_pairs = 2000;  // points: two million slopes

void add_slope(std::vector<double>& slopes, std::pair<double, double> a, std::pair<double, double> b) {
  if (a.first == b.first) return;
  const double slope = (b.second - a.second) / (b.first - a.first);
  if (std::isfinite(slope)) slopes.push_back(slope);
}

}  // namespace

Place place_among(Value number, std::span<const double> peers) {
  check_numbers(peers, "peers");
  Place place;
  place.n = peers.size();
  place.low = measure_percentile(peers, 0.25);
  place.median = measure_percentile(peers, 0.5);
  place.high = measure_percentile(peers, 0.75);
  if (!number.known()) {
    place.percentile = number;
    return place;
  }
  check_numbers({&number.number, 1}, "value");
  if (peers.size() < 2) {
    place.percentile = Value::none(Unknown::not_applicable);
    return place;
  }
  std::size_t halves = 0;
  for (const double peer : peers) halves += peer < number.number ? 2 : peer == number.number ? 1 : 0;
  place.percentile = Value::of(100 * static_cast<double>(halves) / static_cast<double>(2 * peers.size()));
  return place;
}

std::vector<Value> measure_distances(std::span<const double> numbers) {
  std::vector<Value> distances(numbers.size());
  const Value median = measure_median(numbers);
  if (!median.known()) return distances;
  std::vector<double> deviations(numbers.size());
  std::transform(numbers.begin(), numbers.end(), deviations.begin(),
                 [&](double number) { return std::abs(number - median.number); });
  const double unit = normal_scale * measure_median(deviations).number;
  std::transform(numbers.begin(), numbers.end(), distances.begin(), [&](double number) {
    return unit > 0 ? Value::of((number - median.number) / unit) : Value::none(Unknown::zero_denominator);
  });
  return distances;
}

Line fit_line(std::span<const double> x, std::span<const double> y) {
  check_length(y.size(), x.size(), "y");
  check_numbers(x, "x");
  check_numbers(y, "y");
  if (x.empty()) return {Value::none(Unknown::no_data), Value::none(Unknown::no_data)};
  std::vector<std::pair<double, double>> points(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) points[i] = {x[i], y[i]};
  std::vector<double> slopes;
  if (points.size() <= most_of_all_pairs) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      poll_cancel();
      for (std::size_t j = i + 1; j < points.size(); ++j) add_slope(slopes, points[i], points[j]);
    }
  } else {
    std::sort(points.begin(), points.end());  // the order of rows makes no difference
    const std::size_t half = points.size() / 2, second = points.size() - half;
    for (std::size_t i = 0; i < half; ++i) add_slope(slopes, points[i], points[second + i]);
  }
  const double slope = slopes.empty() ? 0 : measure_median(slopes).number;
  std::vector<double> rests(points.size());
  std::transform(points.begin(), points.end(), rests.begin(),
                 [slope](const auto& point) { return point.second - slope * point.first; });
  return {Value::of(slope), measure_median(rests)};
}

}  // namespace health
