// metrics(), metrics_series() and unknown_metrics(): all metrics of a ledger from one decode.
#include "core/metrics/metrics.hpp"

#include "guard.hpp"
#include "local_day.hpp"
#include "metric_options.hpp"
#include "metric_row.hpp"
#include "row_block.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
}

using namespace health::pg;

HEALTH_FUNCTION(health_metrics) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, metrics_options);
  const TupleDesc row_type = result_row_type(fcinfo, metric_row_columns);
  const MetricRow row = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    return evaluate_metrics(ledger, as_of);
  });
  Datum values[metric_row_columns];
  bool nulls[metric_row_columns];
  put_metrics(row, values, nulls);
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

HEALTH_FUNCTION(health_metrics_series) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3)) return Datum{0};
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day from = finite_day(PG_GETARG_DATEADT(1), "from_date");
  const health::Day to = finite_day(PG_GETARG_DATEADT(2), "to_date");
  const int32 step = PG_GETARG_INT32(3);
  guarded([&] { series_length(from, to, step); });
  const MetricOptions options = read_options(fcinfo, 4, metrics_options);
  // The ledger is plain memory to this frame: if storing a row fails, its memory context goes with all it
  // holds.
  const health::Ledger* ledger = guarded([&] { return new health::Ledger(decode_ledger(usage, options)); });
  for (int64 day = from; day <= to; day += step) {
    const auto as_of = static_cast<health::Day>(day);
    const MetricRow row = guarded([&] { return evaluate_metrics(*ledger, as_of); });
    Datum values[metric_row_columns + 1];
    bool nulls[metric_row_columns + 1];
    values[0] = DateADTGetDatum(as_of);
    nulls[0] = false;
    put_metrics(row, values + 1, nulls + 1);
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    CHECK_FOR_INTERRUPTS();
  }
  guarded([&] { delete ledger; });
  return Datum{0};
}

HEALTH_FUNCTION(health_unknown_metrics) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return Datum{0};
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, metrics_options);
  const MetricRow row = guarded([&] { return evaluate_metrics(decode_ledger(usage, options), as_of); });
  for (const auto& info : health::metric_table) {
    const health::Value& value = row.record[info.id];
    if (value.known()) continue;
    const std::string_view reason = health::unknown_name(value.unknown);
    Datum values[] = {guarded([&] { return make_text(info.name); }),
                      guarded([&] { return make_text(reason); })};
    bool nulls[] = {false, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return Datum{0};
}
