// Where a customer stands, beside the score: prospect, onboarding, active, silent, ended, ...
// docs/reference/scoring.md, "States".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/metrics/metrics.hpp"

namespace health {

// In order of precedence.
enum class CustomerStateKind : std::uint8_t {
  unsettled,  // not known: the ledger begins too late to tell
  prospect,
  ended,
  tracking_suspect,
  onboarding,
  onboarding_stalled,
  never_started,
  silent,
  active
};

// "prospect", "ended", ...; "" of an unsettled one.
std::string_view customer_state_name(CustomerStateKind kind);

struct CustomerState {
  CustomerStateKind kind = CustomerStateKind::active;
  // prospect: the first day as a customer; ended: the first day that is none any more; onboarding, stalled,
  // never started: the start, where it is known; silent: the last day of activity, or where none is kept the
  // first day that the ledger keeps; tracking_suspect: the last day with events.
  std::optional<Day> since = {};
  bool before_kept = false;  // silent: since before that day

  bool in_book() const { return kind != CustomerStateKind::prospect && kind != CustomerStateKind::ended; }
  // Nobody does anything, and for long enough to be told.
  bool is_idle(Day as_of) const {
    return kind == CustomerStateKind::silent || kind == CustomerStateKind::never_started ||
           (kind == CustomerStateKind::onboarding_stalled && since &&
            std::int64_t{as_of} - *since >= least_silent_age);
  }
  bool operator==(const CustomerState&) const = default;
};

// An account that nobody ever used is stalled up to this age in days, then it never started.
inline constexpr int stalled_until_age = 55;

// The state of the account of a ledger at as_of. Without `by_usage` nobody is taken for idle.
CustomerState find_customer_state(const Ledger& ledger, Day as_of, bool by_usage = true);

// In words: "nobody active since 12 May (49 days)". Empty for active and unsettled ones.
std::string describe_customer_state(const CustomerState& state, Day as_of);

}  // namespace health
