// The flags of a model document: ready-made ones with parameters, and the model's own.
#include <algorithm>

#include "core/scoring/flags.hpp"
#include "model.hpp"
#include "model_document.hpp"
#include "nearest_name.hpp"
#include "normalize_document.hpp"
#include "ready_flags.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view every_flag = "*";
constexpr std::string_view limit_keys[] = {"at_most", "at_least", "below", "above"};
constexpr std::string_view fact_parameters[] = {"fact", "kind", "currency"};
constexpr std::string_view usage_parameters[] = {"window_days", "events", "role", "actor"};
constexpr std::string_view condition_keys[] = {
    "metric", "fact",     "measure",    "window_days", "events", "role",    "by_value", "top_k", "actor",
    "kind",   "currency", "valid_days", "received",    "given",  "at_most", "at_least", "below", "above"};
constexpr std::string_view flag_keys[] = {
    "about",       "sentence", "next_step", "optional", "and",      "metric", "fact", "measure",
    "window_days", "events",   "role",      "by_value", "top_k",    "actor",  "kind", "currency",
    "valid_days",  "received", "given",     "at_most",  "at_least", "below",  "above"};
constexpr std::string_view source_keys[] = {"fact", "kind",     "currency", "events",
                                            "role", "by_value", "actor"};

const ReadyFlag* find_ready(std::string_view name) {
  for (const ReadyFlag& flag : ready_flags())
    if (flag.name == name) return &flag;
  return nullptr;
}

bool has(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

// Whether some source of that kind has the field.
bool has_source_field(const json& document, const char* kind, const char* field) {
  const auto sources = document.find(kind);
  if (sources == document.end()) return false;
  if (sources->is_object()) return has(*sources, field);
  return sources->is_array() && std::any_of(sources->begin(), sources->end(), [&](const json& source) {
           return source.is_object() && has(source, field);
         });
}

class FlagReader {
 public:
  // With the sources of the document, or without: of flags that are spelled out and were checked before.
  FlagReader(DocumentReader& reader, const json& document, const Model& model, bool with_sources)
      : reader_(reader), document_(document), model_(model), with_sources_(with_sources) {}

  Flag read(const std::string& name, const json& value, const std::string& path) {
    Flag flag;
    flag.name = name;
    if (!reader_.check_object(value, path, flag_keys)) return flag;
    const char* kinds = "churn, expansion, onboarding or data";
    if (const auto about = reader_.read_string(value, path, "about", true, kinds)) {
      if (const auto kind = flag_kind_by_name(*about))
        flag.kind = *kind;
      else
        reader_.report(path_to_key(path, "about"),
                       "must be " + std::string(kinds) + ", not \"" + *about + "\"");
    }
    flag.sentence = reader_.read_string(value, path, "sentence").value_or("");
    flag.next_step = reader_.read_string(value, path, "next_step").value_or("");
    reader_.read_bool(value, path, "optional");
    flag.conditions.push_back(read_condition(value, path));
    if (const json* more = reader_.find(value, path, "and")) {
      const std::string at = path_to_key(path, "and");
      if (!more->is_array()) {
        reader_.report(at, "must be an array, not " + show_value(*more),
                       R"(write [{"metric": "active_users", "at_least": 3}])");
        return flag;
      }
      for (std::size_t i = 0; i < more->size(); ++i)
        if (reader_.check_object((*more)[i], path_to_index(at, i), condition_keys))
          flag.conditions.push_back(read_condition((*more)[i], path_to_index(at, i)));
    }
    return flag;
  }

 private:
  FlagCondition read_condition(const json& value, const std::string& path) {
    FlagCondition condition;
    const auto measure_name = has(value, "measure") && value["measure"].is_string()
                                  ? value["measure"].get<std::string>()
                                  : std::string();
    condition.measure = flag_measure_by_name(measure_name);
    read_limits(reader_, value, path, condition);
    if (!condition.has_condition() && value.is_object() && !names_limit(value))
      reader_.report(path, "has no threshold",
                     "say for which values it is up: at_most, at_least, below, above");
    if (condition.measure) {
      read_measure(value, path, condition);
    } else if (has(value, "fact")) {
      condition.source.is_fact = true;
      if (has(value, "metric")) reader_.report(path, "has metric and fact: one source too many");
      read_fact_request(reader_, value, path, condition.source.fact);
      forbid(value, path, {"events", "role", "actor", "top_k", "received", "given"}, "fact");
      check_fact(condition.source.fact, path);
    } else if (has(value, "metric")) {
      read_metric_request(reader_, value, path, model_, condition.source.metric);
      forbid(value, path, {"measure", "kind", "currency", "valid_days", "received", "given"}, "metric");
      check_metric(condition.source.metric, path);
    } else if (!measure_name.empty()) {
      std::vector<std::string_view> names;
      for (const FlagMeasureInfo& info : flag_measures) names.push_back(info.name);
      reader_.report(path_to_key(path, "measure"),
                     "\"" + measure_name + "\" is no measure of an account, and there is no \"fact\"",
                     suggest_name(measure_name, names));
    } else {
      reader_.report(path, "has no source", "a flag has one of metric, fact or measure");
    }
    return condition;
  }

  static bool names_limit(const json& value) {
    return std::any_of(std::begin(limit_keys), std::end(limit_keys),
                       [&](std::string_view key) { return has(value, key); });
  }

  void read_measure(const json& value, const std::string& path, FlagCondition& condition) {
    const FlagMeasureInfo& info = flag_measure_info(*condition.measure);
    const std::string with = "measure " + std::string(info.name);
    if (has(value, "metric")) reader_.report(path, "has metric and measure: one source too many");
    if (const auto days = reader_.read_number(value, path, "window_days", {1, 3660, false, true})) {
      condition.window_days = static_cast<int>(*days);
      if (!info.windowed) forbid(value, path, {"window_days"}, with);
    }
    forbid(value, path, {"valid_days", "top_k"}, with);
    if (info.subject != FlagSubject::two) forbid(value, path, {"received", "given"}, with);
    switch (info.subject) {
      case FlagSubject::account:
        forbid(value, path, {"fact", "kind", "currency", "events", "role", "by_value", "actor"}, with);
        if (with_sources_) check_account(*condition.measure, path);
        break;
      case FlagSubject::usage:
        forbid(value, path, {"fact", "kind", "currency"}, with);
        read_source(value, path, condition.source);
        if (*condition.measure == FlagMeasure::first_use_days && condition.source.metric.events.empty() &&
            condition.source.metric.roles == 0)
          reader_.report(path_to_key(path, "events"), "is missing",
                         "say of which events the first use counts");
        if (with_sources_ && *condition.measure == FlagMeasure::power_user_left &&
            !has_source_field(document_, "users", "deactivated"))
          reader_.report(path, "needs a user source that says who left",
                         R"(write "users": {..., "deactivated": "deactivated_at"})");
        if (with_sources_) check_people(*condition.measure, path);
        break;
      case FlagSubject::facts:
        if (!has(value, "fact"))
          reader_.report(path_to_key(path, "fact"), "is missing", "say which fact is the revenue");
        [[fallthrough]];
      case FlagSubject::either:
        read_source(value, path, condition.source,
                    info.subject == FlagSubject::facts ? FactMeasure::open_sum : FactMeasure::count);
        break;
      case FlagSubject::two:
        forbid(value, path, {"fact", "kind", "currency", "events", "role", "by_value", "actor"}, with);
        for (const auto& [key, source] :
             {std::pair{"received", &condition.source}, {"given", &condition.other}}) {
          const json* part = reader_.find(value, path, key, true, R"(such as {"fact": "votes"})");
          const std::string at = path_to_key(path, key);
          if (part != nullptr && reader_.check_object(*part, at, source_keys))
            read_source(*part, at, *source);
        }
        break;
    }
  }

  void read_source(const json& value, const std::string& path, FlagSource& source,
                   FactMeasure measure = FactMeasure::count) {
    source.is_fact = has(value, "fact");
    if (source.is_fact) {
      forbid(value, path, {"events", "role", "by_value", "actor"}, "fact");
      read_fact_subject(reader_, value, path, source.fact);
      source.fact.measure = measure;
      check_fact(source.fact, path);
      source.fact.measure = FactMeasure::count;
      return;
    }
    forbid(value, path, {"kind", "currency"}, "events");
    read_metric_request(reader_, value, path, model_, source.metric);
    source.metric.id = MetricId::events;
    source.metric.window_days = 0;
    check_usage(path);
  }

  void check_fact(const FactRequest& request, const std::string& path) {
    if (with_sources_ && !request.fact.empty()) check_fact_request(reader_, document_, request, path);
  }

  void check_usage(const std::string& path) {
    if (with_sources_ && !has(document_, "events"))
      reader_.report(path, "is about usage, but there are no events", "say where they are in \"events\"");
  }

  void check_metric(const MetricRequest& request, const std::string& path) {
    check_usage(path);
    if (with_sources_ && request.id == MetricId::adoption_rate &&
        !has_source_field(document_, "accounts", "seats"))
      reader_.report(path, "needs the licensed seats", "say which column it is: accounts.seats");
  }

  void check_account(FlagMeasure measure, const std::string& path) {
    if (measure == FlagMeasure::days_to_end && !has_source_field(document_, "accounts", "end"))
      reader_.report(path, "needs the end of the contract", "say which column it is: accounts.end");
    if (measure == FlagMeasure::stalled_days && !has_source_field(document_, "accounts", "start"))
      reader_.report(path, "needs the start of accounts", "say which column it is: accounts.start");
    if (measure == FlagMeasure::stalled_days || measure == FlagMeasure::feed_stopped_days) check_usage(path);
  }

  void check_people(FlagMeasure measure, const std::string& path) {
    const bool by_department =
        measure == FlagMeasure::departments || measure == FlagMeasure::departments_change;
    if (by_department && !has_source_field(document_, "users", "department"))
      reader_.report(path, "needs a user source that says the departments",
                     R"(write "users": {..., "department": "department"})");
    if (measure == FlagMeasure::main_contact_silent_days &&
        !has_source_field(document_, "users", "main_contact"))
      reader_.report(path, "needs a user source that says who the main contact is",
                     R"(write "users": {..., "main_contact": "is_main_contact"})");
  }

  void forbid(const json& value, const std::string& path, std::initializer_list<const char*> keys,
              const std::string& with) {
    for (const char* key : keys)
      if (has(value, key)) reader_.report(path_to_key(path, key), "does not go with \"" + with + "\"");
  }

  DocumentReader& reader_;
  const json& document_;
  const Model& model_;
  bool with_sources_;
};

// What the model says of a ready-made flag, laid over it. A threshold of its own takes the place of the one
// on that side, a fact that of the same fact in the other conditions.
json lay_over(json base, const json& parameters) {
  for (const auto& [one, other] : {std::pair{"at_most", "below"}, std::pair{"at_least", "above"}}) {
    if (!has(parameters, one) && !has(parameters, other)) continue;
    base.erase(one);
    base.erase(other);
  }
  if (has(base, "and") && has(base, "fact") && !has(parameters, "and")) {
    for (json& condition : base["and"]) {
      if (!has(condition, "fact") || condition["fact"] != base["fact"]) continue;
      for (const std::string_view key : fact_parameters)
        if (has(parameters, key)) condition[std::string(key)] = parameters[std::string(key)];
      if (has(parameters, "window_days") && condition.value("measure", "") == "count")
        condition["window_days"] = parameters["window_days"];
    }
  }
  // Departments are counted and compared by the same events.
  if (has(base, "and") && !has(parameters, "and")) {
    for (json& condition : base["and"])
      for (const std::string_view key : usage_parameters)
        if (condition.value("measure", "") == "departments_change" && has(parameters, key))
          condition[std::string(key)] = parameters[std::string(key)];
  }
  const json names = base.value("parameters", json::object());
  base.erase("parameters");
  for (const auto& [key, value] : parameters.items()) {
    const json::json_pointer place(names.contains(key) ? names[key].get<std::string>() : "");
    if (!place.empty() && base.contains(place))
      base[place] = value;
    else
      base[key] = value;
  }
  return base;
}

// The ways in which a flag can be told: one for each way of each of its conditions.
std::vector<json> spread(const json& flag) {
  std::vector<json> ways;
  if (has(flag, "either")) {
    for (const json& way : flag["either"]) {
      json told = flag;
      told.erase("either");
      told.update(way);
      for (json& further : spread(told)) ways.push_back(std::move(further));
    }
    return ways;
  }
  if (has(flag, "and")) {
    for (std::size_t i = 0; i < flag["and"].size(); ++i) {
      if (!has(flag["and"][i], "either")) continue;
      for (json& way : spread(flag["and"][i])) {
        json told = flag;
        told["and"][i] = std::move(way);
        for (json& further : spread(told)) ways.push_back(std::move(further));
      }
      return ways;
    }
  }
  ways.push_back(flag);
  return ways;
}

bool is_about_fact(const json& way) {
  return has(way, "fact") || (has(way, "and") && std::any_of(way["and"].begin(), way["and"].end(),
                                                             [](const json& c) { return has(c, "fact"); }));
}

// A fact named for a flag whose second condition alone is about one.
json name_fact(json way, const json& parameters) {
  if (has(way, "fact") || !has(parameters, "fact") || !has(way, "and") || has(way, "measure")) return way;
  for (json& condition : way["and"])
    if (has(condition, "fact")) condition["fact"] = parameters["fact"];
  return way;
}

// A flag with all that it says, or what keeps it from being told.
struct SpelledFlag {
  std::string name;
  json flag;
  std::vector<Problem> problems;
  bool optional = false;
};

SpelledFlag spell_out(const std::string& name, const json& value, const json& document, const Model& model) {
  SpelledFlag spelled{name, json::object(), {}};
  const std::string path = path_to_key("flags", name);
  const ReadyFlag* ready = find_ready(name);
  const json parameters = value.is_boolean() ? json::object() : value;
  spelled.optional = parameters.value("optional", json(false)) == json(true);
  std::vector<json> ways;
  if (ready == nullptr) {
    ways.push_back(parameters);
  } else {
    const bool by_fact = has(parameters, "fact");
    const bool by_usage = has(parameters, "events") || has(parameters, "role") || has(parameters, "metric");
    for (json& way : spread(json::parse(ready->document))) {
      if ((by_fact && !is_about_fact(way)) || (by_usage && is_about_fact(way))) continue;
      if (has(parameters, "role")) way.erase("events");
      json told = name_fact(std::move(way), parameters);
      json own = parameters;
      if (by_fact && !has(told, "fact") && !has(told, "measure")) own.erase("fact");
      ways.push_back(lay_over(std::move(told), own));
    }
    if (ways.empty()) ways.push_back(parameters);
  }
  for (json& way : ways) {
    DocumentReader reader;
    FlagReader(reader, document, model, true).read(name, way, path);
    const bool fits = reader.problems().empty();
    if (fits || spelled.flag.empty()) {
      spelled.flag = std::move(way);
      spelled.problems = reader.take_problems();
    }
    if (fits) break;
  }
  return spelled;
}

// The flags of a document, in its order, ready-made ones first.
std::vector<SpelledFlag> spell_all(DocumentReader& reader, const json& document, const Model& model) {
  std::vector<SpelledFlag> all;
  const json* flags = reader.find(document, "", "flags");
  if (flags == nullptr) return all;
  if (!flags->is_object()) {
    reader.report("flags", "must be an object, not " + show_value(*flags),
                  R"(write {"renewal_30": true, "few_active": {"below": 0.5}})");
    return all;
  }
  std::vector<std::string_view> names;
  for (const ReadyFlag& ready : ready_flags()) names.push_back(ready.name);
  bool every = false;
  json said = json::object();
  for (const auto& [name, value] : flags->items()) {
    const std::string path = path_to_key("flags", name);
    const auto nearest = nearest_name(name, names);
    if (name == every_flag) {
      every = value == json(true);
      if (!value.is_boolean()) reader.report(path, "must be true or false, not " + show_value(value));
    } else if (!value.is_boolean() && !value.is_object()) {
      reader.report(path, "must be true, false or an object, not " + show_value(value));
    } else if (name.empty() || name.size() > 63) {
      reader.report(path, "the name of a flag has 1 to 63 bytes");
    } else if (find_ready(name) == nullptr && (value.is_boolean() || (!has(value, "about") && nearest))) {
      reader.report(path, "there is no ready-made flag \"" + name + "\"",
                    nearest ? "did you mean \"" + std::string(*nearest) + "\"?"
                            : "ready_flags() lists them; one of your own is an object with \"about\"");
    } else {
      said[name] = value;
    }
  }
  for (const ReadyFlag& ready : ready_flags()) {
    const std::string name(ready.name);
    const auto found = said.find(name);
    if (found == said.end() ? !every || flags->contains(name) : *found == json(false)) continue;
    all.push_back(spell_out(name, found == said.end() ? json(true) : *found, document, model));
    if (found == said.end()) all.back().optional = true;
  }
  for (const auto& [name, value] : said.items())
    if (find_ready(name) == nullptr) all.push_back(spell_out(name, value, document, model));
  return all;
}

}  // namespace

void check_flags(DocumentReader& reader, const json& document, const Model& model) {
  DocumentReader own;
  const auto all = spell_all(own, document, model);
  for (Problem& problem : own.take_problems())
    reader.report(std::move(problem.path), std::move(problem.problem), std::move(problem.hint));
  for (const SpelledFlag& spelled : all) {
    if (spelled.optional) continue;
    for (const Problem& problem : spelled.problems)
      reader.report(problem.path, problem.problem, problem.hint);
  }
}

std::vector<FlagText> spell_out_flags(std::string_view text) {
  const json document = parse_json(text);
  std::vector<FlagText> flags;
  if (!document.is_object()) return flags;
  DocumentReader reader;
  const Model model = parse_model(text);
  for (const SpelledFlag& spelled : spell_all(reader, document, model)) {
    json flag = spelled.flag;
    flag.erase("optional");
    flags.push_back(
        {spelled.name, spelled.problems.empty() ? flag.dump() : "",
         spelled.problems.empty() ? "" : spelled.problems[0].path + " " + spelled.problems[0].problem});
  }
  throw_first_problem(reader.problems(), "invalid flags");
  return flags;
}

FlaggedModel parse_flagged_model(std::string_view text) {
  FlaggedModel flagged{parse_model(text), {}};
  const json document = parse_json(text);
  DocumentReader reader;
  const json* flags = reader.find(document, "", "flags");
  if (flags != nullptr && flags->is_object()) {
    FlagReader read(reader, document, flagged.model, false);
    for (const auto& [name, value] : flags->items())
      flagged.flags.push_back(read.read(name, value, path_to_key("flags", name)));
    // Ready-made ones in the order of their table, then the others.
    const auto rank = [](const Flag& flag) {
      const ReadyFlag* ready = find_ready(flag.name);
      return ready == nullptr ? ready_flags().size() : static_cast<std::size_t>(ready - ready_flags().data());
    };
    std::stable_sort(flagged.flags.begin(), flagged.flags.end(),
                     [&](const Flag& a, const Flag& b) { return rank(a) < rank(b); });
  }
  throw_first_problem(reader.problems(), "invalid flags");
  return flagged;
}

}  // namespace health
