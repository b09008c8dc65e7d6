// Metrics as SQL values, in the types that the table of metrics gives them.
#pragma once

#include "core/metrics/metrics.hpp"
#include "guard.hpp"

namespace health::pg {

// A count as bigint; counts beyond its range stay at its end.
inline int64 to_bigint(double count) {
  constexpr double limit = 9223372036854775808.0;
  if (count >= limit) return PG_INT64_MAX;
  return count < -limit ? PG_INT64_MIN : static_cast<int64>(count);
}

// The result of a function; unknown is NULL.
inline Datum float8_or_null(FunctionCallInfo fcinfo, const Value& value) {
  fcinfo->isnull = !value.known();
  return value.known() ? Float8GetDatum(value.number) : Datum{0};
}

// Stores a metric in the SQL type of its column; unknown is NULL.
inline void put_value(MetricId id, const Value& value, Datum& datum, bool& null) {
  null = !value.known();
  datum = 0;
  if (null) return;
  switch (metric_info(id).type) {
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
