// Type health_internal.role.
#include <cstring>

#include "guard.hpp"

extern "C" {
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/varlena.h"
}

// As regrolein(), but for a name that no role has: InvalidOid.
HEALTH_FUNCTION(health_role_in) {
  const char* const text = PG_GETARG_CSTRING(0);
  if (text[0] >= '0' && text[0] <= '9' && text[std::strspn(text, "0123456789")] == '\0')
    PG_RETURN_DATUM(DirectFunctionCall1(oidin, CStringGetDatum(text)));
  List* names = NIL;
  if (!SplitIdentifierString(pstrdup(text), '.', &names) || list_length(names) != 1)
    PG_RETURN_OID(InvalidOid);
  PG_RETURN_OID(get_role_oid(static_cast<const char*>(linitial(names)), true));
}

HEALTH_FUNCTION(health_regrole) { PG_RETURN_DATUM(PG_GETARG_DATUM(0)); }
