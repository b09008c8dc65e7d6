// Correlations: Anscombe's quartet, published ranks, and counting.
#include "core/stats/correlation.hpp"

#include <algorithm>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// r from sums, as a textbook has it.
double plain_r(const std::vector<double>& x, const std::vector<double>& y) {
  long double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    n += 1, sx += x[i], sy += y[i], sxx += x[i] * x[i], syy += y[i] * y[i], sxy += x[i] * y[i];
  }
  return static_cast<double>((n * sxy - sx * sy) / std::sqrt((n * sxx - sx * sx) * (n * syy - sy * sy)));
}

// Mid-ranks by counting, among rows in which the other is known.
std::vector<double> plain_ranks(const std::vector<double>& x, const std::vector<double>& other) {
  std::vector<double> ranks(x.size(), not_a_number);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(other[i])) continue;
    double below = 0, equal = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (!std::isfinite(x[j]) || !std::isfinite(other[j])) continue;
      below += x[j] < x[i], equal += x[j] == x[i];
    }
    ranks[i] = below + (equal + 1) / 2;
  }
  return ranks;
}

}  // namespace

TEST_CASE("Anscombe's quartet: four pictures, one r (The American Statistician 27 (1973), 17-21)") {
  const std::vector<double> x = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
  const std::vector<double> x4 = {8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8};
  const std::vector<std::vector<double>> y = {
      {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68},
      {9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74},
      {7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73},
      {6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89}};
  const std::vector<double> published = {.81642, .81624, .81629, .81652};
  // Spearman's tells them apart.
  const std::vector<double> ranked = {.81818, .69091, .99091, .5};
  for (std::size_t i = 0; i < 4; ++i) {
    const Correlation c = correlate(i == 3 ? x4 : x, y[i]);
    CHECK(c.n == 11);
    CHECK(c.pearson.number == Approx(published[i]).margin(5e-6));
    CHECK(c.spearman.number == Approx(ranked[i]).margin(5e-6));
  }
  // R: cor.test(anscombe$x1, anscombe$y1)$conf.int
  const Correlation first = correlate(x, y[0]);
  CHECK(first.pearson_interval.low.number == Approx(.4243912).margin(5e-8));
  CHECK(first.pearson_interval.high.number == Approx(.9506933).margin(5e-8));
}

TEST_CASE("Spearman's rho: IQ and hours of television, -29/165; ties by mid-ranks") {
  const std::vector<double> iq = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
  const std::vector<double> hours = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
  const Correlation c = correlate(iq, hours);
  CHECK(c.spearman.number == Approx(-29.0 / 165).margin(1e-12));
  // By hand: z -.177603, error sqrt((1 + .015445) / 7) = .380870
  CHECK(c.spearman_interval.low.number == Approx(std::tanh(-.1776025 - 1.959964 * .380870)).margin(2e-6));
  CHECK(c.spearman_interval.high.number == Approx(std::tanh(-.1776025 + 1.959964 * .380870)).margin(2e-6));
  CHECK(c.p_value == Approx(.641).margin(5e-4));
  // Ranks 1.5 1.5 3 4 against 1 2.5 2.5 4: 3.75 / 4.5
  CHECK(correlate(std::vector<double>{1, 1, 2, 3}, std::vector<double>{0, 5, 5, 9}).spearman.number ==
        Approx(3.75 / 4.5));
}

TEST_CASE("too few, constant, unknown and extreme numbers") {
  const std::vector<double> a = {1, 2, 3};
  Correlation c = correlate(a, std::vector<double>{2, 4, 6});
  CHECK(c.pearson.number == Approx(1));
  CHECK(c.pearson_interval.low == Value::none(Unknown::insufficient_history));
  CHECK(c.p_value == 1);
  c = correlate(a, std::vector<double>{5, 5, 5});
  CHECK(c.pearson == Value::none(Unknown::zero_denominator));
  CHECK(c.spearman_interval.high == Value::none(Unknown::zero_denominator));
  c = correlate({}, {});
  CHECK(c.pearson == Value::none(Unknown::no_data));
  c = correlate(std::vector<double>{1, 2, not_a_number, 4, infinite, 6},
                std::vector<double>{2, not_a_number, 3, 8, 9, 12});
  CHECK(c.n == 3);
  CHECK(c.pearson.number == Approx(1));
  c = correlate(std::vector<double>{1e300, 2e300, 3e300, 5e300},
                std::vector<double>{1e-300, 2e-300, 3e-300, 5e-300});
  CHECK(c.pearson.number == Approx(1));
  CHECK(c.pearson_interval.low.number == Approx(1));
  CHECK(state_of([&] { correlate(a, std::vector<double>{1}); }) == "22023");
}

TEST_CASE("many pairs agree with counting one by one, whatever is unknown") {
  Random random(run_seed() + 90);
  for (int round = 0; round < 30; ++round) {
    const std::size_t columns = 2 + static_cast<std::size_t>(between(random, 0, 4));
    const std::size_t rows = 12 + static_cast<std::size_t>(between(random, 0, 60));
    std::vector<double> numbers(columns * rows);
    for (double& number : numbers)
      number = uniform(random) < 0.1 ? not_a_number : static_cast<double>(between(random, 0, 9));
    const Correlations all = correlate_all(numbers, columns, {}, 4);
    const auto column = [&](std::size_t at) {
      std::vector<double> values;
      for (std::size_t row = 0; row < rows; ++row) values.push_back(numbers[row * columns + at]);
      return values;
    };
    double before = 2;
    for (const CorrelationPair& pair : all.pairs) {
      if (pair.unpaired != Unpaired::no) continue;
      const auto x = column(pair.first);
      const auto y = column(pair.second);
      CHECK(pair.correlation.pearson.number == Approx(plain_r(x, y)).margin(1e-9));
      CHECK(pair.correlation.spearman.number ==
            Approx(plain_r(plain_ranks(x, y), plain_ranks(y, x))).margin(1e-9));
      CHECK((pair.correlation.p_value < .05) == (pair.correlation.spearman_interval.low.number > 0 ||
                                                 pair.correlation.spearman_interval.high.number < 0));
      CHECK(std::fabs(pair.correlation.spearman.number) <= before);
      before = std::fabs(pair.correlation.spearman.number);
    }
  }
}

TEST_CASE("columns that are constant, seldom known or the same are named, not paired") {
  // a, its copy, constant but for 4 rows, known in 5 rows, other
  std::vector<double> numbers;
  for (int row = 0; row < 40; ++row)
    for (const double number : {double(row), double(row), row < 4 ? 1.0 + row : 0.0,
                                row < 5 ? double(row) : not_a_number, double((row * 7) % 40)})
      numbers.push_back(number);
  const Correlations all = correlate_all(numbers, 5, {}, 10);
  CHECK(all.looked_at == 1);
  REQUIRE(all.pairs.size() == 4);
  CHECK((all.pairs[0].first == 0 && all.pairs[0].second == 4 && all.pairs[0].unpaired == Unpaired::no));
  CHECK((all.pairs[1].first == 0 && all.pairs[1].second == 1 && all.pairs[1].unpaired == Unpaired::same));
  CHECK((all.pairs[2].first == 2 && all.pairs[2].unpaired == Unpaired::constant &&
         all.pairs[2].differing == 4));
  CHECK(
      (all.pairs[3].first == 3 && all.pairs[3].unpaired == Unpaired::few && all.pairs[3].correlation.n == 5));
  // Whoever asks for the copy is told of what it is a copy of.
  CHECK(correlate_all(numbers, 5, 1, 10).looked_at == 1);
  CHECK(correlate_all(numbers, 5, 3, 10).pairs.size() == 1);
  CHECK(correlate_all({}, 3, {}, 10).looked_at == 0);
  CHECK(state_of([&] { correlate_all(numbers, 3, {}, 10); }) == "22023");
  CHECK(state_of([&] { correlate_all(numbers, 5, {}, 3); }) == "22023");
}

TEST_CASE("Benjamini and Hochberg: their example of 15 p values, 4 of them below") {
  // J. R. Statist. Soc. B 57 (1995), section 3.2
  const std::vector<double> p = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344,
                                 .0459, .3240, .4262, .5719, .6528, .7590, 1.0000};
  const auto found = find_discoveries(p);
  CHECK(std::count(found.begin(), found.end(), 1) == 4);
  CHECK(std::equal(found.begin(), found.begin() + 4, std::vector<std::uint8_t>(4, 1).begin()));
  CHECK(find_discoveries({}).empty());
}
