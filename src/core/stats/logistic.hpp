// Ridge logistic regression: which weights of signals tell best what happened.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/checks.hpp"

namespace health {

// Observations in rows of `columns` features each, one row after the other. Features should be on comparable
// scales, since the penalty treats them alike: signals from 0 to 100, not days beside shares.
struct Design {
  std::span<const double> rows;
  std::size_t columns = 0;

  std::size_t observations() const { return columns == 0 ? 0 : rows.size() / columns; }
  std::span<const double> row(std::size_t i) const { return rows.subspan(i * columns, columns); }
};

// Error 22023: no columns, numbers that fill no rows, one that is not finite; another number of weights than
// of rows (but none), a weight below 0 or not finite.
void check_features(const Design& design, std::span<const double> weights);

struct LogisticOptions {
  double penalty = 1;         // above 0; of half the sum of squared coefficients, not of the intercept
  bool not_negative = false;  // whether coefficients must not be below 0
};

// P(outcome) = 1 / (1 + exp(-(intercept + coefficients . features))).
struct LogisticFit {
  Unknown unknown = Unknown::none;  // why there is none: no_data, zero_denominator (one class only)
  double intercept = 0;
  std::vector<double> coefficients;
  double log_likelihood = 0;  // weighted, without the penalty
  // The largest gradient left, relative to what it could be: the conditions of Karush, Kuhn and Tucker hold
  // to so much.
  double stationarity = 0;
  int rounds = 0;
  bool converged = false;

  bool known() const { return unknown == Unknown::none; }
};

// Maximises sum of weight x log-likelihood - penalty / 2 x sum of squared coefficients, by Newton's method
// (iteratively reweighted least squares), with bounds by projection (minimize.hpp). The optimum is unique and
// finite whenever both classes are there, separated or collinear as they may be: that is why the penalty is
// above 0. None of `weights`: all 1. O(rounds x observations x columns^2). Polls for cancel.
// Errors 22023: a penalty that is not finite and above 0, no columns, lengths differ, a number that is not
// finite, a weight below 0, an outcome that is not 0 or 1. Source: le Cessie and van Houwelingen, Applied
// Statistics 41 (1992), 191-201.
LogisticFit fit_logistic(const Design& design, Outcomes outcomes, std::span<const double> weights,
                         const LogisticOptions& options);

// The fit's probability for one row of features. Error 22023: another number of features, a feature or an
// outcome of the sum that is no number.
double predict_logistic(const LogisticFit& fit, std::span<const double> features);

}  // namespace health
