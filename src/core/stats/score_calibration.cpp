// Isotonic or Platt, fitted fold by fold and then to all.
#include "score_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibrate.hpp"
#include "classification.hpp"
#include "core/base/error.hpp"
#include "cross_validation.hpp"

namespace health {

namespace {

// What the ends of a map say at most: the mean of so many observations.
constexpr std::ptrdiff_t fewest_at_an_end = 10;

// Outcomes that are never quite certain, as Platt has them.
std::vector<double> smooth_targets(Outcomes outcomes) {
  const auto events = static_cast<double>(std::count(outcomes.begin(), outcomes.end(), 1));
  const double others = static_cast<double>(outcomes.size()) - events;
  std::vector<double> targets;
  for (const std::uint8_t outcome : outcomes)
    targets.push_back(outcome != 0 ? (events + 1) / (events + 2) : 1 / (others + 2));
  return targets;
}

ScoreMap fit_steps(std::span<const double> scores, Outcomes outcomes, bool rises) {
  std::vector<double> directed(scores.begin(), scores.end());
  if (!rises) {
    for (double& score : directed) score = -score;
  }
  const IsotonicMap map = fit_isotonic(directed, smooth_targets(outcomes));
  std::vector<double> said;
  said.reserve(directed.size());
  for (const double score : directed) said.push_back(*apply_isotonic(map, score));
  std::sort(said.begin(), said.end());
  const std::ptrdiff_t at_an_end = std::min(fewest_at_an_end, std::ssize(said));
  const auto mean_of = [&](auto first) {
    return std::accumulate(first, first + at_an_end, 0.0) / static_cast<double>(at_an_end);
  };
  // Rounding may have the means of all-equal ends cross.
  const double low = mean_of(said.begin());
  const double high = std::max(low, mean_of(said.end() - at_an_end));
  ScoreMap fitted{CalibrationMethod::isotonic, map.scores, {}, 0, 0};
  for (const double value : map.values) fitted.probabilities.push_back(std::clamp(value, low, high));
  if (!rises) {
    std::reverse(fitted.scores.begin(), fitted.scores.end());
    std::reverse(fitted.probabilities.begin(), fitted.probabilities.end());
    for (double& score : fitted.scores) score = -score;
  }
  return fitted;
}

// Both classes are there.
ScoreMap fit_curve(std::span<const double> scores, Outcomes outcomes, bool rises) {
  const PlattMap curve = *fit_platt(scores, outcomes);
  if (rises ? curve.slope <= 0 : curve.slope >= 0)
    return {CalibrationMethod::platt, {}, {}, curve.slope, curve.intercept};
  const auto events = static_cast<double>(std::count(outcomes.begin(), outcomes.end(), 1));
  return {CalibrationMethod::platt,
          {},
          {},
          0,
          std::log((static_cast<double>(outcomes.size()) - events) / events)};
}

ScoreMap fit_map(CalibrationMethod method, std::span<const double> scores, Outcomes outcomes, bool rises) {
  return method == CalibrationMethod::isotonic ? fit_steps(scores, outcomes, rises)
                                               : fit_curve(scores, outcomes, rises);
}

struct Sample {
  std::vector<double> scores;
  std::vector<std::uint8_t> outcomes;

  bool has_both_classes() const {
    const auto events = std::count(outcomes.begin(), outcomes.end(), 1);
    return events > 0 && events < std::ssize(outcomes);
  }
};

// What is not in the fold.
Sample leave_out(std::span<const double> scores, Outcomes outcomes, std::span<const int> folds, int fold) {
  Sample others;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (folds[i] == fold) continue;
    others.scores.push_back(scores[i]);
    others.outcomes.push_back(outcomes[i]);
  }
  return others;
}

}  // namespace

double apply_score_map(const ScoreMap& map, double score) {
  return map.method == CalibrationMethod::isotonic ? *interpolate(map.scores, map.probabilities, score)
                                                   : apply_platt({map.slope, map.intercept}, score);
}

ScoreCalibration calibrate_scores(std::span<const double> scores, Outcomes outcomes,
                                  std::span<const std::int64_t> clusters, const CalibrationOptions& options) {
  check_length(outcomes.size(), scores.size(), "outcomes");
  check_numbers(scores, "scores");
  const std::vector<int> folds = assign_folds(outcomes, clusters, options.folds, options.seed);
  ScoreCalibration result;
  std::vector<Sample> others;
  for (int fold = 0; fold < options.folds; ++fold) {
    others.push_back(leave_out(scores, outcomes, folds, fold));
    if (!others.back().has_both_classes()) {
      result.unknown = scores.empty() ? Unknown::no_data : Unknown::zero_denominator;
      return result;
    }
  }
  double least = 0;
  for (const CalibrationMethod method : {CalibrationMethod::platt, CalibrationMethod::isotonic}) {
    if (options.method && *options.method != method) continue;
    poll_cancel();
    std::vector<ScoreMap> maps;
    maps.reserve(others.size());
    for (const Sample& sample : others)
      maps.push_back(fit_map(method, sample.scores, sample.outcomes, options.rises));
    std::vector<double> out_of_fold;
    for (std::size_t i = 0; i < scores.size(); ++i)
      out_of_fold.push_back(apply_score_map(maps[static_cast<std::size_t>(folds[i])], scores[i]));
    const double brier = measure_brier(out_of_fold, outcomes).number;
    if (!result.out_of_fold.empty() && brier >= least) continue;
    least = brier;
    result.out_of_fold = std::move(out_of_fold);
    result.map = fit_map(method, scores, outcomes, options.rises);
  }
  return result;
}

}  // namespace health
