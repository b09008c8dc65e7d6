// Whether the events of an account stopped at once for all of its users: its feed is likelier broken than the
// customer gone. docs/reference/scoring.md, "States".
#pragma once

#include <optional>

#include "metrics.hpp"

namespace health {

// For so many days after the stop it is taken for one of the feed.
inline constexpr int longest_feed_stop = 7;

// The last day with events, of whatever kind and by whomever, when nothing has come since, for at most 7 days
// in which at least 50 events would have been usual (medians of the weekdays in 8 weeks), after a week with
// at least 5 people and at least half of what was usual in it. Nothing otherwise.
std::optional<Day> find_feed_stop(const Ledger& ledger, Day as_of);

}  // namespace health
