// Drivers: the events, features and people behind a change, and the words for them.
#include "core/metrics/drivers.hpp"

#include "core/scoring/phrase_drivers.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

std::string show(const std::vector<Driver>& drivers) {
  std::string text;
  for (const Driver& driver : drivers)
    text += driver.name + "=" + std::to_string(static_cast<long>(driver.change)) + " ";
  return text;
}

std::optional<Drivers> find(const Ledger& of, MetricId id, std::string_view from, std::string_view to,
                            MetricRequest request = {}) {
  request.id = id;
  return find_drivers(of, video_catalog(), request, day(from), day(to));
}

// Weeks 5-8 before 2025-03-31 end on 2025-03-03.
constexpr std::string_view falling =
    "text{ann:2025-02-10/comment*100,2025-02-11/record*20,2025-03-10/comment*20,2025-03-11/record*10;"
    "bob:2025-02-12/view*60,2025-03-12/view*15;cy:2025-01-02/view,2025-02-13/comment*40,2025-03-13/react*40;"
    "dan:2025-03-20/view*5;eve:2025-02-14/record,2025-02-15/view}";

}  // namespace

TEST_CASE("a trend is taken apart by event, feature and user, largest parts first") {
  const Ledger of = ledger(falling, {}, video_catalog());
  const auto drivers = find(of, MetricId::trend_4w, "2025-03-01", "2025-03-31");
  REQUIRE(drivers);
  CHECK(drivers->change == 90 - 222);
  // comment 20 - 140, view 20 - 61, record 10 - 21, react + 40 goes the other way.
  CHECK(show(drivers->events) == "comment=-120 view=-41 record=-11 ");
  // player is view and comment.
  CHECK(show(drivers->features) == "player=-161 recorder=-11 ");
  CHECK(show(drivers->people) == "ann=-90 bob=-45 eve=-2 ");
  MetricRequest trend;
  trend.id = MetricId::trend_4w;
  const auto one = find_drivers(of, video_catalog(), trend, day("2025-03-01"), day("2025-03-31"), 1);
  CHECK(show(one->people) == "ann=-90 ");
  // Where every event is its own feature there is nothing more to say of features.
  const auto plain =
      find_drivers(ledger(falling), EventCatalog(), trend, day("2025-03-01"), day("2025-03-31"));
  CHECK(plain->features.empty());
}

TEST_CASE("of users the people are named, those who did most first") {
  const auto drivers =
      find(ledger(falling, {}, video_catalog()), MetricId::trend_4w_users, "2025-03-01", "2025-03-31");
  CHECK_FALSE(drivers);  // ann, bob, cy, eve; ann, bob, cy, dan
  const auto lost =
      find(ledger("text{ann:2025-02-10/view;bob:2025-02-10/view*5;cy:2025-02-10/view,2025-03-10/view}"),
           MetricId::active_users, "2025-03-03", "2025-03-31");
  REQUIRE(lost);
  CHECK(lost->change == -2);
  CHECK(lost->events.empty());
  CHECK(show(lost->people) == "bob=-1 ann=-1 ");
}

TEST_CASE("a week is held against the mean of four, and value points are in millionths") {
  // Week 1 has 75, weeks 2 to 5 have 365: 75 - 91.25 is -65 quarters.
  const Ledger of = ledger(
      "text{ann:2025-03-27/view*75,2025-03-20/view*80,2025-03-13/view*90,2025-03-06/view*95,2025-02-27/"
      "view*100}",
      {}, video_catalog());
  const auto dropoff = find(of, MetricId::dropoff, "2025-03-01", "2025-03-31");
  REQUIRE(dropoff);
  CHECK(to_double(dropoff->change) * dropoff->unit == Approx(-16.25));
  const auto points =
      find(ledger(falling, {}, video_catalog()), MetricId::value_points, "2025-03-03", "2025-03-31");
  REQUIRE(points);
  // comment -120 x 3, record -11 x 10, view -41 x 1, react +40 x 2.
  CHECK(to_double(points->change) * points->unit == Approx(-360 - 110 - 41 + 80));
  CHECK(show(points->events) == "comment=-360000000 record=-110000000 view=-41000000 ");
  MetricSettings capped;
  capped.daily_cap = 50;
  const auto people =
      find(ledger(falling, capped, video_catalog()), MetricId::value_points, "2025-03-03", "2025-03-31");
  CHECK(people->events.empty());
  // ann 50 + 50 -> 50 + 50, bob 50 -> 15, cy 50 -> 50, eve 10 + 1 -> 0.
  CHECK(show(people->people) == "bob=-35000000 eve=-11000000 ");
  CHECK_FALSE(find(of, MetricId::stickiness, "2025-03-01", "2025-03-31"));
}

TEST_CASE("a baseline is taken apart by the mean week now and the mean week before") {
  // 13 weeks: nine with 4 of ann and 2 of bob, then four with 4 of ann; cy came in the last of them.
  std::string text = "text{ann:2024-12-30/view*4";
  for (int week = 1; week < 13; ++week) text += "," + day_text(day("2024-12-30") + 7 * week) + "/view*4";
  text += ";bob:2024-12-30/view*2";
  for (int week = 1; week < 9; ++week) text += "," + day_text(day("2024-12-30") + 7 * week) + "/view*2";
  const Ledger of = ledger(text + ";cy:2025-03-25/comment}", {}, video_catalog());
  const auto drivers = find(of, MetricId::baseline, "2025-03-01", "2025-03-31");
  REQUIRE(drivers);
  CHECK(known(ask(of, MetricId::baseline, "2025-03-31"), 17.0 / 24 - 1));
  CHECK(to_double(drivers->change) * drivers->unit == Approx(17.0 / 4 - 6));
  REQUIRE(drivers->people.size() == 1);
  CHECK(drivers->people[0].name == "bob");
  CHECK(to_double(drivers->people[0].change) * drivers->unit == Approx(-2));
  CHECK(to_double(drivers->events[0].change) * drivers->unit == Approx(-2));
  // Users count once a week: bob is missing in each, cy came once in four.
  const auto people = find(of, MetricId::baseline_users, "2025-03-01", "2025-03-31");
  REQUIRE(people);
  CHECK(to_double(people->change) * people->unit == Approx(-1 + 0.25));
  CHECK(to_double(people->people[0].change) * people->unit == Approx(-1));
  const auto points = find(of, MetricId::baseline_value, "2025-03-01", "2025-03-31");
  REQUIRE(points);
  CHECK(to_double(points->change) * points->unit == Approx(-2 + 0.75));
}

TEST_CASE("the change is that of the metric, and no part of it is larger than what went its way") {
  const Ledger of = ledger(falling, {}, video_catalog());
  for (const MetricId id : {MetricId::events, MetricId::value_points, MetricId::active_users}) {
    for (Day to = day("2025-02-20"); to < day("2025-04-30"); to += 3) {
      MetricRequest request;
      request.id = id;
      const Day from = days_before(to, 11);
      const double expected = evaluate(of, request, to).number - evaluate(of, request, from).number;
      const auto drivers = find_drivers(of, video_catalog(), request, from, to, 100);
      CHECK(drivers.has_value() == (expected != 0));
      if (!drivers) continue;
      CHECK(to_double(drivers->change) * drivers->unit == Approx(expected));
      Exact sum = 0;
      for (const Driver& driver : drivers->people) {
        sum += driver.change;
        CHECK((driver.change > 0) == (expected > 0));
      }
      CHECK((expected > 0 ? sum >= drivers->change : sum <= drivers->change));
    }
  }
}

TEST_CASE("the words say what changed, then events, features and people") {
  const Model model =
      parse_model(R"({"catalog": {"comment": {"feature": "notes"}, "record": {}, "view": {}, "react": {}},
    "minimum_coverage": 0, "signals": [
    {"name": "t", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}},
    {"name": "e", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 500}},
    {"name": "s", "metric": "spread", "normalize": {"kind": "identity"}},
    {"name": "c", "column": "c", "normalize": {"kind": "identity"}}]})");
  const Ledger of = score_ledger(model, falling);
  const Score from = score_account(model, of, {}, score_day("2025-03-03")),
              to = score_account(model, of, {}, score_day("2025-03-31"));
  CHECK(describe_drivers(model, 0, from, to, of) ==
        "events down 59 % in 4 weeks: comment -120, view -41, record -11; notes -120, view -41, record -11; "
        "ann -90, bob -45, eve -2");
  CHECK(describe_drivers(model, 1, from, to, of) ==
        "e 222 -> 90: comment -120, view -41, record -11; notes -120, view -41, record -11; ann -90, bob "
        "-45, eve -2");
  CHECK(describe_drivers(model, 1, to, from, of) ==
        "e 90 -> 222: comment +120, view +41, record +11; notes +120, view +41, record +11; ann +90, bob "
        "+45, eve +2");
  CHECK(describe_drivers(model, 2, from, to, of).empty());
  CHECK(describe_drivers(model, 3, from, to, of).empty());
  CHECK(describe_drivers(model, 1, to, to, of).empty());
}
