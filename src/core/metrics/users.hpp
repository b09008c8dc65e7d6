// The people of an account: what each did, and how each stands. docs/how-to/people.md.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "metrics.hpp"

namespace health {

// How a person stands in the account; of several that fit, the first holds.
enum class UserStanding {
  deactivated,  // belonged to the account and does no more, or is not known to and was last seen before
  invited,      // was invited, has not joined and was never seen
  newcomer,     // joined in the window; without a user source: was first seen in it
  champion,     // does most, and twice what is usual in the account
  active,       // was seen in the window
  quiet,        // was seen in weeks 5 to 8, not in weeks 1 to 4
  dormant       // belongs to the account and was not seen for longer
};
std::string_view standing_name(UserStanding standing);

// What makes the champion: the active user, no newcomer, who has the most value points of those that have
// twice the median of the users active in the window, and were seen in 3 of the last 4 weeks; ties by id. An
// account with fewer active users has none.
inline constexpr std::size_t least_users_of_champion = 3;
inline constexpr int least_weeks_of_champion = 3;
inline constexpr int champion_factor = 2;

// A person as of a day, by the qualifying events of who acts by the settings.
struct AccountUser {
  std::uint32_t user = 0;
  UserStanding standing = UserStanding::dormant;
  bool is_member = false;  // counts among the users of the account
  Exact events = 0;        // in the window of the settings, as the next three
  Exact points = 0;        // micro units, after the daily cap
  Value share;             // of the account's points
  int active_days = 0;
  std::optional<Day> first_day, last_day;  // seen before as_of, in the window or not
  // The metric baseline of this user's events; the user's weeks count from joining or, where that is not
  // known, from the first day. Unknown as there.
  Value baseline;
};

// Whoever belonged to the account, was invited to it or seen in it before as_of, by id.
std::vector<AccountUser> account_users(const Ledger& ledger, Day as_of);

}  // namespace health
