// Captured changes of the running transaction: kept in memory, written to the change tables when it commits.
#pragma once

#include "core/collect/change_log.hpp"

#include "guard.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace health::pg {

// Changes of one table (of partitions a leaf) for one source, in memory that lives as long as the
// transaction.
struct ChangeBuffer;

// The buffer of a leaf in the running transaction. `owner` must own the change table.
ChangeBuffer* open_change_buffer(int32 source, Oid leaf, Oid change_table, Oid owner);

// Takes a change in. May write to the change table, and ereport.
void capture_change(ChangeBuffer& buffer, const Change& change);

// Notes that rows of the leaf could not be read: one row with changes NULL per transaction.
void capture_unreadable(ChangeBuffer& buffer);

// Differs from transaction to transaction: pointers to buffers are good for one.
std::uint64_t transaction_serial();

// True when the relation is what changes can be written to: a table of (oid, xid8, bytea, timestamptz) of
// this owner.
bool is_change_table(Relation relation, Oid owner);

// Memory that is freed when the transaction has ended: for what the running code may still be using.
MemoryContext until_transaction_end();

}  // namespace health::pg
