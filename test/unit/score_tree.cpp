// The tree of signals: coverage, gate, policies, and what holds for any tree.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("80 (.4), 60 (.3), unknown (.3) score 71.43 with coverage .70") {
  const Score score = score_of(flat_model({.4, .3, .3}), {80, 60, std::nullopt});
  REQUIRE(score.score);
  CHECK(*score.score == Approx(71.43).margin(5e-3));
  CHECK(score.tree.coverage == Approx(.70).margin(1e-15));
}

TEST_CASE("a coverage below the minimum hides the score and says why") {
  Model model = flat_model({.3, .7});
  const Score score = score_of(model, {90, std::nullopt});
  CHECK_FALSE(score.score);
  CHECK(score.unknown_reason == "coverage 0.30 below minimum 0.50");
  model.minimum_coverage = .3;
  CHECK(score_of(model, {90, std::nullopt}).score);
}

TEST_CASE("a required signal that is unknown makes the score unknown and is named") {
  Model model = flat_model({.5, .5});
  model.signals[1].missing = NullPolicy::required;
  const Score score = score_of(model, {90, std::nullopt});
  CHECK_FALSE(score.score);
  CHECK(score.unknown_reason == "required signal s1 is unknown (no_data)");
}

TEST_CASE("neutral and zero count in the score but not in the coverage") {
  Model model = flat_model({.5, .5});
  model.signals[1].missing = NullPolicy::neutral;
  CHECK(*score_of(model, {90, std::nullopt}).score == 70);
  CHECK(score_of(model, {90, std::nullopt}).tree.coverage == .5);
  model.signals[1].missing = NullPolicy::zero;
  CHECK(*score_of(model, {90, std::nullopt}).score == 45);
}

TEST_CASE("79.5 is stable: bands are half-open on the unrounded score") {
  const auto bands = default_bands();
  CHECK(find_band(bands, 80).name == "healthy");
  CHECK(find_band(bands, 79.5).name == "stable");
  CHECK(find_band(bands, 79.999999999).name == "stable");
  CHECK(find_band(bands, std::nextafter(80.0, 0.0)).name == "healthy");  // 80 but for binary noise
  CHECK(find_band(bands, 60).name == "stable");
  CHECK(find_band(bands, 40).name == "at_risk");
  CHECK(find_band(bands, 0).name == "critical");
  CHECK(find_band(bands, -1e308).name == "critical");
}

TEST_CASE("for any tree: score within 0..100, coverage within 0..1, points add up, gate holds") {
  RandomTrees random(property_seed());
  int out_of_range = 0, not_added_up = 0, gate_broken = 0, coverage_wrong = 0;
  for (int round = 0; round < 5000; ++round) {
    const Model model = random.tree();
    const Score score = score_readings(model, random.readings(model, random.uniform(0, 1)), 0);
    coverage_wrong += !(score.tree.coverage >= 0 && score.tree.coverage <= 1);
    if (score.tree.score) out_of_range += !(*score.tree.score >= 0 && *score.tree.score <= 100);
    double points = 0;
    for (std::size_t i = 0; i < model.signals.size(); ++i) {
      const SignalScore& signal = score.tree.signals[i];
      if (!model.signals[i].is_group()) points += signal.points;
      out_of_range += signal.counts && !(signal.score >= 0 && signal.score <= 100 && signal.weight >= 0 &&
                                         signal.weight <= 1 + 1e-12);
      coverage_wrong += !(signal.coverage >= 0 && signal.coverage <= 1);
    }
    not_added_up += score.tree.score && std::fabs(points - *score.tree.score) > 1e-9;
    gate_broken += score.score && score.tree.coverage < model.minimum_coverage - 1e-9;
    gate_broken += !score.score && score.unknown_reason.empty();
    gate_broken += score.score && !score.unknown_reason.empty();
  }
  CHECK(out_of_range == 0);
  CHECK(coverage_wrong == 0);
  CHECK(not_added_up == 0);
  CHECK(gate_broken == 0);
}

TEST_CASE("the order of signals does not change the score by a bit") {
  RandomTrees random(property_seed());
  int different = 0;
  for (int round = 0; round < 1000; ++round) {
    const Model model = random.tree();
    const auto readings = random.readings(model, .3);
    // The same tree with the members of every group in reverse.
    std::vector<int> order;
    const auto list = [&](auto&& self, int parent) -> void {
      for (int i = static_cast<int>(model.signals.size()); i-- > 0;) {
        if (model.signals[static_cast<std::size_t>(i)].parent != parent) continue;
        order.push_back(i);
        self(self, i);
      }
    };
    list(list, -1);
    Model reversed;
    reversed.bands = model.bands;
    reversed.minimum_coverage = model.minimum_coverage;
    std::vector<Reading> same;
    for (const int i : order) {
      Signal signal = model.signals[static_cast<std::size_t>(i)];
      if (signal.parent >= 0) {
        signal.parent =
            static_cast<int>(std::find(order.begin(), order.end(), signal.parent) - order.begin());
      }
      reversed.signals.push_back(signal);
      same.push_back(readings[static_cast<std::size_t>(i)]);
    }
    const Score a = score_readings(model, readings, 0), b = score_readings(reversed, same, 0);
    different += a.score != b.score || a.tree.coverage != b.tree.coverage ||
                 a.unknown_reason.empty() != b.unknown_reason.empty();
  }
  CHECK(different == 0);
}

TEST_CASE("raising one known signal never lowers the score") {
  RandomTrees random(property_seed() + 1);
  int lowered = 0;
  for (int round = 0; round < 2000; ++round) {
    const Model model = random.tree();
    auto readings = random.readings(model, .2);
    const auto before = score_readings(model, readings, 0).tree.score;
    const auto i = static_cast<std::size_t>(random.integer(0, static_cast<int>(readings.size()) - 1));
    if (!before || model.signals[i].is_group() || !readings[i].known()) continue;
    readings[i] = reading_of(std::min(100.0, readings[i].score.number + random.uniform(0, 50)));
    lowered += *score_readings(model, readings, 0).tree.score < *before - 1e-12;
  }
  CHECK(lowered == 0);
}

TEST_CASE("inputs count only when they were observed before as_of, and carry forward so many days") {
  Model model = flat_model({1, 1});
  model.signals[0].missing = NullPolicy::carry_forward;
  model.signals[0].carry_days = 30;
  const Ledger ledger = score_ledger(model, "{}");
  const Day as_of = score_day("2025-06-02");
  const auto known = [&](std::string_view observed) {
    const std::vector<ExternalInput> inputs = {{"70", score_day(observed), {}}, {"50", {}, {}}};
    return score_account(model, ledger, inputs, as_of).readings[0].score;
  };
  CHECK(known("2025-06-01").known());
  CHECK(known("2025-05-03").known());
  CHECK(known("2025-05-02").unknown == Unknown::source_stale);
  CHECK(known("2025-06-02").unknown == Unknown::no_data);
}

TEST_CASE("an input that its normaliser cannot take is a bad value, whatever others say") {
  const Model model = flat_model({1});
  const Ledger ledger = score_ledger(model, "{}");
  for (const char* bad : {"NaN", "Infinity", "abc", "1e999"}) {
    const std::vector<ExternalInput> inputs = {{std::string_view(bad), {}, {}}};
    const Score score = score_account(model, ledger, inputs, 0);
    CHECK(score.readings[0].score == Value::none(Unknown::bad_value));
    CHECK(score.readings[0].text == bad);
    CHECK_FALSE(score.score);
  }
  const std::vector<ExternalInput> two(2);
  CHECK_THROWS_AS(score_account(model, ledger, two, 0), Error);
}

TEST_CASE("an account that the source has twice is not scored, whatever policies its signals have") {
  Model model = flat_model({1, 1});
  model.signals[0].missing = NullPolicy::zero;
  model.signals[1].missing = NullPolicy::neutral;
  model.settings.repeated = true;
  const Ledger ledger = score_ledger(model, "{}");
  const Score score = score_account(model, ledger, {}, 0);
  CHECK_FALSE(score.score);
  CHECK(score.unknown_reason == "repeated_account");
  CHECK(score.readings[1].score.unknown == Unknown::repeated_account);
}
