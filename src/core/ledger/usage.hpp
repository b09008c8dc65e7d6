// The canonical usage ledger: per user, local day and event name the count and the summed amount. Format and
// reader.
//
// Bytes (version 1), all integers unsigned LEB128 varints unless said otherwise:
//   u8 version, u8 user kind, first_day (zigzag), event count, users, cells,
//   event names: length, bytes; ascending bytewise, no duplicates
//   per user, ascending: identity (bigint: zigzag of the first, then the gap to the previous minus 1; uuid:
//   16 bytes; text: bytes shared with the previous, length of the rest, the rest), number of cells, cells per
//   cell, ascending by (day, event): with p = (day - first_day) * events + event and gap = p - previous p - 1
//   (first: p)
//     2 * gap     count 1, no amount
//     2 * gap + 1 followed by meta = 4 * zigzag(count) + mode; mode 0: no amount; 1: every event had an
//     amount, then zigzag(amount);
//                 2: zigzag(amount count), zigzag(amount)
//     an amount has up to 95 bits, all other numbers up to 64
// Equal content has exactly one encoding: no empty cell, user or event name, no overlong varint; an empty
// ledger is version, 0 only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/byte_reader.hpp"
#include "core/base/day.hpp"
#include "core/base/error.hpp"
#include "core/base/exact.hpp"

namespace health {

enum class UserKind : std::uint8_t { none = 0, bigint = 1, uuid = 2, text = 3 };

// The SQL name of the type of user ids: "bigint", "uuid", "text"; "" for none.
std::string_view user_kind_name(UserKind kind);
// The kind of that name; `text` for any other name.
UserKind user_kind_named(std::string_view name);

// A user's identity; for bigint in `number`, else in `bytes` (uuid: 16 bytes), which point into the ledger
// that was read.
struct UserId {
  std::int64_t number = 0;
  std::string_view bytes;
};

// The id as text, the way PostgreSQL prints it.
std::string user_id_text(UserKind kind, const UserId& id);

// What happened to one event of one user on one day. Counts can be negative in a difference of two ledgers.
struct Cell {
  Day day = 0;
  std::uint32_t event = 0;        // index into event_name()
  std::int64_t count = 0;         // events
  std::int64_t amount_count = 0;  // events that carried an amount
  Exact amount = 0;               // sum of the amounts, in micro units
};

using Bytes = std::span<const std::uint8_t>;

// The kind of a ledger's users, by its first bytes, which are all that is read. Error 22P03.
UserKind usage_kind(Bytes usage);

// Reads a ledger front to back without copying: `while (next_user()) while (next_cell(cell))`. Every read is
// bounds-checked and every rule of the format is enforced on the way, so reading to the end is validation;
// bad bytes throw Error 22P03.
class UsageReader {
 public:
  explicit UsageReader(Bytes bytes);

  UserKind user_kind() const { return kind_; }
  std::uint64_t user_count() const { return users_; }
  std::uint64_t cell_count() const { return cells_; }
  std::uint32_t event_count() const { return events_; }
  // The earliest day with a cell; 2000-01-01 for an empty ledger.
  Day first_day() const { return static_cast<Day>(first_day_); }
  std::string_view event_name(std::uint32_t event) const;

  // Advances to the next user; the cells of the previous one must have been read. False at the end.
  bool next_user();
  // The user that next_user() moved to; text bytes stay valid until the next call of next_user().
  const UserId& user() const { return user_; }
  // Advances to the next cell of the present user. False after the last.
  bool next_cell(Cell& cell) {
    if (user_cells_left_ == 0) return false;
    --user_cells_left_;
    if ((++cells_read_ & 0xfff) == 0) poll_cancel();
    const std::uint64_t tag = bytes_.short_number();
    const std::uint64_t gap = tag >> 1;
    if (gap >= positions_ - position_) reject_day();
    const std::uint64_t position = position_ + gap;
    position_ = position + 1;
    if (position >= day_start_ + events_) {
      // Dividing 32 bits is a good deal faster.
      const std::uint64_t days =
          position <= UINT32_MAX ? static_cast<std::uint32_t>(position) / events_ : position / events_;
      day_start_ = days * events_;
      day_ = static_cast<Day>(first_day_ + static_cast<std::int64_t>(days));
    }
    cell.day = day_;
    cell.event = static_cast<std::uint32_t>(position - day_start_);
    saw_first_day_ |= day_start_ == 0;
    if (events_ > 64)
      more_seen_[cell.event] = true;
    else
      seen_ |= std::uint64_t{1} << cell.event;
    cell.count = 1;
    cell.amount_count = 0;
    cell.amount = 0;
    if ((tag & 1) != 0) read_sums(cell);
    return true;
  }
  // Skips what is left of the present user's cells.
  void skip_cells() {
    Cell cell;
    while (next_cell(cell)) {
    }
  }

 private:
  struct Reject {
    [[noreturn]] static void reject(ByteFault fault);
  };
  [[noreturn]] static void reject_day();
  void read_sums(Cell& cell);  // of a cell that is more than one event without an amount
  void finish();               // what can only be checked behind the last user

  ByteReader<Reject> bytes_;
  UserKind kind_ = UserKind::none;
  std::uint32_t events_ = 0;
  std::uint64_t users_ = 0;
  std::uint64_t cells_ = 0;
  std::uint64_t users_read_ = 0;
  std::uint64_t cells_read_ = 0;
  std::uint64_t user_cells_left_ = 0;
  std::uint64_t positions_ = 0;  // first position out of range
  std::uint64_t position_ = 0;   // of the last cell, plus 1; 0 before the first of a user
  std::uint64_t day_start_ = 0;  // position of the first event of the last cell's day
  Day day_ = 0;                  // that day
  std::int64_t first_day_ = 0;
  bool saw_first_day_ = false;
  std::uint64_t seen_ = 0;       // bit per event: has a cell (up to 64 events)
  std::vector<bool> more_seen_;  // the same beyond 64
  std::array<std::string_view, 32> inline_names_;
  std::vector<std::string_view> more_names_;  // event names from the 33rd on
  std::string text_;                          // the present text user
  UserId user_;
};

// Throws Error 22P03 unless the bytes are one canonical ledger.
void validate_usage(Bytes bytes);

}  // namespace health
