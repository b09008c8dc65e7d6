// AUC by ranks, and its variance by structural components.
#include "auc.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "normal.hpp"

namespace health {

namespace {

// How many of the other class each observation is ranked rightly against, ties being half, in half pairs:
// whole numbers, so that sums are exact. Divided by twice the other class they are DeLong's structural
// components.
struct HalfPairs {
  std::vector<double> of;  // one for each observation
  double total = 0;        // over the positives; over the negatives it is the same
  double positives = 0;
  double negatives = 0;

  bool comparable() const { return positives > 0 && negatives > 0; }
  double auc() const { return total / (2 * positives * negatives); }
};

HalfPairs count_half_pairs(std::span<const double> scores, Outcomes outcomes) {
  check_length(outcomes.size(), scores.size(), "outcomes");
  check_numbers(scores, "scores", Allow::infinite);
  check_outcomes(outcomes);
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  poll_cancel();
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  poll_cancel();
  HalfPairs pairs;
  pairs.of.resize(scores.size());
  for (const std::uint8_t outcome : outcomes) ++(outcome != 0 ? pairs.positives : pairs.negatives);
  double positives_below = 0;
  double negatives_below = 0;
  for (std::size_t from = 0, to = 0; from < order.size(); from = to) {
    double positives = 0;
    double negatives = 0;
    for (; to < order.size() && scores[order[to]] == scores[order[from]]; ++to)
      ++(outcomes[order[to]] != 0 ? positives : negatives);
    const double of_positive = 2 * negatives_below + negatives;
    const double of_negative = 2 * (pairs.positives - positives_below - positives) + positives;
    for (std::size_t i = from; i < to; ++i)
      pairs.of[order[i]] = outcomes[order[i]] != 0 ? of_positive : of_negative;
    pairs.total += positives * of_positive;
    positives_below += positives;
    negatives_below += negatives;
  }
  return pairs;
}

// The observations in the order of their clusters; without clusters each is one.
struct ClusterOrder {
  std::vector<std::size_t> order;
  std::vector<std::size_t> ends;  // of each cluster in `order`
};

ClusterOrder order_clusters(std::size_t observations, std::span<const std::int64_t> clusters) {
  if (!clusters.empty()) check_length(clusters.size(), observations, "clusters");
  ClusterOrder found;
  found.order.resize(observations);
  std::iota(found.order.begin(), found.order.end(), std::size_t{0});
  if (!clusters.empty()) {
    // Within a cluster by place, so that sums are always added up in the same order.
    std::sort(found.order.begin(), found.order.end(), [&](std::size_t a, std::size_t b) {
      return clusters[a] != clusters[b] ? clusters[a] < clusters[b] : a < b;
    });
  }
  poll_cancel();
  for (std::size_t i = 0; i < observations; ++i) {
    if (i + 1 == observations || clusters.empty() || clusters[found.order[i]] != clusters[found.order[i + 1]])
      found.ends.push_back(i + 1);
  }
  return found;
}

// Variance of an AUC, or of a difference of two (then `pairs` are differences), and in how many clusters each
// class is.
struct Spread {
  double variance = 0;
  std::int64_t positive_clusters = 0;
  std::int64_t negative_clusters = 0;

  bool known() const { return positive_clusters > 1 && negative_clusters > 1; }
};

Spread measure_spread(const HalfPairs& pairs, Outcomes outcomes, const ClusterOrder& clusters) {
  const double m = pairs.positives;
  const double n = pairs.negatives;
  Spread spread;
  double of_positives = 0;  // sums of squares and products of what clusters differ from the mean by
  double of_negatives = 0;
  double of_both = 0;
  for (std::size_t cluster = 0, at = 0; cluster < clusters.ends.size(); ++cluster) {
    double positives = 0;
    double negatives = 0;
    double positive_sum = 0;
    double negative_sum = 0;
    for (; at < clusters.ends[cluster]; ++at) {
      const std::size_t i = clusters.order[at];
      ++(outcomes[i] != 0 ? positives : negatives);
      (outcomes[i] != 0 ? positive_sum : negative_sum) += pairs.of[i];
    }
    // In AUC, not half pairs; 0 exactly where a cluster is like the mean.
    const double a = (m * positive_sum - positives * pairs.total) / m / (2 * n);
    const double b = (n * negative_sum - negatives * pairs.total) / n / (2 * m);
    of_positives += a * a;
    of_negatives += b * b;
    of_both += a * b;
    if (positives > 0) ++spread.positive_clusters;
    if (negatives > 0) ++spread.negative_clusters;
  }
  if (!spread.known()) return spread;
  const auto correction = [](double clusters) { return clusters / (clusters - 1); };
  spread.variance = correction(static_cast<double>(spread.positive_clusters)) * of_positives / (m * m) +
                    correction(static_cast<double>(spread.negative_clusters)) * of_negatives / (n * n) +
                    correction(static_cast<double>(clusters.ends.size())) * 2 * of_both / (m * n);
  spread.variance = std::max(0.0, spread.variance);
  return spread;
}

Interval unknown_interval(Unknown reason) { return {Value::none(reason), Value::none(reason)}; }

Interval normal_interval(double centre, double standard_error, double low, double high) {
  const double reach = normal_95 * standard_error;
  return {Value::of(std::max(low, centre - reach)), Value::of(std::min(high, centre + reach))};
}

Auc make_auc(const HalfPairs& pairs, Outcomes outcomes, const ClusterOrder& clusters) {
  Auc result;
  result.positives = static_cast<std::int64_t>(pairs.positives);
  result.negatives = static_cast<std::int64_t>(pairs.negatives);
  result.clusters = static_cast<std::int64_t>(clusters.ends.size());
  const Unknown reason = pairs.of.empty() ? Unknown::no_data : Unknown::zero_denominator;
  result.auc = result.standard_error = Value::none(reason);
  result.interval = unknown_interval(reason);
  if (!pairs.comparable()) return result;
  const double auc = pairs.auc();
  result.auc = Value::of(auc);
  const Spread spread = measure_spread(pairs, outcomes, clusters);
  if (!spread.known()) return result;
  const double error = std::sqrt(spread.variance);
  result.standard_error = Value::of(error);
  if (auc == 0 || auc == 1) {
    const std::int64_t fewest = std::min(spread.positive_clusters, spread.negative_clusters);
    result.interval = wilson_interval(auc == 0 ? 0 : fewest, fewest);
  } else {
    result.interval = normal_interval(auc, error, 0, 1);
  }
  return result;
}

AucComparison make_comparison(HalfPairs pairs, std::span<const double> second, Outcomes outcomes,
                              const ClusterOrder& cluster_order) {
  const HalfPairs others = count_half_pairs(second, outcomes);
  AucComparison result;
  result.first = make_auc(pairs, outcomes, cluster_order);
  result.second = make_auc(others, outcomes, cluster_order);
  result.difference = result.standard_error = result.z = result.p_value =
      Value::none(pairs.of.empty() ? Unknown::no_data : Unknown::zero_denominator);
  result.interval = unknown_interval(result.difference.unknown);
  if (!pairs.comparable()) return result;
  // The variance of a difference is that of the differences of the components.
  for (std::size_t i = 0; i < pairs.of.size(); ++i) pairs.of[i] -= others.of[i];
  pairs.total -= others.total;
  const double difference = pairs.auc();
  result.difference = Value::of(difference);
  const Spread spread = measure_spread(pairs, outcomes, cluster_order);
  if (!spread.known()) return result;
  const double error = std::sqrt(spread.variance);
  result.standard_error = Value::of(error);
  if (error > 0 || difference == 0) result.interval = normal_interval(difference, error, -1, 1);
  if (error > 0) {
    result.z = Value::of(difference / error);
    result.p_value = Value::of(normal_p_value(result.z.number));
  }
  return result;
}

}  // namespace

Value measure_auc(std::span<const double> scores, Outcomes outcomes) {
  const HalfPairs pairs = count_half_pairs(scores, outcomes);
  if (scores.empty()) return Value::none(Unknown::no_data);
  return pairs.comparable() ? Value::of(pairs.auc()) : Value::none(Unknown::zero_denominator);
}

Auc estimate_auc(std::span<const double> scores, Outcomes outcomes, std::span<const std::int64_t> clusters) {
  return make_auc(count_half_pairs(scores, outcomes), outcomes, order_clusters(scores.size(), clusters));
}

AucComparison compare_auc(std::span<const double> first, std::span<const double> second, Outcomes outcomes,
                          std::span<const std::int64_t> clusters) {
  check_length(second.size(), first.size(), "scores");
  return make_comparison(count_half_pairs(first, outcomes), second, outcomes,
                         order_clusters(first.size(), clusters));
}

std::vector<AucComparison> compare_auc_with_each(std::span<const double> first,
                                                 std::span<const double> others, Outcomes outcomes,
                                                 std::span<const std::int64_t> clusters) {
  const std::size_t n = first.size();
  if (n == 0 ? !others.empty() : others.size() % n != 0)
    throw Error("22023", "the other scores are not as many as the first, or twice as many, and so on");
  const HalfPairs pairs = count_half_pairs(first, outcomes);
  const ClusterOrder cluster_order = order_clusters(n, clusters);
  std::vector<AucComparison> found;
  for (std::size_t at = 0; at < others.size(); at += n)
    found.push_back(make_comparison(pairs, others.subspan(at, n), outcomes, cluster_order));
  return found;
}

}  // namespace health
