// Hashes event names: few, short, and looked up once per event.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace health {

// Of the length, the first and the last eight bytes: names that differ in the middle only share a bucket's
// neighbourhood, no more.
inline std::uint64_t hash_name(std::string_view name) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (name.size() >= 8) {
    std::memcpy(&first, name.data(), 8);
    std::memcpy(&last, name.data() + name.size() - 8, 8);
  } else {
    for (const char c : name) first = first << 8 | static_cast<unsigned char>(c);
  }
  const std::uint64_t hash = (first + name.size()) * 0x9e3779b97f4a7c15u ^ last * 0x9fb21c651e98df25u;
  return hash ^ (hash >> 29);
}

}  // namespace health
