// Metrics of who did how much in the window: activation, coverage, depth, interaction, breadth, ...
// docs/reference/metrics.md, "Activity in the window".
#include "core/stats/wilson.hpp"
#include "evaluation.hpp"

namespace health {

namespace {

// Users with an event of these roles in the window, or of the request's own selection.
std::int64_t users_in_role(const Question& q, unsigned roles) {
  return q.narrowed ? q.summary().active_users() : q.summary().users_with(roles);
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
  return Value::of(static_cast<double>(q.summary().active_users()) / *seats);
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
  if (q.active_users() == 0) return Value::none(q.nothing());
  const Exact sessions = events_in_role(q, session);
  return sessions == 0 ? Value::none(Unknown::no_data) : per_user_week(q, sessions);
}

// Users who came in the window and are active, per user at the window's start.
Value measure_growth(const Question& q) {
  return q.ratio(q.summary().newcomers, q.ledger.total_users(q.selected.window().from));
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
      return q.ratio(q.summary().active_users(), q.total_users());
    case MetricId::activation_rate_low:
    case MetricId::activation_rate_high: {
      const std::int64_t users = q.total_users();
      if (users == 0) return Value::none(q.nothing());
      const Interval interval = wilson_interval(q.summary().active_users(), users);
      return id == MetricId::activation_rate_low ? interval.low : interval.high;
    }
    case MetricId::coverage:
      return q.applies(create | consume) ? q.ratio(users_in_role(q, create | consume), q.total_users())
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
      return asked ? q.ratio(events_in_role(q, interact), q.all.summary(q.ledger).events_with(create))
                   : no_role;
    }
    case MetricId::spread:
      return q.applies(create) ? q.ratio(users_in_role(q, create), q.active_users()) : no_role;
    case MetricId::creators:
      return q.applies(create) ? count_of(users_in_role(q, create)) : no_role;
    case MetricId::breadth:
      return measure_breadth(q);
    case MetricId::depth:
      return q.active_users() == 0
                 ? Value::none(q.nothing())
                 : Value::of(from_micro(q.summary().points) / static_cast<double>(q.active_users()));
    case MetricId::value_points:
      return Value::of(from_micro(q.summary().points));
    case MetricId::sessions_per_user_week:
      return count_sessions(q);
    case MetricId::amount_sum:
      return q.summary().amount_count <= 0 ? Value::none(Unknown::no_data)
                                           : Value::of(from_micro(q.summary().amount));
    case MetricId::amount_mean:
      return q.summary().amount_count <= 0
                 ? Value::none(Unknown::no_data)
                 : Value::of(from_micro(q.summary().amount) / to_double(q.summary().amount_count));
    case MetricId::growth:
      return measure_growth(q);
    case MetricId::dormant_users:
      return count_of(q.total_users() - q.summary().members);
    default:
      reject_unanswered(id);
  }
}

}  // namespace health
