// Findings in plain words: of one signal, of a score, of a change.
#pragma once

#include <string>

#include "decompose.hpp"
#include "score.hpp"

namespace health {

// The raw value as a person would write it: "58 %", "-15 %", "9", "pro"; "unknown" for a metric or input that
// is.
std::string show_raw(const Signal& signal, const Reading& reading);

// What a signal found: "3 of 12 users active in 28 days", "plan pro", "NPS unknown: nothing recorded".
std::string describe_signal(const Model& model, std::size_t signal, const Score& score);

// The score as a sentence: what it is, what costs most, what is unknown.
std::string describe_score(const Model& model, const Score& score);

// A part of a change: "active users 14 -> 9 (-8.1)", "no survey answer since May (-2.4)".
std::string describe_part(const Model& before, const ChangePart& part, const Score& from, const Score& to);

// The change as a sentence: "78 -> 65: active users 14 -> 9 (-8.1), ..., other signals (-0.4)". Says why when
// an end is unknown. `to` is the score by the model before, whose readings the parts are about.
std::string describe_change(const Model& before, const ScoreChange& change, const Score& from,
                            const Score& to);

// Words for why a value is unknown: "account too young", ...
std::string_view describe_unknown(Unknown reason);

// The leaves that count, those that cost most points first: weight x (100 - score).
struct Loss {
  std::size_t signal;
  double points;
};
std::vector<Loss> rank_losses(const Model& model, const Score& score);

}  // namespace health
