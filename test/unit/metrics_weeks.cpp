// Weekly metrics on ledgers: histories that are too young, weeks that count, long streaks.
#include "metrics_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// A ledger with these events per week before as_of, oldest first, all on the week's first day.
std::string weeks_text(const std::vector<int>& weeks, Day as_of) {
  std::string text = "bigint{1:";
  for (std::size_t i = 0; i < weeks.size(); ++i) {
    if (weeks[i] == 0) continue;
    const Day first = as_of - 7 * static_cast<Day>(weeks.size() - i);
    if (text.back() != ':') text += ",";
    text += day_text(first) + "/a*" + std::to_string(weeks[i]);
  }
  return text + "}";
}

Ledger of_weeks(const std::vector<int>& weeks) { return ledger(weeks_text(weeks, day("2025-03-31"))); }

}  // namespace

TEST_CASE("the trend vector read from a ledger") {
  const Ledger l = of_weeks({100, 100, 100, 100, 95, 90, 80, 75});
  CHECK(ask(l, MetricId::trend_4w, "2025-03-31").number == -0.15);
  CHECK(ask(l, MetricId::trend_4w_value, "2025-03-31").number == -0.15);
  CHECK(known(ask(l, MetricId::trend_4w_users, "2025-03-31"), 0));
  CHECK(ask(l, MetricId::dropoff, "2025-03-31").number == Approx(-0.178).margin(5e-4));
  CHECK(ask(l, MetricId::slope_4w, "2025-03-31").number == Approx(-0.0824).margin(5e-5));
  CHECK(known(ask(l, MetricId::dip_streak, "2025-03-31"), 4));
  CHECK(known(ask(l, MetricId::cadence, "2025-03-31"), 1));
  CHECK(weekly(l, {}, day("2025-03-31"), 3) == std::vector<double>{90, 80, 75});
}

TEST_CASE("a trend needs 8 weeks, a drop-off 5, a cadence 1") {
  const auto start_at = [](const char* start) {
    MetricSettings settings;
    settings.account_start = day(start);
    return ledger("bigint{1:2025-03-30/a}", settings);
  };
  CHECK(
      unknown(ask(start_at("2025-02-04"), MetricId::trend_4w, "2025-03-31"), Unknown::insufficient_history));
  CHECK(unknown(ask(start_at("2025-02-03"), MetricId::trend_4w, "2025-03-31"), Unknown::zero_denominator));
  CHECK(unknown(ask(start_at("2025-02-25"), MetricId::dropoff, "2025-03-31"), Unknown::insufficient_history));
  CHECK(unknown(ask(start_at("2025-02-24"), MetricId::dropoff, "2025-03-31"), Unknown::zero_denominator));
  CHECK(unknown(ask(start_at("2025-03-25"), MetricId::cadence, "2025-03-31"), Unknown::insufficient_history));
  CHECK(known(ask(start_at("2025-03-24"), MetricId::cadence, "2025-03-31"), 1));
  CHECK(known(ask(start_at("2025-03-17"), MetricId::cadence, "2025-03-31"), 0.5));
  CHECK(known(ask(start_at("2020-01-01"), MetricId::cadence, "2025-03-31"), 1.0 / 8));
}

TEST_CASE("nothing after nothing is no good news, nothing after something is all of it") {
  MetricSettings settings;
  settings.account_start = day("2020-01-01");
  for (const auto id : {MetricId::trend_4w, MetricId::trend_4w_users, MetricId::trend_4w_value,
                        MetricId::dropoff, MetricId::slope_4w})
    CHECK(unknown(ask(ledger("bigint{1:2020-01-01/a}", settings), id, "2025-03-31"), Unknown::nobody_active));
  CHECK(known(ask(ledger("bigint{1:2025-02-10/a}", settings), MetricId::trend_4w, "2025-03-31"), -1));
}

TEST_CASE("a dip streak may be longer than the weeks at hand") {
  std::vector<int> falling;
  for (int week = 0; week < 40; ++week) falling.push_back(100 - week);
  CHECK(known(ask(of_weeks(falling), MetricId::dip_streak, "2025-03-31"), 39));
  falling.insert(falling.begin(), 7);
  CHECK(known(ask(of_weeks(falling), MetricId::dip_streak, "2025-03-31"), 39));
}

TEST_CASE("a dip streak goes on through weeks without events, back to the first week with some") {
  // 1 event in week 5 of five: the week before had none, so the streak begins with it.
  CHECK(known(ask(of_weeks({1, 0, 0, 0, 0}), MetricId::dip_streak, "2025-03-31"), 4));
  CHECK(known(ask(of_weeks({3, 2, 0, 0}), MetricId::dip_streak, "2025-03-31"), 3));
  CHECK(known(ask(of_weeks({2, 3, 0, 0}), MetricId::dip_streak, "2025-03-31"), 2));
  CHECK(known(ask(of_weeks({5, 0, 0, 1}), MetricId::dip_streak, "2025-03-31"), 0));
  std::vector<int> long_silent(60, 0);
  long_silent.front() = 9;
  CHECK(known(ask(of_weeks(long_silent), MetricId::dip_streak, "2025-03-31"), 59));
}

TEST_CASE("dips two weeks in a row") {
  CHECK(known(ask(of_weeks({5, 9, 7, 4}), MetricId::dip_streak, "2025-03-31"), 2));
  CHECK(known(ask(of_weeks({5, 9, 7, 7}), MetricId::dip_streak, "2025-03-31"), 0));
}

TEST_CASE("value points follow the catalog, users are counted once") {
  MetricSettings settings;
  settings.account_start = day("2024-01-01");
  const Ledger l = ledger(
      "bigint{1:2025-02-10/view*10,2025-03-20/record*2;2:2025-02-10/view,2025-03-21/view,2025-03-22/view}",
      settings, video_catalog());
  CHECK(known(ask(l, MetricId::trend_4w, "2025-03-31"), 4.0 / 11 - 1));
  CHECK(known(ask(l, MetricId::trend_4w_value, "2025-03-31"), 22.0 / 11 - 1));
  CHECK(known(ask(l, MetricId::trend_4w_users, "2025-03-31"), 0));
}

TEST_CASE("dates at the ends of the calendar neither wrap nor crash") {
  const Ledger l = ledger("bigint{1:2025-03-30/a;2:0001-01-01/a}");
  MetricRecord record;
  for (const Day as_of : {min_day, Day(min_day + 1), Day(-730119), Day(0), max_day}) {
    evaluate_all(l, as_of, record);
    CHECK(record[MetricId::events].known());
  }
}
