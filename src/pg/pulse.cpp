// pulse() and pulse_agg(): five figures of the last 56 days, of one ledger or of an account's parts of one.
#include "core/metrics/pulse_state.hpp"

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

Datum pulse_row(FunctionCallInfo fcinfo, const health::Pulse& pulse) {
  Datum values[] = {Int64GetDatum(pulse.active_users), Int64GetDatum(to_bigint(pulse.events)),
                    Float8GetDatum(pulse.trend_4w.number),
                    Int32GetDatum(static_cast<int32>(pulse.dip_streak)),
                    Float8GetDatum(pulse.power_user_dependency.number)};
  bool nulls[] = {false, false, !pulse.trend_4w.known(), false, !pulse.power_user_dependency.known()};
  return HeapTupleGetDatum(heap_form_tuple(result_row_type(fcinfo, pulse_columns), values, nulls));
}

// The question as plain memory: as_of in argument i, account_start behind it, if there is one.
struct Question {
  health::Day as_of;
  bool has_start;
  health::Day start;

  health::PulseQuestion as_asked() const { return {as_of, has_start ? std::optional(start) : std::nullopt}; }
};

Question read_question(FunctionCallInfo fcinfo, int i) {
  const bool has_start = PG_NARGS() > i + 1 && !PG_ARGISNULL(i + 1);
  return {finite_day(PG_GETARG_DATEADT(i), "as_of"), has_start,
          has_start ? finite_day(PG_GETARG_DATEADT(i + 1), "account_start") : 0};
}

Datum pulse_of(FunctionCallInfo fcinfo, std::span<const health::Bytes> parts) {
  const Question question = read_question(fcinfo, 1);
  const health::Pulse pulse = guarded([&] {
    const health::PulseQuestion asked = question.as_asked();
    return health::take_pulse(parts, asked.as_of, asked.account_start);
  });
  return pulse_row(fcinfo, pulse);
}

}  // namespace

// pulse(usage, as_of, account_start)
HEALTH_FUNCTION(health_pulse) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  return pulse_of(fcinfo, {&usage, 1});
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
  return pulse_of(fcinfo, {parts, given});
}

// pulse_agg(state, usage, as_of [, account_start]): rows without a ledger or a date change nothing.
HEALTH_FUNCTION(health_pulse_agg_transition) {
  if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) {
    fcinfo->isnull = PG_ARGISNULL(0);
    return PG_ARGISNULL(0) ? Datum{0} : PG_GETARG_DATUM(0);
  }
  const health::Bytes usage = bytes_argument(fcinfo, 1);
  const Question question = read_question(fcinfo, 2);
  struct varlena* state = nullptr;
  if (!PG_ARGISNULL(0)) {
    // The aggregate's own state is changed in place, a copy for a caller that is no aggregate.
    state = AggCheckCallContext(fcinfo, nullptr) != 0 ? PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0))
                                                      : PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
  }
  return guarded([&] {
    std::span<std::uint8_t> bytes;
    if (state != nullptr)
      bytes = {reinterpret_cast<std::uint8_t*>(VARDATA_ANY(state)), VARSIZE_ANY_EXHDR(state)};
    health::PulseState result;
    return health::add_to_pulse(bytes, usage, question.as_asked(), result) ? PointerGetDatum(state)
                                                                           : make_varlena(result);
  });
}

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_pulse_agg_combine) {
  const health::Bytes a = bytes_argument(fcinfo, 0);
  const health::Bytes b = bytes_argument(fcinfo, 1);
  return guarded([&] { return make_varlena(health::combine_pulses(a, b)); });
}

HEALTH_FUNCTION(health_pulse_agg_final) {
  const health::Bytes state = bytes_argument(fcinfo, 0);
  const health::Pulse pulse = guarded([&] { return health::finish_pulse(state); });
  return pulse_row(fcinfo, pulse);
}
