// An event catalog of its own, as metrics() takes it, from its JSON.
#include <nlohmann/json.hpp>

#include "model.hpp"

namespace health {

namespace {

constexpr std::string_view everything_else = "*";  // events outside the catalog

[[noreturn]] void reject(const std::string& path, const std::string& problem, const std::string& hint) {
  throw Error(sqlstate::invalid_parameter_value, path + " " + problem, hint);
}

unsigned read_role(const nlohmann::json& role, const std::string& path) {
  const char* hint = "Roles are create, consume, interact, activate and session.";
  if (!role.is_string()) reject(path, "must be a role's name", hint);
  const auto& name = role.get_ref<const std::string&>();
  const unsigned bit = role_by_name(name);
  if (bit == 0) reject(path, "names no role: \"" + name + "\"", hint);
  return bit;
}

unsigned read_roles(const nlohmann::json& roles, const std::string& path) {
  if (roles.is_null()) return 0;
  if (!roles.is_array()) return read_role(roles, path);
  unsigned bits = 0;
  std::size_t position = 0;
  for (const auto& role : roles) bits |= read_role(role, path + "[" + std::to_string(position++) + "]");
  return bits;
}

EventRule read_rule(const std::string& name, const nlohmann::json& body, const std::string& path) {
  if (!body.is_object())
    reject(path, "must be an object",
           "Write for example {\"role\": \"create\", \"value\": 10, \"feature\": \"record\"}.");
  EventRule rule;
  rule.name = name;
  for (const auto& [key, value] : body.items()) {
    if (key == "role") {
      rule.roles = read_roles(value, path + ".role");
    } else if (key == "value") {
      if (!value.is_number())
        reject(path + ".value", "must be a number", "Value points are usually 1 to 10.");
      rule.value = value.get<double>();
    } else if (key == "feature") {
      if (!value.is_string()) reject(path + ".feature", "must be a feature's name", "");
      rule.feature = value.get<std::string>();
    } else if (key != "description" && key != "label") {
      reject(path + "." + key, "is not known",
             "An event of the catalog has role, value, feature and description.");
    }
  }
  return rule;
}

}  // namespace

EventCatalog parse_catalog(std::string_view json) {
  EventCatalog catalog;
  try {
    const auto document = nlohmann::json::parse(json.begin(), json.end());
    if (document.is_null()) return catalog;
    if (!document.is_object())
      reject("catalog", "must be an object",
             "Write for example {\"video_created\": {\"role\": \"create\", \"value\": 10}}.");
    catalog.count_unlisted = document.contains(everything_else);
    for (const auto& [name, body] : document.items()) {
      if (name != everything_else) catalog.add(read_rule(name, body, "catalog." + name));
    }
  } catch (const nlohmann::json::exception& problem) {
    throw Error(sqlstate::invalid_parameter_value,
                std::string("catalog is not valid JSON: ") + problem.what());
  }
  if (catalog.rules.empty()) catalog.count_unlisted = true;
  return catalog;
}

}  // namespace health
