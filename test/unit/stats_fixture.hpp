// What the tests of statistics share: random observations, and what nonsense must answer.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>
#include "catch.hpp"
#include "random.hpp"

#include "core/base/error.hpp"

namespace health::test {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinite = std::numeric_limits<double>::infinity();

inline double uniform(Random& random) { return std::uniform_real_distribution<double>(0, 1)(random); }

// Whole numbers below `distinct`, so that there are ties.
inline std::vector<double> random_scores(Random& random, std::size_t n, std::int64_t distinct) {
  std::vector<double> scores(n);
  for (double& score : scores) score = static_cast<double>(between(random, 0, distinct - 1));
  return scores;
}

inline std::vector<std::uint8_t> random_outcomes(Random& random, std::size_t n, double rate = 0.5) {
  std::vector<std::uint8_t> outcomes(n);
  for (auto& outcome : outcomes) outcome = uniform(random) < rate ? 1 : 0;
  return outcomes;
}

// The SQLSTATE that a call ends with; "" when it ends well.
template <class Call>
std::string state_of(Call&& call) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    return error.sqlstate();
  }
}

}  // namespace health::test
