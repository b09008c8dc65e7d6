// Isotonic regression against its min-max formula, Platt scaling against R and its own gradient.
#include "core/stats/calibrate.hpp"

#include <algorithm>
#include <numeric>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// max over a <= i of min over b >= i of the weighted mean of a..b (Barlow et al. 1972), of scores in order.
std::vector<double> min_max(const std::vector<double>& y, const std::vector<double>& w) {
  std::vector<double> result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    double best = -infinite;
    for (std::size_t a = 0; a <= i; ++a) {
      double least = infinite;
      double sum = 0;
      double weight = 0;
      for (std::size_t b = a; b < y.size(); ++b) {
        sum += w[b] * y[b];
        weight += w[b];
        if (b >= i) least = std::min(least, sum / weight);
      }
      best = std::max(best, least);
    }
    result.push_back(best);
  }
  return result;
}

}  // namespace

TEST_CASE("isotonic regression is that of R's isoreg") {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6, 7, 8};
  const IsotonicMap map = fit_isotonic(x, std::vector<double>{1, 3, 2, 4, 3.5, 6, 5, 5.5});
  const std::vector<double> expected = {1, 2.5, 2.5, 3.75, 3.75, 5.5, 5.5, 5.5};
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(*apply_isotonic(map, x[i]) == Approx(expected[i]));
  // A block keeps its ends only.
  CHECK(map.scores == std::vector<double>{1, 2, 3, 4, 5, 6, 8});
  check_isotonic(map);
}

TEST_CASE("between the points of an isotonic map lie straight lines, outside it is level") {
  const IsotonicMap map{{10, 20, 40}, {.1, .2, .8}};
  CHECK(*apply_isotonic(map, -infinite) == .1);
  CHECK(*apply_isotonic(map, 10) == .1);
  CHECK(*apply_isotonic(map, 15) == Approx(.15));
  CHECK(*apply_isotonic(map, 20) == .2);
  CHECK(*apply_isotonic(map, 30) == Approx(.5));
  CHECK(*apply_isotonic(map, infinite) == .8);
  CHECK(!apply_isotonic(IsotonicMap{}, 3));
  CHECK(state_of([&] { apply_isotonic(map, not_a_number); }) == "22023");
}

TEST_CASE("isotonic regression is the min-max of means, with weights and ties") {
  Random random(run_seed());
  for (int round = 0; round < 300; ++round) {
    const auto n = static_cast<std::size_t>(between(random, 1, 14));
    const std::vector<double> x = random_scores(random, n, 8);
    const std::vector<double> y = random_scores(random, n, 6);
    std::vector<double> w = random_scores(random, n, 4);
    w[0] = 1;
    std::vector<double> means;
    std::vector<double> weights;
    std::vector<double> scores;
    for (double score = 0; score < 8; ++score) {
      double sum = 0;
      double weight = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (x[i] != score) continue;
        sum += w[i] * y[i];
        weight += w[i];
      }
      if (weight == 0) continue;
      scores.push_back(score);
      means.push_back(sum / weight);
      weights.push_back(weight);
    }
    const std::vector<double> expected = min_max(means, weights);
    const IsotonicMap map = fit_isotonic(x, y, w);
    check_isotonic(map);
    for (std::size_t i = 0; i < scores.size(); ++i)
      CHECK(*apply_isotonic(map, scores[i]) == Approx(expected[i]).margin(1e-12));
  }
}

TEST_CASE("an isotonic map keeps the mean, and does not depend on the order of rows") {
  Random random(run_seed());
  const std::vector<double> x = random_scores(random, 200, 50);
  const auto outcomes = random_outcomes(random, 200, .3);
  const std::vector<double> y(outcomes.begin(), outcomes.end());
  const IsotonicMap map = fit_isotonic(x, y);
  double sum = 0;
  for (const double score : x) sum += *apply_isotonic(map, score);
  CHECK(sum == Approx(std::accumulate(y.begin(), y.end(), 0.0)));
  const std::vector<double> x_turned(x.rbegin(), x.rend());
  const std::vector<double> y_turned(y.rbegin(), y.rend());
  const IsotonicMap turned = fit_isotonic(x_turned, y_turned);
  CHECK(turned.scores == map.scores);
  CHECK(turned.values == map.values);
}

TEST_CASE("isotonic regression refuses nonsense") {
  const std::vector<double> two = {1, 2};
  CHECK(fit_isotonic({}, {}).scores.empty());
  CHECK(fit_isotonic(two, two, std::vector<double>{0, 0}).scores.empty());
  CHECK(state_of([&] { fit_isotonic(two, std::vector<double>{1}); }) == "22023");
  CHECK(state_of([&] { fit_isotonic(two, std::vector<double>{1, not_a_number}); }) == "22023");
  CHECK(state_of([&] { fit_isotonic(std::vector<double>{1, infinite}, two); }) == "22023");
  CHECK(state_of([&] { fit_isotonic(two, two, std::vector<double>{1, -1}); }) == "22023");
  CHECK(state_of([] { check_isotonic({{1, 1}, {0, 1}}); }) == "22023");
  CHECK(state_of([] { check_isotonic({{1, 2}, {1, 0}}); }) == "22023");
  CHECK(state_of([] { check_isotonic({{1, 2}, {1}}); }) == "22023");
}

TEST_CASE("Platt scaling is R's glm of the smoothed targets") {
  const std::vector<double> x = {-2, -1.5, -1, -.5, 0, .5, 1, 1.5, 2, 3};
  const std::vector<std::uint8_t> y = {0, 0, 1, 0, 0, 1, 0, 1, 1, 1};
  const auto map = fit_platt(x, y);
  REQUIRE(map);
  // In Platt's signs.
  CHECK(map->slope == Approx(-.63704152165).epsilon(1e-9));
  CHECK(map->intercept == Approx(.18108608585).epsilon(1e-9));
  CHECK(apply_platt(*map, 1) == Approx(1 / (1 + std::exp(-.63704152165 + .18108608585))));
}

TEST_CASE("Platt scaling ends where its gradient is 0, in any unit of the score") {
  Random random(run_seed());
  for (const double unit : {1.0, 1e-9, 1e12, 1e300}) {
    std::vector<double> x;
    std::vector<std::uint8_t> y;
    for (int i = 0; i < 100; ++i) {
      const double score = uniform(random) * 100;
      x.push_back(score * unit);
      y.push_back(uniform(random) * 100 < score ? 1 : 0);
    }
    const auto map = fit_platt(x, y);
    REQUIRE(map);
    const double n1 = std::accumulate(y.begin(), y.end(), 0.0);
    double by_slope = 0;
    double by_intercept = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double miss = (y[i] == 1 ? (n1 + 1) / (n1 + 2) : 1 / (100 - n1 + 2)) - apply_platt(*map, x[i]);
      by_slope += miss * (x[i] / unit / 100);
      by_intercept += miss;
    }
    CHECK(by_slope == Approx(0).margin(1e-7));
    CHECK(by_intercept == Approx(0).margin(1e-7));
    CHECK(map->slope < 0);
  }
}

TEST_CASE("Platt scaling stays finite where a score separates, and level where it says nothing") {
  const auto separated = fit_platt(std::vector<double>{1, 2, 3, 4}, std::vector<std::uint8_t>{0, 0, 1, 1});
  REQUIRE(separated);
  CHECK(std::isfinite(separated->slope));
  CHECK(apply_platt(*separated, 3.5) > .6);
  const auto level = fit_platt(std::vector<double>{5, 5, 5, 5}, std::vector<std::uint8_t>{0, 1, 1, 1});
  REQUIRE(level);
  // Three of (3 + 1) / (3 + 2), one of 1 / (1 + 2).
  CHECK(apply_platt(*level, 5) == Approx((3 * .8 + 1.0 / 3) / 4));
  CHECK(apply_platt({-1, 0}, infinite) == 1);
  CHECK(apply_platt({-1, 0}, -infinite) == 0);
  CHECK(apply_platt({0, 0}, infinite) == .5);
}

TEST_CASE("Platt scaling of one class is nothing, of nonsense an error") {
  CHECK(!fit_platt({}, {}));
  CHECK(!fit_platt(std::vector<double>{1, 2}, std::vector<std::uint8_t>{1, 1}));
  CHECK(state_of([] {
          fit_platt(std::vector<double>{1, infinite}, std::vector<std::uint8_t>{0, 1});
        }) == "22023");
  CHECK(state_of([] { fit_platt(std::vector<double>{1}, std::vector<std::uint8_t>{0, 1}); }) == "22023");
  CHECK(state_of([] { apply_platt({1, 0}, not_a_number); }) == "22023");
}
