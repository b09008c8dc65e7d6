// From a score to a probability: isotonic regression and Platt scaling, fitted once and stored as numbers.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/stats/checks.hpp"

namespace health {

// A map that never falls: straight lines between its points, level before the first and behind the last. No
// points: it maps nothing.
struct IsotonicMap {
  std::vector<double> scores;  // ascending, each once
  std::vector<double> values;  // one for each; none below the one before
};

// The map with the least sum of weight x (target - value)^2 among all that never fall, by pool adjacent
// violators; O(n log n). Targets may be outcomes (0 and 1) or any numbers; equal scores are pooled first;
// none of `weights`: all 1; what weighs 0 is left out. A block of equal values keeps its first and last
// score, as scikit-learn does. To map health to churn, which falls, give the risk 100 - health. With few
// observations the map is a few coarse steps that fit them too well: calibrate on others than those that are
// judged. Errors 22023: lengths differ, a number that is not finite, a weight below 0. Source: Ayer et al.,
// Ann. Math. Statistics 26 (1955), 641-647; Best and Chakravarti, Mathematical Programming 47 (1990),
// 425-439.
IsotonicMap fit_isotonic(std::span<const double> scores, std::span<const double> targets,
                         std::span<const double> weights = {});

// Straight lines between points, level before the first and behind the last: scores ascend, each comes once;
// values go where they like. Nothing when there are no points. Errors 22023: NaN, lengths differ.
std::optional<double> interpolate(std::span<const double> scores, std::span<const double> values,
                                  double score);

// The value of a score; nothing when the map has no points. Error 22023: NaN.
std::optional<double> apply_isotonic(const IsotonicMap& map, double score);

// Error 22023 unless the map is one that fit_isotonic could have made: for maps that were stored.
void check_isotonic(const IsotonicMap& map);

// probability = 1 / (1 + exp(slope x score + intercept)), in Platt's signs: a slope below 0 means that a high
// score makes the outcome likely.
struct PlattMap {
  double slope = 0;
  double intercept = 0;
};

// Platt scaling: a logistic curve through the outcomes, of which n1 count as (n1 + 1)/(n1 + 2) and n0 as
// 1/(n0 + 2), so that it stays finite when a score separates them. Newton's method with backtracking
// (minimize.hpp). Nothing when there is one class only. Errors 22023: lengths differ, a score that is not
// finite, an outcome that is not 0 or 1. Source: Platt, Advances in Large Margin Classifiers (1999), 61-74;
// Lin, Lin and Weng, Machine Learning 68 (2007), 267-276.
std::optional<PlattMap> fit_platt(std::span<const double> scores, Outcomes outcomes);

// 0..1. Error 22023: NaN.
double apply_platt(const PlattMap& map, double score);

}  // namespace health
