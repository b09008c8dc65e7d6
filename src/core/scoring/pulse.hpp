// A customer-success manager's pulse of an account: 1 (worst) to 5 (best), by whom, and a note.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/day.hpp"

namespace health {

inline constexpr int worst_pulse = 1;
inline constexpr int best_pulse = 5;
// How many days a pulse counts, unless the model says otherwise.
inline constexpr int pulse_valid_days = 90;

// The pulse in an input as the store has it: "2 by maria: sponsor left". Nothing when that is no pulse.
std::optional<int> parse_pulse(std::string_view text);

// "2 of 5".
std::string show_pulse(double pulse);
// "2 of 5 by maria on 3 June: sponsor left", of such a text.
std::string describe_pulse(std::string_view text, std::optional<Day> day, Day as_of);

}  // namespace health
