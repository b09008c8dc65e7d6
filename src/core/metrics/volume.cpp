// Odd days and outages.
#include "volume.hpp"

#include <algorithm>
#include <array>

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

bool is_low(double seen, double usual) { return seen * odd_ratio < usual; }

enum class Answer : std::uint8_t { no, yes, unknown };

// Whether it is a loss: at most one of the eight days was as low, for a source with a rhythm of several weeks
// is not lost every other time; and the events of all accounts but the largest went, for one account is not a
// source.
Answer is_loss(const DailyVolume& volume, std::size_t day, double usual) {
  int low = 0;
  std::size_t like_it = 0;  // the latest day with what is usual
  for (std::size_t i = usual_weeks; i >= 1; --i) {
    if (is_low(static_cast<double>(volume.events[day - i * week]), usual))
      ++low;
    else
      like_it = day - i * week;
  }
  if (low > 1) return Answer::no;
  if (volume.largest[like_it] < 0) return Answer::unknown;
  const std::int64_t others = volume.events[like_it] - volume.largest[like_it];
  return is_low(static_cast<double>(volume.events[day]), static_cast<double>(others)) ? Answer::yes
                                                                                      : Answer::no;
}

Answer is_flood(const DailyVolume& volume, std::size_t day, double usual) {
  if (!volume.whole_source || static_cast<double>(volume.events[day]) <= usual * odd_ratio) return Answer::no;
  if (volume.largest[day] < 0) return Answer::unknown;
  return static_cast<double>(volume.events[day] - volume.largest[day]) > usual * odd_ratio ? Answer::yes
                                                                                           : Answer::no;
}

// How many times everything came; 1 when not all did.
std::int64_t times_loaded(const DailyVolume& volume, std::size_t day) {
  if (volume.cells[day] < least_cells) return 1;
  // What always comes in pairs came once.
  const std::int64_t always = std::max<std::int64_t>(volume.divisors[day - week], 1);
  return std::max<std::int64_t>(volume.divisors[day] / always, 1);
}

}  // namespace

double usual_on(std::span<const std::int64_t> events, std::size_t day) {
  std::array<std::int64_t, usual_weeks> before{};
  for (std::size_t i = 0; i < before.size(); ++i) before[i] = events[day - (i + 1) * week];
  std::sort(before.begin(), before.end());
  constexpr std::size_t middle = usual_weeks / 2;
  return (static_cast<double>(before[middle - 1]) + static_cast<double>(before[middle])) / 2;
}

std::vector<OddDay> find_odd_days(const DailyVolume& volume) {
  const auto& events = volume.events;
  for (const auto* column : {&volume.divisors, &volume.cells, &volume.largest})
    if (column->size() != events.size())
      throw Error(sqlstate::invalid_parameter_value, "volumes differ in their number of days");
  std::vector<OddDay> odd;
  std::size_t lost_until = 0;  // days before are lost, or too small to say that it came back
  for (std::size_t day = usual_weeks * week; day < events.size(); ++day) {
    const double usual = usual_on(events, day);
    const auto seen = static_cast<double>(events[day]);
    const bool goes_on = day < lost_until;
    const bool low = is_low(seen, usual);
    const Answer loss = !low || usual < least_usual ? Answer::no
                        : goes_on                   ? Answer::yes
                                                    : is_loss(volume, day, usual);
    if (loss != Answer::no) lost_until = day + 1 + longest_weekend;
    if (loss != Answer::no || (goes_on && (low || (seen == 0 && usual == 0)))) {
      odd.push_back({day, loss == Answer::unknown ? OddKind::suspect : OddKind::lost, events[day], usual});
      continue;
    }
    lost_until = 0;
    if (usual < least_usual || seen < usual * suspect_ratio) continue;
    const bool is_known = volume.divisors[day] >= 0;
    const std::int64_t times = is_known ? times_loaded(volume, day) : 1;
    const Answer flood = is_flood(volume, day, usual);
    if (times > 1)
      odd.push_back({day, OddKind::doubled, events[day], usual, times});
    else if (!is_known || flood == Answer::unknown)
      odd.push_back({day, OddKind::suspect, events[day], usual});
    else if (flood == Answer::yes)
      odd.push_back({day, OddKind::flood, events[day], usual});
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
