// The table of source kinds.
#include "source_kinds.hpp"

namespace health {

namespace {

using enum FieldType;
using enum FieldNeed;

constexpr SourceField account_fields[] = {
    {"id", id, always}, {"name"},       {"start", time},     {"end", time},
    {"seats", number},  {"parent", id}, {"merged_into", id}, {"filter", condition},
    {"time_zone", zone}};
constexpr SourceField user_fields[] = {{"id", id, always},
                                       {"account", id},
                                       {"joined", time, with_account},
                                       {"deactivated", time, with_account},
                                       {"invited", time, with_account},
                                       {"exclude", condition},
                                       {"filter", condition},
                                       {"time_zone", zone},
                                       {"department", id},
                                       {"role", id},
                                       {"email", id},
                                       {"main_contact", condition}};
constexpr SourceField event_fields[] = {{"account", id, unless_users_tell},
                                        {"user", id, always},
                                        {"event", id, always},
                                        {"occurred_at", time, always},
                                        {"id", id},
                                        {"known_at", time},
                                        {"actor", id},
                                        {"amount", number},
                                        {"filter", condition},
                                        {"time_zone", zone}};

constexpr SourceField fact_fields[] = {{"account", id, always}, {"user", id},       {"at", time, always},
                                       {"until", time},         {"value", number},  {"kind", id},
                                       {"currency", id},        {"scale", choice},  {"known_at", time},
                                       {"filter", condition},   {"time_zone", zone}};

constexpr SourceKind kinds[] = {
    {"accounts", true, false, false, true, true, account_fields,
     "where the accounts are: {\"table\": \"crm.accounts\", \"id\": \"account_id\"}"},
    {"users", false, false, false, false, false, user_fields},
    {"events", false, true, false, false, false, event_fields,
     "where the events are: {\"table\": \"events\", \"account\": \"account_id\", \"user\": \"user_id\", "
     "\"event\": \"event_name\", \"occurred_at\": \"occurred_at\"}"},
    {"facts", false, false, true, false, false, fact_fields,
     "an object of fact sources by name: {\"tickets\": {\"table\": \"tickets\", \"account\": \"account_id\", "
     "\"at\": \"opened_at\", \"until\": \"resolved_at\"}}"}};

}  // namespace

std::string_view field_type_name(FieldType type) {
  switch (type) {
    case any:
      return "any";
    case id:
      return "id";
    case time:
      return "time";
    case number:
      return "number";
    case condition:
      return "condition";
    case choice:
      return "choice";
    case zone:
      return "zone";
  }
  return "";
}

std::span<const SourceKind> source_kinds() { return kinds; }

}  // namespace health
