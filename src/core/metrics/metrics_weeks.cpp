// Metrics of the course of the weeks: trend, drop-off, baseline, slope, dips, cadence, and whether it goes
// on. docs/reference/metrics.md, "Course of the weeks".
#include <algorithm>
#include <cmath>

#include "evaluation.hpp"
#include "trend.hpp"

namespace health {

namespace {

// Unknown::none when the account began at least `weeks` weeks before as_of, or nobody is active and nobody
// knows when it began.
Unknown lacks_history(const Question& q, int weeks) {
  if (!q.ledger.settings().account_start && q.presence() == Presence::silent) return Unknown::none;
  const auto start = q.ledger.age_start(q.as_of());
  if (!start) return q.ledger.knows_nothing(q.as_of()) ? Unknown::no_data : Unknown::insufficient_history;
  return whole_weeks(*start, q.as_of()) >= weeks ? Unknown::none : Unknown::insufficient_history;
}

// Weeks with activity among those of the last 8 that the account has lived through.
Value measure_cadence(const Question& q) {
  const Unknown lacking = lacks_history(q, 1);
  if (lacking != Unknown::none) return Value::none(lacking);
  const auto start = q.ledger.age_start(q.as_of());
  const std::int64_t available = start ? std::clamp<std::int64_t>(whole_weeks(*start, q.as_of()), 1, 8) : 8;
  std::int64_t busy = 0;
  for (const Exact week : q.selected.weeks(q.ledger, false).last(static_cast<std::size_t>(available)))
    busy += week > 0;
  return Value::of(static_cast<double>(busy) / static_cast<double>(available));
}

// Weeks that have to have passed since the first active one.
constexpr std::int64_t least_weeks = 2;

Value count_quiet_weeks(const Question& q) {
  const auto first = first_day(q.ledger, q.selected.selection(), q.as_of());
  if (!first) return Value::none(Unknown::no_data);
  const auto weeks_since = [&q](Day day) { return (std::int64_t{q.as_of()} - 1 - day) / 7; };
  if (weeks_since(*first) < least_weeks) return Value::none(Unknown::insufficient_history);
  const auto last = last_day(q.ledger, q.selected.selection(), q.as_of());
  return Value::of(static_cast<double>(weeks_since(*last)));
}

// 100 x the probability of being active in the next four weeks.
Value foresee_activity(const Question& q) {
  const auto weeks = count_active_weeks(q.ledger, q.selected.selection(), q.as_of());
  if (!weeks) return Value::none(Unknown::no_data);
  if (weeks->periods < least_weeks) return Value::none(Unknown::insufficient_history);
  const double probability = bgbb_probability_active(*q.request.bgbb, *weeks, 4);
  // Of parameters that no fit gives.
  return std::isfinite(probability) ? Value::of(100 * probability) : Value::none(Unknown::no_data);
}

// By events, value points or users of each week that a baseline looks at. Where the ledger does not keep
// those of the season before, there is none.
Value measure_baseline(const Question& q, std::vector<Exact> WeekSums::*what) {
  const int lived = baseline_weeks(q.ledger, q.as_of(), season_weeks + most_baseline_weeks);
  const std::int64_t season = q.ledger.settings().account_start ? lived : season_weeks + most_baseline_weeks;
  const bool is_kept = !q.ledger.begins_after(days_before(q.as_of(), 7 * season));
  return baseline(
      q.selected.all_of_weeks(q.ledger, what, is_kept ? lived : std::min(lived, most_baseline_weeks)));
}

Value count_dips(const Question& q) {
  const bool by_value = q.request.by_value;
  std::span<const Exact> weeks = q.selected.weeks(q.ledger, by_value);
  std::int64_t dips = dip_streak(weeks);
  // A streak that fills the recent weeks may be longer.
  const auto first = first_day(q.ledger, q.selected.selection(), q.as_of());
  if (!first) return Value::none(q.nothing());
  const std::int64_t all_weeks = (std::int64_t{q.as_of()} - *first) / 7 + 2;
  std::vector<Exact> more;
  while (dips + 1 == static_cast<std::int64_t>(weeks.size())) {
    if (dips + 1 >= all_weeks) return Value::none(q.nothing());  // what was done was worth nothing
    more =
        sum_weeks(q.ledger, q.selected.selection(), by_value, q.as_of(), static_cast<int>(2 * weeks.size()));
    weeks = more;
    dips = dip_streak(weeks);
  }
  return Value::of(static_cast<double>(dips));
}

}  // namespace

int baseline_weeks(const Ledger& ledger, Day as_of, int most) {
  const auto start = ledger.age_start(as_of);
  return static_cast<int>(std::clamp<std::int64_t>(start ? whole_weeks(*start, as_of) : most_baseline_weeks,
                                                   least_baseline_weeks, most));
}

Value answer_weeks(const Question& q, MetricId id) {
  // Nothing against nothing is no change for the better.
  const auto settle = [&q](Value change) {
    return change.unknown == Unknown::nobody_active ? Value::none(q.nothing()) : change;
  };
  const auto after = [&](int weeks, auto&& measure) {
    const Unknown lacking = lacks_history(q, weeks);
    return lacking == Unknown::none ? settle(measure()) : Value::none(lacking);
  };
  const auto weeks = [&q](bool by_value) { return q.selected.weeks(q.ledger, by_value); };
  const auto baseline_of = [&](std::vector<Exact> WeekSums::*what) {
    return after(least_baseline_weeks, [&] { return measure_baseline(q, what); });
  };
  switch (id) {
    case MetricId::trend_4w:
      return after(8, [&] { return trend_4w(weeks(q.request.by_value)); });
    case MetricId::trend_4w_value:
      return after(8, [&] { return trend_4w(weeks(true)); });
    case MetricId::trend_4w_users:
      return after(8, [&] {
        return relative_change(q.selected.users_in(q.ledger, weeks_before(q.as_of(), 1, 4)),
                               q.selected.users_in(q.ledger, weeks_before(q.as_of(), 5, 8)));
      });
    case MetricId::dropoff:
      return after(5, [&] { return dropoff(weeks(q.request.by_value)); });
    case MetricId::baseline:
      return baseline_of(q.request.by_value ? &WeekSums::points : &WeekSums::events);
    case MetricId::baseline_value:
      return baseline_of(&WeekSums::points);
    case MetricId::baseline_users:
      return baseline_of(&WeekSums::users);
    case MetricId::slope_4w:
      return settle(slope_4w(weeks(q.request.by_value)));
    case MetricId::dip_streak:
      return count_dips(q);
    case MetricId::cadence:
      return measure_cadence(q);
    case MetricId::recency_weeks:
      return count_quiet_weeks(q);
    case MetricId::cadence_recency:
      return foresee_activity(q);
    default:
      reject_unanswered(id);
  }
}

}  // namespace health
