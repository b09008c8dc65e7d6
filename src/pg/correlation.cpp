// Correlations of all pairs of many columns.
#include "core/stats/correlation.hpp"

#include <algorithm>

#include "number_arrays.hpp"
#include "row_block.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

namespace {

const char* unpaired_name(health::Unpaired reason) {
  switch (reason) {
    case health::Unpaired::few:
      return "few";
    case health::Unpaired::constant:
      return "constant";
    case health::Unpaired::same:
      return "same";
    default:
      return "";
  }
}

}  // namespace

// correlate_columns(numbers, columns, only, least)
HEALTH_FUNCTION(health_correlate_columns) {
  InitMaterializedSRF(fcinfo, 0);
  const auto numbers = numbers_argument<double>(fcinfo, 0, "numbers", 2);
  const int columns = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
  const int only = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
  const std::int64_t least = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3);
  const RowBlock rows = guarded([&] {
    const auto found = health::correlate_all(
        numbers, static_cast<std::size_t>(std::max(columns, 0)),
        only > 0 ? std::optional(static_cast<std::size_t>(only) - 1) : std::nullopt, least);
    RowWriter writer(found.pairs.size(), 14);
    for (const health::CorrelationPair& pair : found.pairs) {
      const bool paired = pair.unpaired == health::Unpaired::no;
      writer.add(static_cast<int>(pair.first) + 1);
      writer.add(static_cast<int>(pair.second) + 1);
      writer.add_or_null(unpaired_name(pair.unpaired));
      writer.add_bigint(pair.differing);
      writer.add_bigint(pair.correlation.n);
      if (!paired) {
        for (int i = 0; i < 8; ++i) writer.add_null();
      } else {
        writer.add(pair.correlation.pearson);
        writer.add(pair.correlation.pearson_interval);
        writer.add(pair.correlation.spearman);
        writer.add(pair.correlation.spearman_interval);
        writer.add(pair.correlation.p_value);
        writer.add(pair.significant);
      }
      writer.add_bigint(found.looked_at);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
