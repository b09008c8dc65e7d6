// pulse(): five figures of the last 56 days, of one ledger or of an account's parts of one.
#include "core/pulse.hpp"

#include "guard.hpp"
#include "local_day.hpp"
#include "metric_options.hpp"
#include "metric_values.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
}

using namespace health::pg;

namespace {

constexpr int pulse_columns = 5;

// Arguments 1 and 2 are as_of and account_start.
Datum pulse_row(FunctionCallInfo fcinfo, std::span<const health::Bytes> parts) {
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const bool has_start = !PG_ARGISNULL(2);
  const health::Day start = has_start ? finite_day(PG_GETARG_DATEADT(2), "account_start") : 0;
  const TupleDesc row_type = result_row_type(fcinfo, pulse_columns);
  const health::Pulse pulse = guarded(
      [&] { return health::take_pulse(parts, as_of, has_start ? std::optional(start) : std::nullopt); });
  Datum values[] = {Int64GetDatum(pulse.active_users), Int64GetDatum(to_bigint(pulse.events)),
                    Float8GetDatum(pulse.trend_4w.number),
                    Int32GetDatum(static_cast<int32>(pulse.dip_streak)),
                    Float8GetDatum(pulse.power_user_dependency.number)};
  bool nulls[] = {false, false, !pulse.trend_4w.known(), false, !pulse.power_user_dependency.known()};
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

}  // namespace

// pulse(usage, as_of, account_start)
HEALTH_FUNCTION(health_pulse) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  return pulse_row(fcinfo, {&usage, 1});
}

// pulse(usages[], as_of, account_start); NULL elements are skipped.
HEALTH_FUNCTION(health_pulse_of_parts) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
  Datum* elements = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &nulls, &count);
  auto* parts =
      static_cast<health::Bytes*>(palloc(sizeof(health::Bytes) * static_cast<std::size_t>(count + 1)));
  std::size_t given = 0;
  for (int i = 0; i < count; ++i)
    if (!nulls[i]) parts[given++] = bytes_of(elements[i]);
  return pulse_row(fcinfo, {parts, given});
}
