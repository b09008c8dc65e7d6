// Variants: other weights for some accounts, in scores, words and changes. docs/reference/model.md,
// "Variants".
#include <cmath>

#include "core/scoring/phrase.hpp"
#include "core/scoring/score_summary.hpp"
#include "core/scoring/signal_values.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

const std::string group =
    R"({"name": "business", "weight": 1, "missing": "required", "signals": [
        {"name": "arr", "column": "arr", "normalize": {"kind": "identity"}},
        {"name": "renewal", "column": "days", "weight": 2, "normalize": {"kind": "identity"}}]})";

std::string document_with(const std::string& variants) {
  return R"({"accounts": {"table": "t", "id": "i"}, "signals": [
      {"name": "usage", "column": "u", "weight": 3, "normalize": {"kind": "identity"},
       "next_step": {"low": "Train.", "high": "Praise."}}, )" +
         group + R"(], "variants": )" + variants + "}";
}

Model model_with(const std::string& variants) { return parse_model(document_with(variants)); }

Score score_by(const Model& model, std::optional<double> usage, std::optional<double> arr,
               std::optional<double> renewal, std::string_view variant, Day as_of = 0) {
  std::vector<Reading> readings = {reading_of(usage), Reading(), reading_of(arr), reading_of(renewal),
                                   Reading()};
  readings[4].raw = readings[4].score = Value::none(Unknown::not_applicable);
  readings[4].text = variant;
  return score_readings(model, std::move(readings), as_of);
}

std::string problems_of(const std::string& variants) {
  std::string words;
  for (const Problem& problem : find_model_problems(document_with(variants)))
    words += problem.path + ": " + problem.problem + " (" + problem.hint + ")\n";
  return words;
}

const std::string two = R"([{"name": "trial", "when": "plan = 'trial'", "weights": {"business": 0}},
                            {"name": "big", "when": "arr > 5", "weights": {"renewal": 0, "usage": 1}}])";

}  // namespace

TEST_CASE("a variant has its own weights, the others those of the signals") {
  const Model model = model_with(two);
  REQUIRE(model.variants.size() == 2);
  CHECK(model.signals.size() == 5);
  CHECK(model.shown_signals() == 4);
  CHECK(model.variants[1].weights == std::vector<double>{1, 1, 1, 0, 0});
  CHECK(*score_by(model, 90, 60, 30, "").score == Approx((3 * 90 + 40) / 4.0));
  CHECK(*score_by(model, 90, 60, 30, "trial").score == 90);
  CHECK(*score_by(model, 90, 60, 30, "big").score == 75);
  CHECK(*score_by(model, 90, 60, 30, "no such name").score == Approx(77.5));
  CHECK(score_by(model, 90, 60, 30, "big").tree.signals[3].weight == 0);
  CHECK(score_by(model, 90, 60, std::nullopt, "big").tree.coverage == 1);
  CHECK(score_by(model, 90, 60, std::nullopt, "").tree.coverage == Approx((3 + 1 / 3.0) / 4));
}

TEST_CASE("what a variant takes out is neither required nor told as unknown, and has no next step") {
  const Model model = model_with(two);
  CHECK_FALSE(score_by(model, 90, {}, {}, "").score);
  const Score trial = score_by(model, 90, {}, {}, "trial");
  CHECK(*trial.score == 90);
  CHECK(trial.tree.coverage == 1);
  CHECK(describe_score(model, trial) == "90 of 100, healthy. Variant trial. Costs most: usage 90 (-10.0).");
  CHECK(choose_next_step(model, trial, {}) == "Praise.");
  const Model without_usage = model_with(R"([{"name": "new", "when": "true", "weights": {"usage": 0}}])");
  CHECK(choose_next_step(without_usage, score_by(without_usage, 90, 80, 80, "new"), {}).empty());
  CHECK(choose_next_step(without_usage, score_by(without_usage, 90, 80, 80, ""), {}) == "Praise.");
}

TEST_CASE("a reading of the variant is kept and restored") {
  const Model model = model_with(two);
  const Score score = score_by(model, 90, 60, 30, "5");
  const Reading restored =
      restore_reading(model.signals[4], keep_reading(model.signals[4], score.readings[4]));
  CHECK(restored.text == "5");
  CHECK_FALSE(restored.known());
}

TEST_CASE("another variant is the model's part of a change, after values and availability") {
  const Model model = model_with(two);
  const Score from = score_by(model, 90, 60, 30, "", 0), to = score_by(model, 70, 60, 30, "trial", 7);
  const ScoreChange change = decompose_change(model, from, to, to);
  REQUIRE(change.parts.size() == 2);
  CHECK(change.parts[0].points == Approx(-15));  // by the weights before
  CHECK(change.parts[1].step == ChangeStep::model);
  CHECK(change.parts[1].points == Approx(7.5));
  CHECK(describe_part(model, change.parts[1], from, to) == "variant none -> trial (+7.5)");
  const ScoreChange still = decompose_change(model, from, score_by(model, 90, 60, 30, "trial"),
                                             score_by(model, 90, 60, 30, "trial"));
  REQUIRE(still.parts.size() == 1);
  CHECK(still.parts[0].points == Approx(12.5));
}

TEST_CASE("where only the later weights have a score left, what went belongs to the model's part") {
  Model model = model_with(R"([{"name": "a", "when": "x", "weights": {"usage": 0}},
                               {"name": "b", "when": "y", "weights": {"business": 0}}])");
  const Score from = score_by(model, 20, 60, 60, "a"), to = score_by(model, 30, {}, {}, "b");
  const ScoreChange change = decompose_change(model, from, to, to);
  double sum = 0;
  for (const ChangePart& part : change.parts) sum += part.points;
  CHECK(sum == Approx(change.total).margin(1e-12));
  CHECK(change.total == -30);
  REQUIRE(!change.parts.empty());
  CHECK(change.parts.back().step == ChangeStep::model);
  CHECK(change.parts.back().points == -30);
}

TEST_CASE("for any tree and variants the parts add up, and the score is that of a model with these weights") {
  RandomTrees random(property_seed());
  int compared = 0, off = 0, other = 0;
  for (int round = 0; round < 3000; ++round) {
    const Model plain = random.tree();
    Model model = plain;
    std::vector<Model> as_variant;
    for (const char* name : {"a", "b"}) {
      Model changed = plain;
      for (Signal& signal : changed.signals)
        if (random.integer(0, 2) == 0) signal.weight = random.integer(0, 3) == 0 ? 0 : random.uniform(0, 5);
      Variant variant{name, {}};
      for (const Signal& signal : changed.signals) variant.weights.push_back(signal.weight);
      variant.weights.push_back(0);
      model.variants.push_back(std::move(variant));
      as_variant.push_back(std::move(changed));
    }
    Signal decides;
    decides.source = SignalSource::variant;
    decides.weight = 0;
    model.signals.push_back(decides);
    const auto score = [&](const std::vector<Reading>& readings, std::string_view name) {
      std::vector<Reading> all = readings;
      all.emplace_back();
      all.back().raw = all.back().score = Value::none(Unknown::not_applicable);
      all.back().text = name;
      return score_readings(model, std::move(all), 0);
    };
    const auto earlier = random.readings(plain, .3), later = random.readings(plain, .3);
    for (const char* before : {"", "a", "b"}) {
      for (const char* after : {"", "a", "b"}) {
        const Score from = score(earlier, before), to = score(later, after);
        const int variant = model.find_variant(after);
        const Tree expected = weigh_tree(variant < 0 ? plain : as_variant[static_cast<std::size_t>(variant)],
                                         std::span(to.standings).first(plain.signals.size()));
        other += to.tree.score != expected.score || to.tree.coverage != expected.coverage;
        if (!from.score || !to.score) continue;
        ++compared;
        double sum = 0;
        for (const ChangePart& part : decompose_change(model, from, to, to).parts) sum += part.points;
        off += std::fabs(sum - (*to.score - *from.score)) > 1e-9;
      }
    }
  }
  CHECK(compared > 3000);
  CHECK(off == 0);
  CHECK(other == 0);
}

TEST_CASE("what is wrong with variants is told with its place") {
  CHECK(problems_of(two).empty());
  CHECK(problems_of(R"([{"name": "a", "when": "x", "weights": {}}])").empty());
  const auto has = [](const std::string& variants, const char* words) {
    CAPTURE(problems_of(variants));
    CHECK(problems_of(variants).find(words) != std::string::npos);
  };
  has("[]", "variants: must not be empty");
  has("{}", "variants: must be an array, not an object");
  has(R"(["a"])", "variants[0]: must be an object");
  has(R"([{"name": "", "when": "x", "weights": {}}])", "variants[0].name: must not be empty");
  has(R"([{"when": "x", "weights": {}}])", "variants[0].name: is missing");
  has(R"([{"name": "a", "weights": {}}])", "variants[0].when: is missing");
  has(R"([{"name": "a", "when": "x"}])", "variants[0].weights: is missing");
  has(R"([{"name": "a", "when": "x", "weight": {}}])",
      "variants[0].weight: unknown key (Did you mean \"weights\"?)");
  has(R"([{"name": "a", "when": "x", "weights": {}}, {"name": "a", "when": "y", "weights": {}}])",
      "variants[1].name: \"a\" is already the name of another variant");
  has(R"([{"name": "a", "when": "x", "weights": {"usge": 1}}])",
      "variants[0].weights.usge: there is no signal \"usge\" (Did you mean \"usage\"?)");
  has(R"([{"name": "a", "when": "x", "weights": {"business.arr": 1}}])",
      "there is no signal \"business.arr\" (Signals are called by their name, whatever group they are in: "
      "\"arr\")");
  has(R"([{"name": "a", "when": "x", "weights": {"usage": -1}}])",
      "variants[0].weights.usage: must be a number from 0 to");
  has(R"([{"name": "a", "when": "x", "weights": {"usage": "1"}}])", "variants[0].weights.usage: must be");
  has(R"([{"name": "a", "when": "x", "weights": {"usage": 0, "business": 0}}])",
      "variants[0].weights: all weights are 0");
  has(R"([{"name": "a", "when": "x", "weights": {"arr": 0, "renewal": 0}}])",
      "variants[0].weights: all weights in \"business\" are 0 (Take the group itself out");
}

TEST_CASE("the name of the column that says which variant counts is taken") {
  const auto problems = find_model_problems(
      R"({"accounts": {"table": "t", "id": "i", "columns": {"variant": "v"}},
          "signals": [{"name": "variant", "column": "x", "normalize": {"kind": "identity"}}],
          "variants": [{"name": "a", "when": "x", "weights": {"variant": 2}}]})");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].path == "signals[0].name");
  CHECK(problems[1].path == "accounts.columns.variant");
}
