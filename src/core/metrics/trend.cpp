// How activity changes from week to week.
#include "trend.hpp"

#include <algorithm>
#include <cassert>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/base/error.hpp"

namespace health {

namespace {

Exact sum(std::span<const Exact> weeks) {
  Exact total = 0;
  for (const Exact week : weeks) total += week;
  return total;
}

std::int64_t add_events(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    throw Error(sqlstate::numeric_value_out_of_range, "the number of events is out of range");
  return sum;
}

void check_percent(std::int32_t percent) {
  if (percent < 0)
    throw Error(sqlstate::invalid_parameter_value, "percent must not be negative: " + std::to_string(percent),
                "Ask for the other direction instead.");
}

}  // namespace

Value relative_change(Exact current, Exact previous) {
  if (previous == 0) return Value::none(current == 0 ? Unknown::nobody_active : Unknown::zero_denominator);
  // The difference is exact, so that a fall from 400 to 360 is -0.1 and not a hair above it.
  return Value::of(to_double(current - previous) / to_double(previous));
}

bool down_at_least(Exact current, Exact previous, std::int32_t percent) {
  check_percent(percent);
  return previous > 0 && 100 * current <= (Exact{100} - percent) * previous;
}

bool up_at_least(Exact current, Exact previous, std::int32_t percent) {
  check_percent(percent);
  return previous > 0 && 100 * current >= (Exact{100} + percent) * previous;
}

Value trend_4w(std::span<const Exact> weeks) {
  assert(weeks.size() >= 8);
  const auto last = weeks.last(8);
  return relative_change(sum(last.last(4)), sum(last.first(4)));
}

Value dropoff(std::span<const Exact> weeks) {
  assert(weeks.size() >= 5);
  const auto last = weeks.last(5);
  return relative_change(4 * last[4], sum(last.first(4)));
}

namespace {

// Four weeks, and twice the median of a week: now / (2 x usual) is the ratio of their mean to the median.
struct AgainstUsual {
  Exact now = 0, usual = 0;
};

AgainstUsual hold_against_usual(std::span<const Exact> weeks) {
  const auto recent = weeks.last(std::min<std::size_t>(weeks.size(), most_baseline_weeks));
  const auto base = recent.first(recent.size() - 4);
  std::vector<Exact> weighed(base.begin(), base.end());
  const auto middle = weighed.begin() + static_cast<std::ptrdiff_t>(weighed.size() / 2);
  std::nth_element(weighed.begin(), middle, weighed.end());
  const Exact below = weighed.size() % 2 == 0 ? *std::max_element(weighed.begin(), middle) : *middle;
  return {sum(recent.last(4)), below + *middle};
}

}  // namespace

Value baseline(std::span<const Exact> weeks) {
  assert(weeks.size() >= least_baseline_weeks);
  const AgainstUsual now = hold_against_usual(weeks);
  if (now.usual == 0 || weeks.size() < season_weeks + least_baseline_weeks)
    return relative_change(now.now, 2 * now.usual);
  const AgainstUsual then = hold_against_usual(weeks.first(weeks.size() - season_weeks));
  if (then.now == 0 || then.usual == 0) return relative_change(now.now, 2 * now.usual);
  // Products are exact up to here, which is 4.6 x 10^18 events or millionths of points.
  constexpr Exact most = Exact{1} << 62;
  if (std::max({now.now, now.usual, then.now, then.usual}) < most)
    return relative_change(now.now * then.usual, now.usual * then.now);
  return Value::of(to_double(now.now) / to_double(now.usual) * (to_double(then.usual) / to_double(then.now)) -
                   1);
}

Value slope_4w(std::span<const Exact> weeks) {
  assert(weeks.size() >= 4);
  const auto last = weeks.last(4);
  const Exact total = sum(last);
  if (total == 0) return Value::none(Unknown::nobody_active);
  // With x = -1.5, -0.5, 0.5, 1.5 the slope is sum(x y) / 5 = (3 (y3 - y0) + (y2 - y1)) / 10; the mean is
  // total / 4.
  const Exact tilt = 3 * (last[3] - last[0]) + (last[2] - last[1]);
  return Value::of(to_double(2 * tilt) / to_double(5 * total));
}

std::int64_t dip_streak(std::span<const Exact> weeks) {
  std::int64_t dips = 0;
  const auto is_dip = [](Exact week, Exact before) { return week < before || (week == 0 && before == 0); };
  for (std::size_t week = weeks.size(); week >= 2 && is_dip(weeks[week - 1], weeks[week - 2]); --week) ++dips;
  return dips;
}

void TrendSum::add(Day day) {
  if (day >= as_of) return;
  first_day = std::min(first_day, day);
  if (weeks_before(as_of, 1, 4).contains(day)) current = add_events(current, 1);
  if (weeks_before(as_of, 5, 8).contains(day)) previous = add_events(previous, 1);
}

void TrendSum::add(const TrendSum& other) {
  if (as_of != other.as_of)
    throw Error(sqlstate::invalid_parameter_value, "as_of of trend_4w differs between rows of one group",
                "Give all rows of a group the same as_of.");
  first_day = std::min(first_day, other.first_day);
  current = add_events(current, other.current);
  previous = add_events(previous, other.previous);
}

Value TrendSum::trend() const {
  if (first_day == max_day) return Value::none(Unknown::no_data);
  if (current != 0 && whole_weeks(first_day, as_of) < 8) return Value::none(Unknown::insufficient_history);
  return relative_change(current, previous);
}

}  // namespace health
