// Folds by cluster, and the penalty that does best on them.
#include "cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "classification.hpp"
#include "core/base/error.hpp"

namespace health {

namespace {

// Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014); public domain code by
// Vigna.
std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

struct Cluster {
  std::int64_t id = 0;
  bool positive = false;  // has an observation with the outcome
  bool negative = false;  // has one without
  std::vector<std::size_t> members;
};

// Ascending by id.
std::vector<Cluster> list_clusters(Outcomes outcomes, std::span<const std::int64_t> clusters) {
  if (!clusters.empty()) check_length(clusters.size(), outcomes.size(), "clusters");
  std::map<std::int64_t, Cluster> found;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if ((i & 8191) == 8191) poll_cancel();
    const std::int64_t id = clusters.empty() ? static_cast<std::int64_t>(i) : clusters[i];
    Cluster& cluster = found[id];
    cluster.id = id;
    (outcomes[i] != 0 ? cluster.positive : cluster.negative) = true;
    cluster.members.push_back(i);
  }
  std::vector<Cluster> list;
  list.reserve(found.size());
  for (auto& [id, cluster] : found) list.push_back(std::move(cluster));
  return list;
}

void check_folds(int folds) {
  if (folds < 2) refuse_number("folds", folds, "Two folds or more: one is fitted by the others.");
}

double weigh_log_loss(std::span<const double> probabilities, Outcomes outcomes,
                      std::span<const double> weights) {
  double sum = 0;
  double weight = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double w = weights.empty() ? 1 : weights[i];
    if (w == 0) continue;
    sum += w * measure_log_loss(probabilities.subspan(i, 1), outcomes.subspan(i, 1)).number;
    weight += w;
  }
  return sum / weight;
}

}  // namespace

std::vector<double> propose_penalties(const Design& design, std::span<const double> weights) {
  check_features(design, weights);
  // Curvature is at most a quarter of the weighted square sum about the mean.
  double sum = 0;
  for (std::size_t j = 0; j < design.columns; ++j) {
    poll_cancel();
    double weight = 0;
    double mean = 0;
    double squares = 0;
    for (std::size_t i = 0; i < design.observations(); ++i) {
      const double w = weights.empty() ? 1 : weights[i];
      if (!(w > 0)) continue;
      weight += w;
      const double from_mean = design.row(i)[j] - mean;
      mean += from_mean * (w / weight);
      squares += w * from_mean * (design.row(i)[j] - mean);
    }
    sum += squares / 4;
  }
  double largest = 10 * sum / static_cast<double>(design.columns);
  // Columns that do not vary have nothing to penalise.
  if (!(largest > 1e-200)) largest = 10;
  largest = std::min(largest, 1e300);
  std::vector<double> penalties(13);
  for (std::size_t i = 0; i < penalties.size(); ++i)
    penalties[i] = largest * std::pow(10.0, -0.5 * static_cast<double>(i));
  return penalties;
}

std::vector<int> assign_folds(Outcomes outcomes, std::span<const std::int64_t> clusters, int folds,
                              std::uint64_t seed) {
  check_folds(folds);
  check_outcomes(outcomes);
  std::vector<Cluster> list = list_clusters(outcomes, clusters);
  const auto key = [&](const Cluster& cluster) {
    return splitmix64(splitmix64(seed) ^ static_cast<std::uint64_t>(cluster.id));
  };
  // Keys are distinct: splitmix64 is one to one.
  std::sort(list.begin(), list.end(), [&](const Cluster& a, const Cluster& b) {
    return a.positive != b.positive ? a.positive : key(a) < key(b);
  });
  std::vector<int> fold(outcomes.size());
  int next = 0;
  for (const Cluster& cluster : list) {
    for (const std::size_t member : cluster.members) fold[member] = next;
    next = (next + 1) % folds;
  }
  return fold;
}

CrossValidation choose_penalty(const Design& design, Outcomes outcomes, std::span<const double> weights,
                               std::span<const std::int64_t> clusters,
                               const CrossValidationOptions& options) {
  check_folds(options.folds);
  check_features(design, weights);
  check_length(outcomes.size(), design.observations(), "outcomes");
  check_outcomes(outcomes);
  CrossValidation result;
  result.penalties = options.penalties.empty() ? propose_penalties(design, weights) : options.penalties;
  for (const double penalty : result.penalties) {
    if (!(penalty > 0 && std::isfinite(penalty)))
      refuse_number("penalty", penalty, "Penalties are finite and above 0.");
  }
  std::sort(result.penalties.begin(), result.penalties.end(), std::greater<>());
  std::int64_t positive_clusters = 0;
  std::int64_t negative_clusters = 0;
  for (const Cluster& cluster : list_clusters(outcomes, clusters)) {
    positive_clusters += cluster.positive ? 1 : 0;
    negative_clusters += cluster.negative ? 1 : 0;
  }
  const std::int64_t fewest = std::min(positive_clusters, negative_clusters);
  if (fewest < 2) {
    result.unknown = outcomes.empty() ? Unknown::no_data : Unknown::zero_denominator;
    return result;
  }
  const int folds = static_cast<int>(std::min<std::int64_t>(options.folds, fewest));
  result.folds = assign_folds(outcomes, clusters, folds, options.seed);
  // The weights that the fit of each fold is made with: its own observations count nothing.
  std::vector<std::vector<double>> others(static_cast<std::size_t>(folds));
  for (std::size_t fold = 0; fold < others.size(); ++fold) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const bool own = result.folds[i] == static_cast<int>(fold);
      others[fold].push_back(own ? 0 : (weights.empty() ? 1 : weights[i]));
    }
  }
  double least = std::numeric_limits<double>::infinity();
  for (const double penalty : result.penalties) {
    std::vector<LogisticFit> fits;
    for (const std::vector<double>& of_others : others) {
      fits.push_back(fit_logistic(design, outcomes, of_others, {penalty, options.not_negative}));
      if (!fits.back().known()) {
        result.unknown = fits.back().unknown;
        return result;
      }
    }
    std::vector<double> predicted;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      predicted.push_back(predict_logistic(fits[static_cast<std::size_t>(result.folds[i])], design.row(i)));
    result.losses.push_back(weigh_log_loss(predicted, outcomes, weights));
    if (!(result.losses.back() < least) && !result.out_of_fold.empty()) continue;
    least = result.losses.back();
    result.penalty = penalty;
    result.out_of_fold = predicted;
  }
  result.fit = fit_logistic(design, outcomes, weights, {result.penalty, options.not_negative});
  return result;
}

}  // namespace health
