// What to do about a value: conditions that are exact, and when there is nothing to do.
#include "core/metrics/trend.hpp"
#include "core/scoring/score_summary.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

Model trend_model(const std::string& next_step) {
  return parse_model(R"({"minimum_coverage": 0, "signals": [{"name": "trend", "metric": "trend_4w",
      "normalize": {"kind": "linear", "worst": -1, "best": 1}, "next_step": )" +
                     next_step + "}]}");
}

// Events of weeks 5-8, and of weeks 1-4 before 31 March.
std::string_view step_of(const Model& model, int before, int now, bool strong = false) {
  std::string text = "bigint{";
  if (before > 0) text += "1:2025-02-10/a*" + std::to_string(before);
  if (now > 0) text += std::string(before > 0 ? "," : "1:") + "2025-03-20/a*" + std::to_string(now);
  Model dated = model;
  dated.settings.account_start = day("2024-01-01");
  const Score score = score_account(dated, score_ledger(dated, text + "}"), {}, day("2025-03-31"));
  return find_next_step(model, 0, score, strong);
}

std::string problem_of(const std::string& signal) {
  for (const Problem& problem : find_model_problems(R"({"signals": [)" + signal + "]}"))
    if (problem.path.starts_with("signals[0].next_step")) return problem.path + ": " + problem.problem;
  return "";
}

}  // namespace

TEST_CASE("a step for falls of 15 % and more is given at -15.0 %, and not at -14.9 % or -14 %") {
  const Model model = trend_model(R"({"low": {"text": "call", "at_most": -0.15}})");
  CHECK(step_of(model, 100, 85) == "call");
  CHECK(step_of(model, 100, 86) == "");
  CHECK(step_of(model, 1000, 851) == "");
  CHECK(step_of(model, 1000, 850) == "call");
  CHECK(step_of(model, 400, 340) == "call");
  CHECK(step_of(model, 20, 17) == "call");
  CHECK(step_of(model, 100, 300) == "");
  CHECK(step_of(model, 100, 0) == "");  // nobody is active: that is another step
}

TEST_CASE("conditions hold exactly for every pair of counts") {
  NextStep fall, rise, below, above;
  fall.at_most = -0.15;
  rise.at_least = 0.1;
  below.below = -0.15;
  above.above = 0.1;
  int wrong = 0;
  for (int before = 1; before <= 1200; ++before) {
    for (int now = 0; now <= 2 * before; now += before > 200 ? 7 : 1) {
      const double change = relative_change(now, before).number;
      wrong += fall.fits(change) != (100 * now <= 85 * before);
      wrong += below.fits(change) != (100 * now < 85 * before);
      wrong += rise.fits(change) != (100 * now >= 110 * before);
      wrong += above.fits(change) != (100 * now > 110 * before);
      wrong += fall.fits(change) != down_at_least(now, before, 15);
      wrong += rise.fits(change) != up_at_least(now, before, 10);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("limits that include their value and limits that do not can be put together") {
  const Model model = trend_model(R"({"low": {"text": "ask", "at_most": 0, "above": -0.15},
                                      "high": {"text": "thank", "at_least": 0.1, "below": 0.5}})");
  CHECK(step_of(model, 100, 85) == "");
  CHECK(step_of(model, 100, 86) == "ask");
  CHECK(step_of(model, 100, 100) == "ask");
  CHECK(step_of(model, 100, 101) == "");
  CHECK(step_of(model, 100, 109, true) == "");
  CHECK(step_of(model, 100, 110, true) == "thank");
  CHECK(step_of(model, 100, 149, true) == "thank");
  CHECK(step_of(model, 100, 150, true) == "");
}

TEST_CASE("without a condition a step goes by the score: low below 60, high from 80 on") {
  const Model model = trend_model(R"({"low": "call", "high": "thank"})");
  // 100 x (change + 1) / 2.
  CHECK(step_of(model, 100, 119) == "call");
  CHECK(step_of(model, 100, 120) == "");
  CHECK(step_of(model, 100, 159, true) == "");
  CHECK(step_of(model, 100, 160, true) == "thank");
}

TEST_CASE("a condition is about the value as measured, not as it counts in a small account") {
  const Model model =
      parse_model(R"({"minimum_coverage": 0, "signals": [{"name": "trend", "metric": "trend_4w",
      "shrink": 20, "frozen": {"median": 0, "accounts": 10},
      "normalize": {"kind": "linear", "worst": -1, "best": 1},
      "next_step": {"low": {"text": "call", "at_most": -0.15}}}]})");
  CHECK(step_of(model, 20, 17) == "call");  // counts as -7.5 %
}

TEST_CASE("a condition on a value that is unknown does not hold, whatever it counts as") {
  const Model model = trend_model(R"({"low": {"text": "call", "at_most": 5}, "high": "thank"})");
  CHECK(step_of(model, 0, 5) == "");
  // Nothing against nothing in an active account is the lowest score, but no number.
  Model comments = parse_model(R"({"minimum_coverage": 0, "signals": [{"name": "trend", "metric": "trend_4w",
      "events": ["comment"], "normalize": {"kind": "linear", "worst": -1, "best": 1}}]})");
  comments.settings.account_start = day("2024-01-01");
  const Ledger l = score_ledger(comments, "bigint{1:2024-02-01/comment,2025-03-30/a}");
  const Score score = score_account(comments, l, {}, day("2025-03-31"));
  REQUIRE(score.readings[0].nobody_active());
  CHECK(*score.score == 0);
  comments.signals[0].step_low.text = "call";
  CHECK(find_next_step(comments, 0, score, false) == "call");
  comments.signals[0].step_low.at_most = 5;
  CHECK(find_next_step(comments, 0, score, false) == "");
}

TEST_CASE("a signal without a step takes that of the nearest group above, one whose own does not fit none") {
  const std::string group =
      R"({"minimum_coverage": 0, "signals": [{"name": "use", "next_step": {"low": "train"},
      "signals": [{"name": "trend", "metric": "trend_4w",
      "normalize": {"kind": "linear", "worst": -1, "best": 1})";
  const auto step = [](const Model& model) {
    Model dated = model;
    dated.settings.account_start = day("2024-01-01");
    const Ledger l = score_ledger(dated, "bigint{1:2025-02-10/a*100,2025-03-20/a*90}");
    return std::string(find_next_step(model, 1, score_account(dated, l, {}, day("2025-03-31")), false));
  };
  CHECK(step(parse_model(group + "}]}]}")) == "train");
  CHECK(step(parse_model(group + R"(, "next_step": {"low": "call"}}]}]})")) == "call");
  CHECK(step(parse_model(group + R"(, "next_step": {"low": {"text": "call", "at_most": -0.1}}}]}]})")) ==
        "call");
  CHECK(step(parse_model(group + R"(, "next_step": {"low": {"text": "call", "below": -0.1}}}]}]})")) == "");
}

TEST_CASE("the summary passes over a step that does not fit, to that of the next signal") {
  Model model = flat_model({1, 1});
  model.signals[0].step_low = {"clear the queue", {}, {}, {}, 20.0};  // above 20
  model.signals[1].step_low = {"call", {}, {}, {}, {}};
  const auto step = [&](std::string_view first) {
    const std::vector<ExternalInput> inputs = {{first, {}, {}}, {"50", {}, {}}};
    return summarize_score(model, score_ledger(model, "{}"), {inputs, inputs, inputs}, day("2025-06-02"))
        .next_step;
  };
  CHECK(step("21") == "clear the queue");
  CHECK(step("20") == "call");
}

TEST_CASE("steps are read from documents, and refused where no value or no measure could meet them") {
  const std::string metric =
      R"({"name": "a", "metric": "events", "normalize": {"kind": "identity"}, "next_step": )";
  CHECK(problem_of(metric + R"({"low": {"text": "x", "at_most": -0.15, "above": -1}}})") == "");
  CHECK(problem_of(metric + R"({"low": {"text": "x", "at_most": 1, "at_least": 1}}})") == "");
  CHECK(problem_of(metric + R"({"low": {"text": "x", "at_most": 1, "at_least": 2}}})") ==
        "signals[0].next_step.low: no value meets all conditions");
  CHECK(problem_of(metric + R"({"high": {"text": "x", "below": 1, "above": 1}}})") ==
        "signals[0].next_step.high: no value meets all conditions");
  CHECK(problem_of(metric + R"({"low": {"at_most": 1}}})") == "signals[0].next_step.low.text: is missing");
  CHECK(problem_of(metric + R"({"low": {"text": "x", "most": 1}}})") ==
        "signals[0].next_step.low.most: unknown key");
  CHECK(problem_of(R"({"name": "g", "next_step": {"low": {"text": "x", "at_most": 1}}, "signals": [
      {"name": "a", "metric": "events", "normalize": {"kind": "identity"}}]})") ==
        "signals[0].next_step.low: a group measures nothing that a condition could be about");
  const Model model =
      trend_model(R"({"low": {"text": "call", "at_most": -0.15, "above": -0.9}, "high": "thank"})");
  CHECK(model.signals[0].step_low == NextStep{"call", -0.15, {}, {}, -0.9});
  CHECK(model.signals[0].step_high == NextStep{"thank", {}, {}, {}, {}});
  CHECK(model.signals[0].step_low.has_condition());
  CHECK_FALSE(model.signals[0].step_high.has_condition());
}
