// pulse_chunks(): the pulse of all accounts of a chunk table, in one scan of it.
#include "core/metrics/pulse_book.hpp"

#include "chunk_table.hpp"
#include "guard.hpp"
#include "local_day.hpp"
#include "metric_values.hpp"
#include "user_ids.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"
}

using health::UserKind;
using namespace health::pg;

namespace {

enum ResultColumn { out_account, out_users, out_events, out_trend, out_dips, out_dependency, result_columns };

// The accounts of larger tables are taken in several scans, so many bytes of table each.
constexpr int64 bytes_at_a_time = int64{256} << 20;

// Errors unless the caller may read all rows of the table, and it is one of chunks. Returns the kind of its
// account ids.
UserKind check_chunk_table(Relation chunks, Oid function) {
  const Oid id = RelationGetRelid(chunks);
  const AclResult allowed = pg_class_aclcheck(id, GetUserId(), ACL_SELECT);
  if (allowed != ACLCHECK_OK) aclcheck_error(allowed, OBJECT_TABLE, RelationGetRelationName(chunks));
  // A parallel worker cannot read temporary tables.
  const UserKind kind =
      RelationUsesLocalBuffers(chunks) ? UserKind::none : chunk_account_kind(chunks, function);
  if (kind == UserKind::none) {
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE),
             errmsg("\"%s\" is not a table of chunks", RelationGetRelationName(chunks)),
             errdetail("It is a table, not a temporary one, of account_id (bigint, uuid or text), period "
                       "date, part integer, usage health.usage.")));
  }
  if (check_enable_rls(id, InvalidOid, true) == RLS_ENABLED) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("row-level security applies to \"%s\"", RelationGetRelationName(chunks)),
                    errdetail("The figures are of the events of all rows.")));
  }
  return kind;
}

// Has the page after the one that a scan is at fetched into the caches, little by little: a scan reads more
// than they hold. After an error the end of the transaction lets go of the page.
class PageAhead {
 public:
  explicit PageAhead(TableScanDesc scan) : scan_(reinterpret_cast<HeapScanDesc>(scan)) {}

  // The scan is at the next row, one of this block.
  void move_to(BlockNumber block) {
    if (block != block_) open(block);
    const char* const until = std::min(end_, at_ + share_);
    for (; at_ < until; at_ += cache_line) __builtin_prefetch(at_);
  }
  void release() {
    if (BufferIsValid(next_)) ReleaseBuffer(next_);
    next_ = InvalidBuffer;
    at_ = end_ = nullptr;
    share_ = 0;
  }

 private:
  static constexpr int cache_line = 64;

  void open(BlockNumber block) {
    release();
    block_ = block;
    if (block + 1 >= scan_->rs_nblocks) return;
    next_ = ReadBufferExtended(scan_->rs_base.rs_rd, MAIN_FORKNUM, block + 1, RBM_NORMAL, scan_->rs_strategy);
    at_ = static_cast<const char*>(BufferGetPage(next_));
    end_ = at_ + BLCKSZ;
    share_ = BLCKSZ / std::max(scan_->rs_ntuples, decltype(scan_->rs_ntuples){1}) + cache_line;
  }

  HeapScanDesc scan_;
  BlockNumber block_ = InvalidBlockNumber;
  Buffer next_ = InvalidBuffer;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int share_ = 0;  // bytes to fetch for each row of the page that the scan is at
};

// Shows all chunks to the book. What detoasting takes is in `row_memory`.
void show_chunks(Relation chunks, UserKind kind, health::PulseBook* book, MemoryContext row_memory) {
  TupleDesc columns = RelationGetDescr(chunks);
  // Without synchronised scans: the accounts come in the order of the table.
  TableScanDesc scan = table_beginscan_strat(chunks, GetActiveSnapshot(), 0, nullptr, true, false);
  PageAhead ahead(scan);
  // Rows as they lie on their pages: a slot for each costs more than is done with most of them.
  while (HeapTuple row = heap_getnext(scan, ForwardScanDirection)) {
    CHECK_FOR_INTERRUPTS();
    ahead.move_to(ItemPointerGetBlockNumberNoCheck(&row->t_self));
    const auto get = [&](ChunkColumn column, bool& is_null) {
      return heap_getattr(row, column + 1, columns, &is_null);
    };
    bool no_account = false;
    bool no_period = false;
    bool no_usage = false;
    const Datum id = get(col_account, no_account);
    const Datum period = get(col_period, no_period);
    if (no_account || no_period) continue;
    MemoryContext book_memory = MemoryContextSwitchTo(row_memory);
    const health::UserId account = user_id_of(kind, id);
    MemoryContextSwitchTo(book_memory);
    auto* const wanted = guarded([&] { return book->wants(account, DatumGetDateADT(period)); });
    if (wanted != nullptr) {
      const Datum usage = get(col_usage, no_usage);
      if (no_usage) continue;
      MemoryContextSwitchTo(row_memory);
      const health::Bytes bytes = bytes_of(usage);
      MemoryContextSwitchTo(book_memory);
      guarded([&] { book->add(*wanted, bytes); });
    }
    MemoryContextReset(row_memory);
  }
  ahead.release();
  table_endscan(scan);
}

Datum account_text(UserKind kind, const health::UserId& account) {
  if (kind == UserKind::text)
    return PointerGetDatum(
        cstring_to_text_with_len(account.bytes.data(), static_cast<int>(account.bytes.size())));
  if (kind == UserKind::uuid)
    return CStringGetTextDatum(
        DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(account.bytes.data()))));
  char digits[MAXINT8LEN + 1];
  return PointerGetDatum(cstring_to_text_with_len(digits, pg_lltoa(account.number, digits)));
}

// Stores the rows of the accounts that the book can tell of.
void store_rows(UserKind kind, health::PulseBook* book, MemoryContext row_memory, ReturnSetInfo* result) {
  health::AccountPulse row{};
  while (guarded([&] { return book->next(row); })) {
    CHECK_FOR_INTERRUPTS();
    const health::Pulse& pulse = row.pulse;
    MemoryContext book_memory = MemoryContextSwitchTo(row_memory);
    Datum values[] = {account_text(kind, row.account),
                      Int64GetDatum(pulse.active_users),
                      Int64GetDatum(to_bigint(pulse.events)),
                      Float8GetDatum(pulse.trend_4w.number),
                      Int32GetDatum(static_cast<int32>(pulse.dip_streak)),
                      Float8GetDatum(pulse.power_user_dependency.number)};
    bool nulls[] = {
        false, false, false, !pulse.trend_4w.known(), false, !pulse.power_user_dependency.known()};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    MemoryContextSwitchTo(book_memory);
    MemoryContextReset(row_memory);
  }
}

}  // namespace

// pulse_chunks(chunk_table, as_of, account_start)
HEALTH_FUNCTION(health_pulse_chunks) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const bool has_start = !PG_ARGISNULL(2);
  const health::Day start = has_start ? finite_day(PG_GETARG_DATEADT(2), "account_start") : 0;
  Relation chunks = table_open(PG_GETARG_OID(0), AccessShareLock);
  const UserKind kind = check_chunk_table(chunks, fcinfo->flinfo->fn_oid);
  const int64 table_bytes = int64{RelationGetNumberOfBlocks(chunks)} * BLCKSZ;
  const auto shares = static_cast<std::uint32_t>(1 + table_bytes / bytes_at_a_time);

  MemoryContext row_memory = AllocSetContextCreate(CurrentMemoryContext, "pulse row", ALLOCSET_DEFAULT_SIZES);
  for (std::uint32_t share = 0; share < shares; ++share) {
    // A context of its own, which also frees the book after an error.
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "pulse book", ALLOCSET_DEFAULT_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(memory);
    health::PulseBook* const book = guarded([&] {
      const health::PulseQuestion question{as_of, has_start ? std::optional(start) : std::nullopt};
      return new health::PulseBook(kind, question, share, shares);
    });
    do {
      show_chunks(chunks, kind, book, row_memory);
      store_rows(kind, book, row_memory, result);
    } while (guarded([&] { return book->start_again(); }));
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(memory);
  }
  table_close(chunks, NoLock);
  return Datum{0};
}
