// Whether tracking broke: days on which a source of events, or one event of it, came to far less or far more
// than usual, or all over again. docs/explanation/freshness.md, "When a source breaks".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/day.hpp"

namespace health {

// What happened on each of some days, one after the other, in a whole source or under one name.
struct DailyVolume {
  std::span<const std::int64_t> events;
  // The largest number that divides how often every user did everything; -1: not known.
  std::span<const std::int64_t> divisors;
  std::span<const std::int64_t> cells;    // how many such pairs of user and event there were
  std::span<const std::int64_t> largest;  // the events of the account that has most; -1: not known
  bool whole_source;
};

enum class OddKind : std::uint8_t {
  lost,  // under a fifth of what is usual, which is rare, and of what came without the account that has most;
         // and days after it on which it is not back, such as a weekend
  flood,    // over five times as much, without that account, too, of a whole source
  doubled,  // more than usual, and everything as many times
  suspect   // what says so is not known
};
struct OddDay {
  std::size_t day;  // index
  OddKind kind;
  std::int64_t events;
  double usual;  // median of the weekday in the 8 weeks before
  std::int64_t times = 0;
};

// Weeks of the same weekday that say what is usual: the days before so many weeks are not judged.
inline constexpr int usual_weeks = 8;
// Fewer events than this are too few to be missed.
inline constexpr double least_usual = 50;

// What is usual on a day: the median of its weekday in so many weeks before, all of which there must be.
double usual_on(std::span<const std::int64_t> events, std::size_t day);

// Throws Error 22023 when the spans differ in length.
std::vector<OddDay> find_odd_days(const DailyVolume& volume);

// Days in a row on which tracking was broken; the last one is max_day while it still is.
struct Outage {
  Day first;
  Day last;
};
// Of days, ascending; `judged_until` is the first day that is not complete yet.
std::vector<Outage> join_outages(std::span<const Day> days, Day judged_until);

// An outage holds scores back for so many days, then what comes is how it is.
inline constexpr int longest_hold = 35;
// The day as of which an account is seen at as_of: the first broken day when the last day before was one.
Day seen_as_of(Day as_of, std::span<const Outage> outages);

}  // namespace health
