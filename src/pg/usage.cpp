// Type health.usage: input and output, comparison, algebra, cells().
#include "core/ledger/usage.hpp"

#include "core/base/civil.hpp"
#include "core/base/clip.hpp"
#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/usage_text.hpp"
#include "guard.hpp"
#include "usage_check.hpp"

extern "C" {
#include "common/hashfn.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/numeric.h"
#include "utils/uuid.h"
}

using namespace health::pg;

HEALTH_FUNCTION(health_usage_in) {
  const std::string_view text = PG_GETARG_CSTRING(0);
  return guarded([&] { return make_varlena(health::usage_from_text(text)); });
}

HEALTH_FUNCTION(health_usage_out) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  return guarded([&] { return CStringGetDatum(make_cstring(health::usage_to_text(usage))); });
}

HEALTH_FUNCTION(health_usage_recv) {
  auto buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  const int size = buffer->len - buffer->cursor;
  const auto* data = reinterpret_cast<const std::uint8_t*>(pq_getmsgbytes(buffer, size));
  return guarded([&] {
    const health::Bytes bytes(data, static_cast<std::size_t>(size));
    check_usage(bytes);
    return make_varlena(bytes);
  });
}

HEALTH_FUNCTION(health_usage_send) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  return guarded([&] {
    health::validate_usage(usage);
    return make_varlena(usage);
  });
}

HEALTH_FUNCTION(health_validate) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  guarded([&] { check_usage(usage); });
  PG_RETURN_BOOL(true);
}

namespace {

bool equal_usage(FunctionCallInfo fcinfo) {
  const health::Bytes a = bytes_argument(fcinfo, 0);
  const health::Bytes b = bytes_argument(fcinfo, 1);
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

// Equal content has equal bytes, so comparing and hashing never decode.
HEALTH_FUNCTION(health_usage_eq) { PG_RETURN_BOOL(equal_usage(fcinfo)); }

HEALTH_FUNCTION(health_usage_ne) { PG_RETURN_BOOL(!equal_usage(fcinfo)); }

HEALTH_FUNCTION(health_usage_hash) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  return hash_any(usage.data(), static_cast<int>(usage.size()));
}

HEALTH_FUNCTION(health_usage_hash_extended) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  return hash_any_extended(usage.data(), static_cast<int>(usage.size()),
                           static_cast<uint64>(PG_GETARG_INT64(1)));
}

HEALTH_FUNCTION(health_usage_add) {
  const health::Bytes a = bytes_argument(fcinfo, 0);
  const health::Bytes b = bytes_argument(fcinfo, 1);
  return guarded([&] { return make_varlena(health::add_usage(a, b)); });
}

// add_to_chunk(chunk, more, account, period): errors name the account, which may be one of a million.
HEALTH_FUNCTION(health_add_to_chunk) {
  const health::Bytes chunk = bytes_argument(fcinfo, 0);
  const health::Bytes more = bytes_argument(fcinfo, 1);
  const std::string_view account = text_argument(fcinfo, 2);
  const health::Day period = PG_GETARG_DATEADT(3);
  return guarded([&] {
    try {
      return make_varlena(health::add_usage(chunk, more));
    } catch (const health::Error& error) {
      throw health::Error(error.sqlstate(),
                          "the ledger of account \"" + std::string(health::clip_text(account, 100)) +
                              "\" in the quarter from " + health::day_text(period) + ": " + error.what(),
                          error.hint(), error.detail());
    }
  });
}

HEALTH_FUNCTION(health_usage_subtract) {
  const health::Bytes a = bytes_argument(fcinfo, 0);
  const health::Bytes b = bytes_argument(fcinfo, 1);
  return guarded([&] { return make_varlena(health::subtract_usage(a, b)); });
}

namespace {

Datum without_user(health::Bytes usage, std::string_view user) {
  return guarded([&] { return make_varlena(health::usage_without_user(usage, user)); });
}

}  // namespace

HEALTH_FUNCTION(health_without_user_text) {
  return without_user(bytes_argument(fcinfo, 0), text_argument(fcinfo, 1));
}

HEALTH_FUNCTION(health_without_user_bigint) {
  return without_user(bytes_argument(fcinfo, 0), psprintf(INT64_FORMAT, PG_GETARG_INT64(1)));
}

HEALTH_FUNCTION(health_without_user_uuid) {
  return without_user(bytes_argument(fcinfo, 0),
                      DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(1))));
}

namespace {

// A row of cells(): plain memory, so that the ledger's reader is gone before tuples are stored.
struct CellRow {
  Datum user;
  std::uint32_t event;
  health::Cell cell;
};

struct CellRows {
  CellRow* rows;
  std::uint64_t count;
  Datum* events;
};

CellRows read_cells(health::Bytes usage) {
  health::UsageReader reader(usage);
  CellRows all{allocate_array<CellRow>(reader.cell_count() + 1), 0,
               allocate_array<Datum>(reader.event_count() + 1)};
  for (std::uint32_t i = 0; i < reader.event_count(); ++i) all.events[i] = make_text(reader.event_name(i));
  while (reader.next_user()) {
    const Datum user = make_text(health::user_id_text(reader.user_kind(), reader.user()));
    for (health::Cell cell; reader.next_cell(cell);) all.rows[all.count++] = {user, cell.event, cell};
  }
  return all;
}

// A sum of micro units as numeric.
Numeric numeric_amount(health::Exact amount) {
  if (amount >= INT64_MIN && amount <= INT64_MAX)
    return int64_div_fast_to_numeric(static_cast<std::int64_t>(amount), 6);
  constexpr std::int64_t million_units = health::micro * 1000000;
  const Numeric large =
      numeric_mul_opt_error(int64_to_numeric(static_cast<std::int64_t>(amount / million_units)),
                            int64_to_numeric(1000000), nullptr);
  return numeric_add_opt_error(
      large, int64_div_fast_to_numeric(static_cast<std::int64_t>(amount % million_units), 6), nullptr);
}

}  // namespace

HEALTH_FUNCTION(health_cells) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const CellRows all = guarded([&] { return read_cells(usage); });
  for (std::uint64_t i = 0; i < all.count; ++i) {
    const CellRow& row = all.rows[i];
    const bool has_amount = row.cell.amount_count != 0 || row.cell.amount != 0;
    const Datum amount = has_amount ? NumericGetDatum(numeric_amount(row.cell.amount)) : Datum{0};
    Datum values[] = {
        row.user, DateADTGetDatum(row.cell.day),       all.events[row.event], Int64GetDatum(row.cell.count),
        amount,   Int64GetDatum(row.cell.amount_count)};
    bool nulls[] = {false, false, false, false, !has_amount, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    if (has_amount) pfree(DatumGetPointer(amount));
    CHECK_FOR_INTERRUPTS();
  }
  return Datum{0};
}
