// Reads the sum of several ledgers without building it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "usage_algebra.hpp"

namespace health {

// The sum of ledgers, read like one of them (UsageReader): users ascending, their cells ascending by (day,
// event). Cells that come to nothing are among them, so that names(), the first day and the users may be more
// than the sum has. Errors: 42804 ledgers with users of different types; 22003 when a count or amount
// overflows; those of UsageReader.
//
// Good for up to some 16 ledgers: every user is looked for in each of them.
class UsageSum {
 public:
  // The last ledger counts `last_sign` times, 1 or -1. The ledgers must live longer than the reading.
  explicit UsageSum(std::span<const Bytes> ledgers, std::int64_t last_sign = 1);
  UsageSum(const UsageSum&) = delete;
  UsageSum& operator=(const UsageSum&) = delete;

  UserKind user_kind() const { return kind_; }
  std::uint64_t cell_count() const { return cells_; }  // of all ledgers
  // The names of all ledgers, ascending.
  const std::vector<std::string_view>& names() const { return names_; }
  std::uint32_t event_count() const { return static_cast<std::uint32_t>(names_.size()); }
  std::string_view event_name(std::uint32_t event) const { return names_[event]; }
  Day first_day() const { return first_day_; }

  // Starts, or starts again.
  void rewind();
  // As of UsageReader. To be called after rewind().
  bool next_user();
  const UserId& user() const { return here_.front()->user(); }
  bool next_cell(Cell& cell) {
    if (at_ == with_cells_.size()) return false;
    Side& side = *with_cells_[at_];
    // Of ledgers of different times one goes on for long, up to the next cell of another.
    if (side.key() >= next_) {
      sum_equal(cell);
      return true;
    }
    cell = side.cell();
    side.next_cell();
    if (!side.has_cell() || side.key() >= next_) put_back(1);
    return true;
  }

  // Whether any ledger has had a negative number so far: only then can cells cancel out.
  bool saw_negative() const { return saw_negative_; }

 private:
  // A ledger with its next user and cell at hand, event numbers already those of the sum.
  class Side {
   public:
    Side(const UsageReader& reader, const std::vector<std::string_view>& names, std::int64_t sign);

    bool has_user() const { return has_user_; }
    const UserId& user() const { return reader_.user(); }
    void next_user() { has_user_ = reader_.next_user(); }

    bool has_cell() const { return has_cell_; }
    const Cell& cell() const { return cell_; }
    // Cells of a user ascend by this.
    std::uint64_t key() const { return key_; }
    void next_cell() {
      has_cell_ = reader_.next_cell(cell_);
      if (!has_cell_) return;
      cell_.event = events_[cell_.event];
      key_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(cell_.day) - min_day) << 32 | cell_.event;
      if (sign_ < 0) cell_ = negate_cell(cell_);
      is_negative_ |= (cell_.count | cell_.amount_count) < 0;
    }
    bool is_negative() const { return is_negative_; }

   private:
    UsageReader reader_;
    std::int64_t sign_;
    std::vector<std::uint32_t> events_;
    bool has_user_ = false;
    bool has_cell_ = false;
    bool is_negative_ = false;
    std::uint64_t key_ = 0;
    Cell cell_;
  };

  // The sum of the cell that several sides may have in common.
  void sum_equal(Cell& cell);
  // Puts the first sides, which have moved on, back into order; those at their end fall out.
  void put_back(std::size_t moved);

  UserKind kind_ = UserKind::none;
  std::uint64_t cells_ = 0;
  Day first_day_ = max_day;
  std::vector<std::string_view> names_;
  struct Head {
    UsageReader reader;  // has not moved
    std::int64_t sign;
  };
  std::vector<Head> heads_;
  std::vector<Side> sides_;
  std::vector<Side*> open_;        // have users left
  std::vector<Side*> here_;        // are at the present user, in the order of the ledgers
  std::vector<Side*> with_cells_;  // of these, from `at_` on, ascending by key: have cells left
  std::size_t at_ = 0;
  std::uint64_t next_ = 0;  // key of the second of them
  bool saw_negative_ = false;
};

}  // namespace health
