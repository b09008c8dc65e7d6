// Metrics as SQL values: which of them are counts, days or truth values instead of double precision.
#pragma once

#include "core/metrics/metrics.hpp"
#include "guard.hpp"

namespace health::pg {

enum class MetricType { float8, bigint, integer, boolean };

constexpr MetricType metric_type(MetricId id) {
  switch (id) {
    case MetricId::total_users:
    case MetricId::active_users:
    case MetricId::events:
    case MetricId::creators:
    case MetricId::dormant_users:
    case MetricId::absence_factor:
      return MetricType::bigint;
    case MetricId::dip_streak:
    case MetricId::recency_days:
    case MetricId::time_to_value:
      return MetricType::integer;
    case MetricId::trial_use:
      return MetricType::boolean;
    default:
      return MetricType::float8;
  }
}

// A count as bigint; counts beyond its range stay at its end.
inline int64 to_bigint(double count) {
  constexpr double limit = 9223372036854775808.0;
  if (count >= limit) return PG_INT64_MAX;
  return count < -limit ? PG_INT64_MIN : static_cast<int64>(count);
}

// Stores a metric in the SQL type of its column; unknown is NULL.
inline void put_value(MetricId id, const Value& value, Datum& datum, bool& null) {
  null = !value.known();
  datum = 0;
  if (null) return;
  switch (metric_type(id)) {
    case MetricType::float8:
      datum = Float8GetDatum(value.number);
      break;
    case MetricType::bigint:
      datum = Int64GetDatum(to_bigint(value.number));
      break;
    case MetricType::integer:
      datum = Int32GetDatum(static_cast<int32>(value.number));
      break;
    case MetricType::boolean:
      datum = BoolGetDatum(value.number != 0);
      break;
  }
}

}  // namespace health::pg
