// The score of one account: readings of its signals, weighed in the tree of the model.
// docs/reference/scoring.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/metrics.hpp"
#include "model.hpp"

namespace health {

// What comes from outside the ledger for one entry of Model::inputs.
struct ExternalInput {
  std::optional<std::string_view> value;  // as PostgreSQL prints it; nothing: unknown
  std::optional<Day> observed;            // the day it is from; it counts for as_of after that day
  std::optional<std::string_view> segment;
};

// What one signal says at one as_of. Groups have none.
struct Reading {
  Value raw;         // as measured; a category has no number (its text is in `text`)
  std::string text;  // of an external value, as given
  Value score;       // 0..100, or why it is unknown
  std::optional<Day>
      observed;  // external: as given; a metric that was carried forward: the as_of that it was true at
  bool carried = false;         // a metric that was carried forward
  std::optional<double> whole;  // what the words for it count besides: see whole_of()

  bool known() const { return score.known(); }
};

// Reads every signal of the model. `inputs` has one entry for each of model.inputs, or is empty: all of them
// unknown. What an input's normaliser cannot take is a bad_value.
std::vector<Reading> read_signals(const Model& model, const Ledger& ledger,
                                  std::span<const ExternalInput> inputs, Day as_of);

// A signal as the tree sees it.
struct Standing {
  bool counts = false;  // in the score: known, or unknown with policy neutral or zero
  bool known = false;   // in the coverage
  double score = 0;     // 0..100 when it counts
};

// The signals' standing by their policies; groups stay empty.
std::vector<Standing> apply_policies(const Model& model, std::span<const Reading> readings);

// A signal in the finished score.
struct SignalScore {
  bool counts = false;
  double score = 0;     // of a group: the weighted mean of its members
  double coverage = 0;  // 0..1
  double weight =
      0;  // share of the whole score, after those that do not count are left out; 0 when it does not count
  double points = 0;  // weight x score: those of the leaves add up to the score
};

// The tree of signals, weighed: scores before the model's gate.
struct Tree {
  std::vector<SignalScore> signals;  // as Model::signals
  std::optional<double> score;       // nothing when no signal counts
  double coverage = 0;
};
Tree weigh_tree(const Model& model, std::span<const Standing> standings);

// The score of an account at one as_of.
struct Score {
  Day as_of = 0;
  std::vector<Reading> readings;
  std::vector<Standing> standings;
  Tree tree;
  std::optional<double> score;  // nothing when unknown: a required signal is, nothing counts, or the coverage
                                // is below the minimum
  std::string unknown_reason;   // why, in words

  // Name of the band; empty when the score is unknown.
  std::string_view band(const Model& model) const {
    return score ? std::string_view(find_band(model.bands, *score).name) : "";
  }
};
Score score_account(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                    Day as_of);
// From readings that were made or changed by hand.
Score score_readings(const Model& model, std::vector<Reading> readings, Day as_of);

}  // namespace health
