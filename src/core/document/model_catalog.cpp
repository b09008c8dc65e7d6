// The event catalog and the windows of a model document.
#include <algorithm>

#include "model_document.hpp"
#include "nearest_name.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view role_names[] = {"create", "consume", "interact", "activate", "session"};
constexpr NumberRange days_range{1, 3660, false, true};

unsigned read_role(DocumentReader& reader, const json& value, const std::string& path) {
  const auto name = reader.string_at(value, path);
  if (!name) return 0;
  const unsigned role = role_by_name(*name);
  if (role == 0) reader.report(path, "unknown role \"" + *name + "\"", suggest_name(*name, role_names));
  return role;
}

EventRule read_event(DocumentReader& reader, const std::string& name, const json& value,
                     const std::string& path) {
  constexpr std::string_view keys[] = {"role", "value", "feature", "label", "description"};
  EventRule rule;
  rule.name = name;
  if (!reader.check_object(value, path, keys)) return rule;
  if (const json* role = reader.find(value, path, "role")) {
    const std::string at = path_to_key(path, "role");
    if (role->is_array()) {
      for (std::size_t i = 0; i < role->size(); ++i)
        rule.roles |= read_role(reader, (*role)[i], path_to_index(at, i));
    } else {
      rule.roles = read_role(reader, *role, at);
    }
  }
  rule.value = reader.read_number(value, path, "value", {1, 10}).value_or(1);
  rule.feature = reader.read_string(value, path, "feature").value_or("");
  reader.read_string(value, path, "label");
  reader.read_string(value, path, "description");
  return rule;
}

}  // namespace

void read_catalog(DocumentReader& reader, const json& document, EventCatalog& catalog) {
  if (const json* events = reader.find(document, "", "catalog")) {
    if (!events->is_object()) {
      reader.report("catalog", "must be an object, not " + show_value(*events),
                    "write {\"video_created\": {\"role\": \"create\", \"value\": 10}}");
    } else {
      for (const auto& [name, value] : events->items()) {
        const std::string path = path_to_key("catalog", name);
        if (name.empty() || name.front() == '$') {
          reader.report(path, name.empty() ? "an event needs a name" : "names that start with $ are reserved",
                        name.empty() ? "use the name that the event table holds"
                                     : "take the sign away where the events are read, "
                                       "\"event\": {\"sql\": \"ltrim(event_name, '$')\"}, and here");
          continue;
        }
        EventRule rule = read_event(reader, name, value, path);
        if (catalog.find(name) == nullptr) catalog.add(std::move(rule));
      }
    }
  }
  catalog.count_unlisted = catalog.rules.empty();
  if (const auto unlisted = reader.read_string(document, "", "unlisted_events")) {
    constexpr std::string_view choices[] = {"count", "ignore"};
    if (std::find(std::begin(choices), std::end(choices), *unlisted) == std::end(choices)) {
      reader.report("unlisted_events", "must be \"count\" or \"ignore\", not \"" + *unlisted + "\"",
                    suggest_name(*unlisted, choices));
    }
    catalog.count_unlisted = *unlisted == "count";
  }
}

void read_settings(DocumentReader& reader, const json& document, Model& model) {
  MetricSettings& settings = model.settings;
  settings.window_days = static_cast<int>(
      reader.read_number(document, "", "window_days", days_range).value_or(settings.window_days));
  if (const json* onboarding = reader.find(document, "", "onboarding")) {
    constexpr std::string_view keys[] = {"days", "events", "window_days"};
    if (reader.check_object(*onboarding, "onboarding", keys)) {
      const auto read = [&](const char* key, NumberRange range, int otherwise) {
        return static_cast<int>(
            reader.read_number(*onboarding, "onboarding", key, range).value_or(otherwise));
      };
      settings.onboarding_days = read("days", days_range, settings.onboarding_days);
      settings.onboarding_events = read("events", {1, 1000000, false, true}, settings.onboarding_events);
      settings.onboarding_window = read("window_days", days_range, settings.onboarding_window);
    }
  }
  settings.daily_cap = reader.read_number(document, "", "daily_cap", {0, 1e12, true});
  settings.features = reader.read_names(document, "", "features");
  if (!settings.features || model.catalog.count_unlisted) return;
  const std::vector<std::string_view> known(model.catalog.features.begin(), model.catalog.features.end());
  const json& features = document["features"];
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (!features[i].is_string()) continue;
    const auto& feature = features[i].get_ref<const std::string&>();
    if (std::find(known.begin(), known.end(), feature) == known.end()) {
      reader.report(path_to_index("features", i),
                    "no event of the catalog has the feature \"" + feature + "\"",
                    suggest_name(feature, known));
    }
  }
}

}  // namespace health
