// Questions to a ledger in a model document: a metric or a fact, as signals and flags ask them.
#include <algorithm>

#include "model_document.hpp"
#include "nearest_name.hpp"

namespace health {

namespace {

using json = nlohmann::json;

std::vector<std::string_view> metric_names() {
  std::vector<std::string_view> names;
  for (const MetricInfo& metric : metric_table) names.push_back(metric.name);
  return names;
}

// The nearest name, else those that have the word in them, else all there are.
std::string suggest_metric(const std::string& name) {
  const auto names = metric_names();
  if (const auto nearest = nearest_name(name, names))
    return "did you mean \"" + std::string(*nearest) + "\"?";
  std::string related;
  std::string all;
  for (const std::string_view metric : names) {
    all.append(all.empty() ? "" : ", ").append(metric);
    if (!name.empty() && metric.find(name) != std::string_view::npos)
      related.append(related.empty() ? "there are \"" : "\", \"").append(metric);
  }
  return related.empty() ? "the metrics are " + all : related + "\"";
}

unsigned read_role(DocumentReader& reader, const Model& model, const json& value, const std::string& path) {
  const auto name = reader.string_at(value, path);
  if (!name) return 0;
  constexpr std::string_view names[] = {"create", "consume", "interact", "activate", "session"};
  const unsigned role = role_by_name(*name);
  if (role == 0) {
    reader.report(path, "unknown role \"" + *name + "\"", suggest_name(*name, names));
  } else if ((model.catalog.roles() & role) == 0) {
    reader.report(path, "no event of the catalog has the role \"" + *name + "\"",
                  "give at least one event this role");
  }
  return role;
}

void check_events(DocumentReader& reader, const Model& model, const std::string& path,
                  const std::vector<std::string>& events) {
  if (events.empty()) reader.report(path, "must not be empty", "leave it out to count every event");
  if (model.catalog.count_unlisted) return;
  std::vector<std::string_view> known;
  for (const EventRule& rule : model.catalog.rules) known.push_back(rule.name);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (model.catalog.find(events[i]) == nullptr) {
      reader.report(path_to_index(path, i), "event \"" + events[i] + "\" is not in the catalog",
                    suggest_name(events[i], known));
    }
  }
}

}  // namespace

void read_metric_request(DocumentReader& reader, const json& value, const std::string& path,
                         const Model& model, MetricRequest& request) {
  if (const auto name = reader.read_string(value, path, "metric")) {
    if (const auto id = metric_by_name(*name)) {
      request.id = *id;
    } else {
      reader.report(path_to_key(path, "metric"), "unknown metric \"" + *name + "\"", suggest_metric(*name));
    }
  }
  request.window_days =
      static_cast<int>(reader.read_number(value, path, "window_days", {1, 3660, false, true}).value_or(0));
  request.top_k =
      static_cast<int>(reader.read_number(value, path, "top_k", {1, 1000, false, true}).value_or(1));
  request.actor = reader.read_string(value, path, "actor").value_or("");
  request.by_value = reader.read_bool(value, path, "by_value").value_or(false);
  if (auto events = reader.read_names(value, path, "events")) {
    request.events = std::move(*events);
    check_events(reader, model, path_to_key(path, "events"), request.events);
  }
  if (const json* role = reader.find(value, path, "role")) {
    const std::string at = path_to_key(path, "role");
    if (role->is_array()) {
      for (std::size_t i = 0; i < role->size(); ++i)
        request.roles |= read_role(reader, model, (*role)[i], path_to_index(at, i));
    } else {
      request.roles = read_role(reader, model, *role, at);
    }
  }
}

void read_fact_subject(DocumentReader& reader, const json& value, const std::string& path,
                       FactRequest& fact) {
  fact.fact = reader.read_string(value, path, "fact").value_or("");
  fact.currency = reader.read_string(value, path, "currency").value_or("");
  if (const json* kind = reader.find(value, path, "kind")) {
    if (kind->is_array())
      fact.kinds = reader.read_names(value, path, "kind").value_or(std::vector<std::string>());
    else if (auto one = reader.string_at(*kind, path_to_key(path, "kind")))
      fact.kinds.push_back(std::move(*one));
  }
}

void read_fact_request(DocumentReader& reader, const json& value, const std::string& path,
                       FactRequest& fact) {
  read_fact_subject(reader, value, path, fact);
  std::vector<std::string_view> names;
  std::string all;
  for (const FactMeasureInfo& measure : fact_measures) {
    names.push_back(measure.name);
    all.append(all.empty() ? "" : ", ").append(measure.name);
  }
  const std::string hint = "the measures are " + all;
  const auto name = reader.read_string(value, path, "measure", true, hint.c_str());
  const auto measure = name ? fact_measure_by_name(*name) : std::nullopt;
  if (measure) fact.measure = *measure;
  if (name && !measure) {
    const auto nearest = nearest_name(*name, names);
    reader.report(path_to_key(path, "measure"), "unknown measure \"" + *name + "\"",
                  nearest ? "did you mean \"" + std::string(*nearest) + "\"?" : hint);
  }
  fact.window_days =
      static_cast<int>(reader.read_number(value, path, "window_days", {1, 3660, false, true}).value_or(0));
  fact.valid_days = static_cast<int>(
      reader.read_number(value, path, "valid_days", {1, 36600, false, true}).value_or(default_valid_days));
  fact.by_value = reader.read_bool(value, path, "by_value").value_or(false);
  if (!measure) return;
  const FactMeasureInfo& info = fact_measure_info(*measure);
  const auto does_not_go = [&](const char* key, bool goes) {
    if (!goes && reader.find(value, path, key) != nullptr)
      reader.report(path_to_key(path, key), "does not go with the measure " + std::string(info.name));
  };
  does_not_go("window_days", info.windowed);
  does_not_go("valid_days", info.need == FactNeed::opinion || *measure == FactMeasure::latest);
  does_not_go("by_value", *measure == FactMeasure::change);
  if (info.need == FactNeed::kind && fact.kinds.empty())
    reader.report(path_to_key(path, "kind"), "is missing",
                  "say of which kinds the share is: \"kind\": \"bug\"");
}

void read_limits(DocumentReader& reader, const json& value, const std::string& path, Limits& limits) {
  limits.at_most = reader.read_number(value, path, "at_most", {});
  limits.at_least = reader.read_number(value, path, "at_least", {});
  limits.below = reader.read_number(value, path, "below", {});
  limits.above = reader.read_number(value, path, "above", {});
  if (!limits.can_fit()) reader.report(path, "no value meets all conditions", "swap the two limits");
}

}  // namespace health
