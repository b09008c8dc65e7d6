// The Wilson interval: the vectors of docs/reference/metrics.md, and its edges.
#include "catch.hpp"

#include "core/stats/wilson.hpp"

using namespace health;

TEST_CASE("3 of 5 is 23.1 to 88.2 %, 300 of 500 is 55.6 to 64.2 %") {
  const Interval few = wilson_interval(3, 5);
  CHECK(few.low.number == Approx(0.231).margin(5e-4));
  CHECK(few.high.number == Approx(0.882).margin(5e-4));
  const Interval many = wilson_interval(300, 500);
  CHECK(many.low.number == Approx(0.556).margin(5e-4));
  CHECK(many.high.number == Approx(0.642).margin(5e-4));
}

TEST_CASE("none and all are the ends of the interval exactly") {
  CHECK(wilson_interval(0, 7).low.number == 0);
  CHECK(wilson_interval(0, 7).high.number < 0.5);
  CHECK(wilson_interval(7, 7).high.number == 1);
  CHECK(wilson_interval(7, 7).low.number > 0.5);
}

TEST_CASE("of no users, or of more active than entitled users, there is no interval") {
  CHECK(wilson_interval(0, 0).low == Value::none(Unknown::zero_denominator));
  CHECK(wilson_interval(6, 5).high == Value::none(Unknown::not_applicable));
}
