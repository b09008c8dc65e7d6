// One-shot aggregates on users: activation_rate, power_user_dependency, concentration. Their state is that of
// usage_agg.
#include "core/collect/user_tally.hpp"
#include "core/metrics/concentration.hpp"

#include "concentration.hpp"
#include "guard.hpp"
#include "metric_options.hpp"
#include "metric_values.hpp"
#include "usage_state.hpp"
#include "user_ids.hpp"

using health::UserKind;
using namespace health::pg;

namespace {

// (state, user, active): a NULL user is no row, a NULL active is not active.
template <UserKind kind>
Datum activation_rate_transition(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(1)) return unchanged_state(fcinfo);
  const health::UserId user = user_id_of(kind, PG_GETARG_DATUM(1));
  const bool active = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
  const StateMemory state = state_argument(fcinfo);
  return guarded([&] { return append_event(state, health::tally_active(kind, user, active)); });
}

// (state, user)
template <UserKind kind>
Datum user_transition(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(1)) return unchanged_state(fcinfo);
  const health::UserId user = user_id_of(kind, PG_GETARG_DATUM(1));
  const StateMemory state = state_argument(fcinfo);
  return guarded([&] { return append_event(state, health::tally_row(kind, user)); });
}

// (state, user, weight): a row without user or weight is skipped.
template <UserKind kind>
Datum user_weight_transition(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
  const health::UserId user = user_id_of(kind, PG_GETARG_DATUM(1));
  const double weight = PG_GETARG_FLOAT8(2);
  const StateMemory state = state_argument(fcinfo);
  return guarded([&] { return append_event(state, health::tally_weight(kind, user, weight)); });
}

Datum power_user_dependency(FunctionCallInfo fcinfo, bool weighted) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  return float8_or_null(
      fcinfo, guarded([&] {
        return health::measure_concentration(health::tally_contributions(fold_state(state), weighted)).top1;
      }));
}

Datum concentration(FunctionCallInfo fcinfo, bool weighted) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  const TupleDesc row_type = result_row_type(fcinfo, concentration_columns);
  const auto result = guarded([&] {
    return health::measure_concentration(health::tally_contributions(fold_state(state), weighted));
  });
  const double total = weighted ? health::from_micro(result.total) : health::to_double(result.total);
  return concentration_row(row_type, result, total);
}

}  // namespace

HEALTH_FUNCTION(health_activation_rate_bigint_transition) {
  return activation_rate_transition<UserKind::bigint>(fcinfo);
}
HEALTH_FUNCTION(health_activation_rate_uuid_transition) {
  return activation_rate_transition<UserKind::uuid>(fcinfo);
}
HEALTH_FUNCTION(health_activation_rate_text_transition) {
  return activation_rate_transition<UserKind::text>(fcinfo);
}
HEALTH_FUNCTION(health_user_bigint_transition) { return user_transition<UserKind::bigint>(fcinfo); }
HEALTH_FUNCTION(health_user_uuid_transition) { return user_transition<UserKind::uuid>(fcinfo); }
HEALTH_FUNCTION(health_user_text_transition) { return user_transition<UserKind::text>(fcinfo); }
HEALTH_FUNCTION(health_user_weight_bigint_transition) {
  return user_weight_transition<UserKind::bigint>(fcinfo);
}
HEALTH_FUNCTION(health_user_weight_uuid_transition) { return user_weight_transition<UserKind::uuid>(fcinfo); }
HEALTH_FUNCTION(health_user_weight_text_transition) { return user_weight_transition<UserKind::text>(fcinfo); }

// The final functions leave the state as it is: window aggregates go on with it. No rows: NULL.
HEALTH_FUNCTION(health_activation_rate_final) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  return float8_or_null(fcinfo, guarded([&] { return health::active_share(fold_state(state)); }));
}

HEALTH_FUNCTION(health_power_user_dependency_final) { return power_user_dependency(fcinfo, false); }
HEALTH_FUNCTION(health_power_user_dependency_weight_final) { return power_user_dependency(fcinfo, true); }
HEALTH_FUNCTION(health_concentration_final) { return concentration(fcinfo, false); }
HEALTH_FUNCTION(health_concentration_weight_final) { return concentration(fcinfo, true); }
