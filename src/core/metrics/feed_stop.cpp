// The volume of one account by days, held against its weekdays before.
#include "feed_stop.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "volume.hpp"

namespace health {

namespace {

constexpr int week = 7;
constexpr std::size_t fewest_people = 5;
constexpr double least_share = 0.5;
constexpr int days_looked_at = usual_weeks * week + week + longest_feed_stop;

// Events of the last days before as_of, oldest first.
using Days = std::array<std::int64_t, days_looked_at>;

// Whether enough different people did something after a day.
bool has_people(const Ledger& ledger, std::span<const Ledger::Activity> seen, std::int64_t after) {
  std::array<std::uint32_t, fewest_people> people{};
  std::size_t found = 0;
  for (auto piece = seen.rbegin(); piece != seen.rend() && piece->day > after; ++piece) {
    if (!ledger.events()[piece->event].actor.empty()) continue;
    const auto end = people.begin() + static_cast<std::ptrdiff_t>(found);
    if (std::find(people.begin(), end, piece->user) != end) continue;
    people[found++] = piece->user;
    if (found == fewest_people) return true;
  }
  return false;
}

}  // namespace

std::optional<Day> find_feed_stop(const Ledger& ledger, Day as_of) {
  const auto seen = ledger.activity(window_before(as_of, days_looked_at));
  if (seen.empty()) return std::nullopt;
  const Day last = seen.back().day;
  const std::int64_t silent = std::int64_t{as_of} - 1 - last;
  if (silent < 1 || silent > longest_feed_stop) return std::nullopt;

  // What is missed is a sum of medians of eight days, and half of the eight are no smaller.
  std::int64_t all = 0;
  for (const auto& piece : seen) all += ledger.count(piece);
  if (static_cast<double>(all) < usual_weeks * least_usual / 2) return std::nullopt;
  if (!has_people(ledger, seen, last - week)) return std::nullopt;

  Days days{};
  for (const auto& piece : seen)
    days[static_cast<std::size_t>(piece.day - (as_of - days_looked_at))] += ledger.count(piece);
  const std::size_t stop = days.size() - static_cast<std::size_t>(silent);
  double missed = 0;
  for (std::size_t day = stop; day < days.size(); ++day) missed += usual_on(days, day);
  double usual = 0;
  std::int64_t came = 0;
  for (std::size_t day = stop - week; day < stop; ++day) {
    usual += usual_on(days, day);
    came += days[day];
  }
  if (missed < least_usual || static_cast<double>(came) < least_share * usual) return std::nullopt;
  return last;
}

}  // namespace health
