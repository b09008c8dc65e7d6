// Tables of chunks: account_id (bigint, uuid or text), period date, part integer, usage health.usage.
#pragma once

#include "guard.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace health::pg {

enum ChunkColumn { col_account, col_period, col_part, col_usage, chunk_columns };

// The kind of the account ids of a table of chunks; `none` when the relation is no such table. `function` is
// one of the extension's: the type of ledgers is that of the same extension, whatever else is called usage
// and in whatever schema.
UserKind chunk_account_kind(Relation relation, Oid function);

}  // namespace health::pg
