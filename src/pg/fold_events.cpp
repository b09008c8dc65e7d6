// fold_events(): reads the rows of a tracked table and writes their ledgers as chunks.
#include "core/collect/account_fold.hpp"
#include "core/collect/volume_tally.hpp"

#include "capture.hpp"
#include "chunk_table.hpp"
#include "event_reader.hpp"
#include "local_day.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

using health::UserKind;
using namespace health::pg;

namespace {

constexpr int batch_rows = 500;                 // chunks that are inserted at a time
constexpr Size batch_bytes = Size{256} * 1024;  // or fewer, of so many bytes

bool owns_table(Oid table, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, table, role);
#else
  return pg_class_ownercheck(table, role);
#endif
}

// Errors unless the caller may read the rows of the leaf, all of them.
void check_leaf(const LedgerSource& source, Relation leaf) {
  const Oid id = RelationGetRelid(leaf);
  if (leaf->rd_rel->relkind != RELKIND_RELATION || leaf->rd_tableam != GetHeapamTableAmRoutine()) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a table of access method heap", RelationGetRelationName(leaf))));
  }
  if (id != source.relation &&
      (!leaf->rd_rel->relispartition || !list_member_oid(get_partition_ancestors(id), source.relation))) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" is not the table of ledger source %d or a partition of it",
                           RelationGetRelationName(leaf), source.id)));
  }
  const AclResult allowed = pg_class_aclcheck(id, GetUserId(), ACL_SELECT);
  if (allowed != ACLCHECK_OK && pg_class_aclcheck(source.relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
    aclcheck_error(allowed, OBJECT_TABLE, RelationGetRelationName(leaf));
  if (check_enable_rls(source.relation, InvalidOid, true) == RLS_ENABLED ||
      check_enable_rls(id, InvalidOid, true) == RLS_ENABLED) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("row-level security applies to \"%s\"", RelationGetRelationName(leaf)),
                    errdetail("A ledger holds the events of all rows.")));
  }
}

// Errors unless the table is the source's, and of the shape that the rows have.
void check_chunk_table(const LedgerSource& source, Relation chunks, Oid function) {
  const Oid id = RelationGetRelid(chunks);
  if (!owns_table(id, GetUserId()))
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(chunks));
  if (chunks->rd_rel->relowner != source.owner ||
      chunk_account_kind(chunks, function) != source.account_kind) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("\"%s\" is not the chunk table of ledger source %d",
                           RelationGetRelationName(chunks), source.id)));
  }
}

struct Counts {
  int64 events;
  int64 bad_rows;
};

// Takes in the events of the blocks [from, to) that the snapshot sees.
Counts read_blocks(const LedgerSource& source, Relation leaf, BlockNumber from, BlockNumber to,
                   Snapshot snapshot, health::AccountFold& fold) {
  Counts counts{};
  EventReader* const reader = make_event_reader(source, leaf, CurrentMemoryContext);
  // Without synchronised scans: they start where they please.
  TableScanDesc scan = table_beginscan_strat(leaf, snapshot, 0, nullptr, true, false);
  heap_setscanlimits(scan, from, to - from);
  TupleTableSlot* slot = table_slot_create(leaf, nullptr);
  EventRow row{};
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    // What is broken says so by its own error.
    if (try_reading_event(*reader, slot, row) == Outcome::broken) read_event(*reader, slot, row);
    if (row.kind == RowKind::event) {
      guarded([&] { fold.add(row.account, row.event); });
      ++counts.events;
    } else if (row.kind == RowKind::bad) {
      ++counts.bad_rows;
    }
    reset_event_reader(*reader);
  }
  ExecDropSingleTupleTableSlot(slot);
  table_endscan(scan);
  return counts;
}

// Inserts rows into a table and its indexes, many at a time.
struct ChunkWriter {
  Relation table;
  EState* executor;
  ResultRelInfo* target;
  BulkInsertState bulk;
  MemoryContext rows_memory;  // of the rows of a batch
  TupleTableSlot* slots[batch_rows];
  int rows;
  Size bytes;
};

ChunkWriter* start_writing(Relation table) {
  auto* writer = static_cast<ChunkWriter*>(palloc0(sizeof(ChunkWriter)));
  writer->table = table;
  writer->executor = CreateExecutorState();
  writer->target = makeNode(ResultRelInfo);
  InitResultRelInfo(writer->target, table, 0, nullptr, 0);
  ExecOpenIndices(writer->target, false);
  writer->bulk = GetBulkInsertState();
  writer->rows_memory = AllocSetContextCreate(CurrentMemoryContext, "chunks", ALLOCSET_DEFAULT_SIZES);
  return writer;
}

void write_batch(ChunkWriter& writer) {
  MemoryContext previous = MemoryContextSwitchTo(writer.rows_memory);
  heap_multi_insert(writer.table, writer.slots, writer.rows, GetCurrentCommandId(true), 0, writer.bulk);
  for (int i = 0; i < writer.rows; ++i) {
    TupleTableSlot* slot = writer.slots[i];
    if (writer.target->ri_NumIndices > 0) {
#if PG_VERSION_NUM >= 160000
      ExecInsertIndexTuples(writer.target, slot, writer.executor, false, false, nullptr, NIL, false);
#else
      ExecInsertIndexTuples(writer.target, slot, writer.executor, false, false, nullptr, NIL);
#endif
    }
    ExecClearTuple(slot);
  }
  MemoryContextSwitchTo(previous);
  ResetPerTupleExprContext(writer.executor);
  MemoryContextReset(writer.rows_memory);
  writer.rows = 0;
  writer.bytes = 0;
}

Datum id_datum(UserKind kind, const health::UserId& id) {
  if (kind == UserKind::bigint) return Int64GetDatum(id.number);
  if (kind == UserKind::text) return make_text(id.bytes);
  auto* uuid = static_cast<char*>(allocate(id.bytes.size()));
  std::memcpy(uuid, id.bytes.data(), id.bytes.size());
  return PointerGetDatum(uuid);
}

// Writes the ledgers of the periods from `first` on, ascending as the primary key does, and counts their
// events.
void write_chunks(Relation table, UserKind account_kind, int32 part, DateADT first, health::AccountFold& fold,
                  health::VolumeTally& tally) {
  ChunkWriter* const writer = start_writing(table);
  for (;;) {
    if (writer->slots[writer->rows] == nullptr)
      writer->slots[writer->rows] = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
    TupleTableSlot* slot = writer->slots[writer->rows];
    const bool more = guarded([&] {
      health::AccountLedger ledger;
      do {
        if (!fold.next(ledger)) return false;
      } while (ledger.period < first);
      tally.add(ledger.usage);
      const MemoryContextScope scope(writer->rows_memory);
      slot->tts_values[col_account] = id_datum(account_kind, ledger.account);
      slot->tts_values[col_period] = DateADTGetDatum(ledger.period);
      slot->tts_values[col_part] = Int32GetDatum(part);
      slot->tts_values[col_usage] = make_varlena(ledger.usage);
      writer->bytes += ledger.usage.size();
      return true;
    });
    if (more) {
      for (int i = 0; i < chunk_columns; ++i) slot->tts_isnull[i] = false;
      ExecStoreVirtualTuple(slot);
      ++writer->rows;
    }
    if (writer->rows > 0 && (!more || writer->rows == batch_rows || writer->bytes >= batch_bytes))
      write_batch(*writer);
    if (!more) break;
  }
  for (TupleTableSlot* slot : writer->slots) {
    if (slot != nullptr) ExecDropSingleTupleTableSlot(slot);
  }
  FreeBulkInsertState(writer->bulk);
  ExecCloseIndices(writer->target);
  FreeExecutorState(writer->executor);
}

// A tally as columns. Plain memory.
struct Volumes {
  Datum* events;
  Datum* days;
  Datum* counts;
  int count;
};

Volumes keep_volumes(const health::VolumeTally& tally) {
  return guarded([&] {
    const auto counts = tally.counts();
    Volumes kept{allocate_array<Datum>(counts.size() + 1), allocate_array<Datum>(counts.size() + 1),
                 allocate_array<Datum>(counts.size() + 1), 0};
    for (const auto& one : counts) {
      kept.events[kept.count] = make_text(one.event);
      kept.days[kept.count] = DateADTGetDatum(one.day);
      kept.counts[kept.count++] = Int64GetDatum(one.events);
    }
    return kept;
  });
}

Datum make_array(Datum* values, int count, Oid type, int length, bool by_value, char alignment) {
  return PointerGetDatum(construct_array(values, count, type, length, by_value, alignment));
}

BlockNumber clamp_block(int64 block, BlockNumber blocks) {
  return block < 0 ? 0 : block > blocks ? blocks : static_cast<BlockNumber>(block);
}

}  // namespace

// fold_events(source, leaf, from_block, to_block, part, first_period)
HEALTH_FUNCTION(health_fold_events) {
  const int32 id = PG_GETARG_INT32(0);
  const int32 part = PG_GETARG_INT32(4);
  TupleDesc result_type = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &result_type) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "fold_events must return a row");
  const LedgerSource* source = load_ledger_source(id, fcinfo->flinfo->fn_oid, CurrentMemoryContext);
  if (source == nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no ledger source %d", id)));
  if (has_pending_changes(id)) {
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("this transaction has changed the table of ledger source %d", id),
                    errdetail("Its changes would be counted twice: as rows, and as captured changes."),
                    errhint("Commit first.")));
  }
  Relation chunks = table_open(source->chunk_table, RowExclusiveLock);
  check_chunk_table(*source, chunks, fcinfo->flinfo->fn_oid);
  Relation leaf = table_open(PG_GETARG_OID(1), AccessShareLock);
  check_leaf(*source, leaf);

  // The events live in a context of their own, which also frees them after an error.
  MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "fold_events", ALLOCSET_DEFAULT_SIZES);
  MemoryContext previous = MemoryContextSwitchTo(memory);
  health::AccountFold* const fold = guarded([&] {
    return new health::AccountFold(source->account_kind, source->user_kind, health::AccountFold::usual_limit,
                                   source->in_one_period);
  });
  const BlockNumber blocks = RelationGetNumberOfBlocks(leaf);
  const BlockNumber from = clamp_block(PG_GETARG_INT64(2), blocks);
  const BlockNumber to = clamp_block(PG_GETARG_INT64(3), blocks);
  Counts counts{};
  health::VolumeTally* const tally = guarded([&] { return new health::VolumeTally(); });
  if (from < to) counts = read_blocks(*source, leaf, from, to, GetActiveSnapshot(), *fold);
  write_chunks(chunks, source->account_kind, part, PG_GETARG_DATEADT(5), *fold, *tally);
  MemoryContextSwitchTo(previous);
  const Volumes volumes = keep_volumes(*tally);
  guarded([&] {
    delete fold;
    delete tally;
  });
  MemoryContextDelete(memory);
  table_close(leaf, NoLock);
  table_close(chunks, NoLock);

  Datum values[] = {
      Int64GetDatum(counts.events), Int64GetDatum(counts.bad_rows),
      make_array(volumes.events, volumes.count, TEXTOID, -1, false, TYPALIGN_INT),
      make_array(volumes.days, volumes.count, DATEOID, sizeof(DateADT), true, TYPALIGN_INT),
      make_array(volumes.counts, volumes.count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)};
  bool nulls[] = {false, false, false, false, false};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result_type), values, nulls));
}
