// A row of health.metrics_record.
#include "metric_row.hpp"

#include "metric_values.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/date.h"
}

namespace health::pg {

namespace {

constexpr int weeks_shown = 12;

void put_date(const std::optional<Day>& day, Datum& value, bool& null) {
  null = !day.has_value();
  value = null ? Datum{0} : DateADTGetDatum(*day);
}

}  // namespace

MetricRow evaluate_metrics(const Ledger& ledger, Day as_of) {
  MetricRow row{};
  evaluate_all(ledger, as_of, row.record);
  if (row.record.top_user) row.top_user = make_text(ledger.user_text(*row.record.top_user));
  return row;
}

void put_metrics(const MetricRow& row, Datum* values, bool* nulls) {
  int column = 0;
  for (const auto& info : metric_catalog()) {
    put_value(info.id, row.record[info.id], values[column], nulls[column]);
    ++column;
    if (info.id == MetricId::power_user_dependency) {
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

}  // namespace health::pg
