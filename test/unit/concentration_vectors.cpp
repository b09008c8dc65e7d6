// Concentration: the table of docs/reference/metrics.md, and its edges.
#include "core/metrics/concentration.hpp"

#include <algorithm>
#include <random>
#include <vector>
#include "catch.hpp"

#include "core/base/error.hpp"

using namespace health;

namespace {

struct Row {
  std::vector<Exact> x;
  double top1, top2, hhi, effective, normalized, gini;
  int absence;
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {{80, 5, 5, 5, 5}, .80, .85, .6500, 1.538, .5625, .6000, 1},
      {{20, 20, 20, 20, 20}, .20, .40, .2000, 5, 0, 0, 3},
      {{7}, 1, 1, 1, 1, -1, 0, 1},
      {{1000, 202, 90, 33, 332, 343, 42, 433}, .4040, .5790, .2395, 4.175, .1309, .4855, 2},
  };
  return rows;
}

}  // namespace

TEST_CASE("the concentration table of the reference holds to its last digit") {
  for (const auto& row : table()) {
    const Concentration c = measure_concentration(row.x);
    INFO("top contribution " << static_cast<int>(row.x[0]));
    CHECK(c.top1.number == Approx(row.top1).margin(5e-5));
    CHECK(c.top2.number == Approx(row.top2).margin(5e-5));
    CHECK(c.hhi.number == Approx(row.hhi).margin(5e-5));
    CHECK(c.effective_users.number == Approx(row.effective).margin(5e-4));
    if (row.normalized < 0)
      CHECK(c.hhi_normalized == Value::none(Unknown::not_applicable));
    else
      CHECK(c.hhi_normalized.number == Approx(row.normalized).margin(5e-5));
    CHECK(c.gini.number == Approx(row.gini).margin(5e-5));
    CHECK(c.absence_factor.number == row.absence);
  }
}

TEST_CASE("sums near the end of 128 bits are as concentrated as small ones") {
  const Exact scale = Exact{1000000000000000000} * 10000000000000000;
  for (const auto& row : table()) {
    std::vector<Exact> large = row.x;
    for (Exact& x : large) x *= scale;
    const Concentration c = measure_concentration(large);
    INFO("top contribution " << static_cast<int>(row.x[0]));
    CHECK(c.top2.number == Approx(row.top2).margin(5e-5));
    CHECK(c.hhi.number == Approx(row.hhi).margin(5e-5));
    CHECK(c.gini.number == Approx(row.gini).margin(5e-5));
    CHECK(c.absence_factor.number == row.absence);
  }
}

TEST_CASE("even shares are exactly even") {
  for (int n = 2; n < 40; ++n) {
    const Concentration c = measure_concentration(std::vector<Exact>(static_cast<std::size_t>(n), 3));
    CHECK(c.hhi_normalized.number == 0);
    CHECK(c.gini.number == 0);
    CHECK(c.effective_users.number == n);
  }
}

TEST_CASE("without contributions every measure is unknown") {
  for (const auto& none : {std::vector<Exact>{}, std::vector<Exact>{0, 0}}) {
    const Concentration c = measure_concentration(none);
    CHECK(c.total == 0);
    for (const Value& value :
         {c.top1, c.top2, c.top3, c.hhi, c.effective_users, c.hhi_normalized, c.gini, c.absence_factor})
      CHECK(value == Value::none(Unknown::zero_denominator));
  }
}

TEST_CASE("a negative contribution is an error") {
  CHECK_THROWS_AS(measure_concentration({3, -1}), Error);
  CHECK_THROWS_AS(top_share({3, -1}, 1), Error);
}

TEST_CASE("a top share of more users than there are is 1") {
  CHECK(top_share({3, 1}, 1).number == 0.75);
  CHECK(top_share({3, 1}, 9).number == 1);
}

TEST_CASE(
    "concentration does not depend on the order of users, and stays in its bounds up to huge contributions") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const auto n = 1 + random() % 12;
    const unsigned bits = 1 + random() % 62;
    std::vector<Exact> x(n);
    for (auto& value : x) value = static_cast<Exact>(random() & ((1ULL << bits) - 1));
    const Concentration c = measure_concentration(x);
    std::shuffle(x.begin(), x.end(), random);
    const Concentration shuffled = measure_concentration(x);
    CHECK(c.hhi == shuffled.hhi);
    CHECK(c.gini == shuffled.gini);
    CHECK(c.absence_factor == shuffled.absence_factor);
    if (!c.hhi.known()) continue;
    const double users = static_cast<double>(n);
    CHECK(c.hhi.number >= 1 / users * (1 - 1e-12));
    CHECK(c.hhi.number <= 1 + 1e-12);
    CHECK(c.gini.number >= 0);
    CHECK(c.gini.number <= 1 - 1 / users + 1e-12);
    CHECK(c.top1.number <= c.top2.number);
    CHECK(c.top2.number <= c.top3.number);
    CHECK(c.absence_factor.number >= 1);
    CHECK(2 * c.absence_factor.number <= users + 1);
    if (n > 1) CHECK((c.hhi_normalized.number >= 0 && c.hhi_normalized.number <= 1 + 1e-12));
  }
}
