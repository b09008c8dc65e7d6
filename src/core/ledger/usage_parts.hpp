// Parts of a ledger: a range of days, all but some users.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "usage_writer.hpp"

namespace health {

// The cells with from <= day < until; a missing end is open. Nothing when that is the whole ledger: its bytes
// are the result.
std::optional<UsageBytes> slice_usage(Bytes usage, std::optional<Day> from, std::optional<Day> until);

// User ids given as text, ready to be looked for in ledgers of every kind of ids. Text that is no id of a
// ledger's kind is in none of them.
class UserSet {
 public:
  explicit UserSet(std::span<const std::string_view> texts);

  // Ascending and distinct; bytes point into this object.
  std::span<const UserId> ids(UserKind kind) const;

 private:
  std::vector<std::string> texts_;
  std::vector<std::array<char, 16>> uuids_;
  std::vector<UserId> text_ids_;
  std::vector<UserId> uuid_ids_;
  std::vector<UserId> bigint_ids_;
};

// The ledger without the cells of these users. Nothing when none of them is in it: its bytes are the result.
std::optional<UsageBytes> usage_without_users(Bytes usage, const UserSet& users);

}  // namespace health
