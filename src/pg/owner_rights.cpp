// Whose rights are in force: who may act as a role, and doing so in a security-restricted operation.
#include "owner_rights.hpp"

#include <cstring>

extern "C" {
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
}

namespace health::pg {

namespace {

// Dates in text are read year first: the other orders are guesses.
constexpr struct {
  const char* name;
  const char* value;
} fixed_settings[] = {{"TimeZone", "UTC"},
                      {"DateStyle", "ISO, YMD"},
                      {"IntervalStyle", "postgres"},
                      {"timezone_abbreviations", "Default"},
                      {"extra_float_digits", "1"},
                      {"bytea_output", "hex"},
                      {"lc_monetary", "C"},
                      {"lc_numeric", "C"},
                      {"lc_time", "C"},
                      {"default_text_search_config", "pg_catalog.simple"},
                      {"array_nulls", "on"},
                      {"transform_null_equals", "off"},
                      {"xmlbinary", "base64"},
                      {"xmloption", "content"},
                      {"backslash_quote", "safe_encoding"},
                      {"standard_conforming_strings", "on"},
                      {"quote_all_identifiers", "off"},
                      {"row_security", "on"}};

void set_within_level(const char* name, const char* value) {
  set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

int set_differing(int guc_level) {
  for (const auto& [name, value] : fixed_settings) {
    if (std::strcmp(GetConfigOption(name, false, false), value) == 0) continue;
    if (guc_level == 0) guc_level = NewGUCNestLevel();
    set_within_level(name, value);
  }
  return guc_level;
}

}  // namespace

int fix_settings() { return set_differing(0); }

void restore_settings(int guc_level) {
  if (guc_level != 0) AtEOXact_GUC(false, guc_level);
}

bool may_act_as(Oid role) {
#if PG_VERSION_NUM >= 160000
  return has_privs_of_role(GetUserId(), role) || member_can_set_role(GetUserId(), role);
#else
  return is_member_of_role(GetUserId(), role);
#endif
}

namespace {

// Where nothing is said of them, temporary tables and types come before all others, and those are of whoever
// the session is.
bool has_temporary_last(const char* search_path) {
  constexpr char last[] = "pg_temp";
  constexpr std::size_t last_size = sizeof(last) - 1;
  const std::size_t size = std::strlen(search_path);
  if (size < last_size || std::strcmp(search_path + size - last_size, last) != 0) return false;
  const char before = size == last_size ? ',' : search_path[size - last_size - 1];
  return before == ',' || before == ' ';
}

}  // namespace

OwnerRights take_owner_rights(Oid owner, const char* search_path, bool own_settings) {
  OwnerRights rights{};
  if (search_path != nullptr && !has_temporary_last(search_path))
    search_path = *search_path == '\0' ? "pg_temp" : psprintf("%s, pg_temp", search_path);
  GetUserIdAndSecContext(&rights.user, &rights.security);
  SetUserIdAndSecContext(owner,
                         rights.security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  const bool other_path = search_path != nullptr && std::strcmp(namespace_search_path, search_path) != 0;
  if (other_path || own_settings) rights.guc_level = NewGUCNestLevel();
  if (other_path) set_within_level("search_path", search_path);
  rights.guc_level = set_differing(rights.guc_level);
  return rights;
}

void return_owner_rights(const OwnerRights& rights) {
  restore_settings(rights.guc_level);
  SetUserIdAndSecContext(rights.user, rights.security);
}

}  // namespace health::pg

// may_act_as(role)
HEALTH_FUNCTION(health_may_act_as) { PG_RETURN_BOOL(health::pg::may_act_as(PG_GETARG_OID(0))); }
