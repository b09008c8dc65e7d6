// A row of health.metrics_record.
#pragma once

#include "core/metrics/metrics.hpp"
#include "guard.hpp"
#include "pg/metric_columns.hpp"

namespace health::pg {

inline constexpr int metric_row_columns = static_cast<int>(std::size(metric_columns));

// All metrics at one date, in plain memory.
struct MetricRow {
  MetricRecord record;
  Datum top_user;
};

// Runs inside guarded(...).
MetricRow evaluate_metrics(const Ledger& ledger, Day as_of);

// Lays a row out in the columns of health.metrics_record. May ereport.
void put_metrics(const MetricRow& row, Datum* values, bool* nulls);

}  // namespace health::pg
