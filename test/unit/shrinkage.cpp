// Small accounts: values that are shrunk toward the book's median, by what each rests on, and when not.
#include <cmath>
#include <map>

#include "core/scoring/phrase.hpp"
#include "core/scoring/references.hpp"
#include "core/scoring/signal_values.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

constexpr const char* as_of = "2025-06-01";

// The window is 4 May to 31 May, its weeks begin on the 4th, 11th, 18th and 25th; the weeks before it on 6,
// 13, 20 and 27 April. Six users with four seats more or less; 1, 2, 3 and 5 active, 1 and 5 creating.
constexpr const char* text =
    "bigint{1:2025-01-01/$joined,2025-04-10/look*10,2025-05-20/make*8,2025-05-21/look;"
    "2:2025-01-01/$joined,2025-01-02/$invited,2025-05-21/look,2025-05-21/open;"
    "3:2025-01-01/$joined,2025-01-02/$invited,2025-05-25/look,2025-05-25/chat*2;"
    "4:2025-01-01/$joined;"
    "5:2025-05-10/$joined,2025-05-11/make;"
    "6:2025-05-12/$joined}";

Model one_signal(const std::string& metric, const std::string& more) {
  Model model =
      parse_model(R"({"minimum_coverage": 0, "catalog": {
      "make": {"role": ["create", "activate"]}, "look": {"role": "consume"}, "chat": {"role": "interact"},
      "open": {"role": "session"}},
    "signals": [{"name": "a", "metric": ")" +
                  metric + R"(", "normalize": {"kind": "linear", "worst": 0, "best": 1})" + more + "}]}");
  model.settings.seats = 5;
  return model;
}

Reading read(const std::string& metric, const std::string& more, const char* usage = text) {
  const Model model = one_signal(metric, more);
  return read_signals(model, score_ledger(model, usage), {}, day(as_of))[0];
}

const std::string people = R"(, "shrink": 3, "frozen": {"median": 0.5, "accounts": 10})";
const std::string events = R"(, "shrink": 20, "frozen": {"median": -0.2, "accounts": 10})";

}  // namespace

TEST_CASE("a small account's value counts with the book's median: (n x + k m) / (n + k)") {
  struct Expected {
    double raw, basis;
  };
  // 15 events of 4 active users in the window: 9, 2, 3 and 1.
  const std::map<std::string, Expected> expected = {{"activation_rate", {4.0 / 6, 6}},
                                                    {"coverage", {4.0 / 6, 6}},
                                                    {"adoption_rate", {4.0 / 5, 5}},
                                                    {"onboarding_activation", {1.0 / 2, 2}},
                                                    {"invite_conversion", {1, 2}},
                                                    {"growth", {1.0 / 4, 4}},
                                                    {"spread", {2.0 / 4, 4}},
                                                    {"stickiness", {5.0 / 28 / 4, 4}},
                                                    {"events_per_user_week", {15.0 / 16, 4}},
                                                    {"interaction", {2.0 / 16, 4}},
                                                    {"depth", {15.0 / 4, 4}},
                                                    {"sessions_per_user_week", {1.0 / 16, 4}},
                                                    {"power_user_dependency", {9.0 / 15, 4}},
                                                    {"top2_share", {12.0 / 15, 4}},
                                                    {"top3_share", {14.0 / 15, 4}}};
  for (const auto& [metric, value] : expected) {
    INFO(metric);
    const Reading reading = read(metric, people);
    CHECK(known(reading.raw, value.raw));
    CHECK(reading.basis == value.basis);
    REQUIRE(reading.counted);
    const double counted = (value.basis * value.raw + 3 * 0.5) / (value.basis + 3);
    CHECK(*reading.counted == Approx(counted).epsilon(1e-14));
    CHECK(reading.score.number == Approx(100 * std::min(1.0, counted)).epsilon(1e-12));
  }
  // To the digit: (6 x 2/3 + 1.5) / 9.
  CHECK(*read("activation_rate", people).counted == Approx(5.5 / 9).epsilon(1e-14));
}

TEST_CASE("trends count with the median by the events of the weeks that they start from") {
  struct Expected {
    double raw, basis, counted;
  };
  const std::map<std::string, Expected> expected = {{"trend_4w", {0.5, 10, (5 - 4) / 30.0}},
                                                    {"trend_4w_value", {0.5, 10, (5 - 4) / 30.0}},
                                                    {"trend_4w_users", {3, 10, (30 - 4) / 30.0}},
                                                    {"dropoff", {0, 12, -4 / 32.0}}};
  for (const auto& [metric, value] : expected) {
    INFO(metric);
    const Reading reading = read(metric, events);
    CHECK(known(reading.raw, value.raw));
    CHECK(reading.basis == value.basis);
    REQUIRE(reading.counted);
    CHECK(*reading.counted == Approx(value.counted).epsilon(1e-14));
  }
}

TEST_CASE("a baseline rests on the events of the weeks that make its median") {
  std::string weeks = "bigint{1:2024-12-30/a*5";
  for (int week = 1; week < 13; ++week) weeks += "," + day_text(day("2024-12-30") + 7 * week) + "/a*5";
  for (const auto id : {MetricId::baseline, MetricId::baseline_users, MetricId::baseline_value}) {
    MetricRequest request;
    request.id = id;
    CHECK(shrink_basis(ledger(weeks + "}"), request, day("2025-03-31")) == 9 * 5);
  }
}

TEST_CASE("a signal about some events rests on the users of these where it is a share among them") {
  const std::string look = people + R"(, "events": ["look"])";
  // 1, 2 and 3 looked, once each.
  CHECK(read("power_user_dependency", look).basis == 3);
  CHECK(*read("power_user_dependency", look).counted == Approx((3 * (1.0 / 3) + 1.5) / 6));
  CHECK(read("stickiness", look).basis == 3);
  CHECK(read("depth", look).basis == 4);  // per active user, whatever they did
  CHECK(*read("depth", look).counted == Approx((4 * 0.75 + 1.5) / 7));
  CHECK(read("activation_rate", look).basis == 6);
  CHECK(read("trend_4w", events + R"(, "events": ["make"])").counted == std::nullopt);
}

TEST_CASE("nothing is shrunk without a weight, without a median, or below 10 accounts") {
  for (const char* off : {"", R"(, "shrink": 0, "frozen": {"median": 0.5, "accounts": 10})",
                          R"(, "shrink": 3)", R"(, "shrink": 3, "frozen": {"accounts": 10})",
                          R"(, "shrink": 3, "frozen": {"median": 0.5, "accounts": 9})"}) {
    INFO(off);
    const Reading reading = read("activation_rate", off);
    CHECK_FALSE(reading.counted);
    CHECK(reading.basis == 0);
    CHECK(reading.score.number == Approx(100 * 4.0 / 6));
  }
}

TEST_CASE("what is unknown is not shrunk, and of a silent account nothing gets better by it") {
  CHECK_FALSE(read("activation_rate", people,
                   "bigint{1:2025-05-20/make;1:2025-05-21/$joined,2025-05-22/$deactivated}")
                  .counted);
  constexpr const char* quiet =
      "bigint{1:2025-01-01/$joined,2025-03-20/look;2:2025-01-01/$joined,2025-01-02/$invited,2025-03-20/look}";
  for (const char* metric : {"activation_rate", "coverage", "adoption_rate"}) {
    const Reading reading = read(metric, people, quiet);
    CHECK(known(reading.raw, 0));
    CHECK_FALSE(reading.counted);
    CHECK(reading.basis == 0);
    CHECK(reading.score.number == 0);
  }
  CHECK_FALSE(read("depth", people, quiet).counted);
  // All of the invited took part once: that was worth (1 + 1.5) / 4 and does not rise to 1.
  const Reading invited = read("invite_conversion", people, quiet);
  CHECK(known(invited.raw, 1));
  CHECK(*invited.counted == Approx(2.5 / 4));
  CHECK(invited.score.number == Approx(62.5));
}

TEST_CASE("a rank among peers is that of the shrunk value") {
  const std::string ranked = R"({"minimum_coverage": 0, "signals": [{"name": "a", "metric": "activation_rate",
      "normalize": {"kind": "percentile", "reference": {"values": [0.1, 0.55, 0.65, 0.9]}})";
  const auto score = [&](const std::string& more) {
    const Model model = parse_model(ranked + more + "}]}");
    return read_signals(model, score_ledger(model, text), {}, day(as_of))[0].score.number;
  };
  CHECK(score("") == 75);      // 4 of 6 is above three of them
  CHECK(score(people) == 50);  // 5.5 of 9 is .611
}

TEST_CASE("the words show the value as measured and what it counts as, when that differs") {
  const auto words = [](const std::string& metric, const std::string& more, const char* usage) {
    const Model model = one_signal(metric, more);
    const Ledger l = score_ledger(model, usage);
    return describe_signal(model, 0, score_account(model, l, {}, day(as_of)));
  };
  constexpr const char* alone = "bigint{1:2025-05-20/make}";
  CHECK(words("activation_rate", R"(, "shrink": 1, "frozen": {"median": 0.24, "accounts": 10})", alone) ==
        "1 of 1 user active in 28 days, counted as 62 % because the account is small");
  CHECK(words("activation_rate", R"(, "shrink": 1, "frozen": {"median": 1, "accounts": 10})", alone) ==
        "1 of 1 user active in 28 days");
  CHECK(words("trend_4w", R"(, "shrink": 20, "frozen": {"median": -0.2, "accounts": 10})", text) ==
        "events up 50 % in 4 weeks, counted as +3.3 % because the account is small");
}

TEST_CASE("a value that is carried forward is shrunk by what it rested on at its date") {
  const Model model =
      one_signal("onboarding_activation", people + R"(, "missing": {"carry_forward_days": 40})");
  const Ledger l = score_ledger(
      model,
      "bigint{1:2025-01-01/$joined,2025-04-20/look,2025-05-20/look;2:2025-04-01/$joined,2025-04-02/"
      "make;3:2025-04-01/$joined}");
  const Reading reading = read_signals(model, l, {}, day(as_of))[0];
  REQUIRE(reading.carried);
  CHECK(*reading.observed == day("2025-05-06"));  // joined in [observed - 35, observed - 7)
  CHECK(known(reading.raw, 0.5));
  CHECK(reading.basis == 2);
}

TEST_CASE("only metrics that rest on people or events take a weight for the median") {
  const auto problems = [](const std::string& metric) {
    std::string all;
    for (const Problem& problem : find_model_problems(
             R"({"accounts": {"table": "a", "id": "id"}, "events": {"table": "e", "account": "a", "user": "u",
                 "event": "e", "occurred_at": "t"}, "catalog": {"make": {"role": ["create", "interact", "session", "activate"], "value": 1}},
                 "signals": [{"name": "a", "metric": ")" +
             metric + R"(", "shrink": 3, "normalize": {"kind": "identity"}}]})"))
      all += problem.path + ": " + problem.problem;
    return all;
  };
  const std::map<std::string, ShrinkBasis> bases = {{"activation_rate", ShrinkBasis::users},
                                                    {"coverage", ShrinkBasis::users},
                                                    {"adoption_rate", ShrinkBasis::seats},
                                                    {"onboarding_activation", ShrinkBasis::joined},
                                                    {"invite_conversion", ShrinkBasis::invited},
                                                    {"growth", ShrinkBasis::starters},
                                                    {"spread", ShrinkBasis::active},
                                                    {"stickiness", ShrinkBasis::active},
                                                    {"events_per_user_week", ShrinkBasis::active},
                                                    {"interaction", ShrinkBasis::active},
                                                    {"depth", ShrinkBasis::active},
                                                    {"sessions_per_user_week", ShrinkBasis::active},
                                                    {"power_user_dependency", ShrinkBasis::active},
                                                    {"top2_share", ShrinkBasis::active},
                                                    {"top3_share", ShrinkBasis::active},
                                                    {"trend_4w", ShrinkBasis::events},
                                                    {"trend_4w_users", ShrinkBasis::events},
                                                    {"trend_4w_value", ShrinkBasis::events},
                                                    {"dropoff", ShrinkBasis::events},
                                                    {"baseline", ShrinkBasis::events},
                                                    {"baseline_users", ShrinkBasis::events},
                                                    {"baseline_value", ShrinkBasis::events}};
  for (const MetricInfo& metric : metric_table) {
    INFO(metric.name);
    const auto found = bases.find(std::string(metric.name));
    CHECK(metric.basis == (found == bases.end() ? ShrinkBasis::none : found->second));
    const std::string expected =
        found != bases.end() ? ""
                             : "signals[0].shrink: does not go with the metric " + std::string(metric.name);
    CHECK(problems(std::string(metric.name)) == expected);
  }
}

TEST_CASE("an account adds to the book what it measured, what that rests on, and what it ever had") {
  const Model model = parse_model(R"({"minimum_coverage": 0, "features": ["make", "look"], "catalog": {
      "make": {"role": "create"}, "look": {"role": "consume"}, "chat": {"role": "interact"}},
    "signals": [
      {"name": "a", "metric": "activation_rate", "shrink": 3, "frozen": {"median": 0.5, "accounts": 10},
       "normalize": {"kind": "identity"}},
      {"name": "b", "metric": "interaction", "normalize": {"kind": "identity"}},
      {"name": "c", "metric": "breadth", "normalize": {"kind": "identity"}},
      {"name": "d", "metric": "events", "events": ["chat"], "normalize": {"kind": "identity"}},
      {"name": "e", "metric": "sessions_per_user_week", "normalize": {"kind": "identity"}},
      {"name": "f", "signals": [{"name": "g", "column": "x", "normalize": {"kind": "identity"}}]}]})");
  const std::vector<ExternalInput> inputs = {{"7", {}, {}}};
  const auto sight = [&](const char* usage) {
    return sight_signals(model, score_ledger(model, usage), inputs, day(as_of));
  };
  const auto looking = sight("bigint{1:2025-05-20/look;2:2025-03-01/look}");
  REQUIRE(looking.size() == 7);
  CHECK(known(looking[0].raw, 0.5));  // as measured, not shrunk
  CHECK(looking[0].basis == 2);
  CHECK(looking[0].seen);
  CHECK_FALSE(looking[1].seen);
  CHECK(looking[2].seen);
  CHECK(looking[2].basis == 0);
  CHECK_FALSE(looking[3].seen);
  CHECK(looking[4].seen);  // no event of the catalog has the role: the question does not arise
  CHECK(known(looking[6].raw, 7));
  const auto chatting = sight("bigint{1:2024-01-01/chat}");
  CHECK(chatting[0].raw.unknown == Unknown::nobody_active);
  CHECK(chatting[1].seen);
  CHECK_FALSE(chatting[2].seen);
  CHECK(chatting[3].seen);
  CHECK_FALSE(sight("bigint{1:2025-06-01/chat}")[1].seen);  // not before as_of
}
