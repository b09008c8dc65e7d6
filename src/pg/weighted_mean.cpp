// health_score, score_coverage and band: weighted means without a model, as functions of arrays and as
// aggregates.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/document/model.hpp"
#include "core/scoring/weighted_mean.hpp"
#include "guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/jsonb.h"
}

using health::ExactSum;
using health::WeightedMean;
using namespace health::pg;

namespace {

// A float8[] in plain memory.
struct Numbers {
  Datum* values;
  bool* nulls;
  int count;
};

Numbers numbers_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(i);
  if (ARR_NDIM(array) > 1) {
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("%s must have one dimension, not %d", name, ARR_NDIM(array))));
  }
  Numbers numbers{};
  deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &numbers.values,
                    &numbers.nulls, &numbers.count);
  return numbers;
}

// A result that may be NULL.
struct Answer {
  bool known;
  double number;
};

Answer to_answer(std::optional<double> number) { return {number.has_value(), number.value_or(0)}; }

Datum return_answer(FunctionCallInfo fcinfo, const Answer& answer) {
  if (!answer.known) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(answer.number);
}

WeightedMean weigh_arrays(const Numbers& values, const Numbers& weights) {
  std::vector<std::optional<double>> known(static_cast<std::size_t>(values.count));
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!values.nulls[i]) known[i] = DatumGetFloat8(values.values[i]);
  }
  std::vector<double> numbers(static_cast<std::size_t>(weights.count));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (weights.nulls[i]) {
      throw health::Error("22004", "weights[" + std::to_string(i + 1) + "] is NULL",
                          "Give every value a weight; NULL belongs among the values.");
    }
    numbers[i] = DatumGetFloat8(weights.values[i]);
  }
  return health::weigh(known, numbers);
}

// --- The aggregates' state: three exact sums, a third of the array each; unused places hold 0. It is changed
// in place. ---

constexpr std::size_t sums = 3;

// The doubles of a state array.
struct State {
  ArrayType* array;
  double* numbers;
  std::size_t each;  // places of one sum
};

State state_of(ArrayType* array) {
  const int count = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
  if (count == 0 || count % static_cast<int>(sums) != 0 || ARR_HASNULL(array) ||
      ARR_ELEMTYPE(array) != FLOAT8OID) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("this is no state of the aggregate health_score"),
                    errhint("The aggregate's own functions make it; call health_score(value, weight).")));
  }
  return {array, reinterpret_cast<double*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(count) / sums};
}

// Runs inside guarded(...).
WeightedMean load_state(const State& state) {
  ExactSum parts[sums];
  for (std::size_t sum = 0; sum < sums; ++sum) {
    for (std::size_t i = 0; i < state.each; ++i) {
      const double part = state.numbers[sum * state.each + i];
      if (part != 0) parts[sum].add(part);
    }
  }
  return WeightedMean::restore(std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
}

// Runs inside guarded(...). Stores into the state where it has room, else into a larger one in
// CurrentMemoryContext, from where the executor copies it (and frees the old one).
Datum save_state(const WeightedMean& mean, const State* state) {
  const ExactSum* all[sums] = {&mean.weighted_sum(), &mean.known_sum(), &mean.total_sum()};
  std::size_t needed = 0;
  for (const ExactSum* sum : all) needed = std::max(needed, sum->parts().size());
  ArrayType* array = state != nullptr ? state->array : nullptr;
  std::size_t each = state != nullptr ? state->each : 0;
  if (array == nullptr || needed > each) {
    each = std::bit_ceil(std::max<std::size_t>(needed, 4));
    const std::size_t size = ARR_OVERHEAD_NONULLS(1) + sums * each * sizeof(double);
    array = static_cast<ArrayType*>(allocate(size));
    std::memset(array, 0, size);
    SET_VARSIZE(array, size);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = FLOAT8OID;
    ARR_DIMS(array)[0] = static_cast<int>(sums * each);
    ARR_LBOUND(array)[0] = 1;
  }
  auto* numbers = reinterpret_cast<double*>(ARR_DATA_PTR(array));
  for (std::size_t sum = 0; sum < sums; ++sum) {
    const auto parts = all[sum]->parts();
    for (std::size_t i = 0; i < each; ++i) numbers[sum * each + i] = i < parts.size() ? parts[i] : 0;
  }
  return PointerGetDatum(array);
}

// A state argument that may be changed in place inside an aggregate; elsewhere a copy. Null pointer for NULL.
struct SumArgument {
  State state;
  bool given;
};

SumArgument sum_argument(FunctionCallInfo fcinfo) {
  SumArgument argument{{}, !PG_ARGISNULL(0)};
  const bool in_aggregate = AggCheckCallContext(fcinfo, nullptr) != 0;
  if (argument.given) {
    argument.state = state_of(in_aggregate ? PG_GETARG_ARRAYTYPE_P(0) : PG_GETARG_ARRAYTYPE_P_COPY(0));
  }
  return argument;
}

// The final functions: errors name what an aggregate over no weight at all should have had.
template <class Read>
Datum finish_state(FunctionCallInfo fcinfo, Read&& read) {
  const State state = state_of(PG_GETARG_ARRAYTYPE_P(0));
  return return_answer(fcinfo, guarded([&] {
                         const WeightedMean mean = load_state(state);
                         if (!(mean.total_weight() > 0)) {
                           throw health::Error(health::sqlstate::invalid_parameter_value, "all weights are 0",
                                               "At least one weight must be above 0.");
                         }
                         return to_answer(read(mean));
                       }));
}

}  // namespace

HEALTH_FUNCTION(health_health_score) {
  const Numbers values = numbers_argument(fcinfo, 0, "values");
  const Numbers weights = numbers_argument(fcinfo, 1, "weights");
  return return_answer(fcinfo, guarded([&] { return to_answer(weigh_arrays(values, weights).mean()); }));
}

HEALTH_FUNCTION(health_score_coverage) {
  const Numbers values = numbers_argument(fcinfo, 0, "values");
  const Numbers weights = numbers_argument(fcinfo, 1, "weights");
  return return_answer(fcinfo, guarded([&] { return to_answer(weigh_arrays(values, weights).coverage()); }));
}

HEALTH_FUNCTION(health_health_score_add) {
  if (PG_ARGISNULL(2)) {  // without a weight it is no part
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return PG_GETARG_DATUM(0);
  }
  const bool known = !PG_ARGISNULL(1);
  const double value = known ? PG_GETARG_FLOAT8(1) : 0;
  const double weight = PG_GETARG_FLOAT8(2);
  const SumArgument argument = sum_argument(fcinfo);
  return guarded([&] {
    WeightedMean mean = argument.given ? load_state(argument.state) : WeightedMean();
    if (known) {
      mean.add(value, weight);
    } else {
      mean.add_unknown(weight);
    }
    return save_state(mean, argument.given ? &argument.state : nullptr);
  });
}

HEALTH_FUNCTION(health_health_score_combine) {
  if (PG_ARGISNULL(1)) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return PG_GETARG_DATUM(0);
  }
  const State other = state_of(PG_GETARG_ARRAYTYPE_P(1));
  const SumArgument argument = sum_argument(fcinfo);
  return guarded([&] {
    WeightedMean mean = argument.given ? load_state(argument.state) : WeightedMean();
    mean.merge(load_state(other));
    return save_state(mean, argument.given ? &argument.state : nullptr);
  });
}

HEALTH_FUNCTION(health_health_score_result) {
  return finish_state(fcinfo, [](const WeightedMean& mean) { return mean.mean(); });
}

HEALTH_FUNCTION(health_score_coverage_result) {
  return finish_state(fcinfo, [](const WeightedMean& mean) { return mean.coverage(); });
}

namespace {

Datum band_name(double score, const char* bands) {
  if (!std::isfinite(score)) {
    throw health::Error(health::sqlstate::invalid_parameter_value, "a score that is not finite has no band",
                        "Use NULL for an unknown score.");
  }
  const std::vector<health::Band> list =
      bands == nullptr ? health::default_bands() : health::parse_bands(bands);
  return make_text(health::find_band(list, score).name);
}

}  // namespace

HEALTH_FUNCTION(health_band) {
  const double score = PG_GETARG_FLOAT8(0);
  return guarded([&] { return band_name(score, nullptr); });
}

HEALTH_FUNCTION(health_band_of) {
  const double score = PG_GETARG_FLOAT8(0);
  Jsonb* bands = PG_GETARG_JSONB_P(1);
  const char* json = JsonbToCString(nullptr, &bands->root, static_cast<int>(VARSIZE(bands)));
  return guarded([&] { return band_name(score, json); });
}
