// Folds changes of a tracked table into ledgers per account and calendar quarter.
#pragma once

#include <unordered_map>
#include <vector>

#include "change_log.hpp"
#include "usage_writer.hpp"

namespace health {

// The first day of the calendar quarter of a day (of the very first quarter the first day that there is).
Day first_day_of_quarter(Day day);

// What the changes of one account in one quarter come to.
struct FoldedChanges {
  UserId account;  // points into the pieces
  Day period;
  UsageBytes usage;
};

// Takes pieces in, whose bytes must stay where they are, and folds them.
class ChangeFold {
 public:
  // `is_text` as in ChangeCursor. Errors: 22P03 for damaged pieces, 42804 when pieces have ids of different
  // types.
  explicit ChangeFold(bool (*is_text)(std::string_view) = nullptr) : is_text_(is_text) {}
  void add(Bytes piece);

  // Ascending by account and period, without ledgers that come to nothing. To be called once. Error 22003
  // when an amount overflows.
  std::vector<FoldedChanges> fold();
  std::int64_t bad_rows() const { return bad_rows_; }
  UserKind account_kind() const { return accounts_.kind; }

 private:
  // Numbers ids by appearance.
  struct Numbers {
    UserKind kind = UserKind::none;
    std::vector<UserId> ids;
    std::unordered_map<std::int64_t, std::uint32_t> by_number;
    std::unordered_map<std::string_view, std::uint32_t> by_bytes;

    std::uint32_t number_of(const UserId& id);
  };
  struct Entry {
    std::uint32_t account;
    std::uint32_t user;
    Day period;
    Day day;
    std::uint32_t event;
    std::int8_t sign;
    bool has_amount;
    std::int64_t amount;
  };

  bool (*is_text_)(std::string_view);
  Numbers accounts_;
  Numbers users_;
  Numbers events_;
  std::vector<Entry> entries_;
  std::int64_t bad_rows_ = 0;
};

}  // namespace health
