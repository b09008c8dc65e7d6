// Isotonic regression by pooling, Platt scaling by a search for the likeliest curve.
#include "calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.hpp"
#include "minimize.hpp"

namespace health {

namespace {

// Neighbouring scores of one value.
struct Block {
  double first = 0;
  double last = 0;
  double mean = 0;
  double weight = 0;

  void take(const Block& next) {
    last = next.last;
    weight += next.weight;
    mean += (next.mean - mean) * (next.weight / weight);
  }
};

// One for each score, ascending.
std::vector<Block> pool_equal_scores(std::span<const double> scores, std::span<const double> targets,
                                     std::span<const double> weights) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (weights.empty() || weights[i] > 0) order.push_back(i);
  }
  poll_cancel();
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] < scores[b] : targets[a] < targets[b];
  });
  poll_cancel();
  std::vector<Block> blocks;
  for (const std::size_t i : order) {
    const Block one{scores[i], scores[i], targets[i], weights.empty() ? 1 : weights[i]};
    if (!blocks.empty() && blocks.back().last == one.first) {
      blocks.back().take(one);
    } else {
      blocks.push_back(one);
    }
  }
  return blocks;
}

double logistic_of_minus(double x) {
  // Neither side may overflow.
  return x >= 0 ? std::exp(-x) / (1 + std::exp(-x)) : 1 / (1 + std::exp(x));
}

// The negative log-likelihood of smoothed targets in slope and intercept, over standardised scores.
class PlattLoss : public Objective {
 public:
  PlattLoss(std::span<const double> scores, Outcomes outcomes) : outcomes_(outcomes) {
    const Eigen::Map<const Vector> given(scores.data(), static_cast<Eigen::Index>(scores.size()));
    const double largest = given.cwiseAbs().maxCoeff();
    unit_ = largest > 0 ? largest : 1;
    standardised_ = given / unit_;
    mean_ = standardised_.mean();
    standardised_.array() -= mean_;
    const double spread = std::sqrt(standardised_.squaredNorm() / static_cast<double>(scores.size()));
    spread_ = spread > 0 ? spread : 1;
    standardised_ /= spread_;
    const auto positives = static_cast<double>(std::count(outcomes.begin(), outcomes.end(), 1));
    const double negatives = static_cast<double>(outcomes.size()) - positives;
    target_of_positive_ = (positives + 1) / (positives + 2);
    target_of_negative_ = 1 / (negatives + 2);
    start_ = Eigen::Vector2d(0, std::log((negatives + 1) / (positives + 1)));
  }

  Vector start() const { return start_; }
  // As large as each gradient can be.
  Vector scale() const {
    return Eigen::Vector2d(std::max(standardised_.cwiseAbs().sum(), std::numeric_limits<double>::min()),
                           static_cast<double>(standardised_.size()));
  }
  PlattMap of_plain_scores(const Vector& x) const {
    return {x[0] / spread_ / unit_, x[1] - x[0] * mean_ / spread_};
  }

  double value(const Vector& x) const override {
    double sum = 0;
    for (Eigen::Index i = 0; i < standardised_.size(); ++i) {
      const double margin = x[0] * standardised_[i] + x[1];
      sum += margin >= 0 ? target(i) * margin + std::log1p(std::exp(-margin))
                         : (target(i) - 1) * margin + std::log1p(std::exp(margin));
    }
    return sum;
  }

  double expand(const Vector& x, Vector& gradient, Matrix& curvature) const override {
    gradient.setZero();
    curvature.setZero();
    for (Eigen::Index i = 0; i < standardised_.size(); ++i) {
      const double f = standardised_[i];
      const double p = logistic_of_minus(x[0] * f + x[1]);
      const Eigen::Vector2d by(f, 1);
      gradient += (target(i) - p) * by;
      curvature += p * (1 - p) * by * by.transpose();
    }
    return value(x);
  }

 private:
  double target(Eigen::Index i) const {
    return outcomes_[static_cast<std::size_t>(i)] != 0 ? target_of_positive_ : target_of_negative_;
  }

  Outcomes outcomes_;
  Vector standardised_;  // (score / unit - mean) / spread
  double unit_ = 1;
  double mean_ = 0;
  double spread_ = 1;
  double target_of_positive_ = 0;
  double target_of_negative_ = 0;
  Eigen::Vector2d start_;
};

}  // namespace

IsotonicMap fit_isotonic(std::span<const double> scores, std::span<const double> targets,
                         std::span<const double> weights) {
  check_length(targets.size(), scores.size(), "targets");
  if (!weights.empty()) check_length(weights.size(), scores.size(), "weights");
  check_numbers(scores, "scores");
  check_numbers(targets, "targets");
  check_numbers(weights, "weights", Allow::not_negative);
  std::vector<Block> pooled;
  for (const Block& block : pool_equal_scores(scores, targets, weights)) {
    pooled.push_back(block);
    while (pooled.size() > 1 && pooled[pooled.size() - 2].mean >= pooled.back().mean) {
      const Block next = pooled.back();
      pooled.pop_back();
      pooled.back().take(next);
    }
  }
  IsotonicMap map;
  for (const Block& block : pooled) {
    map.scores.push_back(block.first);
    map.values.push_back(block.mean);
    if (block.last == block.first) continue;
    map.scores.push_back(block.last);
    map.values.push_back(block.mean);
  }
  return map;
}

std::optional<double> interpolate(std::span<const double> scores, std::span<const double> values,
                                  double score) {
  check_length(values.size(), scores.size(), "values");
  if (std::isnan(score)) refuse_number("score", score, "Leave out what is unknown.");
  if (scores.empty()) return std::nullopt;
  const auto after =
      static_cast<std::size_t>(std::lower_bound(scores.begin(), scores.end(), score) - scores.begin());
  if (after == scores.size()) return values.back();
  if (after == 0 || scores[after] == score) return values[after];
  // Halves keep the differences of huge scores finite.
  const double low = scores[after - 1];
  const double share = (score / 2 - low / 2) / (scores[after] / 2 - low / 2);
  return std::lerp(values[after - 1], values[after], share);
}

std::optional<double> apply_isotonic(const IsotonicMap& map, double score) {
  return interpolate(map.scores, map.values, score);
}

void check_isotonic(const IsotonicMap& map) {
  check_length(map.values.size(), map.scores.size(), "values");
  check_numbers(map.scores, "scores");
  check_numbers(map.values, "values");
  for (std::size_t i = 1; i < map.scores.size(); ++i) {
    if (!(map.scores[i] > map.scores[i - 1]))
      refuse_number("score", map.scores[i], "The scores of a map ascend, each comes once.");
    if (map.values[i] < map.values[i - 1])
      refuse_number("value", map.values[i], "The values of a map never fall.");
  }
}

std::optional<PlattMap> fit_platt(std::span<const double> scores, Outcomes outcomes) {
  check_length(outcomes.size(), scores.size(), "outcomes");
  check_numbers(scores, "scores");
  check_outcomes(outcomes);
  const auto positives = std::count(outcomes.begin(), outcomes.end(), 1);
  if (positives == 0 || positives == std::ssize(outcomes)) return std::nullopt;
  const PlattLoss loss(scores, outcomes);
  MinimizeOptions search;
  search.high = Vector::Constant(2, std::numeric_limits<double>::infinity());
  search.low = -search.high;
  search.scale = loss.scale();
  return loss.of_plain_scores(minimize(loss, loss.start(), search).x);
}

double apply_platt(const PlattMap& map, double score) {
  if (std::isnan(score)) refuse_number("score", score, "Leave out what is unknown.");
  const double x = map.slope * score + map.intercept;
  // A level curve at an infinite score.
  return logistic_of_minus(std::isnan(x) ? map.intercept : x);
}

}  // namespace health
