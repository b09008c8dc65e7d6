// calibrate_scores(), which makes the map from a score to a probability, and calibrated(), which applies it.
#include "core/stats/calibrate.hpp"
#include "core/stats/score_calibration.hpp"

#include <optional>
#include <vector>

#include "number_arrays.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
}

using namespace health::pg;

namespace {

struct Calibrated {
  bool known, is_isotonic;
  Datum* map;
  int points;  // in a row
  Datum* out_of_fold;
  int observations;
};

std::optional<health::CalibrationMethod> read_method(std::string_view name) {
  if (name == "isotonic") return health::CalibrationMethod::isotonic;
  if (name == "platt") return health::CalibrationMethod::platt;
  return std::nullopt;
}

Calibrated keep_calibration(const health::ScoreCalibration& found) {
  if (!found.known()) return {};
  const bool is_isotonic = found.map.method == health::CalibrationMethod::isotonic;
  const std::size_t points = is_isotonic ? found.map.scores.size() : 2;
  Calibrated kept{true,
                  is_isotonic,
                  allocate_array<Datum>(2 * points),
                  static_cast<int>(points),
                  allocate_array<Datum>(found.out_of_fold.size() + 1),
                  static_cast<int>(found.out_of_fold.size())};
  if (is_isotonic) {
    for (std::size_t i = 0; i < points; ++i) {
      kept.map[i] = Float8GetDatum(found.map.scores[i]);
      kept.map[points + i] = Float8GetDatum(found.map.probabilities[i]);
    }
  } else {
    kept.map[0] = Float8GetDatum(found.map.slope);
    kept.map[1] = Float8GetDatum(found.map.intercept);
  }
  for (std::size_t i = 0; i < found.out_of_fold.size(); ++i)
    kept.out_of_fold[i] = Float8GetDatum(found.out_of_fold[i]);
  return kept;
}

}  // namespace

// calibrate_scores(scores, outcomes, accounts, rises, method)
HEALTH_FUNCTION(health_calibrate_scores) {
  constexpr int columns = 3;  // method, map, out_of_fold
  const auto scores = numbers_argument<double>(fcinfo, 0, "scores");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 1, "outcomes");
  const auto accounts = numbers_argument<std::int64_t>(fcinfo, 2, "accounts");
  const bool rises = PG_GETARG_BOOL(3);
  const std::string_view method = text_argument(fcinfo, 4);
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const Calibrated made = guarded([&] {
    health::CalibrationOptions options;
    options.rises = rises;
    options.method = read_method(method);
    return keep_calibration(health::calibrate_scores(scores, outcomes, accounts, options));
  });
  if (!made.known) PG_RETURN_NULL();
  int dimensions[] = {made.is_isotonic ? 2 : made.points, made.points};
  int lower_bounds[] = {1, 1};
  Datum values[columns] = {
      CStringGetTextDatum(made.is_isotonic ? "isotonic" : "platt"),
      PointerGetDatum(construct_md_array(made.map, nullptr, made.is_isotonic ? 2 : 1, dimensions,
                                         lower_bounds, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
                                         TYPALIGN_DOUBLE)),
      PointerGetDatum(construct_array(made.out_of_fold, made.observations, FLOAT8OID, sizeof(float8),
                                      FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
  bool nulls[columns] = {};
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

// calibrated(map, score)
HEALTH_FUNCTION(health_calibrated) {
  ArrayType* map = PG_GETARG_ARRAYTYPE_P(0);
  const float8 score = PG_GETARG_FLOAT8(1);
  const int rows = ARR_NDIM(map);
  const int size = ArrayGetNItems(rows, ARR_DIMS(map));
  const bool fits = !array_contains_nulls(map) &&
                    ((rows == 1 && size == 2) || (rows == 2 && ARR_DIMS(map)[0] == 2 && size >= 2));
  if (!fits)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this is no map of a calibration")));
  const std::span<const double> numbers{reinterpret_cast<const double*>(ARR_DATA_PTR(map)),
                                        static_cast<std::size_t>(size)};
  PG_RETURN_FLOAT8(guarded([&] {
    return rows == 1 ? health::apply_platt({numbers[0], numbers[1]}, score)
                     : *health::interpolate(numbers.first(numbers.size() / 2),
                                            numbers.last(numbers.size() / 2), score);
  }));
}
