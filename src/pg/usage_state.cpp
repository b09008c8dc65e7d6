// The transition state health_internal.usage_state inside a varlena.
#include "usage_state.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"
}

namespace health::pg {

namespace {

// The event codes of this process; plain memory without constructor, started by the first state.
EventCodes state_codes;

// A fresh, unlike-any-other number for the epoch of this process's codes.
std::uint32_t random_seed() {
  std::uint32_t seed = 0;
  if (!pg_strong_random(&seed, sizeof seed)) throw Error("XX000", "could not generate a random number");
  return seed;
}

// Bytes for a group of the size that the planner expects. A state that never moves stays next to its group's
// hash entry, and saves the copies of growing; but the estimate may be far off, and small groups many: it
// counts up to 1 kB only.
std::size_t first_capacity(FunctionCallInfo fcinfo) {
  constexpr std::size_t largest = 1024;
  constexpr double bytes_per_event = 2.5;
  constexpr double bytes_of_names = 256;
  if (fcinfo->context == nullptr || !IsA(fcinfo->context, AggState)) return smallest_log;
  const Plan* plan = reinterpret_cast<AggState*>(fcinfo->context)->ss.ps.plan;
  if (!IsA(plan, Agg) || outerPlan(plan) == nullptr) return smallest_log;
  const double groups = std::max(1.0, static_cast<double>(reinterpret_cast<const Agg*>(plan)->numGroups));
  const double bytes = outerPlan(plan)->plan_rows / groups * bytes_per_event;
  if (!(bytes > staging_bytes)) return smallest_log;
  return std::min(largest,
                  std::bit_ceil(static_cast<std::size_t>(std::min(bytes, 1e6) + bytes_of_names) + log_start));
}

StateMemory new_state(std::size_t capacity) {
  StateMemory state{static_cast<std::uint8_t*>(allocate(capacity)), capacity};
  SET_VARSIZE(state.bytes, capacity);
  UsageLog::start(state.bytes);
  return state;
}

// Makes room for `more` bytes, in place or in new memory.
StateMemory make_room(StateMemory state, std::size_t more) {
  if (state.bytes == nullptr) return new_state(std::max(state.capacity, std::bit_ceil(log_start + more)));
  const UsageLog log(state.bytes, state.capacity);
  const LogPlan plan = log.plan_room(more);
  if (plan.capacity == state.capacity) {
    log.carry_out(plan, state.bytes);
    return state;
  }
  const StateMemory larger = new_state(plan.capacity);
  log.carry_out(plan, larger.bytes);
  return larger;
}

}  // namespace

StateMemory borrowed_state(Datum state) {
  struct varlena* value = PG_DETOAST_DATUM(state);
  return {reinterpret_cast<std::uint8_t*>(value), VARSIZE(value)};
}

StateMemory state_argument(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(0)) return {nullptr, first_capacity(fcinfo)};
  const StateMemory state = borrowed_state(PG_GETARG_DATUM(0));
  if (AggCheckCallContext(fcinfo, nullptr) != 0) return state;
  auto* copy = static_cast<std::uint8_t*>(palloc(state.capacity));
  std::memcpy(copy, state.bytes, state.capacity);
  return {copy, state.capacity};
}

Datum append_event(StateMemory state, const LoggedEvent& event) {
  if (state_codes.epoch() == 0) state_codes.start(random_seed());
  if (state.bytes == nullptr) state = new_state(state.capacity);
  while (!UsageLog(state.bytes, state.capacity).append(event, state_codes))
    state = make_room(state, UsageLog::bytes_for(event));
  return PointerGetDatum(state.bytes);
}

Datum append_ledger(StateMemory state, Bytes usage) {
  while (state.bytes == nullptr || !UsageLog(state.bytes, state.capacity).append_ledger(usage)) {
    state = make_room(state, usage.size() + 8);
  }
  return PointerGetDatum(state.bytes);
}

UsageBytes fold_state(StateMemory state) { return UsageLog(state.bytes, state.capacity).fold(); }

}  // namespace health::pg
