// Features: use in a window, first use, use before given days; periods of facts.
#include "core/metrics/features.hpp"

#include <random>

#include "core/metrics/fact_periods.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// In the order of video_catalog(): open, player, react, recorder.
constexpr std::size_t open = 0, player = 1, react = 2, recorder = 3;

PlainLedger plain_facts(std::initializer_list<std::tuple<const char*, const char*, int>> entries) {
  PlainLedger plain;
  plain.kind = UserKind::text;
  for (const auto& [on, name, count] : entries) {
    Place place;
    place.day = day(on);
    place.event = name;
    plain.add(place, Sums{count, 0, 0});
  }
  return plain;
}

}  // namespace

TEST_CASE("features are those of the catalog, or those that are entitled") {
  MetricSettings settings;
  const EventCatalog catalog = video_catalog();
  CHECK(entitled_features(catalog, settings) ==
        std::vector<std::string>{"open", "player", "react", "recorder"});
  settings.features = std::vector<std::string>{"recorder", "player", "recorder"};
  CHECK(entitled_features(catalog, settings) == std::vector<std::string>{"player", "recorder"});
  CHECK(entitled_features({}, {}).empty());
}

TEST_CASE("the use of a feature is that of its events in the window, a user counts once") {
  // The window is [2025-03-03, 2025-03-31).
  const Ledger of = ledger(
      "text{ann:2025-03-03/view*2,2025-03-04/comment,2025-03-05/view;bob:2025-03-30/view,2025-03-31/record;"
      "cy:2025-03-02/react,2024-01-01/record,2025-03-20/record*3,2025-03-21/unlisted}",
      {}, video_catalog());
  const auto uses = measure_features(of, day("2025-03-31"), 28);
  REQUIRE(uses.size() == 4);
  CHECK(uses[open].events == 0);
  CHECK(!uses[open].first_day);
  CHECK(uses[player].events == 5);
  CHECK(uses[player].users == 2);
  CHECK(uses[player].points == Exact{7} * micro);
  CHECK(uses[player].first_day == day("2025-03-03"));
  CHECK(uses[react].events == 0);
  CHECK(uses[react].first_day == day("2025-03-02"));
  CHECK(uses[recorder].events == 3);
  CHECK(uses[recorder].users == 1);
  CHECK(uses[recorder].points == Exact{30} * micro);
  CHECK(uses[recorder].first_day == day("2024-01-01"));
  CHECK(!measure_features(of, day("2024-01-01"), 28)[recorder].first_day);
  CHECK(measure_features(ledger("{}"), day("2025-03-31"), 28).empty());
}

TEST_CASE("a feature was used before a day within the days that are asked for, not on it") {
  const Ledger of = ledger("text{ann:2025-03-10/view}", {}, video_catalog());
  const auto used = [&](std::string_view on) {
    const WeightedDay days[] = {{day(on), 3}};
    const FeatureDays counted = count_feature_days(of, days, 7);
    CHECK(counted.days == 3);
    return counted.used[player];
  };
  CHECK(used("2025-03-10") == 0);
  CHECK(used("2025-03-11") == 3);
  CHECK(used("2025-03-17") == 3);
  CHECK(used("2025-03-18") == 0);
}

TEST_CASE("days out of the book are none, days before the ledger are not known") {
  MetricSettings settings;
  settings.account_start = day("2025-01-01");
  settings.account_end = day("2025-04-01");
  settings.ledger_start = day("2025-02-01");
  const WeightedDay days[] = {{day("2024-12-31"), 1},
                              {day("2025-02-07"), 2},
                              {day("2025-02-08"), 4},
                              {day("2025-03-31"), 8},
                              {day("2025-04-01"), 16}};
  const FeatureDays counted =
      count_feature_days(ledger("text{ann:2025-02-07/view}", settings, video_catalog()), days, 7);
  CHECK(counted.days == 12);
  CHECK(counted.unknown == 2);
  CHECK(counted.used[player] == 4);
}

TEST_CASE("of random ledgers the days are those that a plain count finds") {
  std::mt19937_64 random(run_seed());
  const auto number = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  constexpr const char* events[] = {"view", "record", "react"};
  constexpr std::size_t features[] = {player, recorder, react};
  int wrong = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<int>> on(3, std::vector<int>(60));
    std::string text;
    for (int at = 0; at < 60; ++at)
      for (std::size_t event = 0; event < 3; ++event)
        if (number(0, 9) == 0) {
          on[event][static_cast<std::size_t>(at)] = 1;
          text += (text.empty() ? "bigint{1:" : ",") + day_text(9000 + at) + "/" + events[event];
        }
    if (text.empty()) continue;
    const Ledger of = ledger(text + "}", {}, video_catalog());
    const int before = number(1, 20);
    std::vector<WeightedDay> days;
    for (int at = -2; at < 63; at += number(0, 5)) days.push_back({9000 + at, number(1, 3)});
    const FeatureDays counted = count_feature_days(of, days, before);
    for (std::size_t event = 0; event < 3; ++event) {
      std::int64_t expected = 0;
      for (const WeightedDay& one : days) {
        bool used = false;
        for (int at = std::max(0, one.day - 9000 - before); at < std::min(60, one.day - 9000); ++at)
          used = used || on[event][static_cast<std::size_t>(at)] == 1;
        if (used) expected += one.weight;
      }
      wrong += counted.used[features[event]] != expected;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("facts are paired by kind and day, what is left has no end") {
  const PlainLedger plain = plain_facts({{"2025-01-01", "$/*r///sso", 3},
                                         {"2025-01-11", "$/-r/10//sso", 1},
                                         {"2025-01-12", "$/-r/11//sso", 1},
                                         {"2025-01-01", "$/*r///api", 1},
                                         {"2025-02-01", "$/-r/0///", 1},
                                         {"2025-02-01", "$/*r////", 1},
                                         {"2025-03-01", "$/-r/5//gone", 1},
                                         {"2025-01-01", "$/*other///sso", 9}});
  const UsageBytes bytes = encode(plain);
  const Ledger of = Ledger::decode(bytes, {}, {});
  const auto periods = list_fact_periods(of, "r");
  REQUIRE(periods.size() == 5);
  CHECK(periods[0] == FactPeriod{"/", day("2025-02-01"), day("2025-02-01"), 1});
  CHECK(periods[1] == FactPeriod{"api", day("2025-01-01"), std::nullopt, 1});
  CHECK(periods[2] == FactPeriod{"sso", day("2025-01-01"), day("2025-01-11"), 1});
  CHECK(periods[3] == FactPeriod{"sso", day("2025-01-01"), day("2025-01-12"), 1});
  CHECK(periods[4] == FactPeriod{"sso", day("2025-01-01"), std::nullopt, 1});
  CHECK(list_fact_periods(of, "s").empty());
}
