// Tables of chunks: their shape.
#include "chunk_table.hpp"

#include "own_objects.hpp"
#include "user_ids.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
}

namespace health::pg {

UserKind chunk_account_kind(Relation relation, Oid function) {
  const Oid usage = own_type(function, "usage");
  TupleDesc columns = RelationGetDescr(relation);
  if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_tableam != GetHeapamTableAmRoutine() ||
      columns->natts != chunk_columns || TupleDescAttr(columns, col_period)->atttypid != DATEOID ||
      TupleDescAttr(columns, col_part)->atttypid != INT4OID || !OidIsValid(usage) ||
      TupleDescAttr(columns, col_usage)->atttypid != usage)
    return UserKind::none;
  for (const UserKind kind : {UserKind::bigint, UserKind::uuid, UserKind::text})
    if (TupleDescAttr(columns, col_account)->atttypid == kind_type(kind)) return kind;
  return UserKind::none;
}

}  // namespace health::pg
