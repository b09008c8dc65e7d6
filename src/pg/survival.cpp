// How long it takes, when for some it has not happened yet.
#include "core/stats/survival.hpp"

#include "number_arrays.hpp"
#include "row_block.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

// survival_steps(times, events)
HEALTH_FUNCTION(health_survival_steps) {
  InitMaterializedSRF(fcinfo, 0);
  const auto times = numbers_argument<double>(fcinfo, 0, "times");
  const auto events = numbers_argument<std::uint8_t>(fcinfo, 1, "events");
  const RowBlock rows = guarded([&] {
    const health::Survival found = health::estimate_survival(times, events);
    RowWriter writer(found.steps.size(), 7);
    for (const health::SurvivalStep& step : found.steps) {
      writer.add(step.time);
      writer.add_bigint(step.at_risk);
      writer.add_bigint(step.events);
      writer.add_bigint(step.censored);
      writer.add(step.survival);
      writer.add(step.interval);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// survival_quantiles(times, events, shares)
HEALTH_FUNCTION(health_survival_quantiles) {
  InitMaterializedSRF(fcinfo, 0);
  const auto times = numbers_argument<double>(fcinfo, 0, "times");
  const auto events = numbers_argument<std::uint8_t>(fcinfo, 1, "events");
  const auto shares = numbers_argument<double>(fcinfo, 2, "shares");
  const RowBlock rows = guarded([&] {
    const health::Survival found = health::estimate_survival(times, events);
    RowWriter writer(shares.size(), 4);
    for (const double share : shares) {
      const health::SurvivalQuantile quantile = health::find_quantile(found, share);
      writer.add(share);
      writer.add(quantile.time);
      writer.add(quantile.interval);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
