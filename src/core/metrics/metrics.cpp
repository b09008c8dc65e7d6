// The answers to single questions and to all of them.
#include "metrics.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "evaluation.hpp"
#include "trend.hpp"

namespace health {

namespace {

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < metric_count; ++i)
    if (static_cast<std::size_t>(metric_table[i].id) != i) return false;
  return true;
}
static_assert(table_is_in_order(), "metrics are looked up by their id");

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
  const std::string_view actor = actor_of(ledger, request);
  const auto all = recall_evaluation(ledger, as_of, days, actor);
  if (!is_narrowed(request)) return use(Question{ledger, request, false, *all, *all});
  if (request.events.empty()) {
    const auto selected = recall_evaluation(ledger, as_of, days, actor, request.roles);
    return use(Question{ledger, request, true, *selected, *all});
  }
  Evaluation selected(select_requested(ledger, request), as_of, days, actor);
  return use(Question{ledger, request, true, selected, *all});
}

bool is_baseline(MetricId id) {
  return id == MetricId::baseline || id == MetricId::baseline_users || id == MetricId::baseline_value;
}

}  // namespace

std::optional<MetricId> metric_by_name(std::string_view name) {
  for (const auto& info : metric_table)
    if (info.name == name) return info.id;
  return std::nullopt;
}

void reject_unanswered(MetricId id) {
  throw std::logic_error("metric " + std::string(metric_info(id).name) + " has no arithmetic in its room");
}

namespace {

// How many days before as_of the ledger must have for an answer.
std::int64_t days_needed(const Question& question, MetricId id) {
  const auto& settings = question.ledger.settings();
  const std::int64_t window = question.selected.window_days();
  const std::int64_t seen = question.ledger.has_roster() ? 0 : settings.inactive_after_days;
  switch (id) {
    case MetricId::total_users:
      return seen;
    case MetricId::activation_rate:
    case MetricId::activation_rate_low:
    case MetricId::activation_rate_high:
    case MetricId::coverage:
    case MetricId::dormant_users:
      return std::max(window, seen);
    case MetricId::growth:
      return window + seen;
    case MetricId::trend_4w:
    case MetricId::trend_4w_users:
    case MetricId::trend_4w_value:
    case MetricId::cadence:
      return 56;
    case MetricId::cadence_recency:
      return 182;  // half a year: fewer weeks take a pause for an end
    case MetricId::dropoff:
      return 35;
    case MetricId::baseline:
    case MetricId::baseline_users:
    case MetricId::baseline_value:
      // Weeks before an account began are none of its weeks; of one without a start nobody knows how many it
      // has.
      return settings.account_start
                 ? 7 * baseline_weeks(question.ledger, question.as_of(), most_baseline_weeks)
                 : 7 * most_baseline_weeks;
    case MetricId::slope_4w:
      return 28;
    case MetricId::dip_streak:
    case MetricId::recency_weeks:
      return 14;
    case MetricId::onboarding_activation:
      return std::int64_t{settings.onboarding_days} + settings.onboarding_window + seen;
    case MetricId::invite_conversion:
    case MetricId::time_to_value:
    case MetricId::trial_use:
    case MetricId::recency_days:
      return 0;  // the latest or the first that there is
    default:
      return window;
  }
}

Value answer_in_room(const Question& question, MetricId id) {
  switch (metric_info(id).room) {
    case MetricRoom::activity:
      return answer_activity(question, id);
    case MetricRoom::lifecycle:
      return answer_lifecycle(question, id);
    case MetricRoom::weeks:
      return answer_weeks(question, id);
    case MetricRoom::concentration:
      break;
  }
  return answer_concentration(question, id);
}

// Gaps that are not silence stay gaps.
bool stays_unknown(Unknown reason) {
  return reason == Unknown::not_applicable || reason == Unknown::insufficient_history ||
         reason == Unknown::bad_value;
}

// Of an account in which nobody is active. docs/reference/metrics.md, "When nobody is active".
Value answer_silent(Value value, MetricId id) {
  const SilentValue silent = metric_info(id).silent;
  if (silent == SilentValue::real || stays_unknown(value.unknown)) return value;
  return silent == SilentValue::known && value.known() ? value : Value::none(Unknown::nobody_active);
}

}  // namespace

Value answer(const Question& question, MetricId id) {
  // Roles that no event of the catalog plays cannot be asked for.
  const auto& request = question.request;
  const Ledger& ledger = question.ledger;
  if (request.roles != 0 && request.events.empty() && (ledger.catalog_roles() & request.roles) == 0)
    return Value::none(Unknown::not_applicable);
  if (metric_info(id).fitted && !request.bgbb) return Value::none(Unknown::no_data);
  if (ledger.begins_after(days_before(question.as_of(), days_needed(question, id))))
    return Value::none(Unknown::before_ledger);
  const Value value = answer_in_room(question, id);
  return question.presence() == Presence::silent ? answer_silent(value, id) : value;
}

double shrink_basis(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of, [&](const Question& question) -> double {
    const auto number = [](std::int64_t count) { return static_cast<double>(count); };
    const auto events_of = [](std::span<const Exact> weeks) {
      Exact events = 0;
      for (const Exact week : weeks) events += week;
      return to_double(events);
    };
    // Of the last weeks, but for the latest of them.
    const auto base_weeks = [&](std::size_t weeks, std::size_t latest) {
      return events_of(question.selected.weeks(ledger, false).last(weeks).first(weeks - latest));
    };
    switch (metric_info(request.id).basis) {
      case ShrinkBasis::none:
        break;
      case ShrinkBasis::users:
        return number(question.total_users());
      case ShrinkBasis::seats:
        return ledger.settings().usable_seats().value_or(0);
      case ShrinkBasis::joined:
        return number(count_joined(question));
      case ShrinkBasis::invited:
        return number(count_invited(question));
      case ShrinkBasis::starters:
        return number(ledger.total_users(question.selected.window().from));
      case ShrinkBasis::active:
        return number(metric_info(request.id).room == MetricRoom::concentration ||
                              request.id == MetricId::stickiness
                          ? question.summary().active_users()
                          : question.active_users());
      case ShrinkBasis::events:
        if (request.id == MetricId::dropoff) return base_weeks(5, 1);
        if (is_baseline(request.id)) {
          const int weeks = baseline_weeks(ledger, as_of, most_baseline_weeks);
          return events_of(question.selected.all_of_weeks(ledger, &WeekSums::events, weeks)
                               .first(static_cast<std::size_t>(weeks - 4)));
        }
        return base_weeks(8, 4);
    }
    return 0;
  });
}

Value evaluate(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of, [&](const Question& question) { return answer(question, request.id); });
}

void evaluate_all(const Ledger& ledger, Day as_of, MetricRecord& record) {
  MetricRequest request;
  request.bgbb = ledger.settings().bgbb;
  ask(ledger, request, as_of, [&](const Question& question) {
    // From the back: the baselines look at all weeks, of which trends need the last.
    for (std::size_t i = metric_count; i-- > 0;) record.values[i] = answer(question, metric_table[i].id);
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

std::optional<BgbbHistory> active_weeks(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return count_active_weeks(ledger, select_requested(ledger, request), as_of);
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
