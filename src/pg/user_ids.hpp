// Ids of users and accounts between SQL and the core.
#pragma once

#include "guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/uuid.h"
}

namespace health::pg {

// The SQL type of ids of a kind.
inline Oid kind_type(UserKind kind) {
  return kind == UserKind::bigint ? INT8OID : kind == UserKind::uuid ? UUIDOID : TEXTOID;
}

// A value of that type as an id, which points into it. `as_text` gives the bytes of a text; text_of() may
// ereport and allocates where the value has to be detoasted.
template <class AsText>
UserId user_id_of(UserKind kind, Datum value, AsText&& as_text) {
  UserId id;
  if (kind == UserKind::bigint) {
    id.number = DatumGetInt64(value);
  } else if (kind == UserKind::uuid) {
    id.bytes = {reinterpret_cast<const char*>(DatumGetUUIDP(value)->data), UUID_LEN};
  } else {
    id.bytes = as_text(value);
  }
  return id;
}
inline UserId user_id_of(UserKind kind, Datum value) { return user_id_of(kind, value, text_of); }

}  // namespace health::pg
