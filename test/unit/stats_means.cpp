// Two means: R's t.test, the quantiles of t, and what cannot be compared.
#include "core/stats/means.hpp"

#include <limits>
#include <vector>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("Welch's interval is that of R, of the sleep of Student's patients") {
  const std::vector<double> first{.7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2};
  const std::vector<double> second{1.9, .8, 1.1, .1, -.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const MeanComparison found = compare_means(first, second);
  CHECK(found.first.number == Approx(.75));
  CHECK(found.second.number == Approx(2.33));
  CHECK(found.difference.number == Approx(-1.58));
  CHECK(found.interval.low.number == Approx(-3.3654832).margin(2e-6));
  CHECK(found.interval.high.number == Approx(.2054832).margin(2e-6));
}

TEST_CASE("the 97.5 % points of t are those of the tables") {
  CHECK(student_95(9) == Approx(2.262157).margin(1e-5));
  CHECK(student_95(20) == Approx(2.085963).margin(1e-6));
  CHECK(student_95(60) == Approx(2.000298).margin(1e-6));
  CHECK(student_95(1e9) == Approx(1.959964).margin(1e-6));
}

TEST_CASE("few numbers have a difference but no interval, equal ones an interval without width") {
  using Numbers = std::vector<double>;
  const MeanComparison one = compare_means(Numbers{3}, Numbers{1, 2});
  CHECK(one.difference.number == Approx(1.5));
  CHECK(one.interval.low.unknown == Unknown::insufficient_history);
  const MeanComparison none = compare_means(Numbers{}, Numbers{1, 2});
  CHECK(none.first.unknown == Unknown::no_data);
  CHECK(none.second.number == 1.5);
  CHECK(none.difference.unknown == Unknown::no_data);
  const MeanComparison same = compare_means(Numbers{.1, .1, .1}, Numbers{0, 0});
  CHECK(same.interval.low.number == same.difference.number);
  CHECK(same.interval.high.number == same.difference.number);
  // One group that does not vary leaves the freedom of the other.
  const MeanComparison half = compare_means(Numbers{5, 5, 5, 5}, Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(half.interval.high.number + .5 == Approx(student_95(9) * .9574271).epsilon(1e-6));
  CHECK_THROWS_AS(compare_means(Numbers{1, std::numeric_limits<double>::infinity()}, Numbers{1}), Error);
}
