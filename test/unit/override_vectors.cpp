// Overrides: which one holds, what it does to a score and to its change, and the words for it.
#include "core/scoring/override.hpp"

#include <cmath>

#include "core/scoring/phrase.hpp"
#include "core/scoring/score_summary.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

Override made(OverrideKind kind, double value, Day from = 0, std::optional<Day> expires = {},
              std::optional<Day> ended = {}) {
  return {kind, value, from, expires, ended, "maria", "sponsor left"};
}

Score overridden(const Model& model, std::initializer_list<std::optional<double>> values,
                 const std::vector<Override>& overrides, Day as_of = 10, const CustomerState& state = {}) {
  std::vector<Reading> readings;
  for (const auto& value : values) readings.push_back(reading_of(value));
  return score_readings(model, std::move(readings), as_of, state, overrides);
}

}  // namespace

TEST_CASE("an override holds from its day until it expires or is ended") {
  const std::vector<Override> one = {made(OverrideKind::cap, 40, 10, 20)};
  CHECK(find_override(one, 9) == nullptr);
  CHECK(find_override(one, 10) == &one[0]);
  CHECK(find_override(one, 19) == &one[0]);
  CHECK(find_override(one, 20) == nullptr);
  const std::vector<Override> ended = {made(OverrideKind::cap, 40, 10, 20, 12)};
  CHECK(find_override(ended, 11) == &ended[0]);
  CHECK(find_override(ended, 12) == nullptr);
  const std::vector<Override> same_day = {made(OverrideKind::cap, 40, 10, {}, 10)};
  CHECK(find_override(same_day, 10) == nullptr);
  const std::vector<Override> two = {made(OverrideKind::cap, 40, 10), made(OverrideKind::floor, 60, 12)};
  CHECK(find_override(two, 11) == &two[0]);
  CHECK(find_override(two, 12) == &two[1]);
  CHECK(find_override({}, 12) == nullptr);
}

TEST_CASE("a cap is the lesser, a floor the greater, and a score stands by itself") {
  const Model model = flat_model({1, 1});
  const auto score = [&](OverrideKind kind, double value) {
    return overridden(model, {80, 60}, {made(kind, value)});
  };
  CHECK(*score(OverrideKind::cap, 40).score == 40);
  CHECK(*score(OverrideKind::cap, 90).score == 70);
  CHECK_FALSE(score(OverrideKind::cap, 90).overridden_by);
  CHECK_FALSE(score(OverrideKind::cap, 70).overridden_by);
  CHECK(*score(OverrideKind::floor, 90).score == 90);
  CHECK_FALSE(score(OverrideKind::floor, 40).overridden_by);
  CHECK(*score(OverrideKind::score, 0).score == 0);
  CHECK(*score(OverrideKind::score, 100).score == 100);
  CHECK(score(OverrideKind::score, 70).overridden_by);  // that a person said so is told
  CHECK(*score(OverrideKind::cap, 40).computed == 70);
  CHECK(score(OverrideKind::cap, 40).override_points() == Approx(-30));
  CHECK(score(OverrideKind::cap, 40).band(model) == "at_risk");
}

TEST_CASE("an unknown score becomes known by a score alone") {
  const Model model = flat_model({.3, .7});
  CHECK_FALSE(overridden(model, {50, std::nullopt}, {made(OverrideKind::cap, 40)}).score);
  const Score floor = overridden(model, {50, std::nullopt}, {made(OverrideKind::floor, 40)});
  CHECK_FALSE(floor.score);
  CHECK_FALSE(floor.unknown_reason.empty());
  const Score known = overridden(model, {50, std::nullopt}, {made(OverrideKind::score, 40)});
  CHECK(*known.score == 40);
  CHECK_FALSE(known.computed);
  CHECK(known.unknown_reason.empty());
  // The points of the signal that is known are 50: with those of the override that makes 40.
  CHECK(known.override_points() == Approx(-10));
}

TEST_CASE("nobody decides about an account out of the book, or one that is there twice") {
  const Model model = flat_model({1});
  const std::vector<Override> overrides = {made(OverrideKind::score, 40)};
  for (const CustomerStateKind kind : {CustomerStateKind::prospect, CustomerStateKind::ended})
    CHECK_FALSE(overridden(model, {50}, overrides, 10, {kind, Day{10}}).score);
  Reading twice;
  twice.raw = twice.score = Value::none(Unknown::repeated_account);
  CHECK_FALSE(score_readings(model, {twice}, 10, {}, overrides).score);
  CHECK(*overridden(model, {50}, overrides, 10, {CustomerStateKind::silent, Day{1}}).score == 40);
}

TEST_CASE("the words say what, by whom, until when and why") {
  const Day as_of = score_day("2025-06-02");
  CHECK(describe_override(made(OverrideKind::cap, 40, as_of, score_day("2025-08-01")), as_of) ==
        "capped at 40 by maria until 1 August: sponsor left");
  CHECK(describe_override(made(OverrideKind::floor, 62.5, as_of, score_day("2026-01-15")), as_of) ==
        "raised to 62.5 by maria until 15 January 2026: sponsor left");
  CHECK(describe_override(made(OverrideKind::score, 0), as_of) == "set to 0 by maria: sponsor left");
  CHECK(describe_end_of_override(made(OverrideKind::cap, 40)) == "no longer capped at 40 by maria");
  const Model model = flat_model({1});
  CHECK(describe_score(model, overridden(model, {72}, {made(OverrideKind::cap, 40)})) ==
        "40 of 100, at_risk. Capped at 40 by maria: sponsor left. By its signals 72. Costs most: s0 72 "
        "(-28.0).");
}

TEST_CASE("an override that has effect is the main reason") {
  const Model model = parse_model(
      R"({"signals": [{"name": "a", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 2}}]})");
  const Ledger ledger = score_ledger(model, "text{ann:2025-05-30/x}");
  const Day as_of = score_day("2025-06-02");
  const std::vector<Override> cap = {made(OverrideKind::cap, 40, as_of)};
  const ScoreSummary summary = summarize_score(model, ledger, {{}, {}, {}, true, true, cap}, as_of);
  CHECK(summary.main_reason == "capped at 40 by maria: sponsor left");
  CHECK(*summary.now.score == 40);
  CHECK(*summary.without_top_user == 0);
  const std::vector<Override> floor = {made(OverrideKind::floor, 30, as_of)};
  CHECK(*summarize_score(model, ledger, {{}, {}, {}, true, true, floor}, as_of).without_top_user == 30);
}

TEST_CASE("the last step of a change is what overrides make of it") {
  const Model model = flat_model({1, 1});
  const std::vector<Override> cap = {made(OverrideKind::cap, 40, 5)};
  const Score from = overridden(model, {80, 60}, cap, 0), to = overridden(model, {90, 60}, cap, 10);
  const ScoreChange change = decompose_change(model, from, to, to);
  CHECK(*change.from == 70);
  CHECK(*change.to == 40);
  REQUIRE(change.parts.size() == 2);
  CHECK(change.parts[0].points == Approx(5));
  CHECK(change.parts[1].step == ChangeStep::override);
  CHECK(change.parts[1].points == Approx(-35));
  CHECK(describe_part(model, change.parts[1], from, to) == "capped at 40 by maria: sponsor left (-35.0)");
  const ScoreChange back = decompose_change(model, to, from, from);
  CHECK(describe_part(model, back.parts[1], to, from) == "no longer capped at 40 by maria (+35.0)");
  CHECK(decompose_change(model, to, to, to).parts.empty());
}

TEST_CASE("where an end is known by a person alone, the whole change is the override's") {
  const Model model = flat_model({.3, .7});
  const std::vector<Override> set = {made(OverrideKind::score, 55, 5)};
  const Score from = overridden(model, {50, 50}, set, 0), to = overridden(model, {50, std::nullopt}, set, 10);
  const ScoreChange change = decompose_change(model, from, to, to);
  REQUIRE(change.parts.size() == 1);
  CHECK(change.parts[0].step == ChangeStep::override);
  CHECK(change.parts[0].points == Approx(5));
  CHECK(change.unknown_reason.empty());
  const Score unknown = overridden(model, {50, std::nullopt}, set, 0);
  CHECK(decompose_change(model, unknown, to, to).parts.empty());
  CHECK_FALSE(decompose_change(model, unknown, to, to).unknown_reason.empty());
}

TEST_CASE("for any tree, readings and overrides the points add up, of a score and of its change") {
  RandomTrees random(property_seed());
  const auto any = [&] {
    std::vector<Override> overrides;
    for (int i = random.integer(0, 2); i > 0; --i) {
      constexpr OverrideKind kinds[] = {OverrideKind::score, OverrideKind::cap, OverrideKind::floor};
      overrides.push_back(made(kinds[random.integer(0, 2)], random.uniform(0, 100)));
    }
    return overrides;
  };
  int off = 0, changes_off = 0, compared = 0;
  for (int round = 0; round < 3000; ++round) {
    const Model model = random.tree();
    const auto one = [&] {
      return score_readings(model, random.readings(model, random.uniform(0, .8)), 10, {}, any());
    };
    const Score from = one(), to = one();
    for (const Score* score : {&from, &to}) {
      if (!score->score) continue;
      double sum = score->override_points();
      for (std::size_t i = 0; i < model.signals.size(); ++i)
        if (!model.signals[i].is_group()) sum += score->tree.signals[i].points;
      off += std::fabs(sum - *score->score) > 1e-9;
    }
    const ScoreChange change = decompose_change(model, from, to, to);
    if (!from.score || !to.score) continue;
    ++compared;
    double sum = 0;
    for (const ChangePart& part : change.parts) sum += part.points;
    changes_off += std::fabs(sum - (*to.score - *from.score)) > 1e-9;
  }
  CHECK(compared > 500);
  CHECK(off == 0);
  CHECK(changes_off == 0);
}
