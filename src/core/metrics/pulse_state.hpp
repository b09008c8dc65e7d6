// The pulse of an account whose parts come one after the other: the state of the aggregate.
#pragma once

#include <vector>

#include "pulse.hpp"

namespace health {

// Bytes of a state: version, what all parts share (as_of, account_start, type of users), events of the last 8
// weeks and from before them, and the users of the last 28 days with their events, ascending. Compact: two or
// three bytes a user of bigint.
using PulseState = std::vector<std::uint8_t>;

// Puts a part into a state (empty: nothing yet). True when it did so in place, false when the new state is in
// `result`. Errors: those of take_pulse; 22023 when the question is another than before; 22003 when a number
// of events leaves the range of bigint; XX001 bytes that are no state.
bool add_to_pulse(std::span<std::uint8_t> state, Bytes part, const PulseQuestion& question,
                  PulseState& result);

// The sum of two states that are not empty.
PulseState combine_pulses(Bytes a, Bytes b);

// The pulse of everything that was put in.
Pulse finish_pulse(Bytes state);

}  // namespace health
