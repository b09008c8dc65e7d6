// Captured changes of the running transaction: buffers, subtransactions, and writing.
//
// Changes are written to the change table in the transaction that made them, as late as possible: when it
// commits. What a rolled back subtransaction captured is cut off its buffers again: a buffer that is appended
// to for the first time within a subtransaction leaves a mark of where it stood. Marks lie in one stack,
// those of inner subtransactions above those of outer ones. A subtransaction that captures nothing costs
// nothing.
//
// Memory: when more than 4 MB have come together, the changes of the present subtransaction are written
// (those of the outer ones may not be: they would go if the present one is rolled back). 64 MB of the outer
// ones are the bound from which on every subtransaction writes its own changes before it ends: a loop over
// millions of rows with an exception block for each.
#include "change_buffer.hpp"

#include "capture.hpp"
#include "own_objects.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
}

namespace health::pg {

struct ChangeBuffer {
  ChangeTarget target;
  ChangeLog log;
  int mark_level;  // nesting level of its newest mark, 0 without
  bool unreadable;
  bool unreadable_written;
  bool gap;
  bool gap_written;
  bool written;  // something of this transaction is in the change table
  ChangeBuffer* next;
};

namespace {

constexpr std::size_t megabyte = std::size_t{1} << 20;
constexpr std::size_t write_at = 4 * megabyte;
constexpr std::size_t outer_bound = 64 * megabyte;
constexpr std::size_t first_room = 256;  // a transaction of one row needs no more

struct Mark {
  ChangeBuffer* buffer;
  int level;
  int previous_level;  // of the buffer's mark below this one
  ChangeMark at;
};

// Everything of the running transaction; its memory is TopTransactionContext's.
struct Captured {
  ChangeBuffer* first;
  Mark* marks;
  int mark_count;
  int mark_room;
  std::size_t bytes;       // in all buffers
  std::size_t next_check;  // bytes at which to look whether something is to be written
  bool committing;         // the changes have been written: what comes yet is written at once
};

Captured captured;
std::uint64_t serial = 1;
MemoryContext graveyard = nullptr;
EventCodes event_codes;

void push_mark(ChangeBuffer& buffer, int level) {
  if (captured.mark_count == captured.mark_room) {
    const int room = captured.mark_room == 0 ? 8 : captured.mark_room * 2;
    const Size size = static_cast<Size>(room) * sizeof(Mark);
    captured.marks =
        static_cast<Mark*>(captured.marks == nullptr ? MemoryContextAlloc(TopTransactionContext, size)
                                                     : repalloc_huge(captured.marks, size));
    captured.mark_room = room;
  }
  captured.marks[captured.mark_count++] = {&buffer, level, buffer.mark_level, buffer.log.at};
  buffer.mark_level = level;
}

// The first mark of the present subtransaction, or mark_count.
int first_mark(int level) {
  int first = captured.mark_count;
  while (first > 0 && captured.marks[first - 1].level >= level) --first;
  return first;
}

void cut_back(ChangeBuffer& buffer, const ChangeMark& at) {
  // guard cut_back {
  captured.bytes -= buffer.log.at.used - at.used;
  buffer.log.at = at;
  // instead: (void)buffer, (void)at;
  // }
}

// A change table that is being written to.
struct Writer {
  Oid table;          // InvalidOid before the first
  Relation relation;  // null: the table is gone, or is none any more
  BulkInsertState bulk;
  bool many;  // rows are to come
  TimestampTz now;
};

void finish(Writer& writer) {
  if (writer.bulk != nullptr) FreeBulkInsertState(writer.bulk);
  if (writer.relation != nullptr) table_close(writer.relation, NoLock);
  const bool many = writer.many;
  writer = {};
  writer.many = many;
}

// False, with a gap noted, when the changes cannot go where they should.
bool prepare(Writer& writer, ChangeBuffer& buffer) {
  const ChangeTarget& target = buffer.target;
  if (writer.table != target.change_table) {
    finish(writer);
    writer.table = target.change_table;
    writer.now = GetCurrentTimestamp();
    writer.relation =
        OidIsValid(target.change_table) ? try_table_open(target.change_table, RowExclusiveLock) : nullptr;
    if (writer.relation != nullptr && !is_change_table(writer.relation)) {
      table_close(writer.relation, NoLock);
      writer.relation = nullptr;
    }
    if (writer.relation != nullptr && writer.many) writer.bulk = GetBulkInsertState();
  }
  if (writer.relation != nullptr && writer.relation->rd_rel->relowner == target.receiver) return true;
  buffer.gap = true;
  return false;
}

// Writes one row; `changes` null: changes NULL.
void write_row(Writer& writer, ChangeBuffer& buffer, struct varlena* changes) {
  Datum values[] = {
      ObjectIdGetDatum(buffer.target.leaf), FullTransactionIdGetDatum(GetTopFullTransactionId()),
      Int32GetDatum(buffer.target.generation), PointerGetDatum(changes), TimestampTzGetDatum(writer.now)};
  bool nulls[] = {false, false, false, changes == nullptr, false};
  HeapTuple tuple = heap_form_tuple(RelationGetDescr(writer.relation), values, nulls);
  heap_insert(writer.relation, tuple, GetCurrentCommandId(true), 0, writer.bulk);
  heap_freetuple(tuple);
  buffer.written = true;
}

// Writes the pieces of a closed log from an offset on, and spoils their words.
void write_pieces(Writer& writer, ChangeBuffer& buffer, const ChangeLog& log, std::size_t offset) {
  std::size_t next = 0;
  for (Bytes piece = log.piece(offset, next); !piece.empty(); piece = log.piece(offset, next)) {
    std::uint8_t* const value = log.memory + offset;
    SET_VARSIZE(value, piece.size() + piece_word);
    write_row(writer, buffer, reinterpret_cast<struct varlena*>(value));
    offset = next;
  }
}

// Writes what a buffer holds behind a mark, and takes it out.
void write_from(Writer& writer, ChangeBuffer& buffer, const ChangeMark& mark) {
  if (buffer.log.at.used == mark.used) return;
  if (prepare(writer, buffer)) {
    buffer.log.close();
    std::size_t offset = mark.start;
    if (mark.used != mark.start) {
      // The mark is within a piece: what is behind it becomes pieces of its own.
      std::size_t next = 0;
      const Bytes piece = buffer.log.piece(mark.start, next);
      const std::size_t skip = mark.used - mark.start - piece_word;
      if (skip < piece.size()) {
        ChangeLog tail;
        tail.capacity = piece.size() * 2 + 256;
        tail.memory = static_cast<std::uint8_t*>(palloc_extended(tail.capacity, MCXT_ALLOC_HUGE));
        guarded([&] { copy_changes(piece, skip, tail, event_codes); });
        tail.close();
        write_pieces(writer, buffer, tail, 0);
        pfree(tail.memory);
      }
      offset = next;
    }
    write_pieces(writer, buffer, buffer.log, offset);
  }
  cut_back(buffer, mark);
}

// Opening a table reads the catalog, and storing a value out of line looks for a free number for it: that
// takes a snapshot, of which a transaction that ends has none any more. True when it is to be popped again.
bool push_snapshot() {
  if (ActiveSnapshotSet()) return false;
  PushActiveSnapshot(GetTransactionSnapshot());
  return true;
}

// Writes the changes of the present subtransaction, or of the transaction when it is at level 1.
void write_changes(int level) {
  const bool pushed = push_snapshot();
  Writer writer{};
  writer.many = captured.bytes > 32 * piece_bytes;
  if (level == 1) {
    for (ChangeBuffer* buffer = captured.first; buffer != nullptr; buffer = buffer->next)
      write_from(writer, *buffer, ChangeMark{});
  } else {
    for (int i = first_mark(level); i < captured.mark_count; ++i)
      write_from(writer, *captured.marks[i].buffer, captured.marks[i].at);
  }
  finish(writer);
  if (pushed) PopActiveSnapshot();
}

void write_unreadable() {
  const bool pushed = push_snapshot();
  Writer writer{};
  for (ChangeBuffer* buffer = captured.first; buffer != nullptr; buffer = buffer->next) {
    if (!buffer->unreadable || buffer->unreadable_written) continue;
    if (prepare(writer, *buffer)) write_row(writer, *buffer, nullptr);
    buffer->unreadable_written = true;
  }
  finish(writer);
  if (pushed) PopActiveSnapshot();
}

// A table of the extension's: whatever happened to the change table.
void write_gaps() {
  for (ChangeBuffer* buffer = captured.first; buffer != nullptr; buffer = buffer->next) {
    if (!buffer->gap || buffer->gap_written) continue;
    const Oid table = own_table(buffer->target.trigger_function, "capture_gap_table");
    Relation relation = OidIsValid(table) ? try_table_open(table, RowExclusiveLock) : nullptr;
    if (relation == nullptr)
      ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                      errmsg("health_internal.capture_gap_table does not exist any more"),
                      errdetail("Changes of a tracked table cannot be captured, nor can that be noted."),
                      errhint("DROP EXTENSION account_health CASCADE takes the trigger off.")));
    Datum values[] = {Int32GetDatum(buffer->target.source), TimestampTzGetDatum(GetCurrentTimestamp())};
    bool nulls[] = {false, false};
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);
    heap_insert(relation, tuple, GetCurrentCommandId(true), 0, nullptr);
    heap_freetuple(tuple);
    table_close(relation, NoLock);
    buffer->gap_written = true;
  }
}

// Writes the changes of the present subtransaction if they are due.
void write_if_due(int level, bool subtransaction_ends) {
  std::size_t own = captured.bytes;
  if (level > 1) {
    own = 0;
    for (int i = first_mark(level); i < captured.mark_count; ++i)
      own += captured.marks[i].buffer->log.at.used - captured.marks[i].at.used;
  }
  const bool crowded = captured.bytes - own >= outer_bound;
  if (captured.committing || own >= (crowded ? piece_bytes : write_at) || (crowded && subtransaction_ends))
    write_changes(level);
  captured.next_check = std::max(write_at, captured.bytes + (crowded ? piece_bytes : megabyte));
}

void forget() {
  // The memory is the transaction's and goes with it.
  captured = {};
  captured.next_check = write_at;
  ++serial;
  if (graveyard != nullptr) MemoryContextDeleteChildren(graveyard);
}

void on_transaction(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
      if (captured.first != nullptr) {
        write_changes(1);
        write_unreadable();
        write_gaps();
      }
      captured.committing = true;
      break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
      forget();
      break;
    default:  // a parallel worker fires no triggers
      break;
  }
}

void merge_into_parent(int level) {
  const int first = first_mark(level);
  int kept = first;
  for (int i = first; i < captured.mark_count; ++i) {
    Mark mark = captured.marks[i];
    if (level == 2 || mark.previous_level == level - 1) {  // the parent has a mark already, or needs none
      mark.buffer->mark_level = mark.previous_level;
    } else {
      mark.level = mark.buffer->mark_level = level - 1;
      captured.marks[kept++] = mark;
    }
  }
  captured.mark_count = kept;
  // What became the parent's may be due now.
  captured.next_check = std::max(write_at, std::min(captured.next_check, captured.bytes));
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (captured.first == nullptr) return;
  const int level = GetCurrentTransactionNestLevel();
  switch (event) {
    case SUBXACT_EVENT_PRE_COMMIT_SUB:
      if (captured.bytes >= outer_bound) write_if_due(level, true);
      break;
    case SUBXACT_EVENT_COMMIT_SUB:
      merge_into_parent(level);
      break;
    case SUBXACT_EVENT_ABORT_SUB:
      while (captured.mark_count > 0 && captured.marks[captured.mark_count - 1].level >= level) {
        const Mark& mark = captured.marks[--captured.mark_count];
        cut_back(*mark.buffer, mark.at);
        mark.buffer->mark_level = mark.previous_level;
      }
      captured.next_check = std::max(write_at, std::min(captured.next_check, captured.bytes));
      break;
    default:
      break;
  }
}

void make_room(ChangeLog& log, std::size_t more) {
  std::size_t capacity = log.capacity;
  while (capacity < log.at.used + more) capacity *= capacity < 16384 ? 4 : 2;
  log.memory = static_cast<std::uint8_t*>(repalloc_huge(log.memory, capacity));
  log.capacity = capacity;
}

void start_once() {
  static bool started = false;
  if (started) return;
  RegisterXactCallback(on_transaction, nullptr);
  RegisterSubXactCallback(on_subtransaction, nullptr);
  event_codes.start(1);  // pieces define the codes that they use
  captured.next_check = write_at;
  started = true;
}

}  // namespace

ChangeBuffer* open_change_buffer(const ChangeTarget& target) {
  start_once();
  for (ChangeBuffer* buffer = captured.first; buffer != nullptr; buffer = buffer->next) {
    const ChangeTarget& other = buffer->target;
    if (other.source == target.source && other.generation == target.generation && other.leaf == target.leaf &&
        other.change_table == target.change_table && other.receiver == target.receiver)
      return buffer;
  }
  // One chunk: the log's memory is on its own from when it has to grow.
  auto* buffer =
      static_cast<ChangeBuffer*>(MemoryContextAllocZero(TopTransactionContext, sizeof(ChangeBuffer)));
  buffer->target = target;
  buffer->log = ChangeLog{};
  buffer->log.memory = static_cast<std::uint8_t*>(MemoryContextAlloc(TopTransactionContext, first_room));
  buffer->log.capacity = first_room;
  buffer->next = captured.first;
  captured.first = buffer;
  return buffer;
}

void capture_change(ChangeBuffer& buffer, const Change& change) {
  const int level = GetCurrentTransactionNestLevel();
  if (level > 1 && buffer.mark_level < level) push_mark(buffer, level);
  ChangeLog& log = buffer.log;
  const std::uint64_t before = log.at.used;
  if (!log.append(change, event_codes)) {
    make_room(log, ChangeLog::room_for(change));
    log.append(change, event_codes);
  }
  captured.bytes += log.at.used - before;
  if (captured.bytes > captured.next_check || captured.committing) write_if_due(level, false);
  if (captured.committing) write_gaps();
}

void capture_unreadable(ChangeBuffer& buffer) {
  // Written at the end of the transaction, whatever becomes of the subtransactions: reading a table once too
  // often does no harm.
  buffer.unreadable = true;
  if (captured.committing) {
    write_unreadable();
    write_gaps();
  }
}

void capture_gap(ChangeBuffer& buffer) {
  buffer.gap = true;
  if (captured.committing) write_gaps();
}

std::uint64_t transaction_serial() { return serial; }

bool is_change_table(Relation relation) {
  constexpr Oid types[] = {OIDOID, XID8OID, INT4OID, BYTEAOID, TIMESTAMPTZOID};
  const Form_pg_class form = relation->rd_rel;
  const TupleDesc row = RelationGetDescr(relation);
  if (form->relkind != RELKIND_RELATION || form->relam != HEAP_TABLE_AM_OID ||
      form->relpersistence != RELPERSISTENCE_PERMANENT || form->relhasindex || form->relrowsecurity ||
      row->natts != static_cast<int>(lengthof(types)) ||
      (row->constr != nullptr && row->constr->num_check > 0))
    return false;
  for (int i = 0; i < row->natts; ++i) {
    if (TupleDescAttr(row, i)->attisdropped || TupleDescAttr(row, i)->atttypid != types[i]) return false;
  }
  return true;
}

MemoryContext until_transaction_end() {
  if (graveyard == nullptr)
    graveyard = AllocSetContextCreate(TopMemoryContext, "account_health: until transaction end",
                                      ALLOCSET_SMALL_SIZES);
  return graveyard;
}

bool has_pending_changes(int32 source) {
  for (const ChangeBuffer* buffer = captured.first; buffer != nullptr; buffer = buffer->next) {
    if (buffer->target.source == source &&
        (buffer->log.at.used > 0 || buffer->unreadable || buffer->gap || buffer->written))
      return true;
  }
  return false;
}

}  // namespace health::pg
