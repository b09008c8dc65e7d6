// The extension's own types and tables.
#include "own_objects.hpp"

#include <cstring>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace health::pg {

namespace {

bool is_table_called(Oid table, const char* name) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  const bool found = form->relkind == RELKIND_RELATION && std::strcmp(NameStr(form->relname), name) == 0 &&
                     superuser_arg(form->relowner);
  ReleaseSysCache(tuple);
  return found;
}

bool is_type_called(Oid type, const char* name) {
  HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* form = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
  const bool found = form->typtype == TYPTYPE_BASE && std::strcmp(NameStr(form->typname), name) == 0;
  ReleaseSysCache(tuple);
  return found;
}

// The first member, of this catalog, of the function's extension that `is_it` says yes to.
Oid find_member(Oid function, Oid catalog, bool (*is_it)(Oid, const char*), const char* name) {
  const Oid extension = getExtensionOfObject(ProcedureRelationId, function);
  if (!OidIsValid(extension)) return InvalidOid;
  Oid found = InvalidOid;
  Relation depend = table_open(DependRelationId, AccessShareLock);
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(ExtensionRelationId));
  ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
  SysScanDesc scan = systable_beginscan(depend, DependReferenceIndexId, true, nullptr, 2, keys);
  while (HeapTuple tuple = systable_getnext(scan)) {
    const auto* member = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
    if (member->deptype != DEPENDENCY_EXTENSION || member->classid != catalog || !is_it(member->objid, name))
      continue;
    found = member->objid;
    break;
  }
  systable_endscan(scan);
  table_close(depend, AccessShareLock);
  return found;
}

}  // namespace

Oid own_table(Oid function, const char* name) {
  return find_member(function, RelationRelationId, is_table_called, name);
}

Oid own_type(Oid function, const char* name) {
  return find_member(function, TypeRelationId, is_type_called, name);
}

const char* qualified_name(Oid table) {
  return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

}  // namespace health::pg
