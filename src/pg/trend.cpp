// Aggregate trend_4w, whose state is a bigint[] of four; comparisons of two counts; the Wilson interval.
#include "core/metrics/trend.hpp"

#include "core/stats/wilson.hpp"
#include "guard.hpp"
#include "local_day.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

using namespace health::pg;

namespace {

// The state: {as_of, first day, events in weeks 1..4, events in weeks 5..8}.
constexpr int state_size = 4;

struct TrendState {
  ArrayType* array;  // null before the first event
  health::TrendSum sum;
};

int64* state_numbers(ArrayType* array) { return reinterpret_cast<int64*>(ARR_DATA_PTR(array)); }

TrendState read_state(Datum datum) {
  ArrayType* array = DatumGetArrayTypeP(datum);
  if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != state_size || ARR_HASNULL(array) ||
      ARR_ELEMTYPE(array) != INT8OID)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the state of trend_4w must be an array of four bigint"),
                    errhint("Call the aggregate trend_4w instead of its support functions.")));
  const int64* numbers = state_numbers(array);
  TrendState state;
  state.array = array;
  state.sum.as_of = static_cast<health::Day>(numbers[0]);
  state.sum.first_day = static_cast<health::Day>(numbers[1]);
  state.sum.current = numbers[2];
  state.sum.previous = numbers[3];
  return state;
}

// Writes the sum where the aggregate keeps its state, else to a new array.
Datum write_state(FunctionCallInfo fcinfo, const TrendState& state) {
  ArrayType* array = state.array;
  if (array == nullptr || AggCheckCallContext(fcinfo, nullptr) == 0) {
    Datum zeros[state_size] = {};
    array = construct_array(zeros, state_size, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
  }
  int64* numbers = state_numbers(array);
  numbers[0] = state.sum.as_of;
  numbers[1] = state.sum.first_day;
  numbers[2] = state.sum.current;
  numbers[3] = state.sum.previous;
  return PointerGetDatum(array);
}

// Takes in an event of that day. Argument 2 is as_of.
Datum add_day(FunctionCallInfo fcinfo, health::Day day) {
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(2), "as_of");
  TrendState state{};
  health::TrendSum start;
  start.as_of = as_of;
  if (PG_ARGISNULL(0)) {
    state.sum = start;
  } else {
    state = read_state(PG_GETARG_DATUM(0));
  }
  guarded([&] {
    if (state.sum.as_of != as_of) state.sum.add(start);  // refuses
    state.sum.add(day);
  });
  return write_state(fcinfo, state);
}

bool lacks_event(FunctionCallInfo fcinfo) { return PG_ARGISNULL(1) || PG_ARGISNULL(2); }

Datum unchanged(FunctionCallInfo fcinfo) {
  fcinfo->isnull = PG_ARGISNULL(0);
  return PG_ARGISNULL(0) ? Datum{0} : PG_GETARG_DATUM(0);
}

}  // namespace

HEALTH_FUNCTION(health_trend_4w_transition) {
  if (lacks_event(fcinfo)) return unchanged(fcinfo);
  ZoneClock utc;
  utc.zone = nullptr;
  return add_day(fcinfo, local_day(utc, PG_GETARG_TIMESTAMPTZ(1)));
}

HEALTH_FUNCTION(health_trend_4w_zone_transition) {
  if (lacks_event(fcinfo)) return unchanged(fcinfo);
  if (PG_ARGISNULL(3))
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the time zone of trend_4w must not be NULL")));
  return add_day(fcinfo, local_day(zone_clock(fcinfo, text_argument(fcinfo, 3)), PG_GETARG_TIMESTAMPTZ(1)));
}

HEALTH_FUNCTION(health_trend_4w_date_transition) {
  if (lacks_event(fcinfo)) return unchanged(fcinfo);
  return add_day(fcinfo, finite_day(PG_GETARG_DATEADT(1), "the day of an event"));
}

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_trend_4w_combine) {
  TrendState state = read_state(PG_GETARG_DATUM(0));
  const TrendState other = read_state(PG_GETARG_DATUM(1));
  guarded([&] { state.sum.add(other.sum); });
  return write_state(fcinfo, state);
}

HEALTH_FUNCTION(health_trend_4w_final) {
  const TrendState state = read_state(PG_GETARG_DATUM(0));
  const health::Value trend = guarded([&] { return state.sum.trend(); });
  if (!trend.known()) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(trend.number);
}

HEALTH_FUNCTION(health_down_at_least) {
  const bool down = guarded(
      [&] { return health::down_at_least(PG_GETARG_INT64(0), PG_GETARG_INT64(1), PG_GETARG_INT32(2)); });
  PG_RETURN_BOOL(down);
}

HEALTH_FUNCTION(health_up_at_least) {
  const bool up = guarded(
      [&] { return health::up_at_least(PG_GETARG_INT64(0), PG_GETARG_INT64(1), PG_GETARG_INT32(2)); });
  PG_RETURN_BOOL(up);
}

HEALTH_FUNCTION(health_wilson_interval) {
  TupleDesc row_type = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &row_type) != TYPEFUNC_COMPOSITE)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the function must be called for a row")));
  const health::Interval interval =
      guarded([&] { return health::wilson_interval(PG_GETARG_INT64(0), PG_GETARG_INT64(1)); });
  Datum values[] = {Float8GetDatum(interval.low.number), Float8GetDatum(interval.high.number)};
  bool nulls[] = {!interval.low.known(), !interval.high.known()};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}
