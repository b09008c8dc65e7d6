// Metrics of users and accounts getting going: onboarding, invitations, time to value, recency.
// docs/reference/metrics.md, "Getting going, and last seen".
#include <algorithm>
#include <utility>

#include "evaluation.hpp"

namespace health {

namespace {

// The request's own selection, else the events of these roles.
EventSelection select_role(const Question& q, unsigned roles) {
  return q.narrowed ? q.selected.selection() : q.in_role(roles);
}

// The days of joining of users whose onboarding is over, but not for long.
Window joining_window(const Question& q) {
  const auto& settings = q.ledger.settings();
  const Day latest = days_before(q.as_of(), settings.onboarding_days);
  return {days_before(latest, settings.onboarding_window), latest};
}

// Marks the users who joined on these days in the slots; returns how many.
std::int64_t mark_joined(const Question& q, Window joining) {
  std::int64_t eligible = 0;
  auto& slots = q.ledger.user_slots();
  const auto memberships = q.ledger.memberships();
  for (std::size_t i = 0; i < memberships.size(); ++i) {
    if (i > 0 && memberships[i - 1].user == memberships[i].user) continue;  // came back: no newcomer
    if (!joining.contains(memberships[i].from)) continue;
    slots[memberships[i].user] = 1;
    ++eligible;
  }
  return eligible;
}

void clear_joined(const Question& q) {
  auto& slots = q.ledger.user_slots();
  for (const auto& membership : q.ledger.memberships()) slots[membership.user] = 0;
}

// Of the users who joined in [as_of - X - W, as_of - X): the share that did at least k different activation
// events in the X days from the day of joining on.
Value rate_onboarding(const Question& q) {
  if (!q.applies(activate)) return Value::none(Unknown::not_applicable);
  const auto& settings = q.ledger.settings();
  const Window joining = joining_window(q);
  const std::int64_t eligible = mark_joined(q, joining);
  if (eligible == 0) return Value::none(q.no_whole());

  const EventSelection selection = select_role(q, activate);
  const auto& slots = q.ledger.user_slots();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> done;  // (user, activation event)
  for (const auto& piece : q.ledger.activity({joining.from, q.as_of()})) {
    if (!selection[piece.event] || slots[piece.user] == 0) continue;
    const std::int64_t joined = *q.ledger.entry_day(piece.user);
    if (piece.day >= joined && piece.day < joined + settings.onboarding_days)
      done.emplace_back(piece.user, piece.event);
  }
  clear_joined(q);
  std::sort(done.begin(), done.end());
  done.erase(std::unique(done.begin(), done.end()), done.end());

  std::int64_t activated = 0;
  for (std::size_t i = 0; i < done.size();) {
    std::size_t next = i;
    while (next < done.size() && done[next].first == done[i].first) ++next;
    if (static_cast<std::int64_t>(next - i) >= settings.onboarding_events) ++activated;
    i = next;
  }
  return q.share(activated, eligible);
}

// Of the users invited more than X days before as_of: the share with a create or consume event.
Value rate_invitations(const Question& q) {
  if (!q.applies(create | consume)) return Value::none(Unknown::not_applicable);
  const Day latest = days_before(q.as_of(), q.ledger.settings().onboarding_days);
  const std::int64_t invited = count_invited(q);
  auto& slots = q.ledger.user_slots();
  for (const auto& invitation : q.ledger.invitations())
    if (invitation.day < latest) slots[invitation.user] = 1;
  if (invited == 0) return Value::none(q.no_whole());

  const EventSelection selection = select_role(q, create | consume);
  std::int64_t converted = 0;
  for (const auto& piece : q.ledger.activity({min_day, q.as_of()})) {
    if (!selection[piece.event] || slots[piece.user] == 0) continue;
    slots[piece.user] = 0;
    ++converted;
  }
  for (const auto& invitation : q.ledger.invitations()) slots[invitation.user] = 0;
  return q.share(converted, invited);
}

// Days from the account's start to the first activation event, and whether that came before the start.
Value time_to_value(const Question& q, bool ask_trial_use) {
  if (!q.applies(activate)) return Value::none(Unknown::not_applicable);
  const auto start = q.ledger.account_start();
  const auto reached = first_day(q.ledger, select_role(q, activate), q.as_of());
  if (!start || !reached) return Value::none(Unknown::no_data);
  const std::int64_t days = std::int64_t{*reached} - *start;
  if (ask_trial_use) return Value::of(days < 0 ? 1 : 0);
  return Value::of(static_cast<double>(std::max<std::int64_t>(0, days)));
}

Value measure_recency(const Question& q) {
  std::optional<std::uint32_t> user;
  if (!q.request.user.empty()) {
    user = q.ledger.find_user(q.request.user);
    if (!user) return Value::none(Unknown::no_data);
  }
  const auto last = last_day(q.ledger, q.selected.selection(), q.as_of(), user);
  return last ? Value::of(static_cast<double>(std::int64_t{q.as_of()} - *last))
              : Value::none(Unknown::no_data);
}

}  // namespace

std::int64_t count_joined(const Question& q) {
  const std::int64_t joined = mark_joined(q, joining_window(q));
  clear_joined(q);
  return joined;
}

std::int64_t count_invited(const Question& q) {
  const Day latest = days_before(q.as_of(), q.ledger.settings().onboarding_days);
  const auto invitations = q.ledger.invitations();
  return std::count_if(invitations.begin(), invitations.end(),
                       [latest](const Ledger::Invitation& invitation) { return invitation.day < latest; });
}

Value answer_lifecycle(const Question& q, MetricId id) {
  switch (id) {
    case MetricId::onboarding_activation:
      return rate_onboarding(q);
    case MetricId::invite_conversion:
      return rate_invitations(q);
    case MetricId::time_to_value:
      return time_to_value(q, false);
    case MetricId::trial_use:
      return time_to_value(q, true);
    case MetricId::recency_days:
      return measure_recency(q);
    default:
      reject_unanswered(id);
  }
}

}  // namespace health
