// Fits the BG/BB model: the aggregate fit_bgbb, and what a model's book freezes of it.
#include "core/metrics/metrics.hpp"

#include "local_day.hpp"
#include "metric_options.hpp"
#include "number_arrays.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
}

using namespace health::pg;

namespace {

constexpr int per_account = 3;  // active weeks, the last of them, all

// Accounts as they stand in arrays, three numbers each.
std::vector<health::BgbbHistory> read_histories(std::span<const int32> numbers) {
  std::vector<health::BgbbHistory> histories;
  histories.reserve(numbers.size() / per_account);
  for (std::size_t i = 0; i + per_account <= numbers.size(); i += per_account)
    histories.push_back({numbers[i], numbers[i + 1], numbers[i + 2], 1});
  return histories;
}

Datum parameter_array(const health::BgbbParameters& p) {
  Datum list[] = {Float8GetDatum(p.alpha), Float8GetDatum(p.beta), Float8GetDatum(p.gamma),
                  Float8GetDatum(p.delta)};
  return PointerGetDatum(construct_array(list, static_cast<int>(std::size(list)), FLOAT8OID, sizeof(float8),
                                         FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// The state is an integer[] with room to grow: how many numbers are in use, these numbers, zeros.
std::span<int32> read_fit_state(ArrayType* array) {
  const int size = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
  auto* numbers = reinterpret_cast<int32*>(ARR_DATA_PTR(array));
  if (size < 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT4OID || numbers[0] < 0 ||
      numbers[0] >= size || numbers[0] % per_account != 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the state of fit_bgbb must be an array that fit_bgbb made"),
                    errhint("Call the aggregate fit_bgbb instead of its support functions.")));
  return {numbers, static_cast<std::size_t>(size)};
}

std::span<const int32> used_part(std::span<const int32> state) {
  return state.subspan(1, static_cast<std::size_t>(state[0]));
}

// Appends to the state, in place where the aggregate keeps it and it has room.
Datum append_histories(FunctionCallInfo fcinfo, ArrayType* array, std::span<const int32> numbers) {
  const std::span<int32> old = array == nullptr ? std::span<int32>() : read_fit_state(array);
  const std::span<const int32> kept = old.empty() ? old : used_part(old);
  const std::size_t used = kept.size() + numbers.size();
  if (used >= MaxAllocSize / (4 * sizeof(int32)))
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many accounts to fit at once"),
                    errhint("Fit to a sample of them.")));
  const bool in_place = AggCheckCallContext(fcinfo, nullptr) != 0;
  if (!in_place || used >= old.size()) {
    const std::size_t size = 1 + (in_place ? 2 * used : used);
    const std::size_t bytes = ARR_OVERHEAD_NONULLS(1) + size * sizeof(int32);
    array = static_cast<ArrayType*>(palloc0(bytes));
    SET_VARSIZE(array, bytes);
    array->ndim = 1;
    array->elemtype = INT4OID;
    ARR_DIMS(array)[0] = static_cast<int>(size);
    ARR_LBOUND(array)[0] = 1;
    std::copy(kept.begin(), kept.end(), reinterpret_cast<int32*>(ARR_DATA_PTR(array)) + 1);
  }
  auto* state = reinterpret_cast<int32*>(ARR_DATA_PTR(array));
  std::copy(numbers.begin(), numbers.end(), state + 1 + kept.size());
  state[0] = static_cast<int32>(used);
  return PointerGetDatum(array);
}

// (state, usage, as_of, options): an account that was never active, and one of a NULL ledger or day, says
// nothing.
Datum add_history(FunctionCallInfo fcinfo, std::span<const MetricOption> taken) {
  ArrayType* state = PG_ARGISNULL(0) ? nullptr : PG_GETARG_ARRAYTYPE_P(0);
  if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2)) {
    const health::Bytes usage = bytes_argument(fcinfo, 1);
    const health::Day as_of = finite_day(PG_GETARG_DATEADT(2), "as_of");
    const MetricOptions options = read_options(fcinfo, 3, taken);
    const auto weeks = guarded_in_scratch([&] {
      const health::Ledger ledger = decode_ledger(usage, options);
      return health::active_weeks(ledger, request_from(options, health::MetricId::cadence_recency), as_of);
    });
    if (weeks) {
      const int32 numbers[per_account] = {static_cast<int32>(weeks->active), static_cast<int32>(weeks->last),
                                          static_cast<int32>(weeks->periods)};
      return append_histories(fcinfo, state, numbers);
    }
  }
  fcinfo->isnull = state == nullptr;
  return state == nullptr ? Datum{0} : PointerGetDatum(state);
}

}  // namespace

HEALTH_FUNCTION(health_fit_bgbb_transition) { return add_history(fcinfo, {}); }

HEALTH_FUNCTION(health_fit_bgbb_options_transition) {
  constexpr MetricOption taken[] = {MetricOption::catalog, MetricOption::events, MetricOption::actor};
  return add_history(fcinfo, taken);
}

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_fit_bgbb_combine) {
  const std::span<const int32> other = used_part(read_fit_state(PG_GETARG_ARRAYTYPE_P(1)));
  return append_histories(fcinfo, PG_GETARG_ARRAYTYPE_P(0), other);
}

HEALTH_FUNCTION(health_fit_bgbb_final) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const std::span<const int32> numbers = used_part(read_fit_state(PG_GETARG_ARRAYTYPE_P(0)));
  const auto parameters =
      guarded_in_scratch([&] { return health::fit_bgbb(read_histories(numbers)).parameters; });
  if (!parameters) PG_RETURN_NULL();
  return parameter_array(*parameters);
}

// fit_weeks(three numbers for each account): parameters or the reason why there are none, and how many
// accounts had a week.
HEALTH_FUNCTION(health_fit_weeks) {
  constexpr int columns = 3;
  std::span<const int32> numbers;
  if (!PG_ARGISNULL(0)) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
    if (array_contains_nulls(array))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("weeks must not contain NULL")));
    numbers = {reinterpret_cast<const int32*>(ARR_DATA_PTR(array)),
               static_cast<std::size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)))};
  }
  const TupleDesc row_type = result_row_type(fcinfo, columns);
  const health::BgbbFit fit = guarded_in_scratch([&] { return health::fit_bgbb(read_histories(numbers)); });
  Datum values[columns] = {};
  bool nulls[columns] = {!fit.parameters, false, fit.reason.empty()};
  if (fit.parameters) values[0] = parameter_array(*fit.parameters);
  values[1] = Int64GetDatum(fit.accounts);
  if (!fit.reason.empty()) values[2] = guarded([&] { return make_text(fit.reason); });
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}
