// Aggregates nrr, grr, logo_churn and mrr_bridge, which share their state; mrr_movement, annual_churn, clv.
#include "core/portfolio/revenue.hpp"

#include "guard.hpp"
#include "metric_options.hpp"
#include "metric_values.hpp"
#include "number_state.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

using health::MrrBridge;
using namespace health::pg;

namespace {

// The state: the revenue at the start and each movement, three numbers each: a wide sum and the customers.
constexpr int numbers_each = 3;
constexpr int bridge_numbers = numbers_each * static_cast<int>(std::tuple_size_v<MrrBridge::Sums>);

bool is_of_customers(const int64* numbers) {
  return numbers[0] >= 0 && is_summable(numbers) && numbers[2] >= 0 && numbers[2] < int64{1} << 56;
}

MrrBridge read_bridge(Datum state) {
  const int64* numbers = state_numbers(state, bridge_numbers, "nrr");
  MrrBridge::Sums sums;
  for (health::MrrSum& sum : sums) {
    if (!is_of_customers(numbers))
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this is no state of the aggregate nrr")));
    sum = {exact_of(numbers), numbers[2]};
    numbers += numbers_each;
  }
  return MrrBridge::restore(sums);
}

Datum write_bridge(FunctionCallInfo fcinfo, const MrrBridge& bridge) {
  ArrayType* state = writable_state(fcinfo, bridge_numbers);
  int64* numbers = numbers_of(state);
  for (const health::MrrSum& sum : bridge.sums()) {
    put_exact(sum.mrr, numbers);
    numbers[2] = sum.customers;
    numbers += numbers_each;
  }
  return PointerGetDatum(state);
}

// NULL is no revenue.
double mrr_argument(FunctionCallInfo fcinfo, int i) { return PG_ARGISNULL(i) ? 0 : PG_GETARG_FLOAT8(i); }

bool flag_argument(FunctionCallInfo fcinfo, int i) { return !PG_ARGISNULL(i) && PG_GETARG_BOOL(i); }

constexpr int bridge_columns = 18;

// Fills a row from left to right.
struct RowFiller {
  Datum values[bridge_columns];
  bool nulls[bridge_columns];
  int column = 0;

  void put(const health::MrrSum& sum) {
    put(health::Value::of(health::from_micro(sum.mrr)));
    nulls[column] = false;
    values[column++] = Int64GetDatum(sum.customers);
  }
  void put(const health::Value& value) {
    nulls[column] = !value.known();
    values[column++] = Float8GetDatum(value.number);
  }
};

}  // namespace

// (state, mrr_start, mrr_end [, had_before])
HEALTH_FUNCTION(health_mrr_bridge_add) {
  const double start = mrr_argument(fcinfo, 1);
  const double end = mrr_argument(fcinfo, 2);
  const bool had_before = PG_NARGS() > 3 && flag_argument(fcinfo, 3);
  MrrBridge bridge = PG_ARGISNULL(0) ? MrrBridge() : read_bridge(PG_GETARG_DATUM(0));
  guarded([&] { bridge.add(start, end, had_before); });
  return write_bridge(fcinfo, bridge);
}

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_mrr_bridge_combine) {
  MrrBridge bridge = read_bridge(PG_GETARG_DATUM(0));
  bridge.add(read_bridge(PG_GETARG_DATUM(1)));
  return write_bridge(fcinfo, bridge);
}

HEALTH_FUNCTION(health_nrr_result) { return float8_or_null(fcinfo, read_bridge(PG_GETARG_DATUM(0)).nrr()); }
HEALTH_FUNCTION(health_grr_result) { return float8_or_null(fcinfo, read_bridge(PG_GETARG_DATUM(0)).grr()); }
HEALTH_FUNCTION(health_logo_churn_result) {
  return float8_or_null(fcinfo, read_bridge(PG_GETARG_DATUM(0)).logo_churn());
}

HEALTH_FUNCTION(health_mrr_bridge_result) {
  const MrrBridge bridge = read_bridge(PG_GETARG_DATUM(0));
  const TupleDesc row_type = result_row_type(fcinfo, bridge_columns);
  RowFiller row;
  for (const health::MrrSum& sum : bridge.sums()) row.put(sum);
  row.put(bridge.end());
  row.put(bridge.nrr());
  row.put(bridge.grr());
  row.put(bridge.logo_churn());
  row.put(bridge.arpa());
  return HeapTupleGetDatum(heap_form_tuple(row_type, row.values, row.nulls));
}

// (mrr_before, mrr_after, had_before)
HEALTH_FUNCTION(health_mrr_movement) {
  const double before = mrr_argument(fcinfo, 0);
  const double after = mrr_argument(fcinfo, 1);
  const bool had_before = flag_argument(fcinfo, 2);
  const Datum name = guarded([&] {
    const auto movement = health::find_movement(before, after, had_before);
    return movement ? make_text(health::movement_name(*movement)) : Datum{0};
  });
  fcinfo->isnull = name == Datum{0};
  return name;
}

HEALTH_FUNCTION(health_annual_churn) {
  PG_RETURN_FLOAT8(guarded([&] { return health::annual_churn(PG_GETARG_FLOAT8(0)); }));
}

HEALTH_FUNCTION(health_clv) {
  const double arpa = PG_GETARG_FLOAT8(0);
  const double margin = PG_GETARG_FLOAT8(1);
  const double churn = PG_GETARG_FLOAT8(2);
  return float8_or_null(fcinfo,
                        guarded([&] { return health::customer_lifetime_value(arpa, margin, churn); }));
}
