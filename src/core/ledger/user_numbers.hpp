// Numbers users in the order of their first appearance.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "core/base/hash_table.hpp"
#include "core/base/varint.hpp"
#include "usage_algebra.hpp"

namespace health {

class UserNumbers {
 public:
  // `near` is a bigint around which many users lie: the first of the log.
  UserNumbers(UserKind kind, std::int64_t near) : kind_(kind), near_(near) {}

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
    std::uint32_t& slot = table_.find(hash(user), [&](std::uint32_t number) {
      return compare_users(kind_, users_[number - 1], user) == 0;
    });
    if (slot != 0) return slot - 1;
    users_.push_back(keep(user));
    const auto number = slot = static_cast<std::uint32_t>(users_.size());
    table_.note_filled([this](std::uint32_t other) { return hash(users_[other - 1]); });
    return number - 1;
  }
  std::uint64_t hash(const UserId& user) const {
    std::uint64_t hash = 0;
    if (kind_ == UserKind::bigint) {
      hash = static_cast<std::uint64_t>(user.number) * 0x9e3779b97f4a7c15u;
    } else {
      hash = std::hash<std::string_view>{}(user.bytes);
    }
    return hash ^ (hash >> 32);
  }

  UserKind kind_;
  std::int64_t near_;
  std::array<std::uint32_t, 128> neighbours_{};  // by zigzag distance from near_: number + 1, 0 is unknown
  HashTable<std::uint32_t> table_;               // number + 1
  std::vector<UserId> users_;
};

}  // namespace health
