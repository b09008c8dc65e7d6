// Normalisers: every kind, its edges, and the properties that all share.
#include <cmath>
#include <limits>
#include <random>

#include "catch.hpp"
#include "core/base/error.hpp"
#include "core/document/model.hpp"
#include "score_fixture.hpp"

using namespace health;

namespace {

double score(const char* spec, double value) {
  const Value result = normalize(parse_normalizer(spec), value);
  REQUIRE(result.known());
  return result.number;
}

std::string rejection(const std::string& spec) {
  try {
    parse_normalizer(spec);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("linear(7, 30) of 18 is 47.8") {
  CHECK(score(R"({"kind": "linear", "worst": 7, "best": 30})", 18) == Approx(47.8).margin(.05));
  CHECK(score(R"({"kind": "linear", "worst": 7, "best": 30})", 18) == Approx(100 * 11 / 23.0).epsilon(1e-14));
}

TEST_CASE("linear runs in either direction and is clamped") {
  CHECK(score(R"({"kind": "linear", "worst": 10, "best": 0})", 2.5) == 75);
  CHECK(score(R"({"kind": "linear", "worst": 10, "best": 0})", 11) == 0);
  CHECK(score(R"({"kind": "linear", "worst": 10, "best": 0})", -1) == 100);
  CHECK(score(R"({"kind": "linear", "worst": -1e308, "best": 1e308})", 0) == 50);
  CHECK_FALSE(std::signbit(score(R"({"kind": "linear", "worst": 10, "best": 0})", 10)));
}

TEST_CASE("worst = best is an error when the normaliser is defined") {
  CHECK(rejection(R"({"kind": "linear", "worst": 3, "best": 3})").find("worst") != std::string::npos);
  // So close that their halves are equal: the score would be 0 / 0.
  CHECK(rejection(R"({"kind": "linear", "worst": 0, "best": 5e-324})").find("worst") != std::string::npos);
  CHECK_FALSE(rejection(R"({"kind": "piecewise", "points": [[0, 0], [5e-324, 100]]})").empty());
}

TEST_CASE("percentile ranks ties in their middle and needs two peers") {
  const char* spec = R"({"kind": "percentile", "reference": {"values": [10, 20, 20, 30]}})";
  CHECK(score(spec, 5) == 0);
  CHECK(score(spec, 10) == 12.5);
  CHECK(score(spec, 15) == 25);
  CHECK(score(spec, 20) == 50);
  CHECK(score(spec, 25) == 75);
  CHECK(score(spec, 30) == 87.5);
  CHECK(score(spec, 31) == 100);
  CHECK(normalize(parse_normalizer(R"({"kind": "percentile", "reference": {"values": [10]}})"), 10).unknown ==
        Unknown::no_data);
  CHECK(
      normalize(parse_normalizer(R"({"kind": "percentile", "reference": {"values": [7], "counts": [2]}})"), 7)
          .number == 50);
  CHECK_FALSE(normalize(parse_normalizer(R"({"kind": "percentile"})"), 10).known());
}

TEST_CASE("percentile compares with the peers of the segment only") {
  const Normalizer n = parse_normalizer(
      R"({"kind": "percentile", "segment": "plan", "reference": {"segments": {"pro": {"values": [1, 2]}, "free": {"values": [3, 4]}}}})");
  CHECK(normalize(n, 2.5, "pro").number == 100);
  CHECK(normalize(n, 2.5, "free").number == 0);
  CHECK_FALSE(normalize(n, 2.5, "trial").known());
  CHECK_FALSE(normalize(n, 2.5).known());
}

TEST_CASE("recency halves with each half-life and takes the future for now") {
  const char* spec = R"({"kind": "recency", "half_life_days": 30})";
  CHECK(score(spec, 0) == 100);
  CHECK(score(spec, 30) == 50);
  CHECK(score(spec, 90) == 12.5);
  CHECK(score(spec, -5) == 100);
}

TEST_CASE("a map without the category is unknown, not 0") {
  const Normalizer n = parse_normalizer(R"({"kind": "map", "map": {"pro": 80, "3": 30}})");
  CHECK(normalize_text(n, "pro").number == 80);
  CHECK(normalize_text(n, "PRO").unknown == Unknown::not_applicable);
  CHECK(normalize(n, 3).number == 30);
}

TEST_CASE("numbers are read as PostgreSQL prints them, and NaN and infinities are none") {
  CHECK(*parse_number("42.50") == 42.5);
  CHECK(*parse_number("-1e-3") == -0.001);
  CHECK(*parse_number("t") == 1);
  CHECK(*parse_number("false") == 0);
  CHECK(*parse_number("1e-400") == 0);
  CHECK_FALSE(parse_number("pro"));
  CHECK_FALSE(parse_number("1.2.3"));
  CHECK_FALSE(parse_number("0x10"));
  CHECK_FALSE(parse_number(""));
  for (const char* bad : {"NaN", "Infinity", "-Infinity", "inf", "1e400"}) CHECK_FALSE(parse_number(bad));
  const Normalizer identity = parse_normalizer(R"({"kind": "identity"})");
  CHECK(normalize(identity, std::numeric_limits<double>::quiet_NaN()).unknown == Unknown::bad_value);
  CHECK(normalize(identity, std::numeric_limits<double>::infinity()).unknown == Unknown::bad_value);
  const Normalizer map = parse_normalizer(R"({"kind": "map", "map": {"pro": 80}, "otherwise": 20})");
  CHECK(normalize_text(map, "free").number == 20);
  CHECK(normalize_text(map, "NaN").unknown == Unknown::bad_value);
  CHECK(normalize_text(identity, "pro").unknown == Unknown::bad_value);
}

TEST_CASE("piecewise and steps want ascending values") {
  CHECK(rejection(R"({"kind": "piecewise", "points": [[1, 0], [1, 100]]})").find("points[1]") !=
        std::string::npos);
  CHECK(rejection(R"({"kind": "steps", "steps": [{"from": 2, "score": 1}, {"from": 1, "score": 2}]})")
            .find("steps[1]") != std::string::npos);
}

TEST_CASE("the lowest score is the lowest that the normaliser can give, in either direction") {
  const auto lowest = [](const char* spec) {
    const Value value = lowest_score(parse_normalizer(spec));
    REQUIRE(value.known());
    return value.number;
  };
  CHECK(lowest(R"({"kind": "identity"})") == 0);
  CHECK(lowest(R"({"kind": "identity", "direction": "lower"})") == 0);
  CHECK(lowest(R"({"kind": "linear", "worst": -3, "best": 5})") == 0);
  CHECK(lowest(R"({"kind": "linear", "worst": 5, "best": -3})") == 0);
  CHECK(lowest(R"({"kind": "piecewise", "points": [[0, 30], [5, 10], [9, 80]]})") == 10);
  CHECK(lowest(R"({"kind": "piecewise", "points": [[0, 30], [5, 10], [9, 80]], "direction": "lower"})") ==
        20);
  CHECK(
      lowest(
          R"({"kind": "steps", "below": 25, "steps": [{"from": 0, "score": 40}, {"from": 9, "score": 15}]})") ==
      15);
  CHECK(lowest(R"({"kind": "steps", "below": 5, "steps": [{"from": 0, "score": 40}]})") == 5);
  CHECK(
      lowest(R"({"kind": "steps", "below": 5, "steps": [{"from": 0, "score": 40}], "direction": "lower"})") ==
      60);
  CHECK(lowest(R"({"kind": "map", "map": {"pro": 80, "free": 20}})") == 20);
  CHECK(lowest(R"({"kind": "map", "map": {"pro": 80, "free": 20}, "otherwise": 10})") == 10);
  CHECK(lowest(R"({"kind": "recency", "half_life_days": 30})") == 0);
  CHECK(lowest(R"({"kind": "target", "low": 2, "high": 4, "tolerance": 1})") == 0);
  CHECK(lowest(R"({"kind": "logistic", "midpoint": 3, "steepness": 2})") == 0);
  CHECK(lowest(R"({"kind": "logistic", "midpoint": 3, "steepness": 2, "direction": "lower"})") == 0);
  CHECK(lowest(R"({"kind": "percentile", "reference": {"values": [10, 20, 30]}})") == 0);
  CHECK(lowest(R"({"kind": "percentile", "reference": {"values": [10, 20, 30]}, "direction": "lower"})") ==
        0);
  CHECK(lowest_score(parse_normalizer(R"({"kind": "percentile"})")).unknown == Unknown::no_data);
  const Normalizer segments = parse_normalizer(
      R"({"kind": "percentile", "segment": "plan", "reference": {"segments": {"pro": {"values": [1, 2]}}}})");
  CHECK(lowest_score(segments, "pro") == Value::of(0));
  CHECK(lowest_score(segments, "free").unknown == Unknown::no_data);
}

TEST_CASE("no value scores below the lowest score") {
  std::mt19937_64 random(test::property_seed() + 3);
  std::uniform_real_distribution<double> unit(-1, 1);
  int below = 0;
  for (const char* spec :
       {R"({"kind": "linear", "worst": 5, "best": -3})", R"({"kind": "recency", "half_life_days": 3})",
        R"({"kind": "piecewise", "points": [[-2, 70], [0, 20], [3, 90]], "direction": "lower"})",
        R"({"kind": "steps", "steps": [{"from": -1, "score": 10}, {"from": 100, "score": 90}], "below": 35})",
        R"({"kind": "target", "low": 2, "tolerance": 5, "direction": "lower"})",
        R"({"kind": "logistic", "midpoint": 3, "steepness": -2})",
        R"({"kind": "percentile", "reference": {"values": [-5, 1, 1, 2, 1000]}})"}) {
    const Normalizer n = parse_normalizer(spec);
    for (int i = 0; i < 2000; ++i)
      below += normalize(n, unit(random) * std::pow(10, 5 * unit(random))).number < lowest_score(n).number;
  }
  CHECK(below == 0);
}

TEST_CASE("every normaliser stays within 0..100, keeps to its direction, and never yields NaN") {
  std::mt19937_64 random(test::property_seed());
  std::uniform_real_distribution<double> unit(-1, 1);
  const char* rising[] = {
      R"({"kind": "linear", "worst": -3, "best": 5})",
      R"({"kind": "piecewise", "points": [[-2, 10], [0, 20], [1e6, 90]]})",
      R"({"kind": "steps", "steps": [{"from": -1, "score": 10}, {"from": 100, "score": 90}], "below": 5})",
      R"({"kind": "percentile", "reference": {"values": [-5, 1, 1, 2, 1000]}})",
      R"({"kind": "logistic", "midpoint": 3, "steepness": 1e-3})",
      R"({"kind": "logistic", "midpoint": 3, "steepness": 1e300})",
      R"({"kind": "identity"})"};
  const char* falling[] = {R"({"kind": "linear", "worst": 5, "best": -3})",
                           R"({"kind": "recency", "half_life_days": 1e-3})",
                           R"({"kind": "identity", "direction": "lower"})",
                           R"({"kind": "logistic", "midpoint": 0, "steepness": -2})"};
  int outside = 0, wrong_way = 0;
  const auto run = [&](const char* spec, bool up) {
    const Normalizer n = parse_normalizer(spec);
    for (int i = 0; i < 2000; ++i) {
      const double a = unit(random) * std::pow(10, 300 * unit(random)),
                   b = unit(random) * std::pow(10, 300 * unit(random));
      const double low = normalize(n, std::min(a, b)).number, high = normalize(n, std::max(a, b)).number;
      outside += !(low >= 0 && low <= 100 && high >= 0 && high <= 100);
      wrong_way += up ? low > high : low < high;
    }
  };
  for (const char* spec : rising) run(spec, true);
  for (const char* spec : falling) run(spec, false);
  CHECK(outside == 0);
  CHECK(wrong_way == 0);
}
