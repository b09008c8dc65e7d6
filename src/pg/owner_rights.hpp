// Whose rights are in force: who may act as a role, and doing so in a security-restricted operation.
#pragma once

#include "guard.hpp"

namespace health::pg {

// True when the current user could do everything as the role anyway: superusers, and members who inherit its
// rights or may SET ROLE to it (before PostgreSQL 16: members). Of a role that is gone, superusers only.
bool may_act_as(Oid role);

// While it lives, the rights of a role are in force, and settings that are changed meanwhile go back at its
// end. Not a C++ guard: an ereport may jump over it, and the end of the (sub)transaction then puts everything
// back.
struct OwnerRights {
  Oid user;
  int security;
  int guc_level;  // 0: settings have no level of their own
};

// Sets whatever a score, an id or compiled SQL could hang on to what it always is, in a level of settings of
// its own, which restore_settings() ends. 0: everything was so already.
int fix_settings();
void restore_settings(int guc_level);

// As REFRESH MATERIALIZED VIEW does: what runs now can neither leave the role nor leave anything behind in
// the session, and finds the same settings in every session. search_path null: as it is. With own_settings a
// level of settings is made even if all of them are right already.
OwnerRights take_owner_rights(Oid owner, const char* search_path, bool own_settings);

void return_owner_rights(const OwnerRights& rights);

}  // namespace health::pg
