// What an event is, and which rows are none.
#pragma once

#include "core/ledger/usage.hpp"

namespace health {

// One event on its way into a ledger. `user` is bigint or bytes, by kind.
struct LoggedEvent {
  UserKind kind = UserKind::none;
  UserId user;
  Day day = 0;
  std::string_view name;
  bool has_amount = false;
  std::int64_t amount = 0;
};

// Whether something happened that can be counted: it has a name, and its day is one that there is.
constexpr bool is_event(std::string_view name, Day day) { return !name.empty() && is_day(day); }

// Amounts enter as doubles and are kept in millionths. False for what is no amount: NaN, infinities and what
// is beyond 9.2e12.
bool to_micro(double amount, std::int64_t& micro_units) noexcept;
// The same with error 22003.
std::int64_t amount_to_micro(double amount);

// Throws what is wrong with an event that is none: Error 22023 for the name, 22008 for the day.
[[noreturn]] void reject_event(const LoggedEvent& event);

inline void check_event(const LoggedEvent& event) {
  if (!is_event(event.name, event.day)) reject_event(event);
}

}  // namespace health
