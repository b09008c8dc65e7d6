// Odd days of volumes, outages, and feeds of accounts that stop at once.
#include "core/metrics/volume.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "core/collect/volume_tally.hpp"
#include "core/metrics/feed_stop.hpp"
#include "metrics_fixture.hpp"
#include "random.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

constexpr std::size_t judged_from = 56;

// 9 weeks of the same number, and a last day of another.
struct Series {
  std::vector<std::int64_t> events = std::vector<std::int64_t>(judged_from + 1, 100);
  std::vector<std::int64_t> divisors = std::vector<std::int64_t>(judged_from + 1, 1);
  std::vector<std::int64_t> cells = std::vector<std::int64_t>(judged_from + 1, 50);
  std::vector<std::int64_t> largest = std::vector<std::int64_t>(judged_from + 1, 0);
  bool whole_source = true;

  std::vector<OddDay> odd() const { return find_odd_days({events, divisors, cells, largest, whole_source}); }
  std::optional<OddKind> kind() const {
    const auto found = odd();
    return found.empty() ? std::nullopt : std::optional(found.back().kind);
  }
};

Series with_last(std::int64_t events, std::int64_t divisor = 1) {
  Series series;
  series.events.back() = events;
  series.divisors.back() = divisor;
  return series;
}

}  // namespace

TEST_CASE("a day is lost below a fifth of what is usual, and a flood above five times as much") {
  CHECK(with_last(20).kind() == std::nullopt);
  CHECK(with_last(19).kind() == OddKind::lost);
  CHECK(with_last(0).kind() == OddKind::lost);
  CHECK(with_last(500).kind() == std::nullopt);
  CHECK(with_last(501).kind() == OddKind::flood);
  Series one_event = with_last(501);
  one_event.whole_source = false;
  CHECK(one_event.kind() == std::nullopt);  // a success
  one_event.events.back() = 19;
  CHECK(one_event.kind() == OddKind::lost);
}

TEST_CASE("fewer than 50 events are too few to be missed, and a day needs eight weeks before it") {
  Series few = with_last(0);
  std::fill(few.events.begin(), few.events.end() - 1, 49);
  CHECK(few.kind() == std::nullopt);
  std::fill(few.events.begin(), few.events.end() - 1, 50);
  CHECK(few.kind() == OddKind::lost);
  Series young = with_last(0);
  for (auto* days : {&young.events, &young.divisors, &young.cells, &young.largest})
    days->erase(days->begin());
  CHECK(young.odd().empty());
  CHECK(find_odd_days({}).empty());
}

TEST_CASE("a source that was lost is not back on a weekend on which nothing comes, but on one like others") {
  for (const auto& [usual, came, kinds] : std::vector<std::tuple<int, int, std::vector<std::size_t>>>{
           {0, 0, {56, 57, 58, 59, 60}}, {20, 4, {56}}, {20, 3, {56, 57, 58, 59, 60}}, {0, 1, {56}}}) {
    std::vector<std::int64_t> events(judged_from + 6, usual);
    for (std::size_t week = 0; week < 9; ++week) events[7 * week] = 100;
    for (std::size_t day = judged_from; day < events.size(); ++day) events[day] = came;
    events[judged_from] = 0;
    const std::vector<std::int64_t> ones(events.size(), 1);
    std::vector<std::size_t> lost;
    for (const OddDay& day : find_odd_days({events, ones, ones, ones, true})) lost.push_back(day.day);
    CHECK(lost == kinds);
  }
}

TEST_CASE("only the same weekday says what is usual: the median of eight") {
  Series weekends = with_last(0);
  for (std::size_t week = 1; week <= usual_weeks; ++week) weekends.events[judged_from - 7 * week] = 0;
  CHECK(weekends.kind() == std::nullopt);
  // A day on which nothing came before is one exception; two are a rhythm.
  Series rhythm = with_last(0);
  rhythm.events[judged_from - 7] = 0;
  CHECK(rhythm.kind() == OddKind::lost);
  rhythm.events[judged_from - 28] = 19;
  CHECK(rhythm.kind() == std::nullopt);
  rhythm.events[judged_from - 28] = 20;  // not under a fifth
  CHECK(rhythm.kind() == OddKind::lost);
}

TEST_CASE("a day is doubled when more came than usual and everybody did everything several times") {
  CHECK(with_last(150, 2).kind() == OddKind::doubled);
  CHECK(with_last(150, 2).odd().back().times == 2);
  CHECK(with_last(149, 2).kind() == std::nullopt);
  CHECK(with_last(600, 3).kind() == OddKind::doubled);  // rather than a flood
  CHECK(with_last(150, 1).kind() == std::nullopt);
  CHECK(with_last(150, -1).kind() == OddKind::suspect);  // to be looked at
  Series pairs = with_last(200, 4);
  std::fill(pairs.divisors.begin(), pairs.divisors.end() - 1, 2);
  CHECK(pairs.odd().back().times == 2);
  pairs.divisors.back() = 2;
  CHECK(pairs.kind() == std::nullopt);  // everything always comes in pairs
  Series few = with_last(150, 150);
  few.cells.back() = 19;
  CHECK(few.kind() == std::nullopt);
}

TEST_CASE("one account is not a source: what it alone did, or does no more, is its own affair") {
  Series one_gone = with_last(15);
  one_gone.largest[judged_from - 7] = 25;
  CHECK(one_gone.kind() == std::nullopt);  // 15 of the 75 of the others, which is a fifth
  one_gone.largest[judged_from - 7] = 24;
  CHECK(one_gone.kind() == OddKind::lost);
  one_gone.largest[judged_from - 7] = -1;
  CHECK(one_gone.kind() == OddKind::suspect);
  Series robot = with_last(900);
  robot.largest.back() = 400;
  CHECK(robot.kind() == std::nullopt);
  robot.largest.back() = 399;
  CHECK(robot.kind() == OddKind::flood);
}

TEST_CASE("days in a row are one outage, which is open when it goes on to the last day that is over") {
  const std::vector<Day> days{3, 4, 5, 9, 11, 12};
  const auto outages = join_outages(days, 13);
  REQUIRE(outages.size() == 3);
  CHECK((outages[0].first == 3 && outages[0].last == 5));
  CHECK((outages[1].first == 9 && outages[1].last == 9));
  CHECK((outages[2].first == 11 && outages[2].last == max_day));
  CHECK(join_outages(days, 14).back().last == 12);
  CHECK(join_outages({}, 13).empty());
}

TEST_CASE("at a date after a broken day an account is seen as of the first one, at most 35 days back") {
  const std::vector<Outage> outages{{10, 12}, {20, 20}, {100, max_day}};
  for (const auto& [as_of, seen] : std::vector<std::pair<Day, Day>>{{10, 10},
                                                                    {11, 10},
                                                                    {13, 10},
                                                                    {14, 14},
                                                                    {20, 20},
                                                                    {21, 20},
                                                                    {22, 22},
                                                                    {100, 100},
                                                                    {101, 100},
                                                                    {135, 100},
                                                                    {136, 101},
                                                                    {1000, 965}})
    CHECK(seen_as_of(as_of, outages) == seen);
  CHECK(seen_as_of(7, {}) == 7);
}

TEST_CASE(
    "a source that never comes again is given up after five weeks and a weekend, wherever looking begins") {
  std::vector<std::int64_t> events(400, 100);
  std::fill(events.begin() + 200, events.end(), 0);
  const std::vector<std::int64_t> ones(400, 1);
  for (const std::size_t from : {std::size_t{0}, std::size_t{90}, std::size_t{150}}) {
    const std::vector<std::int64_t> seen(events.begin() + static_cast<std::ptrdiff_t>(from), events.end());
    const std::span<const std::int64_t> known(ones.data(), seen.size());
    std::set<std::size_t> lost;
    for (const OddDay& day : find_odd_days({seen, known, known, known, true})) lost.insert(day.day + from);
    CHECK(*lost.begin() == std::max<std::size_t>(200, from + judged_from));
    CHECK(*lost.rbegin() == 238);
    CHECK(lost.size() == *lost.rbegin() - *lost.begin() + 1);
  }
}

TEST_CASE("odd days are those of the definition") {
  Random random(run_seed());
  for (int round = 0; round < 300; ++round) {
    Series series;
    const auto days = static_cast<std::size_t>(between(random, 0, 150));
    const std::int64_t usual = any_of(random, std::vector<std::int64_t>{8, 48, 60, 300});
    series.events.clear();
    series.divisors.clear();
    series.cells.clear();
    series.largest.clear();
    for (std::size_t day = 0; day < days; ++day) {
      series.events.push_back(between(random, 0, 4) == 0 ? between(random, 0, 6 * usual) : usual);
      series.divisors.push_back(between(random, 0, 3));
      series.largest.push_back(between(random, 0, series.events.back()));
      series.cells.push_back(between(random, 10, 30));
    }
    series.whole_source = between(random, 0, 1) == 0;
    std::map<std::size_t, OddKind> expected;
    std::size_t lost_on = 0;  // the last day that is lost by itself, 0 when it came back since
    for (std::size_t day = judged_from; day < days; ++day) {
      std::multiset<std::int64_t> before;
      for (std::size_t week = 1; week <= 8; ++week) before.insert(series.events[day - 7 * week]);
      const double median =
          static_cast<double>(*std::next(before.begin(), 3) + *std::next(before.begin(), 4)) / 2;
      const auto x = static_cast<double>(series.events[day]);
      const bool repeated = series.cells[day] >= 20 &&
                            series.divisors[day] / std::max<std::int64_t>(series.divisors[day - 7], 1) > 1;
      const bool quiet = x < median / 5 || (x == 0 && median == 0);
      const auto low = std::count_if(before.begin(), before.end(),
                                     [&](std::int64_t n) { return static_cast<double>(n) < median / 5; });
      std::optional<double> others;  // on the latest of the eight days that is as usual
      for (std::size_t week = 1; week <= 8 && !others; ++week)
        if (static_cast<double>(series.events[day - 7 * week]) >= median / 5)
          others = static_cast<double>(series.events[day - 7 * week] - series.largest[day - 7 * week]);
      const bool goes_on = lost_on != 0 && day - lost_on <= 4;
      if (median >= 50 && x < median / 5 && (goes_on || (low <= 1 && 5 * x < *others))) lost_on = day;
      if (quiet && lost_on != 0 && day - lost_on <= 4) {
        expected[day] = OddKind::lost;
        continue;
      }
      lost_on = 0;
      if (median < 50) continue;
      if (x >= 1.5 * median && repeated)
        expected[day] = OddKind::doubled;
      else if (x - static_cast<double>(series.largest[day]) > 5 * median && series.whole_source)
        expected[day] = OddKind::flood;
    }
    std::map<std::size_t, OddKind> found;
    for (const OddDay& day : series.odd()) found[day.day] = day.kind;
    CHECK(found == expected);
  }
}

TEST_CASE("volumes of ledgers add up by day and name, late ones by their own, without markers and agents") {
  VolumeTally tally;
  tally.add(
      usage_from_text("bigint{1:2025-01-01/$joined,2025-01-02/view*3,2025-01-02/make;2:2025-01-02/view}"));
  tally.add(usage_from_text("text{a:2025-01-02/view,2025-01-03/\"$/4/view\",2025-01-03/\"$agent/view\"*9}"));
  std::map<std::pair<std::string, Day>, std::int64_t> counts;
  for (const auto& count : tally.counts()) counts[{std::string(count.event), count.day}] = count.events;
  CHECK(counts == decltype(counts){{{"view", day("2025-01-02")}, 5},
                                   {{"make", day("2025-01-02")}, 1},
                                   {{"view", day("2025-01-03")}, 1}});
}

namespace {

// So many people with so many events on each weekday from January to a last day.
UsageBytes team(int people, int events, const char* last) {
  std::string text = "bigint{";
  for (int user = 1; user <= people; ++user) {
    text += (user > 1 ? ";" : "") + std::to_string(user) + ":";
    bool first = true;
    for (Day at = day("2025-01-01"); at <= day(last); ++at) {
      if ((at + 5) % 7 >= 5) continue;  // Saturdays and Sundays
      text += (first ? "" : ",") + day_text(at) + "/view*" + std::to_string(events);
      first = false;
    }
  }
  return usage_from_text(text + "}");
}

std::optional<std::string> stop_of(const UsageBytes& usage, const char* as_of) {
  const Ledger ledger = Ledger::decode(usage, EventCatalog(), MetricSettings());
  const auto last = find_feed_stop(ledger, day(as_of));
  return last ? std::optional(day_text(*last)) : std::nullopt;
}

}  // namespace

TEST_CASE("a feed stopped when all people of an account did at once, for a week") {
  const UsageBytes ten = team(10, 5, "2025-06-11");  // a Wednesday
  CHECK(stop_of(ten, "2025-06-12") == std::nullopt);
  for (const char* as_of : {"2025-06-13", "2025-06-14", "2025-06-19"})
    CHECK(stop_of(ten, as_of) == "2025-06-11");
  CHECK(stop_of(ten, "2025-06-20") == std::nullopt);  // eight days
  const UsageBytes friday = team(10, 5, "2025-06-13");
  CHECK(stop_of(friday, "2025-06-16") == std::nullopt);  // nobody works on weekends
  CHECK(stop_of(friday, "2025-06-17") == "2025-06-13");
}

TEST_CASE("few people or few events are no feed that stops, nor are those who were leaving before") {
  CHECK(stop_of(team(4, 50, "2025-06-11"), "2025-06-16") == std::nullopt);
  CHECK(stop_of(team(5, 10, "2025-06-11"), "2025-06-13") == "2025-06-11");  // 50 events are missing
  CHECK(stop_of(team(7, 7, "2025-06-11"), "2025-06-13") == std::nullopt);   // 49
  CHECK(stop_of(team(7, 7, "2025-06-11"), "2025-06-14") == "2025-06-11");   // 98
  // Nine of ten left before the last week.
  const UsageBytes leaving = sum_usage({team(10, 5, "2025-06-04"), team(5, 1, "2025-06-11")});
  CHECK(stop_of(leaving, "2025-06-13") == std::nullopt);
}
