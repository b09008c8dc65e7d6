// Odd days and outages.
#include "volume.hpp"

#include <algorithm>

#include "core/base/calendar.hpp"
#include "core/base/error.hpp"

namespace health {

namespace {

constexpr std::size_t week = 7;
constexpr double odd_ratio = 5;
constexpr double suspect_ratio = 1.5;
// For so many days after a loss a source may have nothing to show that it is back.
constexpr std::size_t longest_weekend = 4;
// Of fewer all counts may well be even by chance.
constexpr std::int64_t least_cells = 20;

double usual_on(std::span<const std::int64_t> events, std::size_t day) {
  std::array<std::int64_t, usual_weeks> before{};
  for (std::size_t i = 0; i < before.size(); ++i) before[i] = events[day - (i + 1) * week];
  return median_of_weeks(before);
}

// How many times everything came; 1 when not all did.
std::int64_t times_loaded(const DailyVolume& volume, std::size_t day) {
  if (volume.cells[day] < least_cells) return 1;
  // What always comes in pairs came once.
  const std::int64_t always = std::max<std::int64_t>(volume.divisors[day - week], 1);
  return std::max<std::int64_t>(volume.divisors[day] / always, 1);
}

}  // namespace

double median_of_weeks(std::array<std::int64_t, usual_weeks> events) {
  std::sort(events.begin(), events.end());
  constexpr std::size_t middle = usual_weeks / 2;
  return (static_cast<double>(events[middle - 1]) + static_cast<double>(events[middle])) / 2;
}

std::vector<OddDay> find_odd_days(const DailyVolume& volume) {
  const auto& events = volume.events;
  if (volume.divisors.size() != events.size() || volume.cells.size() != events.size())
    throw Error(sqlstate::invalid_parameter_value, "volumes differ in their number of days");
  std::vector<OddDay> odd;
  std::size_t lost_until = 0;  // days before are lost, or too small to say that it came back
  for (std::size_t day = usual_weeks * week; day < events.size(); ++day) {
    const double usual = usual_on(events, day);
    const auto seen = static_cast<double>(events[day]);
    const bool is_lost = seen * odd_ratio < usual;
    if (is_lost && usual >= least_usual) lost_until = day + 1 + longest_weekend;
    if (day < lost_until && (is_lost || (seen == 0 && usual == 0))) {
      odd.push_back({day, OddKind::lost, events[day], usual});
      continue;
    }
    lost_until = 0;
    if (usual < least_usual) continue;
    const bool is_known = volume.divisors[day] != 0;
    const std::int64_t times = is_known ? times_loaded(volume, day) : 1;
    if (seen >= usual * suspect_ratio && times > 1)
      odd.push_back({day, OddKind::doubled, events[day], usual, times});
    else if (seen > usual * odd_ratio && volume.whole_source)
      odd.push_back({day, OddKind::flood, events[day], usual});
    else if (seen >= usual * suspect_ratio && !is_known)
      odd.push_back({day, OddKind::suspect, events[day], usual});
  }
  return odd;
}

std::vector<Outage> join_outages(std::span<const Day> days, Day judged_until) {
  std::vector<Outage> outages;
  for (const Day day : days) {
    if (!outages.empty() && outages.back().last + 1 == day)
      outages.back().last = day;
    else
      outages.push_back({day, day});
  }
  if (!outages.empty() && outages.back().last + 1 == judged_until) outages.back().last = max_day;
  return outages;
}

Day seen_as_of(Day as_of, std::span<const Outage> outages) {
  for (const Outage& outage : outages)
    if (outage.first < as_of && std::int64_t{as_of} - 1 <= outage.last)
      return std::max(outage.first, days_before(as_of, longest_hold));
  return as_of;
}

}  // namespace health
