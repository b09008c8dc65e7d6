// Places among peers, robust distances, robust lines: published and hand-made vectors, and brute force.
#include "core/stats/robust.hpp"

#include <algorithm>
#include "core/stats/median.hpp"
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("a place is the mid-rank among peers") {
  const std::vector<double> peers = {10, 20, 20, 20, 30};
  CHECK(place_among(Value::of(20), peers).percentile.number == 50);
  CHECK(place_among(Value::of(10), peers).percentile.number == 10);
  CHECK(place_among(Value::of(30), peers).percentile.number == 90);
  CHECK(place_among(Value::of(25), peers).percentile.number == 80);
  CHECK(place_among(Value::of(5), peers).percentile.number == 0);
  CHECK(place_among(Value::of(99), peers).percentile.number == 100);
  // R: quantile(c(10, 20, 40, 80), c(.25, .5, .75)) = 17.5, 30, 50
  const Place place = place_among(Value::of(20), std::vector<double>{80, 10, 40, 20});
  CHECK(place.n == 4);
  CHECK(place.low.number == 17.5);
  CHECK(place.median.number == 30);
  CHECK(place.high.number == 50);
}

TEST_CASE("among one peer or none there is no rank, and no number has none") {
  CHECK(place_among(Value::of(1), std::vector<double>{1}).percentile == Value::none(Unknown::not_applicable));
  CHECK(place_among(Value::of(1), std::vector<double>{1}).median.number == 1);
  CHECK(place_among(Value::of(1), {}).percentile == Value::none(Unknown::not_applicable));
  CHECK(place_among(Value::of(1), {}).median == Value::none(Unknown::no_data));
  const Place unknown = place_among(Value::none(Unknown::source_stale), std::vector<double>{1, 2});
  CHECK(unknown.percentile == Value::none(Unknown::source_stale));
  CHECK(unknown.median.number == 1.5);
}

TEST_CASE("a distance is in scaled median absolute deviations") {
  // By hand: median 2.45, deviations .05 to 5.85, their median .15; 8.2 lies 5.75 above.
  const std::vector<double> x = {2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3};
  const auto z = measure_distances(x);
  CHECK(z[8].number == Approx(5.75 / (1.4826 * 0.15)).epsilon(1e-12));
  CHECK(z[0].number == Approx(-0.35 / (1.4826 * 0.15)).epsilon(1e-12));
  // R: mad(1:10) = 3.7065
  const auto whole = measure_distances(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(whole[9].number == Approx(4.5 / 3.7065).epsilon(1e-12));
}

TEST_CASE("where more than half are equal there is no unit to measure distances in") {
  for (const Value& distance : measure_distances(std::vector<double>{1, 1, 1, 5}))
    CHECK(distance == Value::none(Unknown::zero_denominator));
  CHECK(measure_distances(std::vector<double>{1, 1, 3, 5})[0].known());
  CHECK(measure_distances({}).empty());
}

TEST_CASE("a robust line is the median of the slopes") {
  // Sen 1968, section 6, example: t 1, 2, 3, 4, 10, 12, 18 and y 9, 15, 19, 20, 45, 55, 78: slope 4 (of 21
  // slopes from 1 to 6), as published.
  const std::vector<double> t = {1, 2, 3, 4, 10, 12, 18}, y = {9, 15, 19, 20, 45, 55, 78};
  CHECK(fit_line(t, y).slope.number == Approx(4).epsilon(1e-12));
  CHECK(fit_line(t, y).intercept.number == Approx(6).epsilon(1e-12));
  // Two of nine points far off change nothing.
  std::vector<double> x(9), line(9);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i);
    line[i] = 3 + 2 * x[i];
  }
  line[2] = 1000;
  line[7] = -1000;
  CHECK(fit_line(x, line).slope.number == Approx(2));
  CHECK(fit_line(x, line).intercept.number == Approx(3));
}

TEST_CASE("a line without two different x is level") {
  CHECK(fit_line(std::vector<double>{2, 2, 2}, std::vector<double>{1, 5, 3}).slope.number == 0);
  CHECK(fit_line(std::vector<double>{2, 2, 2}, std::vector<double>{1, 5, 3}).intercept.number == 3);
  CHECK(fit_line(std::vector<double>{2}, std::vector<double>{7}).intercept.number == 7);
  CHECK(fit_line({}, {}).slope == Value::none(Unknown::no_data));
}

TEST_CASE("robust lines and distances do not hang on the order of rows, with many points either") {
  Random random(run_seed());
  for (const std::size_t n : {3UL, 10UL, 401UL, 2000UL, 2001UL, 5000UL}) {
    std::vector<std::size_t> order(n);
    std::vector<double> x(n), y(n), shuffled_x(n), shuffled_y(n);
    for (std::size_t i = 0; i < n; ++i) {
      order[i] = i;
      x[i] = static_cast<double>(between(random, 0, 50));
      y[i] = 1 - 0.5 * x[i] + uniform(random);
    }
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i = 0; i < n; ++i) shuffled_x[i] = x[order[i]], shuffled_y[i] = y[order[i]];
    const Line line = fit_line(x, y), other = fit_line(shuffled_x, shuffled_y);
    CHECK(line.slope == other.slope);
    CHECK(line.intercept == other.intercept);
    if (n > 100) CHECK(line.slope.number == Approx(-0.5).margin(0.02));
    const auto distances = measure_distances(y), others = measure_distances(shuffled_y);
    for (std::size_t i = 0; i < n; ++i) CHECK(others[i] == distances[order[i]]);
  }
}

TEST_CASE("places and slopes are those of brute force") {
  Random random(run_seed());
  for (int round = 0; round < 200; ++round) {
    const auto n = static_cast<std::size_t>(between(random, 2, 25));
    const std::vector<double> x = random_scores(random, n, 8), y = random_scores(random, n, 30);
    double below = 0, equal = 0;
    for (const double peer : x) below += peer < y[0], equal += peer == y[0];
    CHECK(place_among(Value::of(y[0]), x).percentile.number ==
          Approx(100 * (below + equal / 2) / static_cast<double>(n)));
    std::vector<double> slopes, rests;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        if (x[i] < x[j]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    const Line line = fit_line(x, y);
    CHECK(line.slope.number == Approx(slopes.empty() ? 0 : measure_median(slopes).number));
    for (std::size_t i = 0; i < n; ++i) rests.push_back(y[i] - line.slope.number * x[i]);
    CHECK(line.intercept.number == Approx(measure_median(rests).number));
  }
}

TEST_CASE("nonsense is an error") {
  CHECK(state_of([] { place_among(Value::of(not_a_number), std::vector<double>{1, 2}); }) == "22023");
  CHECK(state_of([] { place_among(Value::of(1), std::vector<double>{1, infinite}); }) == "22023");
  CHECK(state_of([] { measure_distances(std::vector<double>{1, not_a_number}); }) == "22023");
  CHECK(state_of([] { fit_line(std::vector<double>{1, 2}, std::vector<double>{1}); }) == "22023");
  CHECK(state_of([] { fit_line(std::vector<double>{1}, std::vector<double>{infinite}); }) == "22023");
}
