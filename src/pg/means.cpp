// compare_means(): two means and how sure their difference is.
#include "core/stats/means.hpp"

#include "number_arrays.hpp"
#include "row_block.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

// compare_means(first, second): one row
HEALTH_FUNCTION(health_compare_means) {
  InitMaterializedSRF(fcinfo, 0);
  const auto first = numbers_argument<double>(fcinfo, 0, "first");
  const auto second = numbers_argument<double>(fcinfo, 1, "second");
  const RowBlock rows = guarded([&] {
    const health::MeanComparison found = health::compare_means(first, second);
    RowWriter row(1, 5);
    row.add(found.first);
    row.add(found.second);
    row.add(found.difference);
    row.add(found.interval);
    return row.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
