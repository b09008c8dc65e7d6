// Measures of risks against outcomes: one pass over groups of equal risk.
#include "classification.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.hpp"

namespace health {

namespace {

// Observations of one risk.
struct RiskGroup {
  double risk = 0;
  std::int64_t count = 0;
  std::int64_t events = 0;
};

// Highest risk first. The risks were checked.
std::vector<RiskGroup> group_risks(std::span<const double> risks, Outcomes outcomes) {
  std::vector<std::size_t> order(risks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  poll_cancel();
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return risks[a] > risks[b]; });
  poll_cancel();
  std::vector<RiskGroup> groups;
  for (const std::size_t i : order) {
    if (groups.empty() || groups.back().risk != risks[i]) groups.push_back({risks[i], 0, 0});
    ++groups.back().count;
    groups.back().events += outcomes[i];
  }
  return groups;
}

std::vector<RiskGroup> rank_risks(std::span<const double> risks, Outcomes outcomes) {
  check_length(outcomes.size(), risks.size(), "outcomes");
  check_numbers(risks, "risks", Allow::infinite);
  check_outcomes(outcomes);
  return group_risks(risks, outcomes);
}

void check_forecast(std::span<const double> probabilities, Outcomes outcomes) {
  check_length(outcomes.size(), probabilities.size(), "outcomes");
  check_probabilities(probabilities);
  check_outcomes(outcomes);
}

double count_events(Outcomes outcomes) {
  return static_cast<double>(std::accumulate(outcomes.begin(), outcomes.end(), std::int64_t{0}));
}

Value divide(double part, double whole) {
  return whole > 0 ? Value::of(part / whole) : Value::none(Unknown::zero_denominator);
}

}  // namespace

Value measure_average_precision(std::span<const double> risks, Outcomes outcomes) {
  const std::vector<RiskGroup> groups = rank_risks(risks, outcomes);
  if (groups.empty()) return Value::none(Unknown::no_data);
  double seen = 0;
  double found = 0;
  double sum = 0;
  for (const RiskGroup& group : groups) {
    seen += static_cast<double>(group.count);
    found += static_cast<double>(group.events);
    sum += static_cast<double>(group.events) * (found / seen);
  }
  return divide(sum, found);
}

TopK measure_top_k(std::span<const double> risks, Outcomes outcomes, std::int64_t k) {
  if (k < 1) refuse_number("k", static_cast<double>(k), "k is how many of the highest risks to look at.");
  const std::vector<RiskGroup> groups = rank_risks(risks, outcomes);
  TopK top;
  top.precision = top.recall = top.lift = Value::none(Unknown::no_data);
  if (groups.empty()) return top;
  const auto all = static_cast<std::int64_t>(risks.size());
  top.k = std::min(k, all);
  const double events = count_events(outcomes);
  double found = 0;
  std::int64_t left = top.k;
  for (const RiskGroup& group : groups) {
    const std::int64_t taken = std::min(left, group.count);
    found +=
        static_cast<double>(taken) * static_cast<double>(group.events) / static_cast<double>(group.count);
    left -= taken;
    if (left == 0) break;
  }
  top.precision = divide(found, static_cast<double>(top.k));
  top.recall = divide(found, events);
  top.lift = divide(found * static_cast<double>(all), static_cast<double>(top.k) * events);
  return top;
}

Value measure_brier(std::span<const double> probabilities, Outcomes outcomes) {
  check_forecast(probabilities, outcomes);
  if (probabilities.empty()) return Value::none(Unknown::no_data);
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double miss = probabilities[i] - outcomes[i];
    sum += miss * miss;
  }
  return divide(sum, static_cast<double>(probabilities.size()));
}

Value measure_brier_skill(std::span<const double> probabilities, Outcomes outcomes) {
  const Value brier = measure_brier(probabilities, outcomes);
  if (!brier.known()) return brier;
  const double rate = count_events(outcomes) / static_cast<double>(outcomes.size());
  const Value share = divide(brier.number, rate * (1 - rate));
  return share.known() ? Value::of(1 - share.number) : share;
}

Value measure_log_loss(std::span<const double> probabilities, Outcomes outcomes) {
  check_forecast(probabilities, outcomes);
  if (probabilities.empty()) return Value::none(Unknown::no_data);
  constexpr double least = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double p = std::clamp(probabilities[i], least, 1 - least);
    sum -= outcomes[i] != 0 ? std::log(p) : std::log1p(-p);
  }
  return divide(sum, static_cast<double>(probabilities.size()));
}

std::vector<CalibrationBin> measure_calibration(std::span<const double> probabilities, Outcomes outcomes,
                                                std::int64_t bins) {
  if (bins < 1) refuse_number("bins", static_cast<double>(bins), "Ten bins are deciles.");
  check_forecast(probabilities, outcomes);
  std::vector<RiskGroup> groups = group_risks(probabilities, outcomes);
  std::reverse(groups.begin(), groups.end());
  const auto all = static_cast<double>(probabilities.size());
  std::vector<CalibrationBin> table;
  double below = 0;
  double last = -1;  // the bin that is being filled
  for (const RiskGroup& group : groups) {
    const auto count = static_cast<double>(group.count);
    const double bin = std::floor((below + count / 2) / all * static_cast<double>(bins));
    below += count;
    if (bin != last) table.emplace_back();
    last = bin;
    table.back().count += group.count;
    table.back().events += group.events;
    table.back().mean_probability += count * group.risk;
  }
  for (CalibrationBin& bin : table) {
    bin.mean_probability /= static_cast<double>(bin.count);
    bin.observed_rate = static_cast<double>(bin.events) / static_cast<double>(bin.count);
    bin.interval = wilson_interval(bin.events, bin.count);
  }
  return table;
}

}  // namespace health
