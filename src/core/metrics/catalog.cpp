// The event catalog: rules by name.
#include "catalog.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/ledger/markers.hpp"

namespace health {

namespace {

constexpr std::array<std::pair<std::string_view, unsigned>, 5> role_names = {{{"create", create},
                                                                              {"consume", consume},
                                                                              {"interact", interact},
                                                                              {"activate", activate},
                                                                              {"session", session}}};

[[noreturn]] void reject(const std::string& path, const std::string& problem, const std::string& hint) {
  throw Error(sqlstate::invalid_parameter_value, path + " " + problem, hint);
}

}  // namespace

unsigned role_by_name(std::string_view name) {
  for (const auto& [known, bit] : role_names)
    if (known == name) return bit;
  return 0;
}

void EventCatalog::add(EventRule rule) {
  const std::string path = "catalog." + rule.name;
  if (rule.name.empty()) reject("catalog", "has an event without a name", "");
  if (is_reserved(rule.name))
    reject(path, "is a reserved name",
           "Names that start with $ mark a user's joining, invitation and deactivation.");
  if (!std::isfinite(rule.value) || rule.value < 0 || rule.value > max_event_value)
    reject(path + ".value", "must be a number from 0 to 1000000", "Value points are usually 1 to 10.");
  if (rule.feature.empty()) rule.feature = rule.name;
  const auto place =
      std::lower_bound(rules.begin(), rules.end(), rule.name,
                       [](const EventRule& known, const std::string& name) { return known.name < name; });
  if (place != rules.end() && place->name == rule.name) reject(path, "is listed twice", "");
  const auto feature = std::lower_bound(features.begin(), features.end(), rule.feature);
  if (feature == features.end() || *feature != rule.feature) features.insert(feature, rule.feature);
  rules.insert(place, std::move(rule));
}

const EventRule* EventCatalog::find(std::string_view name) const {
  const auto place =
      std::lower_bound(rules.begin(), rules.end(), name,
                       [](const EventRule& known, std::string_view wanted) { return known.name < wanted; });
  return place != rules.end() && place->name == name ? &*place : nullptr;
}

unsigned EventCatalog::roles() const {
  unsigned all = 0;
  for (const auto& rule : rules) all |= rule.roles;
  return all;
}

}  // namespace health
