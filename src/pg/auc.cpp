// The aggregate auc(score, outcome), and its like over arrays: how well a score ranks.
#include "core/stats/auc.hpp"

#include <vector>

#include "number_arrays.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

using namespace health::pg;

namespace {

// The state of the aggregate is a float8[]: how many pairs it holds, then the pairs of score and outcome (1
// or 0), then room for more.
struct Pairs {
  ArrayType* array;

  float8* numbers() const { return reinterpret_cast<float8*>(ARR_DATA_PTR(array)); }
  std::size_t room() const { return static_cast<std::size_t>(ARR_DIMS(array)[0]); }
  std::size_t count() const { return static_cast<std::size_t>(numbers()[0]); }
};

constexpr std::size_t first_room = 33;

ArrayType* make_pairs(std::size_t room) {
  const std::size_t size = ARR_OVERHEAD_NONULLS(1) + room * sizeof(float8);
  if (!AllocSizeIsValid(size))
    ereport(ERROR,
            (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("auc of more than %d rows", INT_MAX / 40)));
  auto* array = static_cast<ArrayType*>(palloc0(size));
  SET_VARSIZE(array, size);
  array->ndim = 1;
  array->dataoffset = 0;
  array->elemtype = FLOAT8OID;
  ARR_DIMS(array)[0] = static_cast<int>(room);
  ARR_LBOUND(array)[0] = 1;
  return array;
}

Pairs check_pairs(ArrayType* array) {
  const Pairs pairs{array};
  const bool fits = ARR_NDIM(array) == 1 && !ARR_HASNULL(array) && ARR_ELEMTYPE(array) == FLOAT8OID &&
                    pairs.room() >= 1 && pairs.numbers()[0] >= 0 &&
                    2 * pairs.numbers()[0] + 1 <= static_cast<double>(pairs.room());
  if (!fits)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this is no state of the aggregate auc")));
  return pairs;
}

// Room for so many more pairs, in the memory of the aggregate.
Pairs grow_pairs(Pairs pairs, std::size_t more, MemoryContext context) {
  const std::size_t wanted = 1 + 2 * (pairs.count() + more);
  if (wanted <= pairs.room()) return pairs;
  MemoryContext caller = MemoryContextSwitchTo(context);
  const Pairs larger{make_pairs(std::max(wanted, 2 * pairs.room()))};
  MemoryContextSwitchTo(caller);
  std::copy_n(pairs.numbers(), 1 + 2 * pairs.count(), larger.numbers());
  return larger;
}

void put_interval(const health::Interval& interval, Datum* values, bool* nulls) {
  nulls[0] = !interval.low.known();
  nulls[1] = !interval.high.known();
  values[0] = Float8GetDatum(interval.low.number);
  values[1] = Float8GetDatum(interval.high.number);
}

}  // namespace

// auc_add(state, score, outcome)
HEALTH_FUNCTION(health_auc_add) {
  MemoryContext context = nullptr;
  if (!AggCheckCallContext(fcinfo, &context)) context = CurrentMemoryContext;
  const bool skipped = PG_ARGISNULL(1) || PG_ARGISNULL(2);
  if (PG_ARGISNULL(0)) {
    if (skipped) PG_RETURN_NULL();
    MemoryContext caller = MemoryContextSwitchTo(context);
    ArrayType* array = make_pairs(first_room);
    MemoryContextSwitchTo(caller);
    Pairs{array}.numbers()[1] = PG_GETARG_FLOAT8(1);
    Pairs{array}.numbers()[2] = PG_GETARG_BOOL(2) ? 1 : 0;
    Pairs{array}.numbers()[0] = 1;
    PG_RETURN_ARRAYTYPE_P(array);
  }
  // In an aggregate the state is its own; elsewhere it is somebody's value.
  ArrayType* state = context == CurrentMemoryContext && !AggCheckCallContext(fcinfo, nullptr)
                         ? PG_GETARG_ARRAYTYPE_P_COPY(0)
                         : PG_GETARG_ARRAYTYPE_P(0);
  Pairs pairs = check_pairs(state);
  if (skipped) PG_RETURN_ARRAYTYPE_P(pairs.array);
  pairs = grow_pairs(pairs, 1, context);
  const std::size_t at = 1 + 2 * pairs.count();
  pairs.numbers()[at] = PG_GETARG_FLOAT8(1);
  pairs.numbers()[at + 1] = PG_GETARG_BOOL(2) ? 1 : 0;
  pairs.numbers()[0] += 1;
  PG_RETURN_ARRAYTYPE_P(pairs.array);
}

// auc_combine(state, other)
HEALTH_FUNCTION(health_auc_combine) {
  MemoryContext context = nullptr;
  if (!AggCheckCallContext(fcinfo, &context)) context = CurrentMemoryContext;
  if (PG_ARGISNULL(0) && PG_ARGISNULL(1)) PG_RETURN_NULL();
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
    MemoryContext caller = MemoryContextSwitchTo(context);
    ArrayType* copy = PG_GETARG_ARRAYTYPE_P_COPY(PG_ARGISNULL(0) ? 1 : 0);
    MemoryContextSwitchTo(caller);
    check_pairs(copy);
    PG_RETURN_ARRAYTYPE_P(copy);
  }
  MemoryContext caller = MemoryContextSwitchTo(context);
  Pairs pairs = check_pairs(PG_GETARG_ARRAYTYPE_P_COPY(0));
  MemoryContextSwitchTo(caller);
  const Pairs other = check_pairs(PG_GETARG_ARRAYTYPE_P(1));
  pairs = grow_pairs(pairs, other.count(), context);
  std::copy_n(other.numbers() + 1, 2 * other.count(), pairs.numbers() + 1 + 2 * pairs.count());
  pairs.numbers()[0] += static_cast<float8>(other.count());
  PG_RETURN_ARRAYTYPE_P(pairs.array);
}

HEALTH_FUNCTION(health_auc_result) {
  const Pairs pairs = check_pairs(PG_GETARG_ARRAYTYPE_P(0));
  const health::Value auc = guarded([&] {
    std::vector<double> scores;
    std::vector<std::uint8_t> outcomes;
    scores.reserve(pairs.count());
    outcomes.reserve(pairs.count());
    for (std::size_t i = 0; i < pairs.count(); ++i) {
      scores.push_back(pairs.numbers()[1 + 2 * i]);
      outcomes.push_back(pairs.numbers()[2 + 2 * i] != 0);
    }
    return health::measure_auc(scores, outcomes);
  });
  if (!auc.known()) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(auc.number);
}

// auc_interval(risks, outcomes, clusters)
HEALTH_FUNCTION(health_auc_interval) {
  constexpr int columns = 6;  // auc, low, high, standard_error, positives, negatives
  const auto risks = numbers_argument<double>(fcinfo, 0, "risks");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 1, "outcomes");
  const auto clusters = numbers_argument<std::int64_t>(fcinfo, 2, "clusters");
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const health::Auc auc = guarded([&] { return health::estimate_auc(risks, outcomes, clusters); });
  Datum values[columns];
  bool nulls[columns] = {};
  values[0] = Float8GetDatum(auc.auc.number);
  nulls[0] = !auc.auc.known();
  put_interval(auc.interval, values + 1, nulls + 1);
  values[3] = Float8GetDatum(auc.standard_error.number);
  nulls[3] = !auc.standard_error.known();
  values[4] = Int64GetDatum(auc.positives);
  values[5] = Int64GetDatum(auc.negatives);
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

// auc_difference(first, second, outcomes, clusters)
HEALTH_FUNCTION(health_auc_difference) {
  constexpr int columns = 4;  // difference, low, high, p_value
  const auto first = numbers_argument<double>(fcinfo, 0, "first");
  const auto second = numbers_argument<double>(fcinfo, 1, "second");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 2, "outcomes");
  const auto clusters = numbers_argument<std::int64_t>(fcinfo, 3, "clusters");
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const health::AucComparison found =
      guarded([&] { return health::compare_auc(first, second, outcomes, clusters); });
  Datum values[columns];
  bool nulls[columns] = {};
  values[0] = Float8GetDatum(found.difference.number);
  nulls[0] = !found.difference.known();
  put_interval(found.interval, values + 1, nulls + 1);
  values[3] = Float8GetDatum(found.p_value.number);
  nulls[3] = !found.p_value.known();
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

// auc_beside(first, others, outcomes, clusters)
HEALTH_FUNCTION(health_auc_beside) {
  constexpr int columns =
      8;  // position, auc, low, high, difference, difference_low, difference_high, p_value
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const auto first = numbers_argument<double>(fcinfo, 0, "first");
  const auto others = numbers_argument<double>(fcinfo, 1, "others");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 2, "outcomes");
  const auto clusters = numbers_argument<std::int64_t>(fcinfo, 3, "clusters");
  health::AucComparison* found = nullptr;
  const int count = guarded([&] {
    const auto compared = health::compare_auc_with_each(first, others, outcomes, clusters);
    found = allocate_array<health::AucComparison>(compared.size());
    std::copy(compared.begin(), compared.end(), found);
    return static_cast<int>(compared.size());
  });
  for (int i = -1; i < count && count > 0; ++i) {
    const health::AucComparison& compared = found[std::max(i, 0)];
    const health::Auc& auc = i < 0 ? compared.first : compared.second;
    Datum values[columns];
    bool nulls[columns] = {};
    values[0] = Int32GetDatum(i + 2);
    values[1] = Float8GetDatum(auc.auc.number);
    nulls[1] = !auc.auc.known();
    put_interval(auc.interval, values + 2, nulls + 2);
    values[4] = Float8GetDatum(compared.difference.number);
    nulls[4] = i < 0 || !compared.difference.known();
    put_interval(compared.interval, values + 5, nulls + 5);
    nulls[5] = nulls[5] || i < 0;
    nulls[6] = nulls[6] || i < 0;
    values[7] = Float8GetDatum(compared.p_value.number);
    nulls[7] = i < 0 || !compared.p_value.known();
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return Datum{0};
}
