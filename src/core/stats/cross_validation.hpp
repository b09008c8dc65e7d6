// How much to penalise a regression: what predicts best the outcomes of accounts it has not seen.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/stats/logistic.hpp"

namespace health {

struct CrossValidationOptions {
  std::vector<double> penalties;  // to choose from; none: propose_penalties
  int folds = 5;                  // 2 or more; no more are made than there are clusters of the rarer class
  std::uint64_t seed = 0;         // which clusters come into which fold
  bool not_negative = false;
};

struct CrossValidation {
  // Why there is none: no_data; zero_denominator (a class is in one fold only, as when it comes from one
  // cluster).
  Unknown unknown = Unknown::none;
  double penalty = 0;             // the chosen one
  LogisticFit fit;                // with it, of all observations
  std::vector<double> penalties;  // descending
  std::vector<double> losses;     // of each: mean log-loss (weighted) of observations that were left out
  // For each observation: its fold, and its probability by the fit of the other folds with the chosen
  // penalty. Judge a fit by these (auc.hpp, calibrate.hpp), never by its own.
  std::vector<int> folds;
  std::vector<double> out_of_fold;

  bool known() const { return unknown == Unknown::none; }
};

// 13 penalties, half a power of ten apart, from ten times the largest curvature that a column's likelihood
// can have on average down to a 100,000th of it: from next to nothing left of the coefficients to next to
// free, in whatever units the columns are. Errors as fit_logistic.
std::vector<double> propose_penalties(const Design& design, std::span<const double> weights = {});

// The fold of each observation, 0 to folds - 1. A cluster's observations are in one fold. Clusters with a
// positive and those without are dealt out in turn, in an order that is random (splitmix64 of seed and
// cluster), so that folds are alike in both; the order of the observations does not matter. None of
// `clusters`: each observation is its own. Error 22023: folds below 2, lengths differ.
std::vector<int> assign_folds(Outcomes outcomes, std::span<const std::int64_t> clusters, int folds,
                              std::uint64_t seed);

// Chooses the penalty with the least log-loss out of fold (the largest of equals), and fits with it. The
// out-of-fold predictions of the chosen penalty are a little too good, having been chosen by. Polls for
// cancel. Errors as fit_logistic; 22023 too for penalties that are not allowed, folds below 2.
CrossValidation choose_penalty(const Design& design, Outcomes outcomes, std::span<const double> weights,
                               std::span<const std::int64_t> clusters, const CrossValidationOptions& options);

}  // namespace health
