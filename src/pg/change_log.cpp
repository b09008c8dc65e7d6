// Captured changes as SQL sees them: counting, leaving out, folding into ledgers.
#include <algorithm>
#include <optional>

#include "core/collect/account_fold.hpp"
#include "core/collect/change_log.hpp"
#include "core/ledger/usage_algebra.hpp"

#include "guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
}

using health::UserKind;
using namespace health::pg;

namespace {

bool is_text(std::string_view text) {
  // With noError set the call only ever returns.
  return pg_verifymbstr(text.data(), static_cast<int>(text.size()), true);
}

// Bounds of ranges of blocks; NULL stands for none. May ereport.
std::span<const std::int64_t> ranges_argument(FunctionCallInfo fcinfo, int i) {
  if (PG_ARGISNULL(i)) return {};
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(i);
  if (ARR_ELEMTYPE(array) != INT8OID || ARR_NDIM(array) > 1 || array_contains_nulls(array)) {
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("ranges of blocks are one row of numbers: from, to, from, to ...")));
  }
  const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  return {reinterpret_cast<const std::int64_t*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(count)};
}

// Ledgers of fold_changes() in plain memory.
struct FoldedRow {
  Datum account;
  health::Day period;
  Datum usage;
};
struct FoldedRows {
  FoldedRow* rows;
  std::size_t count;
  std::int64_t bad_rows;
};

// Pieces of one source have ids of one type each; the fold knows when they do not.
FoldedRows fold_pieces(const Datum* pieces, const bool* nulls, int count) {
  std::optional<health::AccountFold> fold;
  UserKind account_kind = UserKind::none;
  std::int64_t bad_rows = 0;
  for (int i = 0; i < count; ++i) {
    if (nulls[i]) continue;  // a table that could not be read: nothing to add up
    const auto* value = reinterpret_cast<const struct varlena*>(DatumGetPointer(pieces[i]));
    health::ChangeCursor cursor(
        {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(value)), VARSIZE_ANY_EXHDR(value)});
    cursor.is_text = is_text;
    account_kind = health::common_user_kind(account_kind, cursor.change().account_kind);
    if (!fold) fold.emplace(account_kind, cursor.change().event.kind);
    while (cursor.next()) {
      const health::Change& change = cursor.change();
      const int sign = change.minus ? -1 : 1;
      if (change.bad) {
        bad_rows += sign;
      } else {
        fold->add(change.account, change.event, sign);
      }
    }
    health::poll_cancel();
  }
  std::vector<FoldedRow> rows;
  health::AccountLedger ledger;
  while (fold && fold->next(ledger)) {
    rows.push_back({make_text(health::user_id_text(account_kind, ledger.account)), ledger.period,
                    make_varlena(ledger.usage)});
  }
  FoldedRows all{allocate_array<FoldedRow>(rows.size() + 1), rows.size(), bad_rows};
  std::copy(rows.begin(), rows.end(), all.rows);
  return all;
}

}  // namespace

HEALTH_FUNCTION(health_fold_changes) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Datum* pieces = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), BYTEAOID, -1, false, TYPALIGN_INT, &pieces, &nulls, &count);
  for (int i = 0; i < count; ++i) {
    if (!nulls[i]) pieces[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(pieces[i]));
  }
  const FoldedRows all = guarded([&] { return fold_pieces(pieces, nulls, count); });
  for (std::size_t i = 0; i < all.count; ++i) {
    Datum values[] = {all.rows[i].account, DateADTGetDatum(all.rows[i].period), all.rows[i].usage,
                      Int64GetDatum(0)};
    bool is_null[] = {false, false, false, true};
    tuplestore_putvalues(result->setResult, result->setDesc, values, is_null);
    CHECK_FOR_INTERRUPTS();
  }
  if (all.bad_rows != 0) {
    Datum values[] = {0, 0, 0, Int64GetDatum(all.bad_rows)};
    bool is_null[] = {true, true, true, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, is_null);
  }
  return Datum{0};
}

HEALTH_FUNCTION(health_count_changes) {
  const health::Bytes piece = bytes_argument(fcinfo, 0);
  return Int32GetDatum(static_cast<int32>(guarded([&] { return health::count_changes(piece); })));
}

HEALTH_FUNCTION(health_pending_changes) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const health::Bytes piece = bytes_argument(fcinfo, 0);
  const std::span<const std::int64_t> ranges = ranges_argument(fcinfo, 1);
  const Datum left = guarded([&] {
    const health::UsageBytes kept = health::drop_blocks(piece, ranges);
    return kept.empty() ? Datum{0} : make_varlena(kept);
  });
  if (left == Datum{0}) PG_RETURN_NULL();
  return left;
}
