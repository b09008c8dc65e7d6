// Aggregate trend_4w, whose state is a bigint[] of four; comparisons of two counts; the Wilson interval.
#include "core/metrics/trend.hpp"

#include "core/stats/wilson.hpp"
#include "guard.hpp"
#include "local_day.hpp"
#include "metric_values.hpp"
#include "number_state.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

using namespace health::pg;

namespace {

// The state: {as_of, first day, events in weeks 1..4, events in weeks 5..8}.
constexpr int state_size = 4;

health::TrendSum read_state(Datum datum) {
  const int64* numbers = state_numbers(datum, state_size, "trend_4w");
  health::TrendSum sum;
  sum.as_of = static_cast<health::Day>(numbers[0]);
  sum.first_day = static_cast<health::Day>(numbers[1]);
  sum.current = numbers[2];
  sum.previous = numbers[3];
  return sum;
}

Datum write_state(FunctionCallInfo fcinfo, const health::TrendSum& sum) {
  ArrayType* array = writable_state(fcinfo, state_size);
  int64* numbers = numbers_of(array);
  numbers[0] = sum.as_of;
  numbers[1] = sum.first_day;
  numbers[2] = sum.current;
  numbers[3] = sum.previous;
  return PointerGetDatum(array);
}

// Takes in an event of that day. Argument 2 is as_of.
Datum add_day(FunctionCallInfo fcinfo, health::Day day) {
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(2), "as_of");
  health::TrendSum start;
  start.as_of = as_of;
  health::TrendSum sum = PG_ARGISNULL(0) ? start : read_state(PG_GETARG_DATUM(0));
  guarded([&] {
    if (sum.as_of != as_of) sum.add(start);  // refuses
    sum.add(day);
  });
  return write_state(fcinfo, sum);
}

bool lacks_event(FunctionCallInfo fcinfo) { return PG_ARGISNULL(1) || PG_ARGISNULL(2); }

}  // namespace

HEALTH_FUNCTION(health_trend_4w_transition) {
  if (lacks_event(fcinfo)) return unchanged_state(fcinfo);
  ZoneClock utc;
  utc.zone = nullptr;
  return add_day(fcinfo, local_day(utc, PG_GETARG_TIMESTAMPTZ(1)));
}

HEALTH_FUNCTION(health_trend_4w_zone_transition) {
  if (lacks_event(fcinfo)) return unchanged_state(fcinfo);
  if (PG_ARGISNULL(3))
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the time zone of trend_4w must not be NULL")));
  return add_day(fcinfo, local_day(zone_clock(fcinfo, text_argument(fcinfo, 3)), PG_GETARG_TIMESTAMPTZ(1)));
}

HEALTH_FUNCTION(health_trend_4w_date_transition) {
  if (lacks_event(fcinfo)) return unchanged_state(fcinfo);
  return add_day(fcinfo, finite_day(PG_GETARG_DATEADT(1), "the day of an event"));
}

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_trend_4w_combine) {
  health::TrendSum sum = read_state(PG_GETARG_DATUM(0));
  const health::TrendSum other = read_state(PG_GETARG_DATUM(1));
  guarded([&] { sum.add(other); });
  return write_state(fcinfo, sum);
}

HEALTH_FUNCTION(health_trend_4w_final) {
  const health::TrendSum sum = read_state(PG_GETARG_DATUM(0));
  return float8_or_null(fcinfo, guarded([&] { return sum.trend(); }));
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
