// The sources of a model document: shapes only; whether tables and columns exist is for the server to say.
#include <algorithm>

#include "core/base/civil.hpp"
#include "model_document.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view account_keys[] = {"table", "query",  "id",      "name",     "start",
                                             "seats", "filter", "columns", "time_zone"};
constexpr std::string_view user_keys[] = {"table",       "query",   "id",      "account", "joined",
                                          "deactivated", "invited", "exclude", "filter",  "time_zone"};
constexpr std::string_view event_keys[] = {"table",       "query",  "account",   "user",  "event",
                                           "occurred_at", "amount", "time_zone", "filter"};

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

void check_fields(DocumentReader& reader, const json& source, const std::string& path, Names required,
                  Names optional) {
  for (const std::string_view key : required) {
    const json* field = reader.find(source, path, std::string(key).c_str(), true,
                                    "the name of a column, or {\"sql\": \"expression\"}");
    if (field != nullptr) check_field(reader, *field, path_to_key(path, key));
  }
  for (const std::string_view key : optional) {
    const json* field = reader.find(source, path, std::string(key).c_str());
    if (field != nullptr) check_field(reader, *field, path_to_key(path, key));
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

void check_accounts(DocumentReader& reader, const json& document) {
  const json* accounts =
      reader.find(document, "", "accounts", true,
                  "where the accounts are: {\"table\": \"crm.accounts\", \"id\": \"account_id\"}");
  if (accounts == nullptr || !reader.check_object(*accounts, "accounts", account_keys)) return;
  check_relation(reader, *accounts, "accounts");
  constexpr std::string_view required[] = {"id"}, optional[] = {"name", "start", "seats"};
  check_fields(reader, *accounts, "accounts", required, optional);
  reader.read_string(*accounts, "accounts", "filter");
  reader.read_string(*accounts, "accounts", "time_zone");
  if (const json* columns = reader.find(*accounts, "accounts", "columns")) {
    if (!columns->is_object()) {
      reader.report("accounts.columns", "must be an object of name: column, not " + show_value(*columns),
                    "write {\"plan_tier\": \"plan\", \"arr\": {\"sql\": \"mrr * 12\"}}");
      return;
    }
    for (const auto& [name, field] : columns->items()) {
      const std::string path = path_to_key("accounts.columns", name);
      if (name.empty() || name.size() > 63) reader.report(path, "must be named with 1 to 63 bytes");
      check_field(reader, field, path);
    }
  }
}

void check_users(DocumentReader& reader, const json& document) {
  const json* users = reader.find(document, "", "users");
  if (users == nullptr || !reader.check_object(*users, "users", user_keys)) return;
  check_relation(reader, *users, "users");
  constexpr std::string_view required[] = {"id"},
                             optional[] = {"account", "joined", "deactivated", "invited"};
  check_fields(reader, *users, "users", required, optional);
  for (const char* key : {"exclude", "filter", "time_zone"}) reader.read_string(*users, "users", key);
}

// Events may go without an account when the user source says which account a user belongs to.
void check_event_source(DocumentReader& reader, const json& events, const std::string& path,
                        bool needs_account) {
  if (!reader.check_object(events, path, event_keys)) return;
  check_relation(reader, events, path);
  constexpr std::string_view account[] = {"account"}, required[] = {"user", "event", "occurred_at"},
                             optional[] = {"amount"};
  check_fields(reader, events, path, needs_account ? Names(account) : Names(),
               needs_account ? Names() : Names(account));
  check_fields(reader, events, path, required, optional);
  for (const char* key : {"filter", "time_zone"}) reader.read_string(events, path, key);
}

void check_events(DocumentReader& reader, const json& document) {
  const char* example =
      "where the events are: {\"table\": \"events\", \"account\": \"account_id\", \"user\": \"user_id\", "
      "\"event\": \"event_name\", \"occurred_at\": \"occurred_at\"}";
  const json* events = reader.find(document, "", "events", true, example);
  if (events == nullptr) return;
  const json* users = reader.find(document, "", "users");
  const bool needs_account = users == nullptr || !users->is_object() || !users->contains("account");
  if (!events->is_array()) return check_event_source(reader, *events, "events", needs_account);
  if (events->empty()) return reader.report("events", "must not be empty", example);
  for (std::size_t i = 0; i < events->size(); ++i) {
    check_event_source(reader, (*events)[i], path_to_index("events", i), needs_account);
  }
}

}  // namespace

void check_sources(DocumentReader& reader, const json& document) {
  reader.read_string(document, "", "time_zone");
  if (const auto as_of = reader.read_string(document, "", "as_of");
      as_of && *as_of != "tomorrow" && !parse_day(*as_of)) {
    reader.report("as_of", "\"" + *as_of + "\" is no date",
                  "write year-month-day, such as \"2025-01-31\", or \"tomorrow\" to have today count");
  }
  check_accounts(reader, document);
  check_users(reader, document);
  check_events(reader, document);
}

}  // namespace health
