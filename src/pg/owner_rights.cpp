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

bool may_act_as(Oid role) {
#if PG_VERSION_NUM >= 160000
  return has_privs_of_role(GetUserId(), role) || member_can_set_role(GetUserId(), role);
#else
  return is_member_of_role(GetUserId(), role);
#endif
}

OwnerRights take_owner_rights(Oid owner, const char* search_path, bool own_settings) {
  OwnerRights rights{};
  GetUserIdAndSecContext(&rights.user, &rights.security);
  SetUserIdAndSecContext(owner,
                         rights.security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  const bool other_path = search_path != nullptr && std::strcmp(namespace_search_path, search_path) != 0;
  if (other_path || own_settings) rights.guc_level = NewGUCNestLevel();
  if (other_path)
    set_config_option("search_path", search_path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                      false);
  return rights;
}

void return_owner_rights(const OwnerRights& rights) {
  if (rights.guc_level != 0) AtEOXact_GUC(false, rights.guc_level);
  SetUserIdAndSecContext(rights.user, rights.security);
}

}  // namespace health::pg

// may_act_as(role)
HEALTH_FUNCTION(health_may_act_as) { PG_RETURN_BOOL(health::pg::may_act_as(PG_GETARG_OID(0))); }
