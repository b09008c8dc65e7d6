// The score without the top user: how much hangs on a champion.
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

constexpr const char* as_of = "2025-06-01";

std::optional<double> without(const Model& model, const char* text, const char* user) {
  const Ledger l = score_ledger(model, text);
  const auto found = l.find_user(user);
  REQUIRE(found);
  return score_without(model, score_account(model, l, {}, day(as_of)), l, *found, {});
}

std::optional<double> now(const Model& model, const char* text) {
  return score_account(model, score_ledger(model, text), {}, day(as_of)).score;
}

// Signals of a score, each of weight 1.
Model model_of(const std::string& signals) {
  return parse_model(R"({"minimum_coverage": 0, "signals": [)" + signals + "]}");
}
const std::string dependency =
    R"({"name": "c", "metric": "power_user_dependency", "normalize": {"kind": "linear", "worst": 1, "best": 0}})";
const std::string events =
    R"({"name": "e", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100}})";

constexpr const char* champion = "bigint{1:2025-05-20/a*80;2:2025-05-21/a*20}";

}  // namespace

TEST_CASE("without the champion the activity is gone, and concentration stays as it is") {
  const Model model = model_of(dependency + "," + events);
  CHECK(*now(model, champion) == Approx((20 + 100) / 2.0));
  // 20 events, and still four fifths of all from one person.
  CHECK(*without(model, champion, "1") == Approx((20 + 20) / 2.0));
  CHECK(*without(model, champion, "2") == Approx((20 + 80) / 2.0));
}

TEST_CASE("every signal of concentration is held, and no other") {
  for (const MetricInfo& metric : metric_table) {
    INFO(metric.name);
    Model model = model_of(R"({"name": "x", "metric": ")" + std::string(metric.name) +
                           R"(", "normalize": {"kind": "linear", "worst": -1000, "best": 1000}})");
    model.settings.account_start = day("2024-01-01");
    model.settings.seats = 5;
    constexpr const char* three =
        "bigint{1:2025-05-20/a*80=2;2:2025-05-21/a*20=3;3:2025-04-20/a*5,2025-05-02/a}";
    const auto before = now(model, three), after = without(model, three, "1");
    if (metric.room == MetricRoom::concentration) CHECK(after == before);
    if (metric.id == MetricId::events || metric.id == MetricId::trend_4w || metric.id == MetricId::depth)
      CHECK(*after < *before);
  }
}

TEST_CASE("taking a champion away never raises the score") {
  // Fewer events are better: 100 of 100 score 0, 20 would score 80.
  const Model model = model_of(
      R"({"name": "e", "metric": "events", "normalize": {"kind": "linear", "worst": 100, "best": 0}})");
  CHECK(*now(model, champion) == 0);
  CHECK(*without(model, champion, "1") == 0);
  // Without a roster nobody ever saw the champion, and the rest is all there is.
  const Model rate = model_of(
      R"({"name": "r", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}})");
  constexpr const char* half = "bigint{1:2025-05-20/a*9;2:2025-05-21/a;3:2025-02-01/a;4:2025-02-01/a}";
  CHECK(*now(rate, half) == 50);
  CHECK(*without(rate, half, "1") == Approx(100.0 / 3));
  CHECK(*without(rate, half, "3") == 50);  // 2 of 3 would be more
}

TEST_CASE("with a roster the champion's seat stays, and the account may fall silent") {
  const Model model = model_of(
      R"({"name": "r", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
         {"name": "d", "metric": "depth", "normalize": {"kind": "linear", "worst": 0, "best": 10}})");
  constexpr const char* one = "bigint{1:2025-01-01/$joined,2025-05-20/a*10;2:2025-01-01/$joined}";
  CHECK(*now(model, one) == 75);
  CHECK(*without(model, one, "1") == 0);
}

TEST_CASE("of a score that is unknown there is none without a user") {
  Model model = model_of(events);
  model.settings.account_end = day("2025-05-30");
  CHECK_FALSE(without(model, champion, "1"));
  // Or where what is left has no score: the account's own is known by the champion's events alone.
  const Model required = model_of(
      R"({"name": "s", "metric": "amount_sum", "missing": "required", "normalize": {"kind": "linear", "worst": 0, "best": 10}})");
  constexpr const char* measured = "bigint{1:2025-05-20/a=4;2:2025-05-21/a}";
  CHECK(*now(required, measured) == 40);
  CHECK_FALSE(without(required, measured, "1"));
}

TEST_CASE("for any account, the score without a user is between nothing and the score") {
  Random random(run_seed() + 51);
  const Model model = model_of(
      dependency + "," + events +
      R"(,{"name": "r", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
          {"name": "s", "metric": "stickiness", "normalize": {"kind": "linear", "worst": 0, "best": 0.2}},
          {"name": "t", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 10}})");
  int lower = 0;
  for (int round = 0; round < 500; ++round) {
    std::string text = "bigint{";
    for (auto left = between(random, 1, 12); left > 0; --left)
      text += (text.back() == '{' ? "" : ";") + std::to_string(between(random, 1, 4)) + ":" +
              day_text(day(as_of) - static_cast<Day>(between(random, 1, 60))) + "/a*" +
              std::to_string(between(random, 1, 9));
    const Ledger l = score_ledger(model, text + "}");
    const Score score = score_account(model, l, {}, day(as_of));
    const auto top = top_user(l, {}, day(as_of));
    if (!top || !score.score) continue;
    const auto rest = score_without(model, score, l, *top, {});
    INFO(text);
    REQUIRE(rest);
    CHECK((*rest >= 0 && *rest <= *score.score));
    lower += *rest < *score.score;
  }
  CHECK(lower > 100);
}
