// Reads table rows as events: the expressions of a ledger source, compiled for one table.
#pragma once

#include "core/collect/usage_log.hpp"

#include "guard.hpp"
#include "subtransaction.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "utils/rel.h"
}

namespace health::pg {

// A row of health_internal.ledger_source, in plain memory of the context it was loaded in.
struct LedgerSource {
  int32 id;
  int32 generation;  // of its expressions
  Oid owner;
  Oid relation;  // the tracked table, of partitions the root
  Oid chunk_table;
  Oid change_table;
  UserKind account_kind;
  UserKind user_kind;
  const char* account;  // SQL expressions over one row, alias src
  const char* user_id;
  const char* event;
  const char* moment;
  const char* amount;     // null: none
  const char* filter;     // null: none
  const char* time_zone;  // null: the moment is a date
  const char* search_path;
  const char* code;          // digest of what the ledger was read with; null: not known yet
  const char* trigger_name;  // of the one trigger that captures for it
  const char* change_name;   // of its change table, with the schema
  bool in_one_period;        // facts: few, and kept for ever
};

// Looks a source up, through SPI, in the catalog of the extension that the function belongs to; null when
// there is none. The result is allocated in `context`.
LedgerSource* load_ledger_source(int32 id, Oid function, MemoryContext context);

// True when the functions and types that the expressions of the source use are not those that its ledger was
// read with. May ereport.
bool is_read_otherwise(const LedgerSource& source, Oid function);

// What a row is.
enum class RowKind : std::uint8_t {
  none,   // no event: a key is NULL, or the filter leaves it out
  event,  //
  bad     // none that can be counted: see collect/event.hpp
};

// One row as an event. Text and uuid ids and the name point into the row or the per-tuple memory.
struct EventRow {
  RowKind kind;
  UserId account;
  LoggedEvent event;
};

// True unless evaluating the expression raises nothing, whatever is in the row; `context` is none.
bool may_raise(Node* node, void* context);

struct EventReader;

// Compiles the expressions of a source for the columns of `relation` (a leaf of it), in `context`. Ereports
// when an expression does not fit the table any more.
EventReader* make_event_reader(const LedgerSource& source, Relation relation, MemoryContext context);

// Lists the functions and types that somebody made and that the expressions of a source call, and the numbers
// of the columns that they read. Ereports like make_event_reader().
void collect_made_objects(const LedgerSource& source, Relation relation, List** functions, List** types,
                          List** columns);

// True when reading the row in `slot` cannot raise an error: every expression is a plain column, or made of
// functions that have a value for everything, and the row is of ordinary size.
bool cannot_fail(const EventReader& reader, TupleTableSlot* slot);

// True when the expressions use functions or types that somebody made, which may change.
bool uses_made_objects(const EventReader& reader);

// Reads the row in `slot`. Allocates, if at all, in memory that reset_event_reader() frees. May ereport.
void read_event(EventReader& reader, TupleTableSlot* slot, EventRow& row);

// read_event() that does not raise what is wrong with the row: it is a bad one then, or, when an object that
// the expressions use is broken, one that says nothing of the row.
Outcome try_reading_event(EventReader& reader, TupleTableSlot* slot, EventRow& row);

// Frees what reading rows allocated; `row` of the last read_event is gone then.
void reset_event_reader(EventReader& reader);

}  // namespace health::pg
