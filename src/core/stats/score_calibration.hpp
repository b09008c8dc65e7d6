// Which probability goes with a score: the map, and what it says of accounts that it was not made of.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/checks.hpp"

namespace health {

enum class CalibrationMethod : std::uint8_t { isotonic, platt };

// From score to probability, in either direction. Isotonic: straight lines between points, level outside
// them. Platt: 1 / (1 + exp(slope x score + intercept)).
struct ScoreMap {
  CalibrationMethod method = CalibrationMethod::platt;
  std::vector<double> scores;         // isotonic: ascending, each once
  std::vector<double> probabilities;  // isotonic: one for each
  double slope = 0;                   // Platt
  double intercept = 0;
};

// Of a map that calibrate_scores() made. Error 22023: NaN.
double apply_score_map(const ScoreMap& map, double score);

struct CalibrationOptions {
  bool rises = false;  // whether a high score makes the outcome likelier (expansion), not less likely (churn)
  std::optional<CalibrationMethod> method;  // nothing: the one with the lower Brier score out of fold
  int folds = 5;
  std::uint64_t seed = 0;
};

struct ScoreCalibration {
  // Why there is none: no_data; zero_denominator (one class only, or it comes from one cluster).
  Unknown unknown = Unknown::none;
  ScoreMap map;                     // of all observations
  std::vector<double> out_of_fold;  // of each observation, by the map of the other folds

  bool known() const { return unknown == Unknown::none; }
};

// The map that never goes the other way: where the outcomes do, it is the base rate for everybody. An
// isotonic one is never surer than its 10 observations at either end are together, and outcomes count as in
// Platt's, so that nothing is certain. Judge it by out_of_fold. Clusters (accounts) are in one fold each;
// none: each observation is its own. Errors 22023: lengths differ, a score that is not finite, an outcome
// that is not 0 or 1, folds below 2.
ScoreCalibration calibrate_scores(std::span<const double> scores, Outcomes outcomes,
                                  std::span<const std::int64_t> clusters, const CalibrationOptions& options);

}  // namespace health
