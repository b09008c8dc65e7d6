// How good a list of the worst is, how good probabilities are, and whether bands are in order.
#include "core/stats/classification.hpp"
#include "core/stats/rates.hpp"

#include "number_arrays.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

using namespace health::pg;

// top_k(risks, outcomes, k): one row
HEALTH_FUNCTION(health_top_k) {
  InitMaterializedSRF(fcinfo, 0);
  const auto risks = numbers_argument<double>(fcinfo, 0, "risks");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 1, "outcomes");
  const std::int64_t k = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
  const RowBlock rows = guarded([&] {
    const health::TopK top = health::measure_top_k(risks, outcomes, k);
    RowWriter row(1, 5);
    row.add_bigint(top.k);
    row.add(top.precision);
    row.add(top.recall);
    row.add(top.lift);
    row.add(health::measure_average_precision(risks, outcomes));
    return row.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// probability_scores(probabilities, outcomes): one row
HEALTH_FUNCTION(health_probability_scores) {
  InitMaterializedSRF(fcinfo, 0);
  const auto probabilities = numbers_argument<double>(fcinfo, 0, "probabilities");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 1, "outcomes");
  const RowBlock rows = guarded([&] {
    RowWriter row(1, 3);
    row.add(health::measure_brier(probabilities, outcomes));
    row.add(health::measure_brier_skill(probabilities, outcomes));
    row.add(health::measure_log_loss(probabilities, outcomes));
    return row.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// calibration(probabilities, outcomes, bins)
HEALTH_FUNCTION(health_calibration) {
  InitMaterializedSRF(fcinfo, 0);
  const auto probabilities = numbers_argument<double>(fcinfo, 0, "probabilities");
  const auto outcomes = numbers_argument<std::uint8_t>(fcinfo, 1, "outcomes");
  const std::int64_t bins = PG_ARGISNULL(2) ? 10 : PG_GETARG_INT32(2);
  const RowBlock rows = guarded([&] {
    const auto found = health::measure_calibration(probabilities, outcomes, bins);
    RowWriter writer(found.size(), 7);
    int number = 0;
    for (const health::CalibrationBin& bin : found) {
      writer.add(++number);
      writer.add_bigint(bin.count);
      writer.add_bigint(bin.events);
      writer.add(bin.mean_probability);
      writer.add(bin.observed_rate);
      writer.add(bin.interval.low);
      writer.add(bin.interval.high);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// rate_inversions(events, counts)
HEALTH_FUNCTION(health_rate_inversions) {
  InitMaterializedSRF(fcinfo, 0);
  const auto events = numbers_argument<std::int64_t>(fcinfo, 0, "events");
  const auto counts = numbers_argument<std::int64_t>(fcinfo, 1, "counts");
  const RowBlock rows = guarded([&] {
    health::check_length(counts.size(), events.size(), "counts");
    std::vector<health::RateCount> bands(events.size());
    for (std::size_t i = 0; i < bands.size(); ++i) bands[i] = {events[i], counts[i]};
    const auto found = health::find_inversions(bands);
    RowWriter writer(found.size(), 3);
    for (const health::RateInversion& inversion : found) {
      writer.add(static_cast<int>(inversion.first) + 1);
      writer.add(static_cast<int>(inversion.second) + 1);
      writer.add(inversion.adjusted_p_value);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// rate_interval(part, whole)
HEALTH_FUNCTION(health_rate_interval) {
  constexpr int columns = 3;
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const std::int64_t part = PG_GETARG_INT64(0);
  const std::int64_t whole = PG_GETARG_INT64(1);
  const health::Rate rate = guarded([&] { return health::measure_rate({part, whole}); });
  Datum values[columns] = {Float8GetDatum(rate.rate.number), Float8GetDatum(rate.interval.low.number),
                           Float8GetDatum(rate.interval.high.number)};
  bool nulls[columns] = {!rate.rate.known(), !rate.interval.low.known(), !rate.interval.high.known()};
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

// compare_rates(first_events, first_count, second_events, second_count)
HEALTH_FUNCTION(health_compare_rates) {
  constexpr int columns = 7;
  const TupleDesc row_type = kept_row_type(fcinfo, columns);
  const health::RateCount first{PG_GETARG_INT64(0), PG_GETARG_INT64(1)};
  const health::RateCount second{PG_GETARG_INT64(2), PG_GETARG_INT64(3)};
  const health::RateComparison found = guarded([&] { return health::compare_rates(first, second); });
  const health::Value* const figures[] = {
      &found.ratio,      &found.ratio_interval.low,      &found.ratio_interval.high,
      &found.difference, &found.difference_interval.low, &found.difference_interval.high};
  Datum values[columns];
  bool nulls[columns] = {};
  for (int i = 0; i < 6; ++i) {
    values[i] = Float8GetDatum(figures[i]->number);
    nulls[i] = !figures[i]->known();
  }
  values[6] = BoolGetDatum(found.is_adjusted);
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}
