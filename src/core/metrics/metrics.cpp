// The list of metrics, and the answers to single questions and to all of them.
#include "metrics.hpp"

#include <algorithm>
#include <limits>

#include "evaluation.hpp"

namespace health {

namespace {

constexpr std::array<MetricInfo, metric_count> catalog = {{
    {MetricId::total_users, "total_users", "entitled users at as_of", "users"},
    {MetricId::active_users, "active_users", "users with a qualifying event in the window", "users"},
    {MetricId::events, "events", "qualifying events in the window", "events"},
    {MetricId::activation_rate, "activation_rate", "active users / total users", "ratio"},
    {MetricId::activation_rate_low, "activation_rate_low",
     "lower end of the activation rate's 95 % Wilson interval", "ratio"},
    {MetricId::activation_rate_high, "activation_rate_high",
     "upper end of the activation rate's 95 % Wilson interval", "ratio"},
    {MetricId::coverage, "coverage", "users with a create or consume event in the window / total users",
     "ratio"},
    {MetricId::adoption_rate, "adoption_rate", "active users / licensed seats", "ratio"},
    {MetricId::onboarding_activation, "onboarding_activation",
     "share of new users who did enough different activation events in their first days", "ratio"},
    {MetricId::invite_conversion, "invite_conversion",
     "share of invited users with a create or consume event", "ratio"},
    {MetricId::trend_4w, "trend_4w", "events of weeks 1-4 against weeks 5-8", "change"},
    {MetricId::trend_4w_users, "trend_4w_users", "active users of weeks 1-4 against weeks 5-8", "change"},
    {MetricId::trend_4w_value, "trend_4w_value", "value points of weeks 1-4 against weeks 5-8", "change"},
    {MetricId::dropoff, "dropoff", "events of the last week against the mean of the four weeks before",
     "change"},
    {MetricId::slope_4w, "slope_4w", "least-squares slope of the last four weeks' events / their mean",
     "change per week"},
    {MetricId::dip_streak, "dip_streak", "consecutive week-on-week decreases of events up to the last week",
     "weeks"},
    {MetricId::cadence, "cadence", "weeks with activity among the last 8 / weeks available", "ratio"},
    {MetricId::events_per_user_week, "events_per_user_week", "events per active user and week",
     "events per user and week"},
    {MetricId::stickiness, "stickiness", "mean daily active users / active users of the window", "ratio"},
    {MetricId::interaction, "interaction", "interact events per active user and week",
     "events per user and week"},
    {MetricId::reply_ratio, "reply_ratio", "interact events / create events", "ratio"},
    {MetricId::spread, "spread", "creators / active users", "ratio"},
    {MetricId::creators, "creators", "users with a create event in the window", "users"},
    {MetricId::breadth, "breadth", "features used / features that the plan entitles", "ratio"},
    {MetricId::depth, "depth", "value points per active user", "points per user"},
    {MetricId::value_points, "value_points", "sum of events x their value in the window", "points"},
    {MetricId::sessions_per_user_week, "sessions_per_user_week", "session events per active user and week",
     "sessions per user and week"},
    {MetricId::amount_sum, "amount_sum", "sum of the amounts that events carry in the window", "amount"},
    {MetricId::amount_mean, "amount_mean", "mean of the amounts that events carry in the window", "amount"},
    {MetricId::recency_days, "recency_days", "days from the last event to as_of", "days"},
    {MetricId::growth, "growth", "active users who came in the window / users at the window's start",
     "ratio"},
    {MetricId::time_to_value, "time_to_value", "days from the account's start to the first activation event",
     "days"},
    {MetricId::trial_use, "trial_use", "whether the first activation event came before the account's start",
     "yes or no"},
    {MetricId::dormant_users, "dormant_users", "entitled users without an event in the window", "users"},
    {MetricId::power_user_dependency, "power_user_dependency",
     "share of the events that the most active user made", "ratio"},
    {MetricId::top2_share, "top2_share", "share of the events that the two most active users made", "ratio"},
    {MetricId::top3_share, "top3_share", "share of the events that the three most active users made",
     "ratio"},
    {MetricId::hhi, "hhi", "sum of the squared shares of active users (Herfindahl-Hirschman index)", "ratio"},
    {MetricId::effective_users, "effective_users", "number of equally active users with the same hhi",
     "users"},
    {MetricId::hhi_normalized, "hhi_normalized", "hhi from 0 (even) to 1 (one user does all)", "ratio"},
    {MetricId::gini, "gini", "Gini coefficient of the active users' shares", "ratio"},
    {MetricId::absence_factor, "absence_factor", "fewest users who make half of the events", "users"},
}};

constexpr bool catalog_is_in_order() {
  for (std::size_t i = 0; i < catalog.size(); ++i)
    if (static_cast<std::size_t>(catalog[i].id) != i) return false;
  return true;
}
static_assert(catalog_is_in_order(), "metrics are looked up by their id");

// The window of a request, checked.
int window_of(const Ledger& ledger, const MetricRequest& request) {
  if (request.window_days == 0) return ledger.settings().window_days;
  if (request.window_days < 0 || request.window_days > 36525)
    throw Error(
        sqlstate::invalid_parameter_value,
        "window_days must be a number of days from 1 to 36525, not " + std::to_string(request.window_days));
  return request.window_days;
}

// Calls `use(question)` with the evaluations that the request needs.
template <class Use>
auto ask(const Ledger& ledger, const MetricRequest& request, Day as_of, Use&& use) {
  const int days = window_of(ledger, request);
  if (request.top_k < 1)
    throw Error(sqlstate::invalid_parameter_value,
                "top_k must be at least 1, not " + std::to_string(request.top_k));
  const auto all = recall_evaluation(ledger, as_of, days);
  if (!is_narrowed(request)) return use(Question{ledger, request, false, *all, *all});
  Evaluation selected(select_requested(ledger, request), as_of, days);
  return use(Question{ledger, request, true, selected, *all});
}

}  // namespace

std::span<const MetricInfo> metric_catalog() { return catalog; }

std::optional<MetricId> metric_by_name(std::string_view name) {
  for (const auto& info : catalog)
    if (info.name == name) return info.id;
  return std::nullopt;
}

Value answer(const Question& question, MetricId id) {
  // Roles that no event of the catalog plays cannot be asked for.
  const auto& request = question.request;
  if (request.roles != 0 && request.events.empty() && (question.ledger.catalog_roles() & request.roles) == 0)
    return Value::none(Unknown::not_applicable);
  switch (id) {
    case MetricId::onboarding_activation:
    case MetricId::invite_conversion:
    case MetricId::time_to_value:
    case MetricId::trial_use:
    case MetricId::recency_days:
      return answer_lifecycle(question, id);
    case MetricId::trend_4w:
    case MetricId::trend_4w_users:
    case MetricId::trend_4w_value:
    case MetricId::dropoff:
    case MetricId::slope_4w:
    case MetricId::dip_streak:
    case MetricId::cadence:
      return answer_weeks(question, id);
    case MetricId::power_user_dependency:
    case MetricId::top2_share:
    case MetricId::top3_share:
    case MetricId::hhi:
    case MetricId::effective_users:
    case MetricId::hhi_normalized:
    case MetricId::gini:
    case MetricId::absence_factor:
      return answer_concentration(question, id);
    default:
      return answer_activity(question, id);
  }
}

Value evaluate(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of, [&](const Question& question) { return answer(question, request.id); });
}

void evaluate_all(const Ledger& ledger, Day as_of, MetricRecord& record) {
  const MetricRequest request;
  ask(ledger, request, as_of, [&](const Question& question) {
    for (const auto& info : catalog) record[info.id] = answer(question, info.id);
    record.top_user = find_top_user(question.summary(), false);
    record.first_event = first_day(ledger, question.all.selection(), as_of);
    record.last_event = last_day(ledger, question.all.selection(), as_of);
    const auto weeks = question.all.weeks(ledger, false);
    for (std::size_t i = 0; i < record.weekly.size(); ++i)
      record.weekly[i] =
          static_cast<std::int64_t>(std::min<Exact>(weeks[i], std::numeric_limits<std::int64_t>::max()));
  });
}

std::optional<Day> first_event(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return first_day(ledger, select_requested(ledger, request), as_of);
}

std::optional<Day> last_event(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return last_day(ledger, select_requested(ledger, request), as_of);
}

Concentration concentration(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of, [&](const Question& question) {
    return question.selected.concentration(ledger, request.by_value);
  });
}

std::optional<std::uint32_t> top_user(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of,
             [&](const Question& question) { return find_top_user(question.summary(), request.by_value); });
}

std::vector<Contribution> contributions(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of,
             [&](const Question& question) { return rank_users(question.summary(), request.by_value); });
}

std::vector<double> weekly(const Ledger& ledger, const MetricRequest& request, Day as_of, int weeks) {
  if (weeks < 1 || weeks > 10000)
    throw Error(sqlstate::invalid_parameter_value,
                "weeks must be a number from 1 to 10000, not " + std::to_string(weeks));
  const auto sums = ask(ledger, request, as_of, [&](const Question& question) {
    return sum_weeks(ledger, question.selected.selection(), request.by_value, as_of, weeks);
  });
  std::vector<double> result(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i)
    result[i] = request.by_value ? from_micro(sums[i]) : to_double(sums[i]);
  return result;
}

}  // namespace health
