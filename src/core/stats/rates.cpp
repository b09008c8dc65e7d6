// Rates of bands and exact tests of their order.
#include "rates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "checks.hpp"
#include "core/base/error.hpp"
#include "normal.hpp"

namespace health {

namespace {

void check_rate(const RateCount& band) {
  if (band.count < 0) refuse_number("count", static_cast<double>(band.count), "Counts are not negative.");
  if (band.events < 0 || band.events > band.count)
    refuse_number("events", static_cast<double>(band.events), "Events are some or all of those counted.");
}

bool is_higher(const RateCount& first, const RateCount& second) {
  return static_cast<double>(first.events) * static_cast<double>(second.count) >
         static_cast<double>(second.events) * static_cast<double>(first.count);
}

// log of n over k. Wide, since differences of large logarithms are left.
long double log_choose(std::int64_t n, std::int64_t k) {
  const auto log_factorial = [](std::int64_t m) { return std::lgamma(static_cast<long double>(m) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

// P(X >= first.events) of the hypergeometric X: how many of all events fall to the first band.
double sum_upper_tail(const RateCount& first, const RateCount& second) {
  const auto n = static_cast<double>(first.count);
  const auto m = static_cast<double>(second.count);
  const auto events = static_cast<double>(first.events + second.events);
  // From where the probabilities fall: up from there when that is above the mean, else down from below it,
  // and the rest is what was asked for.
  const bool up = static_cast<double>(first.events) * (n + m) > events * n;
  const std::int64_t start = up ? first.events : first.events - 1;
  if (start < 0 || first.events + second.events - start > second.count) return 1;
  auto k = static_cast<double>(start);
  auto term = static_cast<double>(std::exp(
      log_choose(first.count, start) + log_choose(second.count, first.events + second.events - start) -
      log_choose(first.count + second.count, first.events + second.events)));
  double sum = 0;
  for (std::int64_t terms = 0; term > sum * 1e-17; ++terms) {
    if ((terms & 0xffff) == 0xffff) poll_cancel();
    sum += term;
    term *= up ? (n - k) * (events - k) / ((k + 1) * (m - events + k + 1))
               : k * (m - events + k) / ((n - k + 1) * (events - k + 1));
    k += up ? 1 : -1;
  }
  return std::clamp(up ? sum : 1 - sum, 0.0, 1.0);
}

}  // namespace

Rate measure_rate(const RateCount& band) {
  check_rate(band);
  const Value rate = band.count == 0
                         ? Value::none(Unknown::zero_denominator)
                         : Value::of(static_cast<double>(band.events) / static_cast<double>(band.count));
  return {rate, wilson_interval(band.events, band.count)};
}

RateComparison compare_rates(const RateCount& first, const RateCount& second) {
  const Rate one = measure_rate(first);
  const Rate other = measure_rate(second);
  RateComparison found;
  const Value none = Value::none(Unknown::zero_denominator);
  found.ratio = found.difference = none;
  found.ratio_interval = found.difference_interval = {none, none};
  if (!one.rate.known() || !other.rate.known()) return found;
  found.difference = Value::of(one.rate.number - other.rate.number);
  const auto reach = [&](const Value& low, const Value& high) {
    return std::hypot(one.rate.number - low.number, other.rate.number - high.number);
  };
  found.difference_interval = {
      Value::of(found.difference.number - reach(one.interval.low, other.interval.high)),
      Value::of(found.difference.number + reach(one.interval.high, other.interval.low))};
  if (second.events > 0) found.ratio = Value::of(one.rate.number / other.rate.number);
  if (first.events == 0 && second.events == 0) return found;
  if (first.events == first.count && second.events == second.count) return found;
  found.is_adjusted = first.events == 0 || second.events == 0;
  const double half = found.is_adjusted ? 0.5 : 0;
  const double a = static_cast<double>(first.events) + half;
  const double n = static_cast<double>(first.count) + half;
  const double b = static_cast<double>(second.events) + half;
  const double m = static_cast<double>(second.count) + half;
  const double middle = std::log(a / n * (m / b));
  const double error = normal_95 * std::sqrt(1 / a - 1 / n + 1 / b - 1 / m);
  found.ratio_interval = {Value::of(std::exp(middle - error)), Value::of(std::exp(middle + error))};
  return found;
}

double test_higher_rate(const RateCount& first, const RateCount& second) {
  check_rate(first);
  check_rate(second);
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (first.count > most || second.count > most - first.count)
    throw Error(sqlstate::program_limit_exceeded, "too many observations for an exact test",
                "Compare at most 2147483647.");
  if (first.count == 0 || second.count == 0) return 1;
  return sum_upper_tail(first, second);
}

std::vector<RateInversion> find_inversions(std::span<const RateCount> bands, double level) {
  if (!(level >= 0 && level <= 1)) refuse_number("level", level, "A level of significance is from 0 to 1.");
  std::vector<RateInversion> pairs;
  std::size_t last = bands.size();
  for (std::size_t band = 0; band < bands.size(); ++band) {
    check_rate(bands[band]);
    if (bands[band].count == 0) continue;
    if (last < bands.size()) pairs.push_back({last, band, test_higher_rate(bands[last], bands[band]), 1});
    last = band;
  }
  // Holm: the smallest p counts as often as there are pairs, the next once less, and never less than the one
  // before.
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return pairs[a].p_value != pairs[b].p_value ? pairs[a].p_value < pairs[b].p_value : a < b;
  });
  double before = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    RateInversion& pair = pairs[order[i]];
    before = std::max(before, std::min(1.0, static_cast<double>(order.size() - i) * pair.p_value));
    pair.adjusted_p_value = before;
  }
  std::erase_if(pairs, [&](const RateInversion& pair) {
    return pair.adjusted_p_value > level || !is_higher(bands[pair.first], bands[pair.second]);
  });
  return pairs;
}

}  // namespace health
