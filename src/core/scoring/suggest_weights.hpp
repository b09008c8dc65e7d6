// Which weights of a model's signals would have told best what happened. docs/reference/backtest.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/stats/checks.hpp"
#include "model.hpp"

namespace health {

// Accounts on dates, by their number in rows. `normalized` has an element for each signal of the model,
// groups too, one row after the other: 0..100, NaN where it is unknown.
struct SignalObservations {
  std::span<const double> normalized;
  std::span<const double> scores;
  Outcomes outcomes;
  std::span<const std::int64_t> accounts;
};

struct SuggestOptions {
  bool allow_negative = false;
  int folds = 5;
  std::uint64_t seed = 0;
};

struct WeightSuggestion {
  // Why there is none: no_data; zero_denominator (one class only, or too few accounts of it to leave any
  // out).
  Unknown unknown = Unknown::none;
  // For each signal of the model: its share of all weights, 0 for groups. Absolute values add up to 1, or all
  // are 0: no signal points the right way. Below 0: it points the wrong way.
  std::vector<double> shares;
  // For each observation: the score, 0..100, by weights that were fitted to other accounts.
  std::vector<double> out_of_fold;

  bool known() const { return unknown == Unknown::none; }
};

// Ridge logistic regression (stats/logistic.hpp) of the outcome on the signals, in shares of what they say.
// The penalty is chosen by cross-validation within what is fitted, the score out of fold by another around
// it, both by account, so that it owes nothing to the account that it is of.
//
// An unknown value counts as what scoring has it count as: 50 or 0 where the model says so, else what the
// rest of its group says, or the score, which is what leaving a part out of a mean does. Errors 22023:
// lengths differ, a score that is not finite, an outcome that is not 0 or 1.
WeightSuggestion suggest_weights(const Model& model, const SignalObservations& seen,
                                 const SuggestOptions& options);

}  // namespace health
