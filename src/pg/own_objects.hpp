// The extension's own types and tables, found by what the catalog says belongs to it: names are for everybody
// to take.
#pragma once

#include "guard.hpp"

namespace health::pg {

// The table of this name that belongs to the extension that the function belongs to, and to a superuser, as
// all that the script makes; InvalidOid when there is none.
Oid own_table(Oid function, const char* name);

// The same for a base type, which only superusers can make.
Oid own_type(Oid function, const char* name);

// "schema.table", quoted, for SQL text.
const char* qualified_name(Oid table);

}  // namespace health::pg
