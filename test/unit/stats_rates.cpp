// Rates of bands and their order: R's fisher.test, brute force, and what is no inversion.
#include "core/stats/rates.hpp"

#include <algorithm>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

double choose(double n, double k) {
  double result = 1;
  for (double i = 0; i < k; ++i) result *= (n - i) / (i + 1);
  return k < 0 || k > n ? 0 : result;
}

}  // namespace

TEST_CASE("Fisher's exact test of one side is R's, the lady tasting tea first") {
  CHECK(test_higher_rate({3, 4}, {1, 4}) == Approx(.242857142857143).epsilon(1e-12));
  CHECK(test_higher_rate({12, 50}, {5, 60}) == Approx(.022601619670125).epsilon(1e-11));
  CHECK(test_higher_rate({9, 10}, {1, 10}) == Approx(.000546666955336).epsilon(1e-9));
  CHECK(test_higher_rate({300, 5000}, {200, 4800}) == Approx(2.1436823261e-5).epsilon(1e-8));
  CHECK(test_higher_rate({0, 5}, {2, 5}) == 1);
}

TEST_CASE("the exact test is the sum over all tables that are as far off") {
  Random random(run_seed());
  for (int round = 0; round < 500; ++round) {
    const std::int64_t n = between(random, 0, 25);
    const std::int64_t m = between(random, 0, 25);
    const RateCount first{between(random, 0, n), n};
    const RateCount second{between(random, 0, m), m};
    const auto events = static_cast<double>(first.events + second.events);
    double sum = 0;
    for (std::int64_t k = first.events; k <= n; ++k)
      sum += choose(static_cast<double>(n), static_cast<double>(k)) *
             choose(static_cast<double>(m), events - static_cast<double>(k)) /
             choose(static_cast<double>(n + m), events);
    INFO(first.events << "/" << n << " " << second.events << "/" << m);
    CHECK(test_higher_rate(first, second) == Approx(sum).epsilon(1e-9));
  }
}

TEST_CASE("large bands are tested as the normal distribution would have it") {
  const double p = test_higher_rate({202500, 2000000}, {201500, 2000000});
  const double rate = 404000.0 / 4000000;
  const double z = .0005 / std::sqrt(rate * (1 - rate) * 2 / 2000000);
  CHECK(p == Approx(std::erfc(z / std::sqrt(2.0)) / 2).epsilon(0.01));
  CHECK(state_of([] { test_higher_rate({0, std::int64_t{1} << 31}, {0, 1}); }) == "54000");
}

TEST_CASE("a rate has its Wilson interval, that of nobody is unknown") {
  const Rate rate = measure_rate({3, 5});
  CHECK(rate.rate.number == .6);
  CHECK(rate.interval.low == wilson_interval(3, 5).low);
  CHECK(measure_rate({0, 0}).rate == Value::none(Unknown::zero_denominator));
  CHECK(state_of([] { measure_rate({2, 1}); }) == "22023");
  CHECK(state_of([] { measure_rate({-1, 1}); }) == "22023");
  CHECK(state_of([] { measure_rate({0, -1}); }) == "22023");
}

TEST_CASE("rates that rise from band to band have no inversion, nor have falls that chance explains") {
  CHECK(find_inversions({}).empty());
  CHECK(find_inversions(std::vector<RateCount>{{5, 10}}).empty());
  CHECK(find_inversions(std::vector<RateCount>{{1, 100}, {5, 100}, {20, 100}, {60, 100}}).empty());
  CHECK(find_inversions(std::vector<RateCount>{{1, 100}, {22, 100}, {20, 100}, {60, 100}}).empty());
  CHECK(find_inversions(std::vector<RateCount>{{2, 2}, {0, 2}}).empty());
}

TEST_CASE("a fall that chance does not explain is named, across empty bands too") {
  const std::vector<RateCount> bands = {{5, 100}, {40, 100}, {0, 0}, {10, 100}, {60, 100}};
  const auto found = find_inversions(bands);
  REQUIRE(found.size() == 1);
  CHECK(found[0].first == 1);
  CHECK(found[0].second == 3);
  CHECK(found[0].p_value == test_higher_rate(bands[1], bands[3]));
  CHECK(found[0].adjusted_p_value == Approx(3 * found[0].p_value));
}

TEST_CASE("significance is corrected for the number of neighbours by Holm's method") {
  // p of one pair .0226: significant alone, not as one of three.
  const RateCount high{12, 50};
  const RateCount low{5, 60};
  CHECK(find_inversions(std::vector<RateCount>{high, low}).size() == 1);
  CHECK(find_inversions(std::vector<RateCount>{{1, 50}, high, low, {40, 60}}).empty());
  CHECK(find_inversions(std::vector<RateCount>{{1, 50}, high, low, {40, 60}}, .1).size() == 1);
  // Two falls: the surer one counts twice, the other once, but never less than the surer one.
  const auto two = find_inversions(std::vector<RateCount>{{50, 60}, high, low});
  REQUIRE(two.size() == 2);
  CHECK(two[0].adjusted_p_value == Approx(2 * two[0].p_value));
  CHECK(two[1].adjusted_p_value == Approx(two[1].p_value));
  CHECK(state_of([] { find_inversions({}, 1.5); }) == "22023");
}

TEST_CASE("the ratio of two rates: aspirin and heart attacks, published 1.82") {
  // Agresti, Categorical Data Analysis (2013), 2.2: placebo 189 of 11034, aspirin 104 of 11037
  const RateComparison c = compare_rates({189, 11034}, {104, 11037});
  CHECK(c.ratio.number == Approx(1.82).margin(.005));
  CHECK(c.ratio_interval.low.number == Approx(1.4330).margin(5e-4));
  CHECK(c.ratio_interval.high.number == Approx(2.3059).margin(5e-4));
  // By hand: error of the logarithm .121347
  CHECK_FALSE(c.is_adjusted);
  // The other way round it is the reciprocal.
  const RateComparison turned = compare_rates({104, 11037}, {189, 11034});
  CHECK(turned.ratio_interval.low.number == Approx(1 / c.ratio_interval.high.number));
  CHECK(turned.ratio_interval.high.number == Approx(1 / c.ratio_interval.low.number));
}

TEST_CASE("the difference of two rates: Newcombe 1998, table II, method 10") {
  struct Row {
    RateCount first, second;
    double difference, low, high;
  };
  const std::vector<Row> rows = {
      {{56, 70}, {48, 80}, .2, .0524, .3339}, {{9, 10}, {3, 10}, .6, .1705, .8090},
      {{6, 7}, {2, 7}, .5714, .0582, .8062},  {{5, 56}, {0, 29}, .0893, -.0381, .1926},
      {{0, 10}, {0, 20}, 0, -.1611, .2775},   {{0, 10}, {0, 10}, 0, -.2775, .2775},
      {{10, 10}, {0, 20}, 1, .6791, 1},       {{10, 10}, {0, 10}, 1, .6075, 1},
  };
  for (const Row& row : rows) {
    const RateComparison c = compare_rates(row.first, row.second);
    CHECK(c.difference.number == Approx(row.difference).margin(5e-5));
    CHECK(c.difference_interval.low.number == Approx(row.low).margin(5e-5));
    CHECK(c.difference_interval.high.number == Approx(row.high).margin(5e-5));
  }
}

TEST_CASE("ratios with nothing in a cell") {
  RateComparison c = compare_rates({0, 10}, {5, 20});
  CHECK(c.ratio == Value::of(0));
  CHECK(c.is_adjusted);
  // By hand: (.5/10.5) / (5.5/20.5) = .177489, error sqrt(2 - 1/10.5 + 1/5.5 - 1/20.5) = 1.427515
  CHECK(c.ratio_interval.low.number == Approx(.177489 * std::exp(-1.959964 * 1.427515)).epsilon(1e-4));
  CHECK(c.ratio_interval.high.number == Approx(.177489 * std::exp(1.959964 * 1.427515)).epsilon(1e-4));
  c = compare_rates({5, 20}, {0, 10});
  CHECK_FALSE(c.ratio.known());
  CHECK(c.ratio_interval.low.known());
  c = compare_rates({0, 10}, {0, 20});
  CHECK_FALSE(c.ratio.known());
  CHECK_FALSE(c.ratio_interval.low.known());
  c = compare_rates({10, 10}, {20, 20});
  CHECK(c.ratio == Value::of(1));
  CHECK_FALSE(c.ratio_interval.low.known());
  c = compare_rates({0, 0}, {1, 20});
  CHECK_FALSE(c.ratio.known());
  CHECK_FALSE(c.difference_interval.low.known());
  CHECK(state_of([] { compare_rates({3, 2}, {1, 2}); }) == "22023");
}
