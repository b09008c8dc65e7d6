// Numbers users in the order of their first appearance.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "core/base/varint.hpp"
#include "usage_algebra.hpp"

namespace health {

class UserNumbers {
 public:
  // `near` is a bigint around which many users lie: the first of the log.
  UserNumbers(UserKind kind, std::int64_t near) : kind_(kind), near_(near), table_(64, 0) {}

  std::uint32_t number_of(const UserId& user) {
    return number_of(user, [](const UserId& id) { return id; });
  }
  // `keep` gives the id to hold on to when a user is new: of bytes that will not last, a copy.
  template <class Keep>
  std::uint32_t number_of(const UserId& user, Keep&& keep) {
    if (kind_ != UserKind::bigint) return look_up(user, keep);
    const std::uint64_t distance = zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(user.number) -
                                                                    static_cast<std::uint64_t>(near_)));
    if (distance >= neighbours_.size()) return look_up(user, keep);
    std::uint32_t& known = neighbours_[distance];
    if (known == 0) known = look_up(user, keep) + 1;
    return known - 1;
  }
  const std::vector<UserId>& users() const { return users_; }

 private:
  template <class Keep>
  std::uint32_t look_up(const UserId& user, Keep&& keep) {
    const std::size_t mask = table_.size() - 1;
    std::size_t slot = hash(user) & mask;
    for (; table_[slot] != 0; slot = (slot + 1) & mask) {
      const std::uint32_t number = table_[slot] - 1;
      if (compare_users(kind_, users_[number], user) == 0) return number;
    }
    users_.push_back(keep(user));
    table_[slot] = static_cast<std::uint32_t>(users_.size());
    if (2 * users_.size() > table_.size()) grow();
    return static_cast<std::uint32_t>(users_.size() - 1);
  }
  std::size_t hash(const UserId& user) const {
    std::uint64_t hash = 0;
    if (kind_ == UserKind::bigint) {
      hash = static_cast<std::uint64_t>(user.number) * 0x9e3779b97f4a7c15u;
    } else {
      hash = std::hash<std::string_view>{}(user.bytes);
    }
    return static_cast<std::size_t>(hash ^ (hash >> 32));
  }
  void grow() {
    table_.assign(4 * table_.size(), 0);
    const std::size_t mask = table_.size() - 1;
    for (std::uint32_t i = 0; i < users_.size(); ++i) {
      std::size_t slot = hash(users_[i]) & mask;
      while (table_[slot] != 0) slot = (slot + 1) & mask;
      table_[slot] = i + 1;
    }
  }

  UserKind kind_;
  std::int64_t near_;
  std::array<std::uint32_t, 128> neighbours_{};  // by zigzag distance from near_: number + 1, 0 is unknown
  std::vector<std::uint32_t> table_;             // number + 1, 0 is empty
  std::vector<UserId> users_;
};

}  // namespace health
