// What the whole book did beside a change of one account: words, and when there is nothing to do.
#include "core/scoring/relative_to_book.hpp"

#include "core/metrics/trend.hpp"
#include "core/scoring/phrase.hpp"
#include "core/scoring/score_summary.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

Model trend_model(const std::string& more, const std::string& top = "") {
  Model model = parse_model(R"({"minimum_coverage": 0, )" + top + R"("signals": [
    {"name": "all", "signals": [{"name": "trend", "metric": "trend_4w",
      "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5})" +
                            more + R"(}]},
    {"name": "people", "weight": 0.1, "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 100},
     "next_step": {"low": "who else?"}}]})");
  model.settings.account_start = day("2024-01-01");
  return model;
}

// So many events in weeks 5-8 and 1-4, in a book that changed by so much.
Score score_in(const Model& model, int before, int now, std::optional<double> book) {
  std::string text = "bigint{1:2025-02-10/a*" + std::to_string(before);
  if (now > 0) text += ",2025-03-20/a*" + std::to_string(now);
  Score score = score_account(model, score_ledger(model, text + "}"), {}, day("2025-03-31"));
  score.book = {std::nullopt, book, std::nullopt};
  return score;
}

constexpr const char* call = R"(, "next_step": {"low": {"text": "call", "at_most": -0.15}})";
constexpr const char* call_alone =
    R"(, "next_step": {"low": {"text": "call", "at_most": -0.15}}, "relative_to_book": false)";
constexpr const char* call_in_book =
    R"(, "next_step": {"low": {"text": "call", "at_most": -0.15}}, "relative_to_book": true)";

std::string step_in(const Model& model, int before, int now, std::optional<double> book,
                    bool strong = false) {
  return std::string(find_next_step(model, 1, score_in(model, before, now, book), strong));
}

std::string words_in(int before, int now, std::optional<double> book) {
  const Model model = trend_model("");
  return describe_signal(model, 1, score_in(model, before, now, book));
}

}  // namespace

TEST_CASE("who fell with the book is not told to call, who fell against it is") {
  const Model model = trend_model(call);
  CHECK(step_in(model, 100, 82, {}) == "call");
  CHECK(step_in(model, 100, 82, -0.17) == "");
  CHECK(step_in(model, 100, 40, -0.17) == "call");
  CHECK(step_in(model, 100, 82, 0.0) == "call");
  // A book that grows makes no fall of what stood still.
  CHECK(step_in(model, 100, 100, 0.5) == "");
  CHECK(step_in(model, 100, 85, 0.5) == "call");
}

TEST_CASE("the condition is exact against the book as well") {
  const Model model = trend_model(call);
  // .83 x .85 = .7055
  CHECK(step_in(model, 2000, 1411, relative_change(83, 100).number) == "call");
  CHECK(step_in(model, 10000, 7056, relative_change(83, 100).number) == "");
  int wrong = 0;
  NextStep at_most, below, at_least;
  at_most.at_most = -0.15;
  below.below = -0.15;
  at_least.at_least = 0.1;
  for (int book = 1; book <= 200; ++book)
    for (int now = 0; now <= 400; ++now) {
      const double against =
          change_against_book(relative_change(now, 160).number, relative_change(book, 100).number);
      // now / 160 against book / 100
      wrong += at_most.fits(against) != (100 * 100 * now <= 85 * 160 * book);
      wrong += below.fits(against) != (100 * 100 * now < 85 * 160 * book);
      wrong += at_least.fits(against) != (100 * 100 * now >= 110 * 160 * book);
    }
  CHECK(wrong == 0);
}

TEST_CASE("where all of the book stopped, who stopped as well did nothing else") {
  CHECK(change_against_book(-1, -1) == 0);
  CHECK(change_against_book(-0.5, -1) == std::numeric_limits<double>::infinity());
  CHECK(change_against_book(-1, -0.5) == -1);
  CHECK(step_in(trend_model(call), 100, 50, -1.0) == "");
  CHECK(step_in(trend_model(R"(, "next_step": {"low": "ask"})"), 100, 50, -1.0) == "");
  CHECK(words_in(100, 50, -1.0) == "events down 50 % in 4 weeks; the whole book is down 100 %");
}

TEST_CASE("a step without a condition is by the score that the change against the book would have") {
  const Model model = trend_model(R"(, "next_step": {"low": "ask", "high": "story"})");
  CHECK(step_in(model, 100, 82, {}) == "ask");     // 32
  CHECK(step_in(model, 100, 82, -0.17) == "ask");  // -1.2 %: 48.8
  CHECK(step_in(model, 100, 82, -0.3) == "");      // +17 %: 67
  CHECK(step_in(model, 100, 140, {}, true) == "story");
  CHECK(step_in(model, 100, 140, 0.4, true) == "");
  // That of the group, by the change of the signal.
  Model group = trend_model("");
  group.signals[0].step_low.text = "whose";
  CHECK(step_in(group, 100, 82, -0.17) == "whose");
  CHECK(step_in(group, 100, 82, -0.3) == "");
}

TEST_CASE("it can be turned off, and is off where it makes no sense") {
  const Model by_signal = trend_model(call_alone);
  const Model by_model = trend_model(call, R"("relative_to_book": false, )");
  for (const Model* off : {&by_signal, &by_model}) {
    CHECK(step_in(*off, 100, 82, -0.17) == "call");
    CHECK(describe_signal(*off, 1, score_in(*off, 100, 82, -0.17)) == "events down 18 % in 4 weeks");
  }
  const Model on = trend_model(call_in_book, R"("relative_to_book": false, )");
  CHECK(step_in(on, 100, 82, -0.17) == "");
  CHECK(trend_model("") == trend_model(R"(, "relative_to_book": true)"));
  CHECK_FALSE(trend_model("") == trend_model(R"(, "relative_to_book": false)"));
  CHECK_FALSE(on.signals[2].relative_to_book);
  std::string names;
  for (const MetricInfo& metric : metric_table)
    if (can_be_relative(metric)) names += std::string(metric.name) + " ";
  CHECK(names == "trend_4w trend_4w_users trend_4w_value dropoff baseline baseline_users baseline_value ");
}

TEST_CASE("words tell what the book did when that explains something") {
  CHECK(words_in(100, 82, -0.17) == "events down 18 % in 4 weeks; the whole book is down 17 %");
  CHECK(words_in(100, 40, -0.17) ==
        "events down 60 % in 4 weeks; the whole book is down 17 %, against it down 52 %");
  CHECK(words_in(100, 100, -0.17) ==
        "events as in the 4 weeks before; the whole book is down 17 %, against it up 20 %");
  CHECK(words_in(100, 130, 0.3) == "events up 30 % in 4 weeks; the whole book is up 30 %");
  CHECK(words_in(100, 82, -0.049) == "events down 18 % in 4 weeks");
  CHECK(words_in(100, 82, -0.05) ==
        "events down 18 % in 4 weeks; the whole book is down 5 %, against it down 14 %");
  CHECK(words_in(100, 82, {}) == "events down 18 % in 4 weeks");
  const Model model = trend_model("");
  CHECK(describe_score(model, score_in(model, 100, 82, -0.17)).find("; the whole book is down 17 % (-") !=
        std::string::npos);
}

TEST_CASE("what is unknown, carried forward or silent is not held against the book") {
  const Model model = trend_model(call);
  Score score = score_in(model, 100, 0, -0.17);
  CHECK(find_next_step(model, 1, score, false) == "");
  score = score_in(model, 100, 82, -0.17);
  REQUIRE(book_change_of(model, 1, score));
  CHECK_FALSE(book_change_of(model, 0, score));
  CHECK_FALSE(book_change_of(model, 2, score));
  score.readings[1].carried = true;
  CHECK_FALSE(book_change_of(model, 1, score));
  score.readings[1].carried = false;
  score.readings[1].raw = Value::none(Unknown::zero_denominator);
  CHECK_FALSE(book_change_of(model, 1, score));
  score = score_in(model, 100, 82, -0.17);
  score.book.clear();
  CHECK_FALSE(book_change_of(model, 1, score));
}

TEST_CASE("the account's step is that of the next signal where the book did the same, and no score moves") {
  const Model model = trend_model(call);
  const Score alone = score_in(model, 100, 82, {}), together = score_in(model, 100, 82, -0.17);
  CHECK(choose_next_step(model, alone, {}) == "call");
  CHECK(choose_next_step(model, together, {}) == "who else?");
  CHECK(alone.score == together.score);
  CHECK(choose_next_step(model, score_in(model, 100, 40, -0.17), {}) == "call");
}
