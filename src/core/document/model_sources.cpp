// The sources of a model document: shapes only; whether tables and columns exist is for the server to say.
#include <algorithm>

#include "core/base/civil.hpp"
#include "model_document.hpp"
#include "source_kinds.hpp"

namespace health {

namespace {

using json = nlohmann::json;

// A column name or {"sql": "expression"}.
void check_field(DocumentReader& reader, const json& value, const std::string& path) {
  if (value.is_object()) {
    constexpr std::string_view keys[] = {"sql"};
    reader.check_object(value, path, keys);
    reader.read_string(value, path, "sql", true, "an SQL expression over the columns of the source");
  } else if (value.is_string()) {
    reader.string_at(value, path);
  } else {
    reader.report(path, "must be a column name or {\"sql\": \"expression\"}, not " + show_value(value));
  }
}

void check_relation(DocumentReader& reader, const json& source, const std::string& path) {
  const auto table = reader.read_string(source, path, "table");
  const auto query = reader.read_string(source, path, "query");
  const bool has_table = reader.find(source, path, "table") != nullptr,
             has_query = reader.find(source, path, "query") != nullptr;
  if (has_table && has_query) {
    reader.report(path_to_key(path, "query"), "stands beside a table", "give a table or a query, not both");
  } else if (!has_table && !has_query) {
    reader.report(path_to_key(path, "table"), "is missing",
                  "the name of a table or view, or \"query\": \"select ...\"");
  }
}

// Attributes of accounts: names of their own, a field each.
void check_attributes(DocumentReader& reader, const json& source, const std::string& path) {
  const json* columns = reader.find(source, path, "columns");
  if (columns == nullptr) return;
  const std::string at = path_to_key(path, "columns");
  if (!columns->is_object()) {
    reader.report(at, "must be an object of name: column, not " + show_value(*columns),
                  "write {\"plan_tier\": \"plan\", \"arr\": {\"sql\": \"mrr * 12\"}}");
    return;
  }
  for (const auto& [name, field] : columns->items()) {
    const std::string place = path_to_key(at, name);
    if (name.empty() || name.size() > 63) reader.report(place, "must be named with 1 to 63 bytes");
    check_field(reader, field, place);
  }
}

void check_source(DocumentReader& reader, const SourceKind& kind, const json& source, const std::string& path,
                  bool users_tell) {
  std::vector<std::string_view> keys = {"table", "query"};
  for (const SourceField& field : kind.fields) keys.push_back(field.name);
  if (kind.attributes) keys.push_back("columns");
  if (!reader.check_object(source, path, keys)) return;
  check_relation(reader, source, path);
  for (const SourceField& field : kind.fields) {
    const std::string name(field.name);
    if (field.type == FieldType::condition || field.type == FieldType::zone ||
        field.type == FieldType::choice) {
      reader.read_string(source, path, name.c_str());
      continue;
    }
    const bool required =
        field.need == FieldNeed::always || (field.need == FieldNeed::unless_users_tell && !users_tell);
    const json* value = reader.find(source, path, name.c_str(), required,
                                    required ? "the name of a column, or {\"sql\": \"expression\"}" : "");
    if (value != nullptr) check_field(reader, *value, path_to_key(path, name));
  }
  if (kind.attributes) check_attributes(reader, source, path);
}

// Names stand in the names of entries: fact_name.hpp.
void check_named_sources(DocumentReader& reader, const SourceKind& kind, const json& sources,
                         bool users_tell) {
  const std::string name(kind.name);
  if (!sources.is_object())
    return reader.report(name, "must be an object, not " + show_value(sources), kind.example);
  for (const auto& [key, source] : sources.items()) {
    const std::string at = path_to_key(name, key);
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (key.empty() || key.size() > 40 || !std::all_of(key.begin(), key.end(), is_plain) || key[0] < 'a')
      reader.report(at, "is no name for facts",
                    "1 to 40 small letters, digits and underscores, a letter first, such as \"tickets\"");
    check_source(reader, kind, source, at, users_tell);
  }
}

void check_sources_of(DocumentReader& reader, const SourceKind& kind, const json& document, bool users_tell) {
  const std::string name(kind.name);
  const json* sources = reader.find(document, "", name.c_str(), kind.required, kind.example);
  if (sources == nullptr) return;
  if (kind.named) return check_named_sources(reader, kind, *sources, users_tell);
  if (!kind.several || !sources->is_array()) return check_source(reader, kind, *sources, name, users_tell);
  if (sources->empty()) return reader.report(name, "must not be empty", kind.example);
  for (std::size_t i = 0; i < sources->size(); ++i)
    check_source(reader, kind, (*sources)[i], path_to_index(name, i), users_tell);
}

}  // namespace

namespace {

void check_volume(DocumentReader& reader, const json& document) {
  const json* volume = reader.find(document, "", "volume");
  if (volume == nullptr || *volume == "ignore") return;
  constexpr std::string_view keys[] = {"accepted_from", "accepted_until"};
  if (!volume->is_object())
    return reader.report("volume", "must be \"ignore\" or an object, not " + show_value(*volume),
                         "write {\"accepted_from\": \"2025-01-27\", \"accepted_until\": \"2025-01-31\"} when "
                         "less, or more, is how it was on these days");
  if (!reader.check_object(*volume, "volume", keys)) return;
  std::optional<Day> days[2];
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    const auto text = reader.read_string(*volume, "volume", keys[i].data(), true);
    if (!text) continue;
    days[i] = parse_day(*text);
    if (!days[i])
      reader.report(path_to_key("volume", keys[i]), "\"" + *text + "\" is no date",
                    "write year-month-day, such as \"2025-01-31\"");
  }
  if (days[0] && days[1] && *days[0] > *days[1])
    reader.report("volume.accepted_until", "is before accepted_from");
}

}  // namespace

void check_sources(DocumentReader& reader, const json& document) {
  check_volume(reader, document);
  reader.read_string(document, "", "time_zone");
  if (const auto as_of = reader.read_string(document, "", "as_of");
      as_of && *as_of != "tomorrow" && !parse_day(*as_of)) {
    reader.report("as_of", "\"" + *as_of + "\" is no date",
                  "write year-month-day, such as \"2025-01-31\", or \"tomorrow\" to have today count");
  }
  const json* users = reader.find(document, "", "users");
  const bool users_tell = users != nullptr && users->is_object() && users->contains("account");
  for (const SourceKind& kind : source_kinds()) check_sources_of(reader, kind, document, users_tell);
}

}  // namespace health
