// Metrics of the course of the weeks: trend, drop-off, slope, dips, cadence.
// docs/reference/metrics.md, "Course of the weeks".
#include <algorithm>

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
    case MetricId::slope_4w:
      return settle(slope_4w(weeks(q.request.by_value)));
    case MetricId::dip_streak:
      return count_dips(q);
    case MetricId::cadence:
      return measure_cadence(q);
    default:
      reject_unanswered(id);
  }
}

}  // namespace health
