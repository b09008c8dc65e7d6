// Sentences: the words for findings, scores and changes.
#include "core/scoring/phrase.hpp"

#include "core/scoring/phrase_format.hpp"
#include "core/scoring/score_summary.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("numbers are shown short, without a minus zero") {
  CHECK(show_number(1234567) == "1234567");
  CHECK(show_number(42.46) == "42.5");
  CHECK(show_number(3) == "3");
  CHECK(show_number(0.1542) == "0.15");
  CHECK(show_number(-0.0001) == "0");
  CHECK(show_number(1e300) == "1e+300");
  CHECK(show_percent(.583) == "58 %");
  CHECK(show_percent(.0425) == "4.2 %");
  CHECK(show_percent(-.15, true) == "-15 %");
  CHECK(show_percent(.15, true) == "+15 %");
  CHECK(show_percent(0, true) == "0 %");
  CHECK(show_points(-8.06) == "-8.1");
  CHECK(show_points(.26) == "+0.3");
  CHECK(show_points(-.04) == "0.0");
  CHECK(show_score(79.5) == "80");
  CHECK(show_score(64.45, 1) == "64.5");
}

TEST_CASE("labels are lowered inside a sentence unless they are abbreviations") {
  CHECK(in_sentence("Active users") == "active users");
  CHECK(in_sentence("NPS") == "NPS");
  CHECK(in_sentence("ARR growth") == "ARR growth");
  CHECK(in_sentence("x") == "x");
}

TEST_CASE("months carry their year when it is another one") {
  CHECK(month_of(score_day("2025-05-20"), score_day("2025-09-01")) == "May");
  CHECK(month_of(score_day("2024-12-20"), score_day("2025-09-01")) == "December 2024");
  CHECK(month_of(score_day("-0044-03-15"), score_day("2025-09-01")) == "March -0044");
}

TEST_CASE("a change reads as one sentence whose points add up") {
  Model model = flat_model({.3, .2, .5});
  model.signals[0].label = "Active users";
  model.signals[1].label = "Survey answer";
  model.signals[2].label = "Spread";
  Score from = score_of(model, {90, 80, 70}, score_day("2025-05-01"));
  Score to = score_of(model, {60, std::nullopt, 68}, score_day("2025-09-01"));
  from.readings[1].observed = score_day("2025-04-20");
  const ScoreChange change = decompose_change(model, from, to, to);
  CHECK(
      describe_change(model, change, from, to) ==
      "78 -> 65: active users 90 -> 60 (-9.0), no survey answer since April (-3.0), spread 70 -> 68 (-1.0)");
  CHECK(describe_change(model, decompose_change(model, from, from, from), from, from) == "78, unchanged");
}

TEST_CASE("many small parts are summed up at the end of the sentence") {
  const Model model = flat_model({1, 1, 1, 1, 1, 1});
  const Score from = score_of(model, {50, 50, 50, 50, 50, 50}),
              to = score_of(model, {80, 74, 68, 62, 56, 53});
  CHECK(describe_change(model, decompose_change(model, from, to, to), from, to) ==
        "50 -> 66: s0 50 -> 80 (+5.0), s1 50 -> 74 (+4.0), s2 50 -> 68 (+3.0), s3 50 -> 62 (+2.0), other "
        "signals (+1.5)");
}

TEST_CASE("an unknown end is said in words, without numbers") {
  const Model model = flat_model({.3, .7});
  const Score from = score_of(model, {50, 50}),
              to = score_of(model, {50, std::nullopt}, score_day("2025-06-01"));
  CHECK(describe_change(model, decompose_change(model, from, to, to), from, to) ==
        "Cannot be compared: the score as of 2025-06-01 is unknown: coverage 0.30 below minimum 0.50");
}

TEST_CASE("metrics are told with the counts behind them") {
  const Model model = parse_model(
      R"({"catalog": {"make": {"role": "create"}, "look": {"role": "consume"}}, "minimum_coverage": 0, "signals": [
    {"name": "a", "metric": "activation_rate", "normalize": {"kind": "identity"}},
    {"name": "b", "metric": "spread", "normalize": {"kind": "identity"}},
    {"name": "c", "metric": "power_user_dependency", "normalize": {"kind": "identity"}},
    {"name": "d", "metric": "recency_days", "normalize": {"kind": "identity"}},
    {"name": "e", "metric": "active_users", "role": "create", "window_days": 7, "normalize": {"kind": "identity"}},
    {"name": "f", "metric": "adoption_rate", "normalize": {"kind": "identity"}},
    {"name": "g", "metric": "trend_4w", "normalize": {"kind": "identity"}},
    {"name": "h", "metric": "cadence_recency", "frozen": {"parameters": [1.2035, 0.7497, 0.6567, 2.7834]}, "normalize": {"kind": "identity"}},
    {"name": "i", "metric": "cadence_recency", "normalize": {"kind": "identity"}},
    {"name": "j", "metric": "recency_weeks", "normalize": {"kind": "identity"}}]})");
  const Ledger ledger = score_ledger(
      model,
      "bigint{1:2025-05-20/make*8;2:2025-05-21/look;3:2025-05-25/look;4:2025-01-02/look;5:2025-01-02/look}");
  const Score score = score_account(model, ledger, {}, score_day("2025-06-01"));
  const auto phrase = [&](std::size_t i) { return describe_signal(model, i, score); };
  CHECK(phrase(0) == "3 of 5 users active in 28 days");
  CHECK(phrase(1) == "1 of 3 active users creating in 28 days");
  CHECK(phrase(2) == "80 % of the activity from one person");
  CHECK(phrase(3) == "last activity 7 days ago");
  CHECK(phrase(4) == "0 users active in 7 days (create events)");
  CHECK(phrase(5) == "f unknown: no number of licensed seats");
  CHECK(phrase(6) == "g unknown: nothing to compare with");
  CHECK(phrase(7) == "41 % likely to be active in the next 4 weeks");
  CHECK(phrase(8) == "i unknown: too little in the book to fit it to");
  CHECK(phrase(9) == "active last week");
  const auto of_seats = [](double seats) {
    Model model = parse_model(
        R"({"minimum_coverage": 0, "signals": [{"name": "f", "metric": "adoption_rate", "normalize": {"kind": "identity"}}]})");
    model.settings.seats = seats;
    const Ledger ledger =
        score_ledger(model, "bigint{1:2025-05-20/look;2:2025-05-21/look;3:2025-05-25/look}");
    return describe_signal(model, 0, score_account(model, ledger, {}, score_day("2025-06-01")));
  };
  CHECK(of_seats(1) == "3 users active on 1 licensed seat in 28 days");
  CHECK(of_seats(20) == "3 users active on 20 licensed seats in 28 days");
}

TEST_CASE("every metric has words for any value") {
  for (const MetricInfo& metric : metric_table) {
    const std::string name(metric.name);
    const Model model = parse_model(R"({"minimum_coverage": 0, "signals": [{"name": "a", "metric": ")" +
                                    name + R"(", "normalize": {"kind": "identity"}}]})");
    const Ledger ledger = score_ledger(model, "bigint{1:2025-03-01/x,2025-05-20/x*8=3;2:2025-03-21/y*9}");
    for (const char* as_of : {"2025-01-01", "2025-03-02", "2025-05-28", "2026-01-01"}) {
      const Score score = score_account(model, ledger, {}, score_day(as_of));
      const std::string words = describe_signal(model, 0, score);
      CHECK_FALSE(words.empty());
      CHECK(words.find("nan") == std::string::npos);
      CHECK_FALSE(describe_score(model, score).empty());
    }
  }
}

TEST_CASE("the main reason is what moved most, else what costs most, and the next step belongs to it") {
  Model model = flat_model({1, 1});
  model.signals[0].label = "usage";
  model.signals[0].step_low.text = "call them";
  model.signals[0].step_high.text = "ask for a story";
  model.signals[1].label = "tickets";
  model.signals[1].step_low.text = "clear the queue";
  const Ledger ledger = score_ledger(model, "{}");
  const Day as_of = score_day("2025-06-02");
  const auto summary = [&](std::string_view a, std::string_view b, std::optional<Day> observed_b) {
    const std::vector<ExternalInput> inputs = {{a, {}, {}}, {b, observed_b, {}}};
    return summarize_score(model, ledger, {inputs, inputs, inputs}, as_of);
  };
  const ScoreSummary steady = summary("90", "40", {});
  CHECK(steady.main_reason == "tickets 40 (costs 30.0 points)");
  CHECK(steady.next_step == "clear the queue");
  CHECK(*steady.change_28d == 0);
  const ScoreSummary moved = summary("90", "40", score_day("2025-05-20"));
  CHECK(moved.main_reason == "tickets now known: 40 (-25.0)");
  CHECK(moved.next_step == "clear the queue");
  CHECK(*moved.change_28d == Approx(-25));
  CHECK(*moved.change_7d == 0);
  const ScoreSummary best = summary("100", "100", {});
  CHECK(best.main_reason == "all known signals at their best");
  CHECK(best.next_step == "ask for a story");
}

TEST_CASE("the main reason goes the way of the whole change") {
  Model model = flat_model({1, 1, 1, 1});
  model.minimum_coverage = 0;
  for (const int signal : {1, 2, 3})
    model.signals[signal].label = std::string(1, static_cast<char>('a' + signal));
  const Ledger ledger = score_ledger(model, "{}");
  const Day lately = score_day("2025-05-20");
  // 50 -> 42.5: b brings 25 points, c takes 21.7, d takes 10.8.
  const std::vector<ExternalInput> inputs = {
      {"50", {}, {}}, {"100", lately, {}}, {"10", lately, {}}, {"10", lately, {}}};
  const ScoreSummary summary =
      summarize_score(model, ledger, {inputs, inputs, inputs}, score_day("2025-06-02"));
  CHECK(*summary.change_28d == Approx(-7.5));
  CHECK(summary.main_reason == "c now known: 10 (-21.7)");
}
