// Weighted means: exact, in any order, and strict about weights.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "catch.hpp"
#include "core/scoring/weighted_mean.hpp"
#include "score_fixture.hpp"

using namespace health;

namespace {

WeightedMean weigh_list(std::vector<std::optional<double>> values, std::vector<double> weights) {
  return weigh(values, weights);
}

}  // namespace

TEST_CASE("a weighted mean leaves unknown values out and reports the coverage") {
  const WeightedMean mean = weigh_list({80, 60, std::nullopt}, {.4, .3, .3});
  CHECK(*mean.mean() == Approx(71.43).margin(5e-3));
  CHECK(*mean.coverage() == Approx(.70).margin(1e-15));
}

TEST_CASE("the reference formula of the feedback preset gives 63.3") {
  const double engagement = *weigh_list({60, 50, 40}, {40, 30, 30}).mean();
  const double revenue = *weigh_list({90, 100, 50}, {50, 30, 20}).mean();
  const double lifecycle = *weigh_list({70, 80, 20}, {40, 30, 30}).mean();
  CHECK(engagement == 51);
  CHECK(revenue == 85);
  CHECK(lifecycle == 58);
  CHECK(*weigh_list({engagement, revenue, lifecycle}, {.4, .3, .3}).mean() == Approx(63.3).margin(1e-12));
}

TEST_CASE("nothing known is unknown, also when what is known weighs nothing") {
  CHECK_FALSE(weigh_list({std::nullopt, std::nullopt}, {1, 1}).mean());
  CHECK(*weigh_list({std::nullopt, std::nullopt}, {1, 1}).coverage() == 0);
  CHECK_FALSE(weigh_list({50, std::nullopt}, {0, 1}).mean());
  CHECK_FALSE(weigh_list({}, {}).mean());
  CHECK_FALSE(weigh_list({}, {}).coverage());
}

TEST_CASE("a value that is not finite is unknown") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CHECK(*weigh_list({1, bad}, {1, 1}).mean() == 1);
    CHECK(*weigh_list({1, bad}, {1, 1}).coverage() == .5);
  }
}

TEST_CASE("weights must be finite, not negative, and one of them above 0") {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, infinity, -infinity, -1.0, -1e-300}) {
    CHECK_THROWS_AS(weigh_list({1, 2}, {1, bad}), Error);
    CHECK_THROWS_AS(weigh_list({1, std::nullopt}, {1, bad}), Error);
  }
  CHECK_THROWS_AS(weigh_list({1, 2}, {0, 0}), Error);
  CHECK_THROWS_AS(weigh_list({1, 2}, {1}), Error);
  try {
    weigh_list({1, 2}, {1, -3});
    FAIL("a negative weight passed");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("weights[2]") == 0);
    CHECK(std::string(error.sqlstate()) == "22023");
  }
}

TEST_CASE("an exact sum does not lose small numbers beside large ones") {
  ExactSum sum;
  for (const double number : {1e308, 1.0, 1e-300, -1e308, -1e-300}) sum.add(number);
  CHECK(sum.value() == 1.0);
  ExactSum halves;  // 1 + 2^-53 + 2^-106 rounds up, the middle alone would round to even
  for (const double number : {1.0, std::ldexp(1.0, -53), std::ldexp(1.0, -106)}) halves.add(number);
  CHECK(halves.value() == 1.0 + std::ldexp(1.0, -52));
  ExactSum overflow;
  overflow.add(1.7e308);
  CHECK_THROWS_AS(overflow.add(1.7e308), Error);
}

TEST_CASE("the mean of equal values is that value, whatever the weights") {
  std::mt19937_64 random(test::property_seed());
  std::uniform_real_distribution<double> weight(0, 1), value(0, 100);
  for (int round = 0; round < 2000; ++round) {
    WeightedMean mean;
    const double same = value(random);
    for (int i = 0; i < 7; ++i) mean.add(same, weight(random));
    CHECK(*mean.mean() == same);
  }
}

TEST_CASE("a mean is the same to the last bit in any order and any way of merging") {
  std::mt19937_64 random(test::property_seed());
  std::uniform_real_distribution<double> unit(0, 1);
  int different = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<std::pair<std::optional<double>, double>> rows;
    for (int i = 0; i < 40; ++i) {
      const double value = (unit(random) - .5) * std::pow(10, 20 * unit(random) - 10);
      rows.emplace_back(unit(random) < .2 ? std::nullopt : std::optional<double>(value),
                        unit(random) * std::pow(10, 6 * unit(random)));
    }
    const auto fold = [](auto begin, auto end) {
      WeightedMean mean;
      for (auto row = begin; row != end; ++row)
        row->first ? mean.add(*row->first, row->second) : mean.add_unknown(row->second);
      return mean;
    };
    const WeightedMean serial = fold(rows.begin(), rows.end());
    std::shuffle(rows.begin(), rows.end(), random);
    WeightedMean merged = fold(rows.begin(), rows.begin() + 13);
    merged.merge(fold(rows.begin() + 13, rows.begin() + 30));
    WeightedMean last = fold(rows.begin() + 30, rows.end());
    last.merge(merged);
    different += *serial.mean() != *last.mean() || *serial.coverage() != *last.coverage();
  }
  CHECK(different == 0);
}
