// Precision, recall, lift, Brier, calibration: vectors, brute force, ties.
#include "core/stats/classification.hpp"

#include <algorithm>
#include <numeric>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

const std::vector<std::uint8_t> churn = {1, 1, 0, 1, 0, 0, 0, 0, 1, 0};

std::vector<double> churn_probabilities() {
  std::vector<double> p;
  for (const double health : {10, 20, 30, 40, 50, 60, 70, 80, 90, 95}) p.push_back((100 - health) / 100);
  return p;
}

}  // namespace

TEST_CASE("ten accounts: precision@3 .667, recall@3 .5, lift@3 1.667, Brier .20525, skill .1448") {
  const std::vector<double> p = churn_probabilities();
  const TopK top = measure_top_k(p, churn, 3);
  CHECK(top.k == 3);
  CHECK(top.precision.number == Approx(2.0 / 3));
  CHECK(top.recall.number == .5);
  CHECK(top.lift.number == Approx(5.0 / 3));
  CHECK(measure_brier(p, churn).number == Approx(.20525).epsilon(1e-12));
  CHECK(measure_brier_skill(p, churn).number == Approx(.1448).margin(5e-5));
}

TEST_CASE("average precision, Brier score and log-loss of scikit-learn's documentation") {
  CHECK(measure_average_precision(std::vector<double>{0.1, 0.4, 0.35, 0.8},
                                  std::vector<std::uint8_t>{0, 0, 1, 1})
            .number == Approx(5.0 / 6));
  CHECK(
      measure_brier(std::vector<double>{0.1, 0.9, 0.8, 0.3}, std::vector<std::uint8_t>{0, 1, 1, 0}).number ==
      Approx(.0375));
  // log_loss(["spam", "ham", "ham", "spam"], [[.1, .9], [.9, .1], [.8, .2], [.35, .65]])
  CHECK(
      measure_log_loss(std::vector<double>{.9, .1, .2, .65}, std::vector<std::uint8_t>{1, 0, 0, 1}).number ==
      Approx(.21616).margin(5e-6));
}

TEST_CASE("a certainty that was wrong costs 36 of log-loss, one that was right nothing") {
  CHECK(measure_log_loss(std::vector<double>{0}, std::vector<std::uint8_t>{1}).number ==
        Approx(52 * std::log(2.0)));
  CHECK(measure_log_loss(std::vector<double>{0, 1}, std::vector<std::uint8_t>{0, 1}).number ==
        Approx(0).margin(1e-15));
}

TEST_CASE("the k highest of tied risks are expected values") {
  // One sure churner above four tied ones of whom one churns; two of the four are in the first three.
  const std::vector<double> risks = {9, 5, 5, 5, 5, 1};
  const std::vector<std::uint8_t> outcomes = {1, 0, 1, 0, 0, 0};
  const TopK top = measure_top_k(risks, outcomes, 3);
  CHECK(top.precision.number == Approx((1 + 2 * .25) / 3));
  CHECK(top.recall.number == Approx(1.5 / 2));
  CHECK(top.lift.number == Approx(.5 / (1.0 / 3)));
  CHECK(measure_top_k(risks, outcomes, 99).k == 6);
  CHECK(measure_top_k(risks, outcomes, 99).lift.number == 1);
}

TEST_CASE("measures of risks are means over all orders of tied rows") {
  Random random(run_seed());
  for (int round = 0; round < 100; ++round) {
    const auto n = static_cast<std::size_t>(between(random, 1, 5));
    const std::vector<double> risks = random_scores(random, n, 3);
    const std::vector<std::uint8_t> outcomes = random_outcomes(random, n);
    const auto k = static_cast<std::size_t>(between(random, 1, static_cast<std::int64_t>(n)));
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    double found = 0;
    double orders = 0;
    do {
      if (!std::is_sorted(order.begin(), order.end(),
                          [&](std::size_t a, std::size_t b) { return risks[a] > risks[b]; }))
        continue;
      for (std::size_t i = 0; i < k; ++i) found += outcomes[order[i]];
      ++orders;
    } while (std::next_permutation(order.begin(), order.end()));
    const TopK top = measure_top_k(risks, outcomes, static_cast<std::int64_t>(k));
    CHECK(top.precision.number == Approx(found / orders / static_cast<double>(k)).margin(1e-12));
    // Average precision: by threshold, from the definition.
    double precision_recall = 0;
    double before = 0;
    const double events = std::accumulate(outcomes.begin(), outcomes.end(), 0.0);
    for (double threshold = 2; threshold >= 0; --threshold) {
      double seen = 0;
      double hit = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (risks[i] < threshold) continue;
        ++seen;
        hit += outcomes[i];
      }
      if (seen > 0 && events > 0) precision_recall += (hit - before) / events * (hit / seen);
      before = hit;
    }
    if (events > 0)
      CHECK(measure_average_precision(risks, outcomes).number == Approx(precision_recall).margin(1e-12));
    else
      CHECK(measure_average_precision(risks, outcomes) == Value::none(Unknown::zero_denominator));
  }
}

TEST_CASE("the base rate for everybody has skill 0 and is calibrated") {
  const std::vector<double> p(10, .4);
  CHECK(measure_brier_skill(p, churn).number == Approx(0).margin(1e-12));
  CHECK(measure_average_precision(p, churn).number == Approx(.4));
  const auto table = measure_calibration(p, churn);
  REQUIRE(table.size() == 1);
  CHECK(table[0].count == 10);
  CHECK(table[0].events == 4);
  CHECK(table[0].mean_probability == Approx(.4));
  CHECK(table[0].observed_rate == .4);
  CHECK(table[0].interval.low == wilson_interval(4, 10).low);
}

TEST_CASE("deciles of twenty probabilities are ten pairs, lowest first") {
  std::vector<double> p;
  std::vector<std::uint8_t> y;
  for (int i = 19; i >= 0; --i) {
    p.push_back(i / 20.0);
    y.push_back(i % 4 == 0 ? 1 : 0);
  }
  const auto table = measure_calibration(p, y);
  REQUIRE(table.size() == 10);
  for (std::size_t bin = 0; bin < 10; ++bin) {
    CHECK(table[bin].count == 2);
    CHECK(table[bin].mean_probability == Approx((2 * static_cast<double>(bin) + .5) / 20));
    CHECK(table[bin].events == (bin % 2 == 0 ? 1 : 0));
  }
  // Halves of ten, with the middle of three tied ones in the upper one.
  const std::vector<double> tied = {.1, .1, .1, .1, .5, .5, .5, .9, .9, .9};
  const auto halves = measure_calibration(tied, churn, 2);
  REQUIRE(halves.size() == 2);
  CHECK(halves[0].count == 4);
  CHECK(halves[1].count == 6);
}

TEST_CASE("calibration tables count everybody once, whatever the ties and the number of bins") {
  Random random(run_seed());
  for (int round = 0; round < 200; ++round) {
    const auto n = static_cast<std::size_t>(between(random, 0, 40));
    std::vector<double> p = random_scores(random, n, 9);
    for (double& x : p) x /= 8;
    const auto y = random_outcomes(random, n);
    const std::int64_t bins = between(random, 1, 15);
    std::int64_t count = 0;
    std::int64_t events = 0;
    double last = -1;
    const auto table = measure_calibration(p, y, bins);
    CHECK(static_cast<std::int64_t>(table.size()) <= bins);
    for (const CalibrationBin& bin : table) {
      count += bin.count;
      events += bin.events;
      CHECK(bin.mean_probability > last);
      last = bin.mean_probability;
    }
    CHECK(count == static_cast<std::int64_t>(n));
    CHECK(events == std::accumulate(y.begin(), y.end(), std::int64_t{0}));
  }
}

TEST_CASE("measures of nothing, or of one class, are unknown") {
  const std::vector<double> p = {.2, .4};
  const std::vector<std::uint8_t> none = {0, 0};
  CHECK(measure_average_precision({}, {}) == Value::none(Unknown::no_data));
  CHECK(measure_top_k({}, {}, 3).lift == Value::none(Unknown::no_data));
  CHECK(measure_brier({}, {}) == Value::none(Unknown::no_data));
  CHECK(measure_log_loss({}, {}) == Value::none(Unknown::no_data));
  CHECK(measure_calibration({}, {}).empty());
  CHECK(measure_brier_skill(p, none) == Value::none(Unknown::zero_denominator));
  CHECK(measure_average_precision(p, none) == Value::none(Unknown::zero_denominator));
  CHECK(measure_top_k(p, none, 1).precision.number == 0);
  CHECK(measure_top_k(p, none, 1).recall == Value::none(Unknown::zero_denominator));
  CHECK(measure_top_k(p, none, 1).lift == Value::none(Unknown::zero_denominator));
}

TEST_CASE("measures of nonsense are errors") {
  const std::vector<std::uint8_t> y = {0, 1};
  CHECK(state_of([&] { measure_brier(std::vector<double>{.1, 1.1}, y); }) == "22023");
  CHECK(state_of([&] { measure_brier(std::vector<double>{.1, not_a_number}, y); }) == "22023");
  CHECK(state_of([&] { measure_log_loss(std::vector<double>{.1}, y); }) == "22023");
  CHECK(state_of([&] { measure_average_precision(std::vector<double>{not_a_number, 1}, y); }) == "22023");
  CHECK(state_of([&] { measure_top_k(std::vector<double>{0, 1}, y, 0); }) == "22023");
  CHECK(state_of([&] { measure_calibration(std::vector<double>{0, 1}, y, 0); }) == "22023");
  CHECK(measure_average_precision(std::vector<double>{-infinite, infinite}, y).number == 1);
}
