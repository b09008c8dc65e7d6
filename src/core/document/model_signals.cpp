// The tree of signals of a model document.
#include <algorithm>
#include <cmath>
#include <map>

#include "core/scoring/pulse.hpp"
#include "core/scoring/relative_to_book.hpp"
#include "model_document.hpp"
#include "nearest_name.hpp"
#include "normalize_document.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view group_keys[] = {"name",      "label",   "description", "weight",
                                           "next_step", "signals", "missing"};
constexpr std::string_view metric_keys[] = {"name",   "label",       "description",     "weight", "next_step",
                                            "metric", "window_days", "events",          "role",   "by_value",
                                            "top_k",  "normalize",   "missing",         "shrink", "silent",
                                            "frozen", "actor",       "relative_to_book"};
constexpr std::string_view fact_keys[] = {"name",     "label",    "description", "weight",     "next_step",
                                          "fact",     "measure",  "window_days", "valid_days", "kind",
                                          "currency", "by_value", "normalize",   "missing",    "frozen"};
constexpr std::string_view column_keys[] = {"name",   "label",    "description", "weight", "next_step",
                                            "column", "optional", "normalize",   "missing"};
constexpr std::string_view expression_keys[] = {
    "name", "label", "description", "weight", "next_step", "expression", "optional", "normalize", "missing"};
constexpr std::string_view query_keys[] = {"name",  "label",    "description", "weight", "next_step",
                                           "query", "optional", "normalize",   "missing"};
constexpr std::string_view pulse_keys[] = {"name",      "label", "description", "weight",
                                           "next_step", "pulse", "normalize",   "missing"};
constexpr std::string_view all_keys[] = {
    "name",    "label",      "description", "weight",   "next_step", "metric",
    "column",  "expression", "query",       "pulse",    "signals",   "window_days",
    "events",  "role",       "by_value",    "top_k",    "optional",  "normalize",
    "missing", "shrink",     "silent",      "frozen",   "actor",     "relative_to_book",
    "fact",    "measure",    "kind",        "currency", "valid_days"};
constexpr const char* source_hint =
    "a signal has one of metric, fact, column, expression, query, pulse or signals (a group)";

class SignalReader {
 public:
  SignalReader(DocumentReader& reader, Model& model, bool relative_to_book)
      : reader_(reader), model_(model), relative_to_book_(relative_to_book) {}

  void read_list(const json& list, const std::string& path, int parent, int level) {
    if (!list.is_array() || list.empty()) {
      reader_.report(
          path, list.is_array() ? "must not be empty" : "must be an array, not " + show_value(list),
          "write [{\"name\": \"activation\", \"metric\": \"activation_rate\", \"normalize\": {...}}]");
      return;
    }
    bool weighted = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
      weighted = read_signal(list[i], path_to_index(path, i), parent, level) || weighted;
    }
    if (!weighted)
      reader_.report(path, "all weights are 0", "at least one of the signals needs a weight above 0");
  }

 private:
  // Whether its weight is above 0, or wrong and reported already.
  bool read_signal(const json& value, const std::string& path, int parent, int level) {
    if (!check_keys(value, path)) return true;
    Signal signal;
    signal.path = path;
    signal.parent = parent;
    signal.level = level;
    read_name(value, signal);
    if (auto label = reader_.read_string(value, path, "label")) signal.label = std::move(*label);
    reader_.read_string(value, path, "description");
    const bool has_weight = value.contains("weight") && !value["weight"].is_null();
    const auto weight = reader_.read_number(value, path, "weight", {0, 1e9});
    signal.weight = weight.value_or(1);
    read_source(value, signal);
    read_missing(value, signal);
    if (signal.source == SignalSource::metric) read_silent(value, signal);
    if (signal.source == SignalSource::metric) read_shrink(value, signal);
    if (signal.source == SignalSource::metric) read_relative_to_book(value, signal);
    read_next_step(value, signal);
    if (!signal.is_group()) read_normalize(value, signal);
    place(value, std::move(signal));
    return has_weight ? !weight || *weight > 0 : true;
  }

  // Keys that go with another kind of signal are told apart from those that nothing knows.
  bool check_keys(const json& value, const std::string& path) {
    constexpr std::string_view sources[] = {"metric", "fact",  "column", "expression",
                                            "query",  "pulse", "signals"};
    constexpr Names keys_of[] = {metric_keys, fact_keys,  column_keys, expression_keys,
                                 query_keys,  pulse_keys, group_keys};
    if (!value.is_object()) return reader_.check_object(value, path, all_keys);
    std::size_t source = std::size(sources);
    std::size_t found = 0;
    for (std::size_t i = 0; i < std::size(sources); ++i) {
      if (value.contains(sources[i])) ++found, source = i;
    }
    const Names keys = found == 1 ? keys_of[source] : Names(all_keys);
    for (const auto& [key, member] : value.items()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      const bool elsewhere = std::find(std::begin(all_keys), std::end(all_keys), key) != std::end(all_keys);
      if (elsewhere) {
        reader_.report(path_to_key(path, key), "does not go with \"" + std::string(sources[source]) + "\"");
      } else {
        reader_.report(path_to_key(path, key), "unknown key", suggest_name(key, keys));
      }
    }
    return true;
  }

  void read_name(const json& value, Signal& signal) {
    const auto name =
        reader_.read_string(value, signal.path, "name", true, "a short name, unique in the model");
    if (!name) return;
    const std::string at = path_to_key(signal.path, "name");
    if (*name == "score") reader_.report(at, "\"score\" is the name of the whole", "choose another name");
    if (*name == "override")
      reader_.report(at, "\"override\" is the name of what a person decided", "choose another name");
    if (name->size() > 63)
      reader_.report(at, "is longer than 63 bytes", "shorten it and use \"label\" for the words");
    const auto [first, is_new] = names_.emplace(*name, signal.path);
    if (!is_new) {
      reader_.report(at, "\"" + *name + "\" is already the name of " + first->second,
                     "names are unique in the whole model");
    }
    signal.name = *name;
    signal.label = *name;
    std::replace(signal.label.begin(), signal.label.end(), '_', ' ');
  }

  void read_source(const json& value, Signal& signal) {
    const std::string& path = signal.path;
    int sources = 0;
    std::string found;
    for (const char* key : {"metric", "fact", "column", "expression", "query", "pulse", "signals"}) {
      if (reader_.find(value, path, key) == nullptr) continue;
      if (++sources > 1) found += " and ";
      found += key;
    }
    if (sources != 1) {
      reader_.report(path, sources == 0 ? "has no source" : "has " + found + ": one source too many",
                     source_hint);
      signal.source = SignalSource::expression;  // so that the rest is still looked at
      if (sources == 0) return;
    }
    if (reader_.find(value, path, "signals") != nullptr) {
      signal.source = SignalSource::group;
    } else if (reader_.find(value, path, "metric") != nullptr) {
      signal.source = SignalSource::metric;
      read_metric_request(reader_, value, signal.path, model_, signal.metric);
    } else if (reader_.find(value, path, "fact") != nullptr) {
      signal.source = SignalSource::fact;
      read_fact_request(reader_, value, signal.path, signal.fact);
      read_seen(value, signal);
    } else if (const json* pulse = reader_.find(value, path, "pulse")) {
      signal.source = SignalSource::pulse;
      read_pulse(*pulse, signal);
    } else {
      for (const auto& [key, source] : {std::pair{"column", SignalSource::column},
                                        {"expression", SignalSource::expression},
                                        {"query", SignalSource::query}}) {
        if (reader_.find(value, path, key) == nullptr) continue;
        signal.source = source;
        signal.source_text = reader_.read_string(value, path, key).value_or("");
        break;
      }
      signal.optional = reader_.read_bool(value, path, "optional").value_or(false);
    }
  }

  // {} or {"valid_days": 90}.
  void read_pulse(const json& pulse, Signal& signal) {
    const std::string at = path_to_key(signal.path, "pulse");
    constexpr std::string_view keys[] = {"valid_days"};
    if (!reader_.check_object(pulse, at, keys)) return;
    signal.valid_days = static_cast<int>(
        reader_.read_number(pulse, at, "valid_days", {1, 3660, false, true}).value_or(pulse_valid_days));
  }

  void read_seen(const json& value, Signal& signal) {
    const json* frozen = reader_.find(value, signal.path, "frozen");
    if (frozen == nullptr) return;
    const std::string at = path_to_key(signal.path, "frozen");
    constexpr std::string_view keys[] = {"seen"};
    if (!reader_.check_object(*frozen, at, keys)) return;
    signal.frozen.seen = reader_.read_bool(*frozen, at, "seen").value_or(true);
  }

  void read_missing(const json& value, Signal& signal) {
    const json* missing = reader_.find(value, signal.path, "missing");
    if (missing == nullptr) return;
    const std::string at = path_to_key(signal.path, "missing");
    if (missing->is_object()) {
      constexpr std::string_view keys[] = {"carry_forward_days"};
      reader_.check_object(*missing, at, keys);
      signal.missing = NullPolicy::carry_forward;
      signal.carry_days =
          static_cast<int>(reader_
                               .read_number(*missing, at, "carry_forward_days", {1, 3660, false, true}, true,
                                            "how old the last value may be")
                               .value_or(1));
    } else if (const auto policy = reader_.string_at(*missing, at)) {
      constexpr std::string_view policies[] = {"ignore", "neutral", "zero", "required"};
      constexpr NullPolicy meanings[] = {NullPolicy::ignore, NullPolicy::neutral, NullPolicy::zero,
                                         NullPolicy::required};
      const auto found = std::find(std::begin(policies), std::end(policies), *policy);
      if (found == std::end(policies)) {
        const auto nearest = nearest_name(*policy, policies);
        reader_.report(at, "unknown policy \"" + *policy + "\"",
                       nearest
                           ? "did you mean \"" + std::string(*nearest) + "\"?"
                           : "policies are ignore, neutral, zero, required and {\"carry_forward_days\": 30}");
        return;
      }
      signal.missing = meanings[found - std::begin(policies)];
    }
    if (signal.source == SignalSource::pulse && signal.missing == NullPolicy::carry_forward)
      reader_.report(at, "does not go with \"pulse\"", "say how old it may be in pulse.valid_days");
    if (signal.source == SignalSource::fact && signal.missing == NullPolicy::carry_forward)
      reader_.report(at, "does not go with \"fact\"", "say how old answers may be in valid_days");
    if (signal.is_group() && signal.missing != NullPolicy::ignore && signal.missing != NullPolicy::required) {
      reader_.report(at, "does not fit a group", "a group is ignored or required; give its signals a policy");
    }
  }

  void read_next_step(const json& value, Signal& signal) {
    const json* next_step = reader_.find(value, signal.path, "next_step");
    if (next_step == nullptr) return;
    const std::string at = path_to_key(signal.path, "next_step");
    constexpr std::string_view keys[] = {"low", "high"};
    if (!reader_.check_object(*next_step, at, keys)) return;
    signal.step_low = read_step(*next_step, at, "low", signal);
    signal.step_high = read_step(*next_step, at, "high", signal);
  }

  // A text, or {"text": ..., "at_most": -0.15}.
  NextStep read_step(const json& steps, const std::string& path, const char* key, const Signal& signal) {
    NextStep step;
    const json* value = reader_.find(steps, path, key);
    if (value == nullptr) return step;
    const std::string at = path_to_key(path, key);
    if (!value->is_object()) {
      step.text = reader_.string_at(*value, at).value_or("");
      return step;
    }
    constexpr std::string_view keys[] = {"text", "at_most", "at_least", "below", "above"};
    reader_.check_object(*value, at, keys);
    step.text = reader_.read_string(*value, at, "text", true, "what to do").value_or("");
    read_limits(reader_, *value, at, step);
    if (!step.has_condition()) return step;
    if (signal.is_group()) {
      reader_.report(at, "a group measures nothing that a condition could be about",
                     "give the step to one of its signals, or leave the condition out");
    }
    return step;
  }

  void read_silent(const json& value, Signal& signal) {
    const auto silent = reader_.read_string(value, signal.path, "silent");
    if (!silent) return;
    constexpr std::string_view choices[] = {"lowest", "ignore"};
    if (std::find(std::begin(choices), std::end(choices), *silent) == std::end(choices)) {
      reader_.report(path_to_key(signal.path, "silent"),
                     "must be \"lowest\" or \"ignore\", not \"" + *silent + "\"",
                     suggest_name(*silent, choices));
    }
    signal.ignored_when_silent = *silent == "ignore";
  }

  void read_shrink(const json& value, Signal& signal) {
    if (const auto shrink = reader_.read_number(value, signal.path, "shrink", {0, 1e6})) {
      signal.shrink = *shrink;
      if (*shrink > 0 && metric_info(signal.metric.id).basis == ShrinkBasis::none) {
        reader_.report(path_to_key(signal.path, "shrink"),
                       "does not go with the metric " + std::string(metric_info(signal.metric.id).name),
                       "shares of people, means per active user and trends can be shrunk");
      }
    }
    const json* frozen = reader_.find(value, signal.path, "frozen");
    if (frozen == nullptr) return;
    const std::string at = path_to_key(signal.path, "frozen");
    constexpr std::string_view keys[] = {"median", "accounts", "seen", "parameters"};
    if (!reader_.check_object(*frozen, at, keys)) return;
    signal.frozen.median = reader_.read_number(*frozen, at, "median", {});
    signal.frozen.accounts = reader_.read_number(*frozen, at, "accounts", {0, 1e15, false, true}).value_or(0);
    signal.frozen.seen = reader_.read_bool(*frozen, at, "seen").value_or(true);
    if (const json* parameters = reader_.find(*frozen, at, "parameters"))
      read_parameters(*parameters, path_to_key(at, "parameters"), signal);
  }

  // [alpha, beta, gamma, delta], as health.fit_bgbb() gives them.
  void read_parameters(const json& value, const std::string& path, Signal& signal) {
    const MetricInfo& metric = metric_info(signal.metric.id);
    if (!metric.fitted) {
      reader_.report(path, "does not go with the metric " + std::string(metric.name));
      return;
    }
    double list[4] = {};
    bool usable = value.is_array() && value.size() == std::size(list);
    for (std::size_t i = 0; usable && i < std::size(list); ++i) {
      usable = value[i].is_number();
      if (usable) list[i] = value[i].get<double>();
      usable = usable && list[i] > 0 && std::isfinite(list[i]);
    }
    if (usable) {
      signal.metric.bgbb = bgbb_parameters(list);
    } else {
      reader_.report(path, "must be four numbers above 0, not " + show_value(value),
                     "leave it out to have them fitted");
    }
  }

  // By default every change that can be.
  void read_relative_to_book(const json& value, Signal& signal) {
    const MetricInfo& metric = metric_info(signal.metric.id);
    const auto wanted = reader_.read_bool(value, signal.path, "relative_to_book");
    signal.relative_to_book = can_be_relative(metric) && wanted.value_or(relative_to_book_);
    if (wanted.value_or(false) && !can_be_relative(metric))
      reader_.report(path_to_key(signal.path, "relative_to_book"),
                     "does not go with the metric " + std::string(metric.name),
                     "changes can be held against the book: trend_4w, dropoff, baseline and their kin");
  }

  void read_normalize(const json& value, Signal& signal) {
    const bool is_pulse = signal.source == SignalSource::pulse;
    const json* spec = reader_.find(
        value, signal.path, "normalize", !is_pulse,
        "how the value becomes 0..100, such as {\"kind\": \"linear\", \"worst\": 0, \"best\": 0.8}");
    if (spec == nullptr) {
      if (!is_pulse) return;
      signal.normalize.kind = NormalizerKind::linear;
      signal.normalize.worst = worst_pulse;
      signal.normalize.best = best_pulse;
      return;
    }
    const std::string at = path_to_key(signal.path, "normalize");
    signal.normalize = read_normalizer(reader_, *spec, at);
    if (is_pulse && signal.normalize.kind == NormalizerKind::percentile)
      reader_.report(path_to_key(at, "kind"), "a pulse has five values, no ranks",
                     "use linear, steps, or map");
    if ((signal.source == SignalSource::metric || signal.source == SignalSource::fact) &&
        signal.normalize.takes_categories()) {
      reader_.report(
          path_to_key(at, "kind"),
          "map takes categories, but a " + std::string(source_name(signal.source)) + " is a number",
          "use steps for ranges of numbers");
    }
  }

  void place(const json& value, Signal signal) {
    const int index = static_cast<int>(model_.signals.size());
    const bool takes_input = signal.is_external() || !signal.normalize.segment_column.empty();
    if (takes_input) {
      signal.input = static_cast<int>(model_.inputs.size());
      model_.inputs.push_back(index);
    }
    const std::string path = signal.path;
    const int level = signal.level;
    const bool group = signal.is_group();
    model_.signals.push_back(std::move(signal));
    if (group) read_list(value["signals"], path_to_key(path, "signals"), index, level + 1);
  }

  DocumentReader& reader_;
  Model& model_;
  bool relative_to_book_;                     // unless a signal says otherwise
  std::map<std::string, std::string> names_;  // name -> path of the first signal with it
};

}  // namespace

void read_signals(DocumentReader& reader, const json& document, Model& model) {
  const json* signals =
      reader.find(document, "", "signals", true, "the list of signals that make up the score");
  if (signals == nullptr) return;
  const bool relative_to_book = reader.read_bool(document, "", "relative_to_book").value_or(true);
  SignalReader(reader, model, relative_to_book).read_list(*signals, "signals", -1, 1);
  // The record of an account has the value that a signal about all of its activity has.
  for (const Signal& signal : model.signals) {
    if (!signal.metric.bgbb || !signal.metric.events.empty() || signal.metric.roles != 0 ||
        (!signal.metric.actor.empty() && signal.metric.actor != model.settings.actor))
      continue;
    model.settings.bgbb = signal.metric.bgbb;
    break;
  }
}

}  // namespace health
