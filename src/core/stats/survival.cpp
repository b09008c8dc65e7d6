// The product-limit estimate.
#include "survival.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "normal.hpp"

namespace health {

namespace {

// From the share and the sum of d / (n (n - d)) that its variance is made of.
void measure_uncertainty(SurvivalStep& step, double sum) {
  const auto unknown = [&](Unknown reason) { step.interval = {Value::none(reason), Value::none(reason)}; };
  if (step.survival == 0) {
    step.standard_error = Value::none(Unknown::zero_denominator);
    return unknown(Unknown::zero_denominator);
  }
  step.standard_error = Value::of(step.survival * std::sqrt(sum));
  if (step.survival == 1) return unknown(Unknown::no_data);
  const double reach = std::exp(normal_95 * std::sqrt(sum) / std::fabs(std::log(step.survival)));
  step.interval = {Value::of(std::pow(step.survival, reach)), Value::of(std::pow(step.survival, 1 / reach))};
}

// The first time at which no more than `left` are left. A product of ratios that is it exactly may come out a
// little above.
template <class Share>
Value find_time(const std::vector<SurvivalStep>& steps, double left, const Share& share) {
  for (const SurvivalStep& step : steps) {
    const Value value = share(step);
    if (value.known() && value.number <= left * (1 + 1e-12)) return Value::of(step.time);
  }
  return Value::none(steps.empty() ? Unknown::no_data : Unknown::insufficient_history);
}

}  // namespace

Survival estimate_survival(std::span<const double> times, Outcomes events) {
  check_length(events.size(), times.size(), "events");
  check_numbers(times, "times", Allow::not_negative);
  check_outcomes(events);
  std::vector<std::size_t> order(times.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  poll_cancel();
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
  poll_cancel();
  Survival result;
  double survival = 1;
  double sum = 0;
  for (std::size_t from = 0, to = 0; from < order.size(); from = to) {
    SurvivalStep step;
    step.time = times[order[from]];
    step.at_risk = static_cast<std::int64_t>(order.size() - from);
    for (; to < order.size() && times[order[to]] == step.time; ++to)
      ++(events[order[to]] != 0 ? step.events : step.censored);
    const auto n = static_cast<double>(step.at_risk);
    const auto d = static_cast<double>(step.events);
    survival *= (n - d) / n;
    if (n > d) sum += d / (n * (n - d));
    step.survival = survival;
    measure_uncertainty(step, sum);
    result.steps.push_back(step);
  }
  const SurvivalQuantile median = find_quantile(result, 0.5);
  result.median = median.time;
  result.median_interval = median.interval;
  return result;
}

SurvivalQuantile find_quantile(const Survival& survival, double share) {
  if (!(share >= 0 && share <= 1)) refuse_number("share", share, "A share is from 0 to 1.");
  const auto& steps = survival.steps;
  return {find_time(steps, 1 - share, [](const SurvivalStep& s) { return Value::of(s.survival); }),
          {find_time(steps, 1 - share, [](const SurvivalStep& s) { return s.interval.low; }),
           find_time(steps, 1 - share, [](const SurvivalStep& s) { return s.interval.high; })}};
}

double survival_at(const Survival& survival, double time) {
  if (std::isnan(time)) refuse_number("time", time, "Leave out what is unknown.");
  const auto after = std::upper_bound(survival.steps.begin(), survival.steps.end(), time,
                                      [](double t, const SurvivalStep& step) { return t < step.time; });
  return after == survival.steps.begin() ? 1 : (after - 1)->survival;
}

}  // namespace health
