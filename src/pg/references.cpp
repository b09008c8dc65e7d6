// sight_account(): what an account adds to the frozen book of a model.
#include "core/scoring/references.hpp"

#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
}

using namespace health::pg;

namespace {

constexpr int sighting_columns = 6;  // raw, basis, seen, silent, ever_active, weeks
constexpr int week_numbers = 3;      // of a signal in weeks: active, last, all

struct SightingArrays {
  Datum* raw;
  bool* unknown;
  Datum* basis;
  Datum* seen;
  Datum* weeks;
  bool* no_weeks;
  int count;
  bool in_book, silent, ever_active;
};

}  // namespace

// sight_account(model, account): NULL of an account that is not in the book.
HEALTH_FUNCTION(health_sight_account) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const TupleDesc row_type = kept_row_type(fcinfo, sighting_columns);
  const SightingArrays arrays = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    const auto sightings =
        health::sight_signals(*model, ledger, collect_inputs(*model, account), account.as_of);
    const std::size_t count = sightings.size();
    SightingArrays result{allocate_array<Datum>(count + 1),
                          allocate_array<bool>(count + 1),
                          allocate_array<Datum>(count + 1),
                          allocate_array<Datum>(count + 1),
                          allocate_array<Datum>(week_numbers * count + 1),
                          allocate_array<bool>(week_numbers * count + 1),
                          static_cast<int>(count),
                          ledger.is_in_book(account.as_of) && !account.repeated,
                          ledger.presence(account.as_of) == health::Presence::silent,
                          !ledger.activity({health::min_day, account.as_of}).empty()};
    for (std::size_t i = 0; i < count; ++i) {
      result.unknown[i] = !sightings[i].raw.known();
      result.raw[i] = Float8GetDatum(sightings[i].raw.number);
      result.basis[i] = Float8GetDatum(sightings[i].basis);
      result.seen[i] = BoolGetDatum(sightings[i].seen);
      const health::BgbbHistory weeks = sightings[i].weeks.value_or(health::BgbbHistory{});
      const std::int64_t numbers[week_numbers] = {weeks.active, weeks.last, weeks.periods};
      for (std::size_t n = 0; n < week_numbers; ++n) {
        result.weeks[week_numbers * i + n] = Int32GetDatum(static_cast<int32>(numbers[n]));
        result.no_weeks[week_numbers * i + n] = !sightings[i].weeks;
      }
    }
    return result;
  });
  if (!arrays.in_book) PG_RETURN_NULL();
  int dimensions[] = {arrays.count};
  int week_dimensions[] = {week_numbers * arrays.count};
  int lower_bounds[] = {1};
  Datum values[sighting_columns] = {
      PointerGetDatum(construct_md_array(arrays.raw, arrays.unknown, 1, dimensions, lower_bounds, FLOAT8OID,
                                         sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
      PointerGetDatum(construct_array(arrays.basis, arrays.count, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
                                      TYPALIGN_DOUBLE)),
      PointerGetDatum(construct_array(arrays.seen, arrays.count, BOOLOID, sizeof(bool), true, TYPALIGN_CHAR)),
      BoolGetDatum(arrays.silent),
      BoolGetDatum(arrays.ever_active),
      PointerGetDatum(construct_md_array(arrays.weeks, arrays.no_weeks, 1, week_dimensions, lower_bounds,
                                         INT4OID, sizeof(int32), true, TYPALIGN_INT))};
  bool nulls[sighting_columns] = {};
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}
