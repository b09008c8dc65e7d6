// The transition state health_internal.usage_state inside a varlena: changed in place where the aggregate
// owns it, regrown where it is full.
#pragma once

#include "core/collect/usage_log.hpp"
#include "guard.hpp"

namespace health::pg {

// A state's varlena, length word included; null when nothing has been aggregated yet, with the capacity to
// start with.
struct StateMemory {
  std::uint8_t* bytes = nullptr;
  std::size_t capacity = smallest_log;
};

// The state in argument 0, ready to be changed: the aggregate's own, or a copy for a caller that is no
// aggregate. May ereport.
StateMemory state_argument(FunctionCallInfo fcinfo);

// A state that is only read. May ereport.
StateMemory borrowed_state(Datum state);

// The following run inside guarded(...). They return the state, at its old place or, when it had to grow, at
// a new one in CurrentMemoryContext, from where the executor copies it (and frees the old one).
Datum append_event(StateMemory state, const LoggedEvent& event);
Datum append_ledger(StateMemory state, Bytes usage);
UsageBytes fold_state(StateMemory state);

}  // namespace health::pg
