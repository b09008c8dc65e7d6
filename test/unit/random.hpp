// Randomness of the tests, from one seed that is printed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace health::test {

using Random = std::mt19937_64;

// AH_SEED repeats a run; printed so that it can be.
inline std::uint64_t run_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("AH_SEED");
    const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "seed " << value << " (AH_SEED repeats it)" << std::endl;
    return value;
  }();
  return seed;
}

inline std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

template <class Choices>
const auto& any_of(Random& random, const Choices& choices) {
  return choices[static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(choices.size()) - 1))];
}

}  // namespace health::test
