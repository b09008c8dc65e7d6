// Logistic regression as a minimum of the penalised negative log-likelihood.
#include "logistic.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.hpp"
#include "minimize.hpp"

namespace health {

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double logistic(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

// log(1 + exp(x)).
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// The penalised negative log-likelihood in the intercept (first) and the coefficients, of columns about their
// weighted means: that changes the intercept only, and keeps it apart from the coefficients numerically.
class PenalisedLoss : public Objective {
 public:
  PenalisedLoss(const Design& design, Outcomes outcomes, std::span<const double> weights, double penalty)
      : outcomes_(outcomes), penalty_(penalty) {
    const auto n = static_cast<Eigen::Index>(design.observations());
    const auto p = static_cast<Eigen::Index>(design.columns);
    weights_ = weights.empty() ? Vector::Ones(n) : Vector(Eigen::Map<const Vector>(weights.data(), n));
    const Eigen::Map<const RowMajor> given(design.rows.data(), n, p);
    means_ = given.transpose() * weights_ / weights_.sum();
    columns_.resize(n, p + 1);
    columns_.col(0).setOnes();
    columns_.rightCols(p) = given.rowwise() - means_.transpose();
  }

  double value(const Vector& x) const override {
    const Vector margins = columns_ * x;
    return penalty(x) + loss(margins);
  }

  double expand(const Vector& x, Vector& gradient, Matrix& curvature) const override {
    const Vector margins = columns_ * x;
    Vector misses(margins.size());
    Vector roots(margins.size());
    for (Eigen::Index i = 0; i < margins.size(); ++i) {
      const double p = logistic(margins[i]);
      misses[i] = weights_[i] * (p - outcome(i));
      roots[i] = std::sqrt(weights_[i] * p * (1 - p));
    }
    gradient = columns_.transpose() * misses;
    const Matrix scaled = roots.asDiagonal() * columns_;
    curvature.setZero();
    curvature.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
    curvature.triangularView<Eigen::StrictlyUpper>() = curvature.transpose();
    const Eigen::Index p = x.size() - 1;
    gradient.tail(p) += penalty_ * x.tail(p);
    curvature.diagonal().tail(p).array() += penalty_;
    return penalty(x) + loss(margins);
  }

  // As large as each gradient can be from the observations.
  Vector scale() const {
    const Vector sums = columns_.cwiseAbs().transpose() * weights_;
    return sums.cwiseMax(std::numeric_limits<double>::min());
  }

  double penalty(const Vector& x) const { return penalty_ / 2 * x.tail(x.size() - 1).squaredNorm(); }
  const Vector& means() const { return means_; }

 private:
  double outcome(Eigen::Index i) const { return outcomes_[static_cast<std::size_t>(i)]; }

  double loss(const Vector& margins) const {
    double sum = 0;
    for (Eigen::Index i = 0; i < margins.size(); ++i)
      sum += weights_[i] * (softplus(margins[i]) - outcome(i) * margins[i]);
    return sum;
  }

  Outcomes outcomes_;
  double penalty_;
  Vector weights_;
  Vector means_;
  Matrix columns_;
};

}  // namespace

void check_features(const Design& design, std::span<const double> weights) {
  if (design.columns == 0)
    throw Error(sqlstate::invalid_parameter_value, "a regression of no columns", "Give at least one column.");
  if (design.rows.size() % design.columns != 0)
    throw Error(sqlstate::invalid_parameter_value, std::to_string(design.rows.size()) +
                                                       " numbers are no rows of " +
                                                       std::to_string(design.columns) + " columns");
  if (!weights.empty()) check_length(weights.size(), design.observations(), "weights");
  check_numbers(design.rows, "features");
  check_numbers(weights, "weights", Allow::not_negative);
}

LogisticFit fit_logistic(const Design& design, Outcomes outcomes, std::span<const double> weights,
                         const LogisticOptions& options) {
  if (!(options.penalty > 0 && std::isfinite(options.penalty)))
    refuse_number("penalty", options.penalty, "Penalties are finite and above 0.");
  check_features(design, weights);
  check_length(outcomes.size(), design.observations(), "outcomes");
  check_outcomes(outcomes);
  LogisticFit fit;
  double positives = 0;
  double negatives = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    (outcomes[i] != 0 ? positives : negatives) += weights.empty() ? 1 : weights[i];
  if (!(positives > 0 && negatives > 0)) {
    fit.unknown = positives + negatives > 0 ? Unknown::zero_denominator : Unknown::no_data;
    return fit;
  }
  const PenalisedLoss loss(design, outcomes, weights, options.penalty);
  const auto p = static_cast<Eigen::Index>(design.columns);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  MinimizeOptions search;
  search.low = Vector::Constant(p + 1, options.not_negative ? 0 : -infinity);
  search.low[0] = -infinity;
  search.high = Vector::Constant(p + 1, infinity);
  search.scale = loss.scale();
  Vector start = Vector::Zero(p + 1);
  start[0] = std::log(positives) - std::log(negatives);
  const Minimum best = minimize(loss, start, search);
  fit.coefficients.assign(best.x.data() + 1, best.x.data() + best.x.size());
  fit.intercept = best.x[0] - loss.means().dot(best.x.tail(p));
  fit.log_likelihood = loss.penalty(best.x) - best.value;
  fit.stationarity = best.stationarity;
  fit.rounds = best.rounds;
  fit.converged = best.converged;
  return fit;
}

double predict_logistic(const LogisticFit& fit, std::span<const double> features) {
  if (features.size() != fit.coefficients.size())
    throw Error(sqlstate::invalid_parameter_value, std::to_string(features.size()) + " features for " +
                                                       std::to_string(fit.coefficients.size()) +
                                                       " coefficients");
  check_numbers(features, "features");
  double margin = fit.intercept;
  for (std::size_t j = 0; j < features.size(); ++j) margin += fit.coefficients[j] * features[j];
  if (std::isnan(margin)) refuse_number("sum of the features", margin, "Give smaller numbers.");
  return logistic(margin);
}

}  // namespace health
