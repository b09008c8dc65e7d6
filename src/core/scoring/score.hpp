// The score of one account: readings of its signals, weighed in the tree of the model.
// docs/reference/scoring.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/metrics.hpp"
#include "customer_state.hpp"
#include "model.hpp"
#include "override.hpp"
#include "relative_to_book.hpp"

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
  Value score;  // 0..100, or why it is unknown. Of a value that is unknown because nobody is active it is
                // known: the lowest that there is
  std::optional<double> counted;  // a metric of a small account: its value shrunk toward the book's median
  double basis = 0;               // and by how many people or events; 0, of a silent account: the value of
                                  // the last seven days that scores lowest
  std::optional<Day> observed;  // external: as given; of a metric that was carried forward the as_of that it
                                // was true at; before_ledger: the first day that the ledger keeps
  bool carried = false;         // a metric that was carried forward
  std::optional<double> whole;  // what the words for it count besides: see whole_of()

  bool known() const { return score.known(); }
  bool nobody_active() const { return raw.unknown == Unknown::nobody_active; }
};

// Reads every signal of the model. `inputs` has one entry for each of model.inputs, or is empty: all of them
// unknown. What an input's normaliser cannot take is a bad_value.
std::vector<Reading> read_signals(const Model& model, const Ledger& ledger,
                                  std::span<const ExternalInput> inputs, Day as_of);

// Whether a value ranks among peers, but there are none.
bool lacks_peers(const Signal& signal, const Reading& reading);

// Whether a metric needs parameters that nothing was fitted for.
bool lacks_parameters(const Signal& signal);

// A signal as the tree sees it.
struct Standing {
  bool counts = false;  // in the score: known, or unknown with policy neutral or zero
  bool known = false;   // in the coverage
  double score = 0;     // 0..100 when it counts

  bool operator==(const Standing&) const = default;
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
Tree weigh_tree(const Model& model, std::span<const Standing> standings, int variant = -1);

// The score of an account at one as_of.
struct Score {
  Day as_of = 0;
  CustomerState state;
  std::vector<Reading> readings;
  int variant = -1;  // of Model::variants, whose weights the tree has; -1: the model's own
  std::vector<Standing> standings;
  Tree tree;
  std::optional<double> computed;  // by the signals; nothing when unknown: a required signal is, nothing
                                   // counts, or the coverage is below the minimum
  std::optional<double> score;     // as shown: `computed`, or what an override makes of it
  std::string unknown_reason;      // why it is unknown, in words
  std::optional<Override> overridden_by;  // an override that has effect
  BookChanges book;                       // on the same day; the score does not move by it

  // What the override adds to the points of the signals; 0 without one.
  double override_points() const { return overridden_by ? *score - tree.score.value_or(0) : 0; }

  // Name of the band; empty when the score is unknown, or the account too young to be judged.
  std::string_view band(const Model& model) const {
    if (!score || state.kind == CustomerStateKind::onboarding) return "";
    return find_band(model.bands, *score).name;
  }
};
// Overrides are all that there ever were of the account; none touches an account out of the book or one that
// the account source has more than once.
Score score_account(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                    Day as_of, std::span<const Override> overrides = {});
// On a day on which the account source has the account more than once.
Score score_repeated(const Model& model, const Ledger& ledger, Day as_of);
// The score of the account without the activity of one user: signals of concentration stay as they are, and
// it is never above `now`. Nothing when it is unknown.
std::optional<double> score_without(const Model& model, const Score& now, const Ledger& ledger,
                                    std::uint32_t user, std::span<const ExternalInput> inputs,
                                    std::span<const Override> overrides = {});
// From readings that were made, kept or changed by hand.
Score score_readings(const Model& model, std::vector<Reading> readings, Day as_of,
                     const CustomerState& state = {}, std::span<const Override> overrides = {});

// A signal below the first is weak, from the second on strong, unless its next steps say for which values
// they are.
inline constexpr double good_score = 60;
inline constexpr double very_good_score = 80;

// What to do about a weak, or a strong, signal: its own text, else that of the nearest group above it that
// has one. Empty when there is nothing to do: the value is not one that the text is for, nor is what is left
// of it against the book, or nobody is active.
std::string_view find_next_step(const Model& model, std::size_t signal, const Score& score, bool strong);

}  // namespace health
