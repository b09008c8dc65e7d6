// NPS, CSAT and CES: the vectors of docs/reference/revenue.md, and what is on no scale.
#include "core/portfolio/opinions.hpp"

#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "core/base/error.hpp"

using namespace health;

namespace {

Value figure_of(OpinionScale scale, const std::vector<double>& answers) {
  Opinions opinions;
  for (const double answer : answers) opinions.add(scale, answer);
  return opinions.figure(scale);
}

}  // namespace

TEST_CASE("5 promoters and 2 detractors of 10 answers are an NPS of 30") {
  CHECK(figure_of(OpinionScale::nps, {9, 10, 9, 10, 9, 0, 6, 7, 8, 7}) == Value::of(30));
}

TEST_CASE("the bounds of the scales are at 9 and 6, and at 4") {
  CHECK(figure_of(OpinionScale::nps, {9}) == Value::of(100));
  CHECK(figure_of(OpinionScale::nps, {8}) == Value::of(0));
  CHECK(figure_of(OpinionScale::nps, {7}) == Value::of(0));
  CHECK(figure_of(OpinionScale::nps, {6}) == Value::of(-100));
  CHECK(figure_of(OpinionScale::csat, {4}) == Value::of(100));
  CHECK(figure_of(OpinionScale::csat, {3}) == Value::of(0));
  CHECK(figure_of(OpinionScale::csat, {5, 4, 3, 2, 1}) == Value::of(40));
}

TEST_CASE("CES is the mean of the answers, exactly") {
  CHECK(figure_of(OpinionScale::ces, {1, 2, 7}) == Value::of(10.0 / 3));
  CHECK(figure_of(OpinionScale::ces, {.1, .2, .3}) == Value::of(.2));
  CHECK(figure_of(OpinionScale::ces, {-3, 3, -1}) == Value::of(-1.0 / 3));
}

TEST_CASE("nobody answered: unknown, never 0") {
  for (const auto scale : {OpinionScale::nps, OpinionScale::csat, OpinionScale::ces})
    CHECK(Opinions().figure(scale) == Value::none(Unknown::no_data));
}

TEST_CASE("opinions in parts are those of all") {
  Opinions some, others;
  some.add(OpinionScale::nps, 10);
  some.add(OpinionScale::nps, 3);
  others.add(OpinionScale::nps, 9);
  some.add(others);
  CHECK(some.figure(OpinionScale::nps) == figure_of(OpinionScale::nps, {9, 10, 3}));
  CHECK(some.answers == 3);
}

TEST_CASE("an answer outside of its scale is an error that names it, and is not counted") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto refuse = [](OpinionScale scale, double answer) {
    Opinions opinions;
    try {
      opinions.add(scale, answer);
    } catch (const Error& error) {
      CHECK(std::string(error.sqlstate()) == sqlstate::invalid_parameter_value);
      CHECK_FALSE(error.hint().empty());
      CHECK(opinions.answers == 0);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refuse(OpinionScale::nps, 11) == "NPS answer 11 is not allowed");
  CHECK(refuse(OpinionScale::nps, -1) == "NPS answer -1 is not allowed");
  CHECK(refuse(OpinionScale::nps, 8.5) == "NPS answer 8.5 is not allowed");
  CHECK(refuse(OpinionScale::csat, 0) == "CSAT answer 0 is not allowed");
  CHECK(refuse(OpinionScale::csat, 6) == "CSAT answer 6 is not allowed");
  CHECK(refuse(OpinionScale::csat, 4.5) == "CSAT answer 4.5 is not allowed");
  CHECK(refuse(OpinionScale::ces, 1e7) == "CES answer 1e+07 is not allowed");
  for (const auto scale : {OpinionScale::nps, OpinionScale::csat, OpinionScale::ces}) {
    for (const double bad : {nan, infinity, -infinity}) CHECK_FALSE(refuse(scale, bad).empty());
  }
}
