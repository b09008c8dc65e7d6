// Five figures of an account over its last 56 days, straight from the bytes of its ledger.
#pragma once

#include <optional>
#include <span>

#include "core/base/exact.hpp"
#include "core/base/value.hpp"
#include "core/ledger/usage.hpp"

namespace health {

// What metrics() says of the same account without a catalog, but for dip_streak. Markers (names with a
// leading $) are no events.
struct Pulse {
  std::int64_t active_users = 0;  // of the last 28 days
  Exact events = 0;               // of the last 28 days
  Value trend_4w;                 // unknown: account younger than 8 weeks, something after nothing
  std::int64_t dip_streak = 0;    // within the last 8 weeks: at most 7
  Value power_user_dependency;    // of the last 28 days; unknown without events
};

// What a question about the last 56 days hangs on.
struct PulseQuestion {
  Day as_of = 0;
  std::optional<Day> account_start;
};

// The pulse of the sum of `parts`, any number of ledgers that have users and days in common or not, without
// building the sum. The account starts with its first event or $joined, unless `account_start` says when.
//
// Reads every cell once, and allocates nothing for up to 8 parts of bigint or uuid users. Bytes are checked
// as far as reading them needs: a value that validate_usage refuses may pass, but is never read out of
// bounds. Errors: 22P03 bytes that cannot be read; 42804 parts with users of different types; 22023 a
// negative number of events: in a single part any, in several where it shows in the events of a week or in
// those of a user in the last 28 days.
Pulse take_pulse(std::span<const Bytes> parts, Day as_of, std::optional<Day> account_start = std::nullopt);

}  // namespace health
