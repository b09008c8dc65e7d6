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

TEST_CASE("the vector of the baseline read from a ledger") {
  std::vector<int> weeks(26, 100);
  weeks.insert(weeks.end(), {80, 80, 80, 80});
  const Ledger l = of_weeks(weeks);
  CHECK(ask(l, MetricId::baseline, "2025-03-31") == Value::of(-0.2));
  CHECK(ask(l, MetricId::baseline_value, "2025-03-31") == Value::of(-0.2));
  CHECK(ask(l, MetricId::baseline_users, "2025-03-31") == Value::of(0));
}

TEST_CASE("a baseline needs 12 weeks, takes as many as there are, and none from before the ledger") {
  const auto of = [](const char* start, const char* kept, int weeks = 82) {
    MetricSettings settings;
    settings.account_start = day(start);
    if (*kept != 0) settings.ledger_start = day(kept);
    // Last year 10 a week and 5 in the four weeks a year ago, this year 20 and 10.
    std::vector<int> counts(82, 20);
    for (std::size_t i = 0; i < 30; ++i) counts[i] = i < 26 ? 10 : 5;
    for (std::size_t i = 78; i < 82; ++i) counts[i] = 10;
    const std::vector<int> own(counts.end() - weeks, counts.end());
    return ledger(weeks_text(own, day("2025-03-31")), settings);
  };
  const auto baseline = [](const Ledger& l) { return ask(l, MetricId::baseline, "2025-03-31"); };
  CHECK(unknown(baseline(of("2025-01-07", "", 11)), Unknown::insufficient_history));
  CHECK(known(baseline(of("2025-01-06", "", 12)), -0.5));
  // Its weeks without events count: 10 of 14 base weeks are empty, and so is their median.
  CHECK(unknown(baseline(of("2024-11-25", "", 8)), Unknown::zero_denominator));
  CHECK(known(baseline(of("2024-11-25", "", 12)), -0.5));
  // Of the year before: 82 weeks, 64, 63.
  CHECK(known(baseline(of("2020-01-01", "")), 0));
  CHECK(known(baseline(of("2024-01-08", "", 64)), 0));
  CHECK(known(baseline(of("2024-01-09", "", 63)), -0.5));
  // A ledger that keeps 82 weeks, a day less, 30 weeks, a day less.
  CHECK(known(baseline(of("2020-01-01", "2023-09-04")), 0));
  CHECK(known(baseline(of("2020-01-01", "2023-09-05")), -0.5));
  CHECK(known(baseline(of("2020-01-01", "2024-09-02")), -0.5));
  CHECK(unknown(baseline(of("2020-01-01", "2024-09-03")), Unknown::before_ledger));
  // All weeks of a younger account are kept, and a day less is not.
  CHECK(known(baseline(of("2024-01-08", "2024-01-08", 64)), 0));
  CHECK(known(baseline(of("2024-01-08", "2024-01-09", 64)), -0.5));
  CHECK(known(baseline(of("2024-12-02", "2024-12-02", 17)), -0.5));
  CHECK(unknown(baseline(of("2024-12-02", "2024-12-03", 17)), Unknown::before_ledger));
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

TEST_CASE(
    "weeks without activity are counted from the last active one, once two have passed since the first") {
  const auto quiet = [](const std::vector<int>& weeks) {
    return ask(of_weeks(weeks), MetricId::recency_weeks, "2025-03-31");
  };
  CHECK(known(quiet({1, 0, 1}), 0));
  CHECK(known(quiet({1, 1, 0}), 1));
  CHECK(known(quiet({1, 0, 0, 0, 0, 0, 0, 0, 0, 0}), 9));
  CHECK(unknown(quiet({1, 1}), Unknown::insufficient_history));
  CHECK(unknown(quiet({1}), Unknown::insufficient_history));
  // The seven days of a week are one.
  CHECK(known(ask(ledger("bigint{1:2025-01-01/a,2025-03-24/a}"), MetricId::recency_weeks, "2025-03-31"), 0));
  CHECK(known(ask(ledger("bigint{1:2025-01-01/a,2025-03-23/a}"), MetricId::recency_weeks, "2025-03-31"), 1));
  CHECK(known(ask(ledger("bigint{1:2025-01-01/a,2025-03-17/a}"), MetricId::recency_weeks, "2025-03-31"), 1));
  CHECK(unknown(ask(ledger("bigint{1:2025-04-01/a}"), MetricId::recency_weeks, "2025-03-31"),
                Unknown::nobody_active));
  MetricSettings young;
  young.account_start = day("2025-03-25");
  CHECK(unknown(ask(ledger("{}", young), MetricId::recency_weeks, "2025-03-31"), Unknown::no_data));
  // Others than those that are asked for do not count.
  MetricRequest other;
  other.events = {"b"};
  CHECK(unknown(ask(of_weeks({1, 1, 1}), other, MetricId::recency_weeks, "2025-03-31"), Unknown::no_data));
}

TEST_CASE("the donations of BG/BB as weeks of activity: .0776, .3472, .9572 not to be active in four weeks") {
  MetricRequest request;
  request.bgbb = BgbbParameters{1.2035, .7497, .6567, 2.7834};
  const auto not_active = [&](const std::vector<int>& weeks) {
    return 100 - ask(of_weeks(weeks), request, MetricId::cadence_recency, "2025-03-31").number;
  };
  CHECK(not_active({1, 1, 1, 1, 1, 1, 1}) == Approx(7.76).margin(5e-3));
  CHECK(not_active({9, 1, 0, 1, 2, 1, 0}) == Approx(34.72).margin(5e-3));
  CHECK(not_active({3, 0, 0, 0, 0, 0, 0}) == Approx(95.72).margin(5e-3));
}

TEST_CASE("what BG/BB says needs parameters, activity, and two weeks since the first") {
  MetricRequest request;
  const auto foresee = [&](const std::vector<int>& weeks) {
    return ask(of_weeks(weeks), request, MetricId::cadence_recency, "2025-03-31");
  };
  CHECK(unknown(foresee({1, 1, 1}), Unknown::no_data));
  // That nothing was fitted is no silence.
  CHECK(unknown(foresee({1, 0, 0, 0, 0, 0, 0}), Unknown::no_data));
  request.bgbb = BgbbParameters{1, 1, 1, 1};
  CHECK(foresee({1, 1, 1}).known());
  CHECK(unknown(foresee({1, 1}), Unknown::insufficient_history));
  CHECK(unknown(ask(ledger("{}"), request, MetricId::cadence_recency, "2025-03-31"), Unknown::nobody_active));
  request.events = {"b"};
  CHECK(unknown(foresee({1, 1, 1}), Unknown::no_data));

  const BgbbHistory weeks = *active_weeks(of_weeks({0, 2, 0, 1, 1, 0}), {}, day("2025-03-31"));
  CHECK(weeks.active == 2);
  CHECK(weeks.last == 3);
  CHECK(weeks.periods == 4);
  CHECK(!active_weeks(ledger("{}"), {}, day("2025-03-31")));
  CHECK(active_weeks(ledger("bigint{1:0001-01-01/a}"), {}, day("2025-03-31"))->periods == 5200);
}

TEST_CASE(
    "a ledger that begins late counts weeks from the first activity that it keeps, if it has half a year") {
  MetricRequest request;
  request.bgbb = BgbbParameters{1.2035, .7497, .6567, 2.7834};
  MetricSettings settings;
  const auto foresee = [&](const char* kept_from, const std::vector<int>& weeks) {
    settings.ledger_start = day(kept_from);
    const Ledger l = ledger(weeks_text(weeks, day("2025-03-31")), settings);
    return ask(l, request, MetricId::cadence_recency, "2025-03-31");
  };
  CHECK(foresee("2024-09-30", {9, 1, 0, 1, 2, 1, 0}).number == Approx(100 - 34.72).margin(5e-3));
  CHECK(unknown(foresee("2024-10-01", {9, 1, 0, 1, 2, 1, 0}), Unknown::before_ledger));
  CHECK(unknown(foresee("2024-09-30", {1, 1}), Unknown::insufficient_history));
  // Of accounts that began later the ledger has all days.
  settings.account_start = day("2025-03-01");
  CHECK(foresee("2025-02-25", {1, 1, 1}).known());
}

TEST_CASE("dates at the ends of the calendar neither wrap nor crash") {
  const Ledger l = ledger("bigint{1:2025-03-30/a;2:0001-01-01/a}");
  MetricRecord record;
  for (const Day as_of : {min_day, Day(min_day + 1), Day(-730119), Day(0), max_day}) {
    evaluate_all(l, as_of, record);
    CHECK(record[MetricId::events].known());
    MetricRequest request;
    request.bgbb = BgbbParameters{1, 1, 1, 1};
    request.id = MetricId::cadence_recency;
    CHECK(evaluate(l, request, as_of).known() == (as_of >= 0));
  }
}
