// One pass over the activity of an account, user by user.
#include "users.hpp"

#include <algorithm>

#include "evaluation.hpp"
#include "trend.hpp"

namespace health {

namespace {

constexpr int weeks_looked_at = season_weeks + most_baseline_weeks;

// What is known of a user besides the row.
struct Traces {
  bool was_member = false;    // before as_of
  bool was_invited = false;   // before as_of
  unsigned weeks_active = 0;  // of the last 8: bit 0 is week 1
  std::vector<Exact> weeks;   // events of the last weeks, oldest first; none without any
};

std::size_t week_of(Day day, Day as_of) {
  return static_cast<std::size_t>((std::int64_t{as_of} - 1 - day) / 7);
}

// The selected activity before as_of, by user, then by day.
std::vector<const Ledger::Activity*> by_user(const Ledger& ledger, Day as_of) {
  const EventSelection selection = select_qualifying(ledger, ledger.settings().actor);
  std::vector<const Ledger::Activity*> pieces;
  for (const auto& piece : ledger.activity({min_day, as_of}))
    if (selection[piece.event]) pieces.push_back(&piece);
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const auto* a, const auto* b) { return a->user < b->user; });
  return pieces;
}

// The activity of one user into the row, and what else is known.
void add_activity(const Ledger& ledger, std::span<const Ledger::Activity* const> pieces, Day as_of,
                  AccountUser& row, Traces& traces) {
  const Window window = window_before(as_of, ledger.settings().window_days);
  const auto& cap = ledger.settings().daily_cap;
  const auto events = ledger.events();
  row.first_day = pieces.front()->day;
  row.last_day = pieces.back()->day;
  traces.weeks.resize(weeks_looked_at);
  for (std::size_t i = 0; i < pieces.size();) {
    const Day day = pieces[i]->day;
    Exact count = 0;
    Exact points = 0;
    for (; i < pieces.size() && pieces[i]->day == day; ++i) {
      const Exact of_piece = ledger.count(*pieces[i]);
      count += of_piece;
      points += of_piece * events[pieces[i]->event].value;
    }
    if (cap) points = std::min(points, Exact{to_micro(*cap)});
    if (const std::size_t week = week_of(day, as_of); week < weeks_looked_at) {
      traces.weeks[weeks_looked_at - 1 - week] += count;
      if (week < 8) traces.weeks_active |= 1U << week;
    }
    if (!window.contains(day)) continue;
    row.events += count;
    row.points += points;
    ++row.active_days;
  }
}

Value own_baseline(const Ledger& ledger, Day as_of, const AccountUser& row, const Traces& traces) {
  std::optional<Day> began = ledger.has_roster() ? ledger.entry_day(row.user) : std::nullopt;
  if (!began || *began == always_there) began = row.first_day;
  if (row.first_day && began) began = std::min(*began, *row.first_day);
  if (!began) return Value::none(Unknown::no_data);
  const auto lived = std::min<std::int64_t>(whole_weeks(*began, as_of), weeks_looked_at);
  if (lived < least_baseline_weeks) return Value::none(Unknown::insufficient_history);
  if (traces.weeks.empty()) return Value::none(Unknown::nobody_active);
  // What the ledger does not keep of the season before is no season.
  const auto lacks = [&](std::int64_t weeks) { return ledger.begins_after(days_before(as_of, 7 * weeks)); };
  const auto looked_at = lacks(lived) ? std::min<std::int64_t>(lived, most_baseline_weeks) : lived;
  if (lacks(looked_at)) return Value::none(Unknown::before_ledger);
  return baseline(std::span(traces.weeks).last(static_cast<std::size_t>(looked_at)));
}

UserStanding standing_of(const Ledger& ledger, Day as_of, const AccountUser& row, const Traces& traces) {
  const bool is_seen = row.active_days > 0;
  if (!row.is_member && traces.was_member && ledger.has_roster()) return UserStanding::deactivated;
  if (!row.is_member && traces.was_invited && !row.first_day) return UserStanding::invited;
  const std::optional<Day> entry = traces.was_member ? ledger.entry_day(row.user) : row.first_day;
  if (entry && window_before(as_of, ledger.settings().window_days).contains(*entry))
    return UserStanding::newcomer;
  if (is_seen) return UserStanding::active;
  if ((traces.weeks_active & 0xf0U) != 0 && (traces.weeks_active & 0x0fU) == 0) return UserStanding::quiet;
  return row.is_member ? UserStanding::dormant : UserStanding::deactivated;
}

// Of 3 of the last 4 weeks.
bool is_steady(unsigned weeks_active) {
  int weeks = 0;
  for (unsigned left = weeks_active & 0x0fU; left != 0; left &= left - 1) ++weeks;
  return weeks >= least_weeks_of_champion;
}

void choose_champion(std::vector<AccountUser>& rows, const std::vector<Traces>& traces) {
  std::vector<Exact> points;
  for (const AccountUser& row : rows)
    if (row.active_days > 0) points.push_back(row.points);
  if (points.size() < least_users_of_champion) return;
  std::sort(points.begin(), points.end());
  const Exact twice_median = points[points.size() / 2] + points[(points.size() - 1) / 2];
  AccountUser* best = nullptr;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    AccountUser& row = rows[i];
    if (row.standing != UserStanding::active || row.points <= 0 || !is_steady(traces[i].weeks_active) ||
        2 * row.points < champion_factor * twice_median)
      continue;
    if (best == nullptr || row.points > best->points) best = &row;
  }
  if (best != nullptr) best->standing = UserStanding::champion;
}

}  // namespace

std::string_view standing_name(UserStanding standing) {
  switch (standing) {
    case UserStanding::deactivated:
      return "deactivated";
    case UserStanding::invited:
      return "invited";
    case UserStanding::newcomer:
      return "new";
    case UserStanding::champion:
      return "champion";
    case UserStanding::active:
      return "active";
    case UserStanding::quiet:
      return "quiet";
    case UserStanding::dormant:
      return "dormant";
  }
  return "";
}

std::vector<AccountUser> account_users(const Ledger& ledger, Day as_of) {
  const auto count = ledger.user_slots().size();
  std::vector<AccountUser> all(count);
  std::vector<Traces> known(count);
  for (const auto& membership : ledger.memberships())
    if (membership.from < as_of) known[membership.user].was_member = true;
  for (const auto& invitation : ledger.invitations())
    if (invitation.day < as_of) known[invitation.user].was_invited = true;
  const auto pieces = by_user(ledger, as_of);
  Exact points = 0;
  for (std::size_t i = 0; i < pieces.size();) {
    const std::uint32_t user = pieces[i]->user;
    std::size_t end = i;
    while (end < pieces.size() && pieces[end]->user == user) ++end;
    add_activity(ledger, std::span(pieces).subspan(i, end - i), as_of, all[user], known[user]);
    points += all[user].points;
    i = end;
    poll_cancel();
  }

  std::vector<AccountUser> rows;
  std::vector<Traces> traces;
  for (std::uint32_t user = 0; user < count; ++user) {
    AccountUser& row = all[user];
    if (!known[user].was_member && !known[user].was_invited && !row.first_day) continue;
    row.user = user;
    row.is_member = ledger.is_member(user, as_of);
    row.share = points == 0 ? Value::none(Unknown::zero_denominator)
                            : Value::of(to_double(row.points) / to_double(points));
    row.baseline = own_baseline(ledger, as_of, row, known[user]);
    row.standing = standing_of(ledger, as_of, row, known[user]);
    rows.push_back(row);
    traces.push_back(std::move(known[user]));
  }
  choose_champion(rows, traces);
  return rows;
}

}  // namespace health
