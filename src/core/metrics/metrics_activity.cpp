// Metrics of who did how much in the window: activation, coverage, depth, interaction, breadth, ...
// docs/reference/metrics.md, "Activity in the window".
#include <algorithm>

#include "core/stats/wilson.hpp"
#include "evaluation.hpp"

namespace health {

namespace {

// Users with an event of these roles in the window, or of the request's own selection.
std::int64_t users_in_role(const Question& q, unsigned roles) {
  return q.narrowed ? q.summary().active_users() : q.summary().users_with(roles);
}

// Those of them who belong to the account.
std::int64_t members_in_role(const Question& q, unsigned roles) {
  return q.narrowed ? q.summary().members : q.summary().members_with(roles);
}

Exact events_in_role(const Question& q, unsigned roles) {
  return q.narrowed ? q.summary().events : q.summary().events_with(roles);
}

// `amount` per active user and week: 7 amount / (A days).
Value per_user_week(const Question& q, Exact amount) {
  return q.ratio(7 * amount, Exact{q.active_users()} * q.selected.window_days());
}

Value rate_adoption(const Question& q) {
  const auto& settings = q.ledger.settings();
  if (!settings.seats) return Value::none(Unknown::no_data);
  const auto seats = settings.usable_seats();
  if (!seats) return Value::none(Unknown::bad_value);
  if (*seats == 0) return Value::none(Unknown::zero_denominator);
  return Value::of(static_cast<double>(q.summary().members) / *seats);
}

Value measure_breadth(const Question& q) {
  const auto entitled = q.ledger.entitled_features();
  if (!entitled) return Value::none(Unknown::not_applicable);
  if (*entitled == 0) return Value::none(Unknown::zero_denominator);
  std::vector<std::uint8_t> used(static_cast<std::size_t>(*entitled));
  const auto events = q.ledger.events();
  const auto& seen = q.summary().seen;
  std::int64_t features = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!seen[i] || events[i].feature < 0) continue;
    auto& flag = used[static_cast<std::size_t>(events[i].feature)];
    features += 1 - flag;
    flag = 1;
  }
  return Value::of(static_cast<double>(features) / static_cast<double>(*entitled));
}

Value count_sessions(const Question& q) {
  if (!q.applies(session)) return Value::none(Unknown::not_applicable);
  const Exact sessions = events_in_role(q, session);
  if (q.active_users() == 0) return q.ratio(sessions, 0);
  if (sessions == 0 &&
      !first_day(q.ledger, q.narrowed ? q.selected.selection() : q.in_role(session), q.as_of()))
    return Value::none(Unknown::no_data);
  return per_user_week(q, sessions);
}

// Interact events for each create event.
Value rate_replies(const Question& q) {
  const Exact replies = events_in_role(q, interact);
  const Exact created = q.all.summary(q.ledger).events_with(create);
  if (created != 0) return Value::of(to_double(replies) / to_double(created));
  if (replies != 0) return Value::none(Unknown::zero_denominator);
  EventSelection either = q.in_role(q.narrowed ? create : create | interact);
  if (q.narrowed)
    for (std::size_t i = 0; i < either.size(); ++i) either[i] |= q.selected.selection()[i];
  return Value::none(q.nothing(either));
}

Value measure_amounts(const Question& q, bool mean) {
  const Summary& summary = q.summary();
  if (summary.amount_count <= 0) {
    if (summary.events != 0 || q.presence() != Presence::active) return Value::none(Unknown::no_data);
    const auto before = q.ledger.activity({min_day, q.as_of()});
    const bool measured = std::any_of(before.begin(), before.end(), [&q](const Ledger::Activity& piece) {
      const auto* measure = q.selected.selection()[piece.event] ? q.ledger.measure(piece) : nullptr;
      return measure != nullptr && measure->count > 0;
    });
    return Value::none(measured ? Unknown::nobody_active : Unknown::not_applicable);
  }
  const double amount = from_micro(summary.amount);
  return Value::of(mean ? amount / to_double(summary.amount_count) : amount);
}

// Users who came in the window and are active, per user at the window's start.
Value measure_growth(const Question& q) {
  return q.share(q.summary().newcomers, q.ledger.total_users(q.selected.window().from));
}

Value count_of(Exact number) { return Value::of(to_double(number)); }

}  // namespace

Value answer_activity(const Question& q, MetricId id) {
  const Value no_role = Value::none(Unknown::not_applicable);
  switch (id) {
    case MetricId::total_users:
      return count_of(q.total_users());
    case MetricId::active_users:
      return count_of(q.summary().active_users());
    case MetricId::events:
      return count_of(q.summary().events);
    case MetricId::activation_rate:
      return q.share(q.summary().members, q.total_users());
    case MetricId::activation_rate_low:
    case MetricId::activation_rate_high: {
      const std::int64_t users = q.total_users();
      if (users == 0) return Value::none(q.no_whole());
      const Interval interval = wilson_interval(q.summary().members, users);
      return id == MetricId::activation_rate_low ? interval.low : interval.high;
    }
    case MetricId::coverage:
      return q.applies(create | consume) ? q.share(members_in_role(q, create | consume), q.total_users())
                                         : no_role;
    case MetricId::adoption_rate:
      return rate_adoption(q);
    case MetricId::events_per_user_week:
      return per_user_week(q, q.summary().events);
    case MetricId::stickiness:
      return q.ratio(q.summary().user_days, Exact{q.summary().active_users()} * q.selected.window_days());
    case MetricId::interaction:
      return q.applies(interact) ? per_user_week(q, events_in_role(q, interact)) : no_role;
    case MetricId::reply_ratio: {
      const bool asked = q.applies(interact) && (q.ledger.catalog_roles() & create) != 0;
      return asked ? rate_replies(q) : no_role;
    }
    case MetricId::spread:
      return q.applies(create) ? q.ratio(users_in_role(q, create), q.active_users()) : no_role;
    case MetricId::creators:
      return q.applies(create) ? count_of(users_in_role(q, create)) : no_role;
    case MetricId::breadth:
      return measure_breadth(q);
    case MetricId::depth:
      return q.active_users() == 0
                 ? q.ratio(q.summary().points, 0)
                 : Value::of(from_micro(q.summary().points) / static_cast<double>(q.active_users()));
    case MetricId::value_points:
      return Value::of(from_micro(q.summary().points));
    case MetricId::sessions_per_user_week:
      return count_sessions(q);
    case MetricId::amount_sum:
    case MetricId::amount_mean:
      return measure_amounts(q, id == MetricId::amount_mean);
    case MetricId::growth:
      return measure_growth(q);
    case MetricId::dormant_users:
      // Without a roster nobody says who else there is.
      if (q.presence() == Presence::silent && !q.ledger.has_roster())
        return Value::none(Unknown::nobody_active);
      return count_of(q.total_users() - q.summary().members);
    default:
      reject_unanswered(id);
  }
}

}  // namespace health
