// Trends: the vectors of docs/reference/metrics.md, and their edges.
#include "core/metrics/trend.hpp"

#include <vector>
#include "catch.hpp"

#include "core/base/error.hpp"

using namespace health;

TEST_CASE("the trend vector of the reference gives its four numbers") {
  const std::vector<Exact> weeks = {100, 100, 100, 100, 95, 90, 80, 75};
  CHECK(trend_4w(weeks).number == Approx(-0.15));
  CHECK(trend_4w(weeks).number == -0.15);  // correctly rounded: equal to the literal
  CHECK(dropoff(weeks).number == Approx(75 / 91.25 - 1));
  CHECK(dropoff(weeks).number == Approx(-0.178).margin(5e-4));
  CHECK(slope_4w(weeks).number == Approx(-0.0824).margin(5e-5));
  CHECK(dip_streak(weeks) == 4);
}

TEST_CASE("a baseline holds the mean of four weeks against the median of those before") {
  std::vector<Exact> weeks(26, 100);
  weeks.insert(weeks.end(), {80, 80, 80, 80});
  CHECK(baseline(weeks) == Value::of(-0.2));  // the vector of the reference, to the bit
  // One wild week moves no median, an even number of weeks has the mean of the middle two.
  weeks[10] = 100000;
  CHECK(baseline(weeks) == Value::of(-0.2));
  CHECK(baseline(std::vector<Exact>{10, 10, 10, 10, 30, 30, 30, 30, 20, 20, 20, 20}) == Value::of(0));
  CHECK(baseline(std::vector<Exact>{0, 0, 0, 0, 0, 9, 9, 9, 1, 0, 0, 0}) ==
        Value::none(Unknown::zero_denominator));
  CHECK(baseline(std::vector<Exact>{0, 0, 0, 0, 0, 9, 9, 9, 0, 0, 0, 0}) ==
        Value::none(Unknown::nobody_active));
  CHECK(baseline(std::vector<Exact>{1, 1, 1, 1, 1, 9, 9, 9, 0, 0, 0, 0}) == Value::of(-1));
  const Exact huge = Exact{INT64_MAX} * 1000000;
  CHECK(baseline(std::vector<Exact>(12, huge)) == Value::of(0));
  CHECK(baseline(std::vector<Exact>(82, huge)).number == Approx(0).margin(1e-15));
}

TEST_CASE("a baseline is held against that of 52 weeks before, where there is one") {
  // Last year: 26 weeks of 50 and four of 40, this year of 100 and 80. The same fall is the season's.
  std::vector<Exact> weeks(26, 50);
  weeks.insert(weeks.end(), {40, 40, 40, 40});
  weeks.insert(weeks.end(), 22, 100);
  weeks.insert(weeks.end(), 26, 100);
  weeks.insert(weeks.end(), {80, 80, 80, 80});
  REQUIRE(weeks.size() == 82);
  CHECK(baseline(weeks) == Value::of(0));
  for (std::size_t i = 78; i < 82; ++i) weeks[i] = 72;
  CHECK(baseline(weeks) == Value::of(-0.1));  // .72 / .8 - 1, exactly
  // With 12 weeks of that year there is a season, with 11 none.
  const std::span<const Exact> all(weeks);
  CHECK(baseline(all.last(64)) == Value::of(-0.1));
  CHECK(baseline(all.last(63)).number == Approx(-0.28));
  // Nor where it is 0 or unknown.
  for (std::size_t i = 26; i < 30; ++i) weeks[i] = 0;
  CHECK(baseline(weeks).number == Approx(-0.28));
  for (std::size_t i = 0; i < 30; ++i) weeks[i] = i < 26 ? 0 : 5;
  CHECK(baseline(weeks).number == Approx(-0.28));
}

TEST_CASE("a fall from 400 to 360 is down 10 %, which doubles miss") {
  const double in_doubles = 360.0 / 400.0 - 1;
  CHECK_FALSE(in_doubles <= -0.10);
  CHECK(down_at_least(360, 400, 10));
  CHECK_FALSE(down_at_least(361, 400, 10));
  CHECK(relative_change(360, 400).number <= -0.10);
}

TEST_CASE("down 15 % is inclusive") {
  CHECK(down_at_least(85, 100, 15));
  CHECK_FALSE(down_at_least(86, 100, 15));
  CHECK(up_at_least(115, 100, 15));
  CHECK_FALSE(up_at_least(114, 100, 15));
}

TEST_CASE("nothing is neither down nor up from nothing, and counts may be as large as bigint") {
  CHECK_FALSE(down_at_least(0, 0, 15));
  CHECK_FALSE(up_at_least(5, 0, 15));
  const Exact huge = INT64_MAX;
  CHECK(down_at_least(huge / 2, huge, 50));
  CHECK_FALSE(down_at_least(huge, huge, 1));
  CHECK_THROWS_AS(down_at_least(1, 1, -1), Error);
}

TEST_CASE("a change from nothing is unknown, from nothing to nothing nobody was active") {
  CHECK(relative_change(0, 0) == Value::none(Unknown::nobody_active));
  CHECK(relative_change(1, 0) == Value::none(Unknown::zero_denominator));
  CHECK(relative_change(0, 5) == Value::of(-1));
  CHECK(slope_4w(std::vector<Exact>{0, 0, 0, 0}) == Value::none(Unknown::nobody_active));
  CHECK(slope_4w(std::vector<Exact>{5, 5, 5, 5}) == Value::of(0));
}

TEST_CASE("a dip streak ends with the first week that did not fall") {
  CHECK(dip_streak(std::vector<Exact>{3, 2, 1}) == 2);
  CHECK(dip_streak(std::vector<Exact>{3, 3, 2}) == 1);
  CHECK(dip_streak(std::vector<Exact>{3, 2, 2}) == 0);
  CHECK(dip_streak(std::vector<Exact>{9, 1, 2}) == 0);
  CHECK(dip_streak(std::vector<Exact>{1}) == 0);
  // Nothing after nothing goes on with it.
  CHECK(dip_streak(std::vector<Exact>{3, 0, 0}) == 2);
  CHECK(dip_streak(std::vector<Exact>{0, 3, 0, 0}) == 2);
  CHECK(dip_streak(std::vector<Exact>{0, 0, 1}) == 0);
  CHECK(dip_streak(std::vector<Exact>{0, 0}) == 1);
}

TEST_CASE("a trend sum does not depend on how its events are divided") {
  TrendSum whole{.as_of = 100};
  TrendSum first{.as_of = 100};
  TrendSum second{.as_of = 100};
  for (Day day = 30; day < 110; ++day) {
    for (Day i = 0; i < day % 7; ++i) {
      whole.add(day);
      (day % 2 == 0 ? first : second).add(day);
    }
  }
  first.add(second);
  CHECK(first.current == whole.current);
  CHECK(first.previous == whole.previous);
  CHECK(first.trend() == whole.trend());
  CHECK(whole.trend().known());
}

TEST_CASE("a trend sum needs eight weeks of history, unless nobody is active any more") {
  TrendSum sum{.as_of = 100};
  CHECK(sum.trend() == Value::none(Unknown::no_data));
  sum.add(100);  // not before as_of
  CHECK(sum.trend() == Value::none(Unknown::no_data));
  sum.add(45);
  CHECK(sum.trend() == Value::of(-1));
  sum.add(72);
  CHECK(sum.trend() == Value::none(Unknown::insufficient_history));
  sum.add(44);
  CHECK(sum.trend() == Value::of(-0.5));
  TrendSum old{.as_of = 100};
  old.add(43);
  CHECK(old.trend() == Value::none(Unknown::nobody_active));
  TrendSum later{.as_of = 101};
  CHECK_THROWS_AS(later.add(sum), Error);
}
