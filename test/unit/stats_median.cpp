// Medians and percentiles: what PostgreSQL's percentile_cont gives.
#include "core/stats/median.hpp"

#include <algorithm>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("a median is the middle one, or the mean of the two middle ones") {
  CHECK(measure_median(std::vector<double>{3, 1, 2}).number == 2);
  CHECK(measure_median(std::vector<double>{4, 1, 3, 2}).number == 2.5);
  CHECK(measure_median(std::vector<double>{7}).number == 7);
  CHECK(measure_median(std::vector<double>{-1.7e308, 1.7e308}).number == 0);
  CHECK(measure_median({}) == Value::none(Unknown::no_data));
}

TEST_CASE("a percentile lies linearly between two numbers") {
  // select percentile_cont(array[0, 0.1, 0.25, 0.9, 1]) within group (order by x)
  //   from (values (10), (20), (40), (80)) v(x)
  const std::vector<double> x = {80, 10, 40, 20};
  CHECK(measure_percentile(x, 0).number == 10);
  CHECK(measure_percentile(x, 0.1).number == Approx(13));
  CHECK(measure_percentile(x, 0.25).number == 17.5);
  CHECK(measure_percentile(x, 0.9).number == Approx(68));
  CHECK(measure_percentile(x, 1).number == 80);
}

TEST_CASE("percentiles are those of the sorted numbers, in whatever order they come") {
  Random random(run_seed());
  for (int round = 0; round < 300; ++round) {
    std::vector<double> x = random_scores(random, static_cast<std::size_t>(between(random, 1, 30)), 20);
    const double fraction = static_cast<double>(between(random, 0, 8)) / 8;
    const double found = measure_percentile(x, fraction).number;
    std::sort(x.begin(), x.end());
    const double place = fraction * static_cast<double>(x.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const double high = x[std::min(low + 1, x.size() - 1)];
    CHECK(found == Approx(x[low] + (place - std::floor(place)) * (high - x[low])).margin(1e-12));
  }
}

TEST_CASE("percentiles of nonsense are errors") {
  CHECK(state_of([] { measure_median(std::vector<double>{1, not_a_number}); }) == "22023");
  CHECK(state_of([] { measure_median(std::vector<double>{1, infinite}); }) == "22023");
  CHECK(state_of([] { measure_percentile(std::vector<double>{1}, 1.01); }) == "22023");
  CHECK(state_of([] { measure_percentile(std::vector<double>{1}, not_a_number); }) == "22023");
}
