// How activity changes from week to week. Weeks are given oldest first; the last one is week 1.
// docs/reference/metrics.md, "Course of the weeks".
#pragma once

#include <cstdint>
#include <span>

#include "core/base/day.hpp"
#include "core/base/exact.hpp"
#include "core/base/value.hpp"

namespace health {

// current / previous - 1, rounded once. Nothing after nothing is no good news (nobody_active); something from
// nothing is unknown (zero_denominator).
Value relative_change(Exact current, Exact previous);

// True when current is at least `percent` % below (above) previous, compared exactly: down 15 % is 100 *
// current <= 85 * previous. Nothing can be down or up from nothing. Error 22023 when percent is negative.
bool down_at_least(Exact current, Exact previous, std::int32_t percent);
bool up_at_least(Exact current, Exact previous, std::int32_t percent);

// Weeks 1..4 against weeks 5..8; needs 8 weeks.
Value trend_4w(std::span<const Exact> weeks);
// The last week against the mean of the four before it; needs 5 weeks.
Value dropoff(std::span<const Exact> weeks);
// The mean of weeks 1..4 against the median of weeks 5..30, or as many as there are, and that against the
// same 52 weeks before, where there are 12 weeks then and it is above 0; needs 12 weeks.
Value baseline(std::span<const Exact> weeks);
inline constexpr int least_baseline_weeks = 12;
inline constexpr int most_baseline_weeks = 30;  // of one year
inline constexpr int season_weeks = 52;
// Least-squares slope per week of weeks 4..1 divided by their mean; mean 0 is unknown (nobody_active);
// needs 4 weeks.
Value slope_4w(std::span<const Exact> weeks);
// Number of consecutive decreases from week to week that end at week 1, among the given weeks. Nothing after
// nothing goes on with a dip.
std::int64_t dip_streak(std::span<const Exact> weeks);

// Trend_4w of a stream of events that arrive in any order: two such sums add up. Plain memory.
struct TrendSum {
  Day as_of = 0;
  Day first_day = max_day;    // of the events before as_of
  std::int64_t current = 0;   // events in weeks 1..4
  std::int64_t previous = 0;  // events in weeks 5..8

  // Takes in an event; those at or after as_of are not seen. Error 22003 on overflow.
  void add(Day day);
  // Error 22023 when the two are for different dates.
  void add(const TrendSum& other);
  // The trend; the first event stands for the account's start, unless nobody is active any more. Unknown: no
  // event (no_data), first event less than 8 weeks before as_of (insufficient_history), something after
  // nothing (zero_denominator), nothing after nothing (nobody_active).
  Value trend() const;
};

}  // namespace health
