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

constexpr std::size_t weeks_shown = std::tuple_size_v<decltype(MetricRecord::weekly)>;

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
  const MetricRecord& record = row.record;
  const auto at = [](MetricColumn column) { return static_cast<std::size_t>(column); };
  for (const auto& info : metric_table) {
    const std::size_t column = at(number_columns[static_cast<std::size_t>(info.id)]);
    put_value(info.id, record[info.id], values[column], nulls[column]);
  }
  values[at(MetricColumn::top_user)] = row.top_user;
  nulls[at(MetricColumn::top_user)] = !record.top_user.has_value();
  put_date(record.first_event, values[at(MetricColumn::first_event)], nulls[at(MetricColumn::first_event)]);
  put_date(record.last_event, values[at(MetricColumn::last_event)], nulls[at(MetricColumn::last_event)]);
  Datum weeks[weeks_shown];
  for (std::size_t week = 0; week < weeks_shown; ++week) weeks[week] = Int64GetDatum(record.weekly[week]);
  values[at(MetricColumn::weekly)] = PointerGetDatum(
      construct_array(weeks, weeks_shown, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
  nulls[at(MetricColumn::weekly)] = false;
}

}  // namespace health::pg
