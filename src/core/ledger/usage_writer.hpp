// Writes canonical ledgers from users and cells that arrive in order.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/byte_buffer.hpp"
#include "usage.hpp"

namespace health {

using UsageBytes = std::vector<std::uint8_t>;

// Ascending, distinct event names, which the caller keeps.
using EventNames = std::vector<std::string_view>;

// Error 22003: a count or an amount of one cell leaves its range.
[[noreturn]] void reject_sum(const char* what);

// The bytes of the empty ledger, the identity of addition.
UsageBytes empty_usage();

// Takes users ascending and their cells ascending by (day, event); cells that came to nothing are left out,
// and with them their users. The event names and the first day are part of every cell's encoding, so they
// must be guessed first: the writer notes which of them turned out to be in use, and settle() says whether
// the guess held. If not, feed the same again.
class UsageWriter {
 public:
  UsageWriter(UserKind kind, const EventNames& names, Day first_day);
  // For a caller that knows the names and the first day to be those of the result.
  struct Exact {};
  static constexpr Exact exact{};
  UsageWriter(UserKind kind, const EventNames& names, Day first_day, Exact)
      : UsageWriter(kind, names, first_day) {}

  // Starts another ledger of the same kind, in the memory of this one.
  void restart(const EventNames& names, Day first_day);

  void begin_user(const UserId& user);
  // `event` is an index into the names that the writer was made with.
  void add(const Cell& cell) {
    if (cell.count == 1 && cell.amount_count == 0 && cell.amount == 0) {
      if (move_to(cell)) user_cells_.append_varint(2 * gap_);
    } else {
      add_sums(cell);
    }
  }
  // The cell (day - first day) * names + event with `count` > 0 events without amounts; for exact writers.
  void add_events(std::uint64_t position, std::int64_t count);
  void end_user();

  // True when the bytes are canonical; else the names and the first day have been corrected.
  bool settle();
  UsageBytes take() const {
    UsageBytes bytes;
    take(bytes);
    return bytes;
  }
  // The same into memory that was in use before.
  void take(UsageBytes& bytes) const;

 private:
  // Counts a cell in; `gap_` becomes its distance to the one before. False when the guess is off already, and
  // what follows is only to learn the right one.
  bool move_to(const Cell& cell) {
    const std::uint32_t event = renumber_[cell.event];
    seen_[event] = 1;
    earliest_ = std::min(earliest_, cell.day);
    if (cell.day < first_day_) return false;
    const auto day = static_cast<std::uint64_t>(static_cast<std::int64_t>(cell.day) - first_day_);
    const std::uint64_t position = day * names_.size() + event;
    gap_ = position - position_;
    position_ = position + 1;
    ++cells_of_user_;
    return true;
  }
  void add_sums(const Cell& cell);

  UserKind kind_;
  EventNames names_;
  std::vector<std::uint32_t>
      renumber_;  // given event index -> index in force; dropped ones are never asked for again
  Day first_day_ = 0;
  ByteBuffer body_;
  ByteBuffer user_cells_;
  UserId user_;
  std::int64_t previous_number_ = 0;
  std::string previous_text_;
  std::uint64_t users_ = 0;
  std::uint64_t cells_ = 0;
  std::uint64_t cells_of_user_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t gap_ = 0;
  std::vector<std::uint8_t> seen_;
  Day earliest_ = max_day;
};

// Runs `feed(writer)` until the writer's guess of names and first day has settled (at most twice) and returns
// the ledger.
template <class Feed>
UsageBytes write_usage(UserKind kind, const EventNames& names, Day first_day, Feed&& feed) {
  UsageWriter writer(kind, names, first_day);
  do {
    feed(writer);
  } while (!writer.settle());
  return writer.take();
}

}  // namespace health
