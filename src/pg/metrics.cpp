// metrics(), metrics_series() and unknown_metrics(): all metrics of a ledger from one decode.
#include "core/metrics.hpp"

#include "guard.hpp"
#include "local_day.hpp"
#include "metric_options.hpp"
#include "metric_values.hpp"
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

namespace {

// catalog, window_days, account_start, seats, onboarding_days, onboarding_events, onboarding_window,
// features, daily_cap
constexpr const char* all_options = "cwasxnofp";

constexpr int weeks_shown = 12;
// The metrics, top_user, first_event, last_event, weekly.
constexpr int record_columns = static_cast<int>(health::metric_count) + 4;

// health.metrics_record in plain memory.
struct Row {
  health::MetricRecord record;
  Datum top_user;
};

Row evaluate_row(const health::Ledger& ledger, health::Day as_of) {
  Row row{};
  health::evaluate_all(ledger, as_of, row.record);
  if (row.record.top_user) row.top_user = make_text(ledger.user_text(*row.record.top_user));
  return row;
}

void put_date(const std::optional<health::Day>& day, Datum& value, bool& null) {
  null = !day.has_value();
  value = null ? Datum{0} : DateADTGetDatum(*day);
}

// Lays the row out in the columns of health.metrics_record.
void put_row(const Row& row, Datum* values, bool* nulls) {
  int column = 0;
  for (const auto& info : health::metric_catalog()) {
    put_value(info.id, row.record[info.id], values[column], nulls[column]);
    ++column;
    if (info.id == health::MetricId::power_user_dependency) {
      nulls[column] = !row.record.top_user.has_value();
      values[column++] = row.top_user;
    }
  }
  put_date(row.record.first_event, values[column], nulls[column]);
  ++column;
  put_date(row.record.last_event, values[column], nulls[column]);
  ++column;
  Datum weeks[weeks_shown];
  for (int week = 0; week < weeks_shown; ++week)
    weeks[week] = Int64GetDatum(row.record.weekly[static_cast<std::size_t>(week)]);
  nulls[column] = false;
  values[column] = PointerGetDatum(
      construct_array(weeks, weeks_shown, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

}  // namespace

HEALTH_FUNCTION(health_metrics) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, all_options);
  const TupleDesc row_type = result_row_type(fcinfo, record_columns);
  const Row row = guarded([&] {
    const health::Ledger* ledger = decode_ledger(usage, options);
    const Row result = evaluate_row(*ledger, as_of);
    delete ledger;
    return result;
  });
  Datum values[record_columns];
  bool nulls[record_columns];
  put_row(row, values, nulls);
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
  const MetricOptions options = read_options(fcinfo, 4, all_options);
  // The ledger is plain memory to this frame: if storing a row fails, its memory context goes with all it
  // holds.
  const health::Ledger* ledger = guarded([&] { return decode_ledger(usage, options); });
  for (int64 day = from; day <= to; day += step) {
    const auto as_of = static_cast<health::Day>(day);
    const Row row = guarded([&] { return evaluate_row(*ledger, as_of); });
    Datum values[record_columns + 1];
    bool nulls[record_columns + 1];
    values[0] = DateADTGetDatum(as_of);
    nulls[0] = false;
    put_row(row, values + 1, nulls + 1);
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
  const MetricOptions options = read_options(fcinfo, 2, all_options);
  const Row row = guarded([&] { return evaluate_row(*decode_ledger(usage, options), as_of); });
  for (const auto& info : health::metric_catalog()) {
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
