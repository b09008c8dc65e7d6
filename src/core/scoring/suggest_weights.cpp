// Weights by nested cross-validation: an inner one for the penalty, an outer one for the judgement.
#include "suggest_weights.hpp"

#include <cmath>
#include <optional>

#include "core/base/error.hpp"
#include "core/stats/cross_validation.hpp"

namespace health {

namespace {

// What an unknown signal counts as: the nearest group that is known, or the score.
double fill_unknown(const Model& model, std::size_t signal, std::span<const double> normalized,
                    double score) {
  switch (model.signals[signal].missing) {
    case NullPolicy::neutral:
      return 50;
    case NullPolicy::zero:
      return 0;
    default:
      break;
  }
  for (int group = model.signals[signal].parent; group >= 0;
       group = model.signals[static_cast<std::size_t>(group)].parent) {
    const double value = normalized[static_cast<std::size_t>(group)];
    if (!std::isnan(value)) return value;
  }
  return score;
}

// Observations in rows of one number for each signal that is no group, 0..1, high where the outcome should be
// likely.
struct Rows {
  std::vector<double> numbers;
  std::vector<std::uint8_t> outcomes;
  std::vector<std::int64_t> accounts;
  std::size_t columns = 0;

  Design design() const { return {numbers, columns}; }
};

std::vector<std::size_t> list_leaves(const Model& model) {
  std::vector<std::size_t> leaves;
  for (std::size_t i = 0; i < model.shown_signals(); ++i) {
    if (!model.signals[i].is_group()) leaves.push_back(i);
  }
  return leaves;
}

Rows make_rows(const Model& model, const SignalObservations& seen) {
  const std::vector<std::size_t> leaves = list_leaves(model);
  Rows rows;
  rows.columns = leaves.size();
  rows.outcomes.assign(seen.outcomes.begin(), seen.outcomes.end());
  rows.accounts.assign(seen.accounts.begin(), seen.accounts.end());
  for (std::size_t i = 0; i < seen.scores.size(); ++i) {
    if ((i & 8191) == 8191) poll_cancel();
    const auto normalized = seen.normalized.subspan(i * model.signals.size(), model.signals.size());
    for (const std::size_t leaf : leaves) {
      const double known = normalized[leaf];
      const double value = std::isnan(known) ? fill_unknown(model, leaf, normalized, seen.scores[i]) : known;
      rows.numbers.push_back((100 - value) / 100);
    }
  }
  return rows;
}

Rows leave_out(const Rows& all, std::span<const int> folds, int fold) {
  Rows others;
  others.columns = all.columns;
  for (std::size_t i = 0; i < all.outcomes.size(); ++i) {
    if (folds[i] == fold) continue;
    const auto row = all.design().row(i);
    others.numbers.insert(others.numbers.end(), row.begin(), row.end());
    others.outcomes.push_back(all.outcomes[i]);
    others.accounts.push_back(all.accounts[i]);
  }
  return others;
}

// Shares of the columns; nothing when there are too few to fit.
std::optional<std::vector<double>> fit_shares(const Rows& rows, const SuggestOptions& options) {
  CrossValidationOptions search;
  search.folds = options.folds;
  search.seed = options.seed;
  search.not_negative = !options.allow_negative;
  const CrossValidation found = choose_penalty(rows.design(), rows.outcomes, {}, rows.accounts, search);
  if (!found.known()) return std::nullopt;
  std::vector<double> shares = found.fit.coefficients;
  double sum = 0;
  for (const double share : shares) sum += std::abs(share);
  if (sum > 0) {
    for (double& share : shares) share /= sum;
  }
  return shares;
}

}  // namespace

WeightSuggestion suggest_weights(const Model& model, const SignalObservations& seen,
                                 const SuggestOptions& options) {
  check_numbers(seen.scores, "scores");
  check_length(seen.outcomes.size(), seen.scores.size(), "outcomes");
  check_length(seen.accounts.size(), seen.scores.size(), "accounts");
  check_length(seen.normalized.size(), seen.scores.size() * model.signals.size(), "normalized values");
  WeightSuggestion result;
  if (seen.scores.empty()) {
    result.unknown = Unknown::no_data;
    return result;
  }
  const Rows rows = make_rows(model, seen);
  // Another dealing than that of the inner folds.
  const std::vector<int> folds = assign_folds(rows.outcomes, rows.accounts, options.folds, options.seed + 1);
  std::vector<std::vector<double>> by_fold;
  for (int fold = 0; fold < options.folds; ++fold) {
    const auto shares = fit_shares(leave_out(rows, folds, fold), options);
    if (!shares) {
      result.unknown = Unknown::zero_denominator;
      return result;
    }
    by_fold.push_back(*shares);
  }
  const auto shares = fit_shares(rows, options);
  if (!shares) {
    result.unknown = Unknown::zero_denominator;
    return result;
  }
  result.shares.assign(model.signals.size(), 0);
  const std::vector<std::size_t> leaves = list_leaves(model);
  for (std::size_t j = 0; j < leaves.size(); ++j) result.shares[leaves[j]] = (*shares)[j];
  for (std::size_t i = 0; i < seen.scores.size(); ++i) {
    const std::vector<double>& weights = by_fold[static_cast<std::size_t>(folds[i])];
    const auto row = rows.design().row(i);
    double score = 0;
    for (std::size_t j = 0; j < row.size(); ++j) score += weights[j] * (1 - row[j]);
    result.out_of_fold.push_back(100 * score);
  }
  return result;
}

}  // namespace health
