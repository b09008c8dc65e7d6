// Two windows, user by user.
#include "quiet_users.hpp"

#include <algorithm>

#include "evaluation.hpp"

namespace health {

namespace {

// Each of them has an event of the request in that window.
void note_last_days(const Ledger& ledger, const MetricRequest& request, Window window,
                    std::vector<QuietUser>& users) {
  const EventSelection selection = select_requested(ledger, request);
  std::vector<std::uint32_t>& places = ledger.user_slots();  // of users without a day yet, one more
  for (std::size_t i = 0; i < users.size(); ++i) places[users[i].user] = static_cast<std::uint32_t>(i + 1);
  std::size_t left = users.size();
  const auto activity = ledger.activity(window);
  for (std::size_t i = activity.size(); i > 0 && left > 0; --i) {
    const Ledger::Activity& piece = activity[i - 1];
    if (places[piece.user] == 0 || !selection[piece.event]) continue;
    users[places[piece.user] - 1].last_day = piece.day;
    places[piece.user] = 0;
    --left;
  }
}

}  // namespace

QuietUsers find_quiet_users(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  const int days = request.window_days == 0 ? ledger.settings().window_days : request.window_days;
  const std::vector<Contribution> now = contributions(ledger, request, as_of),
                                  before = contributions(ledger, request, days_before(as_of, days));
  std::vector<std::uint32_t>& places = ledger.user_slots();  // of `now`, one more
  for (std::size_t i = 0; i < now.size(); ++i) places[now[i].user] = static_cast<std::uint32_t>(i + 1);
  QuietUsers quiet;
  for (const Contribution& earlier : before) {
    const std::uint32_t place = places[earlier.user];
    const QuietUser user{earlier.user, {}, earlier.amount, place == 0 ? Exact{0} : now[place - 1].amount};
    if (user.lost() <= 0) continue;
    quiet.lost_by_all += user.lost();
    if (2 * user.now <= user.before) quiet.users.push_back(user);
  }
  for (const Contribution& later : now) places[later.user] = 0;
  std::sort(quiet.users.begin(), quiet.users.end(), [](const QuietUser& a, const QuietUser& b) {
    return a.lost() != b.lost() ? a.lost() > b.lost() : a.user < b.user;
  });
  note_last_days(ledger, request, {days_before(as_of, std::int64_t{2} * days), as_of}, quiet.users);
  return quiet;
}

}  // namespace health
