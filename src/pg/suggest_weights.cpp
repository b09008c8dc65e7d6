// suggest_shares(): the weights that would have told best what happened.
#include "core/scoring/suggest_weights.hpp"

#include <limits>
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

// Of a float8[][]: its elements, row by row, NaN for NULL.
struct Numbers {
  double* values;
  std::size_t count;
};

Numbers known_or_nan(FunctionCallInfo fcinfo, int i) {
  if (PG_ARGISNULL(i)) return {nullptr, 0};
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                    &values, &nulls, &count);
  auto* const numbers = reinterpret_cast<double*>(values);
  for (int at = 0; at < count; ++at)
    numbers[at] = nulls[at] ? std::numeric_limits<double>::quiet_NaN() : DatumGetFloat8(values[at]);
  return {numbers, static_cast<std::size_t>(count)};
}

struct Suggested {
  Datum* shares;
  Datum* scores;
  int signals, observations;
};

Datum* keep_numbers(const std::vector<double>& numbers) {
  Datum* kept = allocate_array<Datum>(numbers.size() + 1);
  for (std::size_t i = 0; i < numbers.size(); ++i) kept[i] = Float8GetDatum(numbers[i]);
  return kept;
}

}  // namespace

// suggest_shares(model, normalized, scores, outcomes, accounts, allow_negative)
HEALTH_FUNCTION(health_suggest_shares) {
  constexpr int columns = 2;  // shares, out_of_fold
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const Numbers normalized = known_or_nan(fcinfo, 1);
  const auto scores = numbers_argument<double>(fcinfo, 2, "scores");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 3, "outcomes");
  const auto accounts = numbers_argument<std::int64_t>(fcinfo, 4, "accounts");
  health::SuggestOptions options;
  options.allow_negative = PG_GETARG_BOOL(5);
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const Suggested suggested = guarded([&] {
    const health::WeightSuggestion found = health::suggest_weights(
        *model, {{normalized.values, normalized.count}, scores, outcomes, accounts}, options);
    if (!found.known()) return Suggested{nullptr, nullptr, 0, 0};
    return Suggested{keep_numbers(found.shares), keep_numbers(found.out_of_fold),
                     static_cast<int>(found.shares.size()), static_cast<int>(found.out_of_fold.size())};
  });
  if (suggested.shares == nullptr) PG_RETURN_NULL();
  Datum values[columns] = {
      PointerGetDatum(construct_array(suggested.shares, suggested.signals, FLOAT8OID, sizeof(float8),
                                      FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
      PointerGetDatum(construct_array(suggested.scores, suggested.observations, FLOAT8OID, sizeof(float8),
                                      FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
  bool nulls[columns] = {};
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}
