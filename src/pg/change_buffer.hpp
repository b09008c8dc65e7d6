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

// Where the changes of a table go.
struct ChangeTarget {
  int32 source;
  int32 generation;  // of the expressions that read them
  Oid leaf;
  Oid change_table;
  Oid receiver;  // owner of the change table, who may read the rows that they are of
  Oid trigger_function;
};

// The buffer of a target in the running transaction. When the change table turns out to be another's, or not
// fit for changes, a row in the table of gaps has the source read again.
ChangeBuffer* open_change_buffer(const ChangeTarget& target);

// Takes a change in. May write to the change table, and ereport.
void capture_change(ChangeBuffer& buffer, const Change& change);

// Notes that rows of the leaf could not be read: one row with changes NULL per transaction.
void capture_unreadable(ChangeBuffer& buffer);

// Notes that changes of the leaf cannot go into its change table: one row in the table of gaps per
// transaction.
void capture_gap(ChangeBuffer& buffer);

// Differs from transaction to transaction: pointers to buffers are good for one.
std::uint64_t transaction_serial();

// The column of the changes in a change table, from 0.
inline constexpr int change_table_changes = 3;

// True when the relation is what changes can be written to: a plain table of (oid, xid8, integer, bytea,
// timestamptz) and nothing that would have to be kept up with it.
bool is_change_table(Relation relation);

// Memory that is freed when the transaction has ended: for what the running code may still be using.
MemoryContext until_transaction_end();

}  // namespace health::pg
