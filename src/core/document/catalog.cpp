// The event catalog: what events are worth, which roles they play, which features they show.
#include <algorithm>

#include "core/ledger/markers.hpp"
#include "json_document.hpp"
#include "model.hpp"
#include "model_document.hpp"
#include "nearest_name.hpp"
#include "normalize_document.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view role_names[] = {"create", "consume", "interact", "activate", "session"};
constexpr std::string_view everything_else = "*";  // events outside the catalog

// Where a catalog stands decides what an event may be worth, and who says that other events count as well.
struct CatalogPlace {
  NumberRange value;
  bool takes_everything_else;  // by the key "*"; a model says "unlisted_events"
};
constexpr CatalogPlace in_model{{1, 10}, false};
constexpr CatalogPlace by_itself{{0, max_event_value}, true};

unsigned read_role(DocumentReader& reader, const json& value, const std::string& path) {
  const auto name = reader.string_at(value, path);
  if (!name) return 0;
  const unsigned role = role_by_name(*name);
  if (role == 0) reader.report(path, "unknown role \"" + *name + "\"", suggest_name(*name, role_names));
  return role;
}

EventRule read_event(DocumentReader& reader, const std::string& name, const json& value,
                     const std::string& path, const CatalogPlace& place) {
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
  rule.value = reader.read_number(value, path, "value", place.value).value_or(1);
  rule.feature = reader.read_string(value, path, "feature").value_or("");
  reader.read_string(value, path, "label");
  reader.read_string(value, path, "description");
  return rule;
}

// The events that an object lists.
EventCatalog read_events(DocumentReader& reader, const json& events, const CatalogPlace& place) {
  EventCatalog catalog;
  if (!events.is_object()) {
    reader.report("catalog", "must be an object, not " + show_value(events),
                  "write {\"video_created\": {\"role\": \"create\", \"value\": 10}}");
    return catalog;
  }
  catalog.count_unlisted = place.takes_everything_else && events.contains(everything_else);
  for (const auto& [name, value] : events.items()) {
    const std::string path = path_to_key("catalog", name);
    if (name == everything_else) {
      if (!place.takes_everything_else)
        reader.report(path, "is no event",
                      "\"unlisted_events\": \"count\" has events outside the catalog count");
    } else if (name.empty()) {
      reader.report(path, "an event needs a name", "use the name that the event table holds");
    } else if (is_reserved(name)) {
      reader.report(path, "names that start with $ are reserved",
                    "take the sign away where the events are read, "
                    "\"event\": {\"sql\": \"ltrim(event_name, '$')\"}, and here");
    } else {
      catalog.add(read_event(reader, name, value, path, place));
    }
  }
  if (catalog.rules.empty()) catalog.count_unlisted = true;
  return catalog;
}

}  // namespace

void read_catalog(DocumentReader& reader, const json& document, EventCatalog& catalog) {
  if (const json* events = reader.find(document, "", "catalog"))
    catalog = read_events(reader, *events, in_model);
  if (const auto unlisted = reader.read_string(document, "", "unlisted_events")) {
    constexpr std::string_view choices[] = {"count", "ignore"};
    if (std::find(std::begin(choices), std::end(choices), *unlisted) == std::end(choices)) {
      reader.report("unlisted_events", "must be \"count\" or \"ignore\", not \"" + *unlisted + "\"",
                    suggest_name(*unlisted, choices));
    }
    catalog.count_unlisted = *unlisted == "count";
  }
}

EventCatalog parse_catalog(std::string_view text) {
  DocumentReader reader;
  const json events = parse_json(text);
  if (events.is_null()) return {};
  EventCatalog catalog = read_events(reader, events, by_itself);
  throw_first_problem(reader.problems(), "invalid catalog");
  return catalog;
}

}  // namespace health
