// Places among peers, and robust lines with the distances of points from them.
#include "core/stats/robust.hpp"

#include "number_arrays.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

using namespace health::pg;

namespace {

void put(const health::Value& value, Datum& datum, bool& null) {
  null = !value.known();
  datum = Float8GetDatum(value.number);
}

}  // namespace

// place_among(value, peers)
HEALTH_FUNCTION(health_place_among) {
  constexpr int columns = 5;
  const health::Value value = PG_ARGISNULL(0) ? health::Value::none(health::Unknown::no_data)
                                              : health::Value::of(PG_GETARG_FLOAT8(0));
  const auto peers = numbers_argument<double>(fcinfo, 1, "peers");
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const health::Place place = guarded([&] { return health::place_among(value, peers); });
  Datum values[columns] = {Int64GetDatum(static_cast<std::int64_t>(place.n))};
  bool nulls[columns] = {};
  put(place.low, values[1], nulls[1]);
  put(place.median, values[2], nulls[2]);
  put(place.high, values[3], nulls[3]);
  put(place.percentile, values[4], nulls[4]);
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

// robust_line(x, y)
HEALTH_FUNCTION(health_robust_line) {
  constexpr int columns = 3;
  const auto x = numbers_argument<double>(fcinfo, 0, "x");
  const auto y = numbers_argument<double>(fcinfo, 1, "y");
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  auto* distances = allocate_array<Datum>(x.size() + 1);
  auto* unknown = allocate_array<bool>(x.size() + 1);
  const health::Line line = guarded([&] {
    const health::Line found = health::fit_line(x, y);
    std::vector<double> rests(x.size());
    for (std::size_t i = 0; i < rests.size(); ++i)
      rests[i] = y[i] - (found.intercept.number + found.slope.number * x[i]);
    const auto measured = health::measure_distances(rests);
    for (std::size_t i = 0; i < measured.size(); ++i) put(measured[i], distances[i], unknown[i]);
    return found;
  });
  int count[] = {static_cast<int>(x.size())};
  int first[] = {1};
  Datum values[columns];
  bool nulls[columns] = {};
  put(line.slope, values[0], nulls[0]);
  put(line.intercept, values[1], nulls[1]);
  values[2] = PointerGetDatum(construct_md_array(distances, unknown, 1, count, first, FLOAT8OID,
                                                 sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}
