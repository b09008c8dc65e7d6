// The decomposition of a change: the vector of docs/reference/scoring.md, and parts that add up for any tree.
#include <cmath>

#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

double sum_of(const ScoreChange& change, ChangeStep step) {
  double sum = 0;
  for (const ChangePart& part : change.parts) sum += part.step == step ? part.points : 0;
  return sum;
}

double sum_of(const ScoreChange& change) {
  double sum = 0;
  for (const ChangePart& part : change.parts) sum += part.points;
  return sum;
}

}  // namespace

TEST_CASE("80/60/50 to 40/60/unknown is -16.000 by values and -0.429 by availability") {
  const Model model = flat_model({.4, .3, .3});
  const Score from = score_of(model, {80, 60, 50}), to = score_of(model, {40, 60, std::nullopt});
  const ScoreChange change = decompose_change(model, from, to, to);
  CHECK(*change.from == Approx(65.0).margin(1e-12));
  CHECK(*change.to == Approx(48.571).margin(5e-4));
  CHECK(sum_of(change, ChangeStep::values) == Approx(-16).margin(1e-12));
  CHECK(sum_of(change, ChangeStep::availability) == Approx(-0.429).margin(5e-4));
  CHECK(change.total == Approx(-16.429).margin(5e-4));
  REQUIRE(change.parts.size() == 2);
  CHECK(change.parts[0].signal == 0);
  CHECK(change.parts[1].signal == 2);
}

TEST_CASE("an unknown end gives a reason and no parts") {
  const Model model = flat_model({.4, .3, .3});
  const Score from = score_of(model, {80, 60, 50}),
              to = score_of(model, {std::nullopt, 60, std::nullopt}, 100);
  const ScoreChange change = decompose_change(model, from, to, to);
  CHECK(change.parts.empty());
  CHECK_FALSE(change.to);
  CHECK(change.unknown_reason.find("2000-04-10") != std::string::npos);
  CHECK(change.unknown_reason.find("coverage 0.30") != std::string::npos);
}

TEST_CASE(
    "when all signals are replaced, those that come do so first, so that there is a score all the way") {
  Model model = flat_model({1, 3});
  model.minimum_coverage = 0;
  const Score from = score_of(model, {80, std::nullopt}), to = score_of(model, {std::nullopt, 20});
  const ScoreChange change = decompose_change(model, from, to, to);
  REQUIRE(change.parts.size() == 2);
  CHECK(change.parts[0].points == Approx(-45));  // 80 -> (80 + 3 x 20) / 4
  CHECK(change.parts[1].points == Approx(-15));
}

TEST_CASE("a model that weighs differently and an override have parts of their own") {
  const Model before = flat_model({1, 1}), after = flat_model({3, 1});
  const Score from = score_of(before, {80, 40}), to_by_old = score_of(before, {60, 40}),
              to = score_of(after, {60, 40});
  const ScoreChange change = decompose_change(before, from, to_by_old, to, 90, std::nullopt);
  CHECK(sum_of(change, ChangeStep::values) == Approx(-10));
  CHECK(sum_of(change, ChangeStep::model) == Approx(5));
  CHECK(sum_of(change, ChangeStep::override) == Approx(-30));
  CHECK(change.total == Approx(55 - 90));
  CHECK(sum_of(change) == Approx(change.total).margin(1e-12));
  CHECK_THROWS_AS(decompose_change(before, from, to_by_old, to, std::nan(""), std::nullopt), Error);
  CHECK_THROWS_AS(decompose_change(before, from, to_by_old, to, std::nullopt, 101), Error);
}

TEST_CASE("inputs of the later model reach the earlier one by name and source") {
  Model before = flat_model({1, 1, 1}), after = flat_model({1, 1});
  before.signals[0].source_text = "a";
  before.signals[1].source_text = "b";
  before.signals[2].source_text = "c";
  after.signals[0].name = "s1";
  after.signals[0].source_text = "b";
  after.signals[1].name = "s2";
  after.signals[1].source_text = "another";
  const std::vector<ExternalInput> earlier = {{"1", {}, {}}, {"2", {}, {}}, {"3", {}, {}}},
                                   later = {{"20", {}, {}}, {"30", {}, {}}};
  const auto inputs = inputs_for_earlier_model(before, earlier, after, later);
  CHECK(*inputs[0].value == "1");
  CHECK(*inputs[1].value == "20");
  CHECK(*inputs[2].value == "3");
}

TEST_CASE("for any tree and any two sets of readings, the parts add up to the change") {
  RandomTrees random(property_seed());
  int off = 0, compared = 0, values_off = 0;
  for (int round = 0; round < 5000; ++round) {
    const Model model = random.tree();
    const double unknown = random.uniform(0, .8);
    const Score from = score_readings(model, random.readings(model, unknown), 0);
    const Score to = score_readings(model, random.readings(model, unknown), 0);
    const ScoreChange change = decompose_change(model, from, to, to);
    if (!from.score || !to.score) {
      CHECK(change.parts.empty());
      continue;
    }
    ++compared;
    off += std::fabs(sum_of(change) - (*to.score - *from.score)) > 1e-9;
    // Each part of the value step is w x (s' - s) / sum(w).
    for (const ChangePart& part : change.parts) {
      if (part.step != ChangeStep::values) continue;
      const auto i = static_cast<std::size_t>(part.signal);
      const double expected = from.tree.signals[i].weight * (to.standings[i].score - from.standings[i].score);
      values_off += std::fabs(part.points - expected) > 1e-12;
    }
  }
  CHECK(compared > 1000);
  CHECK(off == 0);
  CHECK(values_off == 0);
}
