// One pass over a window of a ledger.
#include "evaluation.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "core/ledger/markers.hpp"

namespace health {

namespace {

constexpr std::size_t evaluations_kept = 48;
constexpr std::size_t rows_between_polls = 65536;

// Visits the selected activity of a window: on_activity(activity, count) for every piece, on_user_day(day,
// user, points) after the last piece of each user and day, with the value points after the daily cap.
template <class OnActivity, class OnUserDay>
void visit(const Ledger& ledger, const EventSelection& selection, Window window, OnActivity&& on_activity,
           OnUserDay&& on_user_day) {
  const auto activity = ledger.activity(window);
  const auto events = ledger.events();
  const auto& cap = ledger.settings().daily_cap;
  const Exact most = cap ? Exact{to_micro(*cap)} : Exact{0};
  std::size_t i = 0;
  while (i < activity.size()) {
    if (i % 64 == 0 && activity.size() > rows_between_polls) poll_cancel();
    const Day day = activity[i].day;
    const std::uint32_t user = activity[i].user;
    Exact points = 0;
    bool any = false;
    for (; i < activity.size() && activity[i].user == user && activity[i].day == day; ++i) {
      const auto& piece = activity[i];
      if (!selection[piece.event]) continue;
      const std::int64_t count = ledger.count(piece);
      points += Exact{count} * events[piece.event].value;
      on_activity(piece, count);
      any = true;
    }
    if (any) on_user_day(day, user, cap ? std::min(points, most) : points);
  }
}

// What the sets of roles, given as bits, that have one of `roles` come to.
template <class Number>
Number total_with(std::uint32_t role_sets, const std::array<Number, 32>& by_roles, unsigned roles) {
  Number total = 0;
  for (std::uint32_t sets = role_sets; sets != 0; sets &= sets - 1) {
    const auto set = static_cast<unsigned>(std::countr_zero(sets));
    if ((set & roles) != 0) total += by_roles[set];
  }
  return total;
}

}  // namespace

EventSelection select_qualifying(const Ledger& ledger, std::string_view actor, unsigned roles) {
  const auto events = ledger.events();
  EventSelection selection(events.size());
  for (std::size_t i = 0; i < events.size(); ++i)
    selection[i] = events[i].qualifies && ledger.is_by(events[i], actor) &&
                   (roles == 0 || (events[i].roles & roles) != 0);
  return selection;
}

std::string_view actor_of(const Ledger& ledger, const MetricRequest& request) {
  return request.actor.empty() ? ledger.settings().actor : request.actor;
}

EventSelection select_requested(const Ledger& ledger, const MetricRequest& request) {
  const std::string_view actor = actor_of(ledger, request);
  if (request.events.empty()) return select_qualifying(ledger, actor, request.roles);
  const auto events = ledger.events();
  EventSelection selection(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].is_activity || !ledger.is_by(events[i], actor)) continue;
    selection[i] =
        std::find(request.events.begin(), request.events.end(), events[i].name) != request.events.end() &&
        (request.roles == 0 || (events[i].roles & request.roles) != 0);
  }
  return selection;
}

bool is_narrowed(const MetricRequest& request) { return !request.events.empty() || request.roles != 0; }

Exact Summary::events_with(unsigned roles) const { return total_with(role_sets, events_by_roles, roles); }

std::int64_t Summary::users_with(unsigned roles) const {
  return total_with(role_sets, users_by_roles, roles);
}

std::int64_t Summary::members_with(unsigned roles) const {
  return total_with(role_sets, members_by_roles, roles);
}

Summary summarize(const Ledger& ledger, const EventSelection& selection, Window window) {
  Summary summary;
  const auto events = ledger.events();
  summary.seen.resize(events.size());
  auto& slots = ledger.user_slots();
  Exact day_events = 0;
  unsigned day_roles = 0;
  visit(
      ledger, selection, window,
      [&](const Ledger::Activity& piece, std::int64_t count) {
        const unsigned roles = events[piece.event].roles;
        day_events += count;
        day_roles |= roles;
        summary.events_by_roles[roles] += count;
        summary.role_sets |= std::uint32_t{1} << roles;
        summary.seen[piece.event] = 1;
        if (const auto* measure = ledger.measure(piece)) {
          summary.amount += measure->amount;
          summary.amount_count += measure->count;
        }
      },
      [&](Day, std::uint32_t user, Exact points) {
        if (slots[user] == 0) {
          summary.users.push_back({user, 0, 0, 0});
          slots[user] = static_cast<std::uint32_t>(summary.users.size());
        }
        auto& sums = summary.users[slots[user] - 1];
        sums.roles |= day_roles;
        sums.events += day_events;
        sums.points += points;
        summary.events += day_events;
        summary.points += points;
        ++summary.user_days;
        day_events = 0;
        day_roles = 0;
      });
  for (const auto& user : summary.users) {
    slots[user.user] = 0;
    ++summary.users_by_roles[user.roles];
    summary.role_sets |= std::uint32_t{1} << user.roles;
    if (ledger.is_member(user.user, window.until)) {
      ++summary.members;
      ++summary.members_by_roles[user.roles];
    }
    const auto entry = ledger.entry_day(user.user);
    if (entry && window.contains(*entry)) ++summary.newcomers;
  }
  return summary;
}

std::vector<Exact> sum_weeks(const Ledger& ledger, const EventSelection& selection, bool by_value, Day as_of,
                             int weeks) {
  std::vector<Exact> sums(static_cast<std::size_t>(weeks));
  const auto newest = sums.size() - 1;
  const auto week_of = [&](Day day) {
    return newest - static_cast<std::size_t>((std::int64_t{as_of} - 1 - day) / 7);
  };
  const Window window = weeks_before(as_of, 1, weeks);
  if (by_value) {
    visit(
        ledger, selection, window, [](const Ledger::Activity&, std::int64_t) {},
        [&](Day day, std::uint32_t, Exact points) { sums[week_of(day)] += points; });
  } else {
    // Activity comes by day, so the week changes rarely.
    std::size_t week = 0;
    std::int64_t week_end = window.from;
    for (const auto& piece : ledger.activity(window)) {
      if (piece.day >= week_end) {
        week = week_of(piece.day);
        week_end = std::int64_t{as_of} - 7 * static_cast<std::int64_t>(newest - week);
      }
      if (selection[piece.event]) sums[week] += ledger.count(piece);
    }
  }
  return sums;
}

WeekSums sum_all_of_weeks(const Ledger& ledger, const EventSelection& selection, Day as_of, int weeks) {
  const auto count = static_cast<std::size_t>(weeks);
  WeekSums sums{std::vector<Exact>(count), std::vector<Exact>(count), std::vector<Exact>(count)};
  auto& slots = ledger.user_slots();
  const Window window = weeks_before(as_of, 1, weeks);
  // Activity comes by day, so the week changes rarely.
  std::size_t week = 0;
  std::int64_t week_end = window.from;
  const auto enter = [&](Day day) {
    if (day < week_end) return;
    week = count - 1 - static_cast<std::size_t>((std::int64_t{as_of} - 1 - day) / 7);
    week_end = std::int64_t{as_of} - 7 * static_cast<std::int64_t>(count - 1 - week);
  };
  const auto note = [&](std::uint32_t user) {
    if (slots[user] == week + 1) return;
    slots[user] = static_cast<std::uint32_t>(week + 1);
    sums.users[week] += 1;
  };
  if (ledger.settings().daily_cap) {
    visit(
        ledger, selection, window,
        [&](const Ledger::Activity& piece, std::int64_t events) {
          enter(piece.day);
          sums.events[week] += events;
        },
        [&](Day, std::uint32_t user, Exact points) {
          sums.points[week] += points;
          note(user);
        });
  } else {
    const auto events = ledger.events();
    for (const auto& piece : ledger.activity(window)) {
      if (!selection[piece.event]) continue;
      enter(piece.day);
      const std::int64_t times = ledger.count(piece);
      sums.events[week] += times;
      sums.points[week] += Exact{times} * events[piece.event].value;
      note(piece.user);
    }
  }
  std::fill(slots.begin(), slots.end(), 0);
  return sums;
}

const Summary& Evaluation::summary(const Ledger& ledger) {
  if (!summary_) summary_ = summarize(ledger, selection_, window());
  return *summary_;
}

std::span<const Exact> Evaluation::weeks(const Ledger& ledger, bool by_value) {
  if (all_of_weeks_ && all_of_weeks_->events.size() >= recent_weeks)
    return all_of_weeks(ledger, by_value ? &WeekSums::points : &WeekSums::events, recent_weeks);
  auto& weeks = weeks_[by_value];
  if (!weeks) weeks = sum_weeks(ledger, selection_, by_value, as_of_, recent_weeks);
  return *weeks;
}

std::span<const Exact> Evaluation::all_of_weeks(const Ledger& ledger, std::vector<Exact> WeekSums::*what,
                                                int weeks) {
  const auto count = static_cast<std::size_t>(weeks);
  if (!all_of_weeks_ || all_of_weeks_->events.size() < count)
    all_of_weeks_ = sum_all_of_weeks(ledger, selection_, as_of_, weeks);
  return std::span<const Exact>((*all_of_weeks_).*what).last(count);
}

const Concentration& Evaluation::concentration(const Ledger& ledger, bool by_value) {
  auto& concentration = concentration_[by_value];
  if (!concentration) {
    std::vector<Exact> amounts;
    const auto& users = summary(ledger).users;
    amounts.reserve(users.size());
    for (const auto& user : users) amounts.push_back(by_value ? user.points : user.events);
    concentration = measure_concentration(std::move(amounts));
  }
  return *concentration;
}

std::int64_t Evaluation::users_in(const Ledger& ledger, Window window) const {
  auto& slots = ledger.user_slots();
  const auto activity = ledger.activity(window);
  std::int64_t users = 0;
  for (const auto& piece : activity) {
    if (!selection_[piece.event] || slots[piece.user] != 0) continue;
    slots[piece.user] = 1;
    ++users;
  }
  for (const auto& piece : activity) slots[piece.user] = 0;
  return users;
}

Unknown Question::nothing(const EventSelection& of) const {
  switch (presence()) {
    case Presence::silent:
      return Unknown::nobody_active;
    case Presence::active:
      return first_day(ledger, of, as_of()) ? Unknown::nobody_active : Unknown::not_applicable;
    case Presence::unsettled:
      break;
  }
  return no_whole();
}

std::shared_ptr<Evaluation> recall_evaluation(const Ledger& ledger, Day as_of, int window_days,
                                              std::string_view actor, unsigned roles) {
  auto& recent = ledger.recent_evaluations();
  for (auto evaluation = recent.rbegin(); evaluation != recent.rend(); ++evaluation)
    if ((*evaluation)->as_of() == as_of && (*evaluation)->window_days() == window_days &&
        (*evaluation)->roles() == roles && (*evaluation)->actor() == actor)
      return *evaluation;
  if (recent.size() == evaluations_kept) recent.erase(recent.begin());
  recent.push_back(std::make_shared<Evaluation>(select_qualifying(ledger, actor, roles), as_of, window_days,
                                                actor, roles));
  return recent.back();
}

std::optional<Day> last_day(const Ledger& ledger, const EventSelection& selection, Day as_of,
                            std::optional<std::uint32_t> user) {
  const auto activity = ledger.activity({min_day, as_of});
  for (std::size_t i = activity.size(); i > 0; --i) {
    const auto& piece = activity[i - 1];
    if (selection[piece.event] && (!user || piece.user == *user)) return piece.day;
  }
  return std::nullopt;
}

std::optional<BgbbHistory> count_active_weeks(const Ledger& ledger, const EventSelection& selection,
                                              Day as_of) {
  constexpr std::int64_t most_weeks = 5200;
  const auto first = first_day(ledger, selection, as_of);
  if (!first) return std::nullopt;
  BgbbHistory history;
  history.periods = std::min((std::int64_t{as_of} - 1 - *first) / 7, most_weeks);
  const auto from = static_cast<Day>(std::int64_t{as_of} - 7 * history.periods);
  const auto activity = ledger.activity({from, as_of});
  for (auto piece = activity.begin(); piece != activity.end();) {
    if (!selection[piece->event]) {
      ++piece;
      continue;
    }
    ++history.active;
    history.last = (std::int64_t{piece->day} - from) / 7 + 1;
    piece =
        std::lower_bound(piece, activity.end(), from + 7 * history.last,
                         [](const Ledger::Activity& before, std::int64_t day) { return before.day < day; });
  }
  return history;
}

std::optional<Day> first_day(const Ledger& ledger, const EventSelection& selection, Day as_of) {
  const auto events = ledger.events();
  Day first = max_day;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (selection[i]) first = std::min(first, events[i].first_day);
  if (first >= as_of) return std::nullopt;
  return first;
}

}  // namespace health
