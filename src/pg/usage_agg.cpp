// Aggregates usage_agg, lenient_usage_agg and rollup: the transition state health_internal.usage_state, a
// usage log in a varlena with spare capacity.
#include "core/collect/usage_log.hpp"

#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/usage_text.hpp"
#include "guard.hpp"
#include "local_day.hpp"
#include "usage_check.hpp"
#include "usage_state.hpp"
#include "user_ids.hpp"

extern "C" {
#include "libpq/pqformat.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

using health::UserKind;
using namespace health::pg;

namespace {

enum class TimeKind { timestamptz, date };

// usage_agg(state, user, event, time [, amount] [, time zone]): rows without user, event or time are no
// events and change nothing. What cannot be an event is an error; to the lenient one it is no event either.
template <UserKind kind, TimeKind time, bool with_amount, bool with_zone, bool lenient>
Datum usage_agg_transition(FunctionCallInfo fcinfo) {
  constexpr int amount_at = 4;
  constexpr int zone_at = with_amount ? 5 : 4;
  if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3)) return unchanged_state(fcinfo);
  health::LoggedEvent event;
  event.kind = kind;
  event.user = user_id_of(kind, PG_GETARG_DATUM(1));
  event.name = text_argument(fcinfo, 2);
  const auto day_of = [&](ZoneClock& clock) {
    const TimestampTz moment = PG_GETARG_TIMESTAMPTZ(3);
    return lenient ? day_if_finite(clock, moment) : local_day(clock, moment);
  };
  if constexpr (time == TimeKind::date) {
    event.day = lenient ? PG_GETARG_DATEADT(3) : finite_day(PG_GETARG_DATEADT(3), "the day of an event");
  } else if constexpr (with_zone) {
    if (PG_ARGISNULL(zone_at)) {
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                      errmsg("the time zone of usage_agg must not be NULL")));
    }
    event.day = day_of(zone_clock(fcinfo, text_argument(fcinfo, zone_at)));
  } else {
    ZoneClock utc;
    utc.zone = nullptr;
    event.day = day_of(utc);
  }
  if constexpr (with_amount) event.has_amount = !PG_ARGISNULL(amount_at);
  const double amount = with_amount && event.has_amount ? PG_GETARG_FLOAT8(amount_at) : 0;
  if constexpr (lenient) {
    if (!health::is_event(event.name, event.day) ||
        (event.has_amount && !health::to_micro(amount, event.amount)))
      return unchanged_state(fcinfo);
  }
  const StateMemory state = state_argument(fcinfo);
  return guarded([&] {
    if (!lenient && event.has_amount) event.amount = health::amount_to_micro(amount);
    return append_event(state, event);
  });
}

}  // namespace

#define USAGE_AGG(name, kind, time, amount, zone, lenient)                                      \
  HEALTH_FUNCTION(name) {                                                                       \
    return usage_agg_transition<UserKind::kind, TimeKind::time, amount, zone, lenient>(fcinfo); \
  }

#include "pg/usage_agg_functions.inc"

// rollup(state, usage): NULL ledgers change nothing.
HEALTH_FUNCTION(health_rollup_transition) {
  if (PG_ARGISNULL(1)) return unchanged_state(fcinfo);
  const health::Bytes usage = bytes_argument(fcinfo, 1);
  const StateMemory state = state_argument(fcinfo);
  return guarded([&] { return append_ledger(state, usage); });
}

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_usage_state_combine) {
  const StateMemory other = borrowed_state(PG_GETARG_DATUM(1));
  const StateMemory state = state_argument(fcinfo);
  return guarded([&] { return append_ledger(state, fold_state(other)); });
}

// No rows: the empty ledger, the identity of addition. Does not change the state: window aggregates go on
// with it.
HEALTH_FUNCTION(health_usage_state_final) {
  if (PG_ARGISNULL(0)) return guarded([&] { return make_varlena(health::empty_usage()); });
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  return guarded([&] { return make_varlena(fold_state(state)); });
}

// A state travels as the ledger that it stands for.
HEALTH_FUNCTION(health_usage_state_in) {
  const std::string_view text = PG_GETARG_CSTRING(0);
  return guarded([&] { return append_ledger(StateMemory{}, health::usage_from_text(text)); });
}

HEALTH_FUNCTION(health_usage_state_out) {
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  return guarded([&] { return CStringGetDatum(make_cstring(health::usage_to_text(fold_state(state)))); });
}

HEALTH_FUNCTION(health_usage_state_recv) {
  auto buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  const int size = buffer->len - buffer->cursor;
  const auto* data = reinterpret_cast<const std::uint8_t*>(pq_getmsgbytes(buffer, size));
  return guarded([&] {
    const health::Bytes usage(data, static_cast<std::size_t>(size));
    check_usage(usage);
    return append_ledger(StateMemory{}, usage);
  });
}

HEALTH_FUNCTION(health_usage_state_send) {
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  return guarded([&] { return make_varlena(fold_state(state)); });
}
