// Numbers event names in the order of their first appearance.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/hash_name.hpp"
#include "core/base/hash_table.hpp"

namespace health {

class NameNumbers {
 public:
  std::uint32_t number_of(std::string_view name) {
    return number_of(name, [](std::string_view same) { return same; });
  }
  // `keep` gives the name to hold on to when it is new: of bytes that will not last, a copy.
  template <class Keep>
  std::uint32_t number_of(std::string_view name, Keep&& keep) {
    std::uint32_t& slot =
        table_.find(hash_name(name), [&](std::uint32_t number) { return names_[number - 1] == name; });
    if (slot != 0) return slot - 1;
    names_.push_back(keep(name));
    const auto number = slot = static_cast<std::uint32_t>(names_.size());
    table_.note_filled([this](std::uint32_t other) { return hash_name(names_[other - 1]); });
    return number - 1;
  }
  const std::vector<std::string_view>& names() const { return names_; }

 private:
  HashTable<std::uint32_t> table_;  // number + 1
  std::vector<std::string_view> names_;
};

}  // namespace health
