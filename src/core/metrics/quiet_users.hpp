// Who fell silent: users who did less in the last window than in the one before it.
// docs/reference/metrics.md, "Quiet users".
#pragma once

#include <vector>

#include "metrics.hpp"

namespace health {

// A user who went quiet. Contributions are events, or value points in micro units when the request says so.
struct QuietUser {
  std::uint32_t user = 0;
  Day last_day = 0;  // of an event of the request, before as_of
  Exact before = 0;  // in the window before the last one
  Exact now = 0;     // in the last window; twice that is at most `before`
  Exact lost() const { return before - now; }
};

// Who went quiet, those who lost most first, ties by id; and what all users who did less lost together,
// whether they went quiet or only did a little less.
struct QuietUsers {
  std::vector<QuietUser> users;
  Exact lost_by_all = 0;

  // What part of the fall is theirs.
  double share_of_fall(const QuietUser& user) const {
    return to_double(user.lost()) / to_double(lost_by_all);
  }
};

// Errors as of evaluate().
QuietUsers find_quiet_users(const Ledger& ledger, const MetricRequest& request, Day as_of);

}  // namespace health
