// A model: what makes up an account's score. core/document reads it from a model document.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/catalog.hpp"
#include "core/metrics/facts.hpp"
#include "core/metrics/metrics.hpp"
#include "limits.hpp"
#include "normalize.hpp"

namespace health {

// What an unknown signal does to the score. docs/reference/scoring.md, "Unknown values".
enum class NullPolicy {
  ignore,        // left out; the others share its weight
  neutral,       // counts as 50, not as covered
  zero,          // counts as 0, not as covered
  required,      // the score is unknown too
  carry_forward  // the last known value stands in while it is young enough
};

// Where a signal's raw value comes from.
// `variant` is the last of a model that has variants: it weighs nothing, and its text says which one counts.
enum class SignalSource { group, metric, fact, column, expression, query, pulse, variant };

// "group", "metric", ...
std::string_view source_name(SignalSource source);

// What to do about a value, and for which values, as measured.
struct NextStep : Limits {
  std::string text;  // empty: nothing

  NextStep() = default;
  NextStep(std::string what, std::optional<double> most, std::optional<double> least = {},
           std::optional<double> under = {}, std::optional<double> over = {})
      : Limits{most, least, under, over}, text(std::move(what)) {}
  bool operator==(const NextStep&) const = default;
};

// What a version of a model keeps of the book that it was made in. docs/reference/scoring.md, "Small
// accounts".
struct FrozenBook {
  std::optional<double> median;  // of the signal's known values
  double accounts = 0;           // that have one
  bool seen = true;              // whether anything that the signal is about was ever seen
  bool operator==(const FrozenBook&) const = default;
};

// Medians of fewer accounts say nothing.
inline constexpr double fewest_accounts = 10;

// A signal, or a group of signals.
struct Signal {
  std::string path;  // in the document: signals[2].signals[0]
  std::string name;
  std::string label;  // for people; the name with spaces unless the document says otherwise
  double weight = 1;
  int parent = -1;  // index of the group, -1 at the top
  int level = 1;
  SignalSource source = SignalSource::group;
  MetricRequest metric;     // of a metric
  FactRequest fact;         // of a fact
  std::string source_text;  // of a column, expression or query
  int valid_days = 0;       // of a pulse: how old it may be at as_of
  bool optional = false;    // a column that may be absent
  int input = -1;           // position among the external inputs
  Normalizer normalize;     // of all but groups
  NullPolicy missing = NullPolicy::ignore;
  int carry_days = 0;  // carry_forward: how old the stand-in may be at as_of
  double shrink = 0;   // how many people, or events, the book's median weighs; 0: it does not come in
  FrozenBook frozen;
  bool ignored_when_silent = false;
  bool relative_to_book = false;  // a change that is held against that of the whole book, in words and advice
  NextStep step_low, step_high;   // what to do when the value is low or high

  bool is_group() const { return source == SignalSource::group; }
  bool is_external() const { return source >= SignalSource::column; }
  bool operator==(const Signal&) const = default;
};

// A range of scores with a name: [from, the band above).
struct Band {
  std::string name;
  double from = -std::numeric_limits<double>::infinity();
  bool operator==(const Band&) const = default;
};

// Other weights for some accounts. docs/reference/model.md, "Variants".
struct Variant {
  std::string name;
  std::vector<double> weights;  // of every signal, as Model::signals
  bool operator==(const Variant&) const = default;
};

// A model, ready to score. Equal are models that score alike, whatever their documents look like.
struct Model {
  EventCatalog catalog;
  MetricSettings settings;      // but for account_start and seats, which are the account's
  std::vector<Signal> signals;  // depth first: a group comes before its members
  std::vector<int> inputs;      // signals with a value or a segment from outside the ledger, in order
  std::vector<Band> bands;      // from the top down
  double minimum_coverage = 0.5;
  std::string silence_step;  // what to do about an account in which nobody is active
  std::vector<Variant> variants;

  // A signal's weight among its siblings by a variant; -1 is none: the model's own.
  double weight(std::size_t signal, int variant) const {
    return variant < 0 ? signals[signal].weight : variants[static_cast<std::size_t>(variant)].weights[signal];
  }
  // Whether a variant takes a signal that has a weight, or a group around it, out of the score.
  bool takes_out(int variant, std::size_t signal) const;
  // The variant of that name; -1 when there is none.
  int find_variant(std::string_view name) const;
  // How many signals people see.
  std::size_t shown_signals() const { return signals.size() - (variants.empty() ? 0 : 1); }

  // Whether any signal is about usage. To a model of business data alone nobody is silent.
  bool reads_usage() const;
  bool operator==(const Model&) const = default;
};

// healthy from 80, stable from 60, at_risk from 40, critical.
std::vector<Band> default_bands();

// The band of a score: the first whose `from` is at most the unrounded score. The compare forgives 1e-11
// points, which is what the binary form of decimal weights costs (.7 and .3 of 80 give 79.99999999999999).
const Band& find_band(std::span<const Band> bands, double score);

}  // namespace health
