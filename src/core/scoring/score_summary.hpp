// What a score view shows of an account in one row: the score, its changes, the main reason, the next step.
#pragma once

#include <optional>
#include <string>

#include "core/metrics/volume.hpp"
#include "score.hpp"

namespace health {

struct ScoreSummary {
  Score now;
  // In points; nothing when either end is unknown.
  std::optional<double> change_7d, change_28d;
  std::string main_reason;                 // never empty
  std::string next_step;                   // empty when the model has none to offer
  std::optional<double> without_top_user;  // nothing when unknown or nobody was active
};

// What came from outside the ledger at as_of, and at 7 and 28 days before it.
struct SummaryInputs {
  std::span<const ExternalInput> now, week_ago, month_ago;
  bool in_filter_week_ago = true;  // whether the account source had the account then
  bool in_filter_month_ago = true;
  std::span<const Override> overrides = {};  // all that there ever were
  std::span<const Outage> outages = {};  // in which tracking was broken: the inputs are of the days seen then
};

// What to do about an account whose score changed by so many points in 28 days, if that is known: the step of
// the most costly weak signal that has one, else, in an account that is well and did not fall, of the
// strongest. Empty when there is none, or the score is unknown.
std::string choose_next_step(const Model& model, const Score& score, std::optional<double> change_28d);

// The main reason is an override that has effect, else the signal that moved the score most in 28 days, if
// that was by at least 1 point, else the one that costs most.
ScoreSummary summarize_score(const Model& model, const Ledger& ledger, const SummaryInputs& inputs,
                             Day as_of);

}  // namespace health
