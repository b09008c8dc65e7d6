// health.concentration_record as a row.
#pragma once

#include "core/metrics/concentration.hpp"
#include "guard.hpp"
#include "metric_options.hpp"

namespace health::pg {

inline constexpr int concentration_columns = 10;

// Forms the row; `total` is in the unit of the contributions. Runs outside of guarded(...).
Datum concentration_row(TupleDesc row_type, const Concentration& concentration, double total);

}  // namespace health::pg
