// Random parameters of the BG/BB model.
#pragma once

#include <cmath>

#include "core/stats/bgbb.hpp"
#include "random.hpp"

namespace health::test {

// Each between e^-3 and e^3.
inline BgbbParameters random_parameters(Random& random) {
  const auto draw = [&random] { return std::exp(0.01 * static_cast<double>(between(random, -300, 300))); };
  return {draw(), draw(), draw(), draw()};
}

}  // namespace health::test
