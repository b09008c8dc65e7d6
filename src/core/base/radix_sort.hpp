// Sorts unsigned integers of few significant bits: no branches that depend on the data, unlike std::sort.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace health {

// Ascending; every value must be below `bound`. Needs as much again, in `other`, for more than a few values.
inline void radix_sort(std::vector<std::uint64_t>& values, std::uint64_t bound,
                       std::vector<std::uint64_t>& other) {
  constexpr unsigned digit_bits = 8;
  constexpr std::size_t few = 64;  // below this a comparison sort is as fast
  const auto digits = (static_cast<unsigned>(std::bit_width(bound)) + digit_bits - 1) / digit_bits;
  if (values.size() < few || digits > 5) {
    std::sort(values.begin(), values.end());
    return;
  }
  other.resize(values.size());
  for (unsigned digit = 0; digit < digits; ++digit) {
    const unsigned shift = digit * digit_bits;
    std::array<std::uint32_t, 1u << digit_bits> ends{};
    for (const std::uint64_t value : values) ++ends[(value >> shift) & 0xff];
    std::uint32_t total = 0;
    for (std::uint32_t& end : ends) {
      const std::uint32_t count = end;
      end = total;
      total += count;
    }
    for (const std::uint64_t value : values) other[ends[(value >> shift) & 0xff]++] = value;
    values.swap(other);
  }
}

inline void radix_sort(std::vector<std::uint64_t>& values, std::uint64_t bound) {
  std::vector<std::uint64_t> other;
  radix_sort(values, bound, other);
}

}  // namespace health
