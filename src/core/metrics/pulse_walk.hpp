// How the cells of a ledger are counted by week without decoding it. Internal to the pulse: others use
// pulse.hpp.
//
// A cell's position in the ledger, (day - first day) * events + event, grows with its day, so a week is a
// range of positions and no day is ever worked out.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/exact.hpp"
#include "core/base/varint.hpp"
#include "core/ledger/markers.hpp"
#include "core/ledger/usage_format.hpp"
#include "metrics.hpp"
#include "pulse.hpp"

namespace health::pulse {

inline constexpr int weeks_seen = 8;
inline constexpr std::uint64_t cells_between_polls = 65536;

// The spans of days that are told apart. Days up to the first of week 8 prove that the account is 8 weeks
// old.
enum Span : std::size_t {
  before,
  first_day_of_week_8,
  rest_of_week_8,
  week_7,
  week_4 = 6,
  week_1 = 9,
  after
};
inline constexpr std::size_t spans = after + 1;

inline bool is_recent(std::size_t span) { return span >= week_4 && span <= week_1; }

// Events by span. Most cells stand for one event: these are counted side by side in one word, which a walk
// keeps in a register.
struct Counts {
  static constexpr unsigned bits = 6;              // of a span's counter; of those after as_of some are lost
  static constexpr std::uint64_t most_cells = 63;  // that the word counts

  std::array<Exact, after> total{};  // but for what the word has
  std::uint64_t word = 0;
  std::uint64_t cells = 0;    // that the word may have counted
  Exact recent_several = 0;   // of the present user's cells of the last 28 days, but for what the word has
  Exact old_joined = 0;       // $joined markers up to the first day of week 8 that say when
  bool has_negative = false;  // a cell with a negative count was seen

  static std::uint64_t one(std::size_t span) { return std::uint64_t{1} << (bits * span); }
  static std::uint64_t in_word(std::uint64_t word, std::size_t span) {
    return (word >> (bits * span)) & most_cells;
  }
  static std::uint64_t recent_in_word(std::uint64_t word) {
    return in_word(word, week_4) + in_word(word, week_4 + 1) + in_word(word, week_4 + 2) +
           in_word(word, week_1);
  }

  Exact operator[](std::size_t span) const { return total[span] + in_word(word, span); }
  // Up to the first day of week 8.
  Exact old_events() const { return (*this)[before] + (*this)[first_day_of_week_8]; }
  // Of week 8 (0) to week 1 (7).
  Exact week(std::size_t i) const {
    return i == 0 ? (*this)[first_day_of_week_8] + (*this)[rest_of_week_8] : (*this)[rest_of_week_8 + i];
  }

  // Makes room in the word for as many of these cells as it can count, and returns how many that is.
  std::uint64_t make_room(std::uint64_t wanted) {
    if (wanted > most_cells - cells) {
      for (std::size_t span = 0; span < after; ++span) total[span] += in_word(word, span);
      word = cells = 0;
      wanted = std::min(wanted, most_cells);
    }
    cells += wanted;
    return wanted;
  }
};

[[noreturn]] inline void reject(Bytes bytes) {
  validate_usage(bytes);  // knows what is wrong
  throw Error(sqlstate::data_corrupted, "a value of type health.usage changed while it was read");
}

// Tells the span of a position: by a table where the positions up to as_of are few, as they are in a chunk of
// a quarter; else by comparing with the ends of the spans.
class SpanTable {
 public:
  static constexpr std::size_t size = 4096;

  // Takes the ledger's shape in, unless it is that of the ledger before.
  void set(Day first_day, std::uint32_t events, Day as_of) {
    if (first_day != first_day_ || events != events_ || as_of != as_of_) fill(first_day, events, as_of);
  }

  bool is_table() const { return ends_[week_1] <= size; }
  std::size_t find_in_table(std::uint64_t position) const {
    return table_[std::min(position, ends_[week_1])];
  }
  // `from` is the span of an earlier position of the same user.
  std::size_t find_from(std::size_t from, std::uint64_t position) const {
    while (from < after && position >= ends_[from]) ++from;
    return from;
  }

 private:
  void fill(Day first_day, std::uint32_t events, Day as_of) {
    first_day_ = first_day;
    events_ = events;
    as_of_ = as_of;
    const auto position = [&](std::int64_t days_ago) {
      const std::int64_t days = std::int64_t{as_of} - days_ago - first_day;
      return days <= 0 ? 0 : static_cast<std::uint64_t>(days) * events;
    };
    ends_[before] = position(7 * weeks_seen);
    ends_[first_day_of_week_8] = position(7 * weeks_seen - 1);
    for (std::size_t span = rest_of_week_8; span <= week_1; ++span)
      ends_[span] = position(7 * static_cast<std::int64_t>(week_1 - span));
    if (ends_[week_1] > size) return;
    std::size_t at = 0;
    for (std::size_t span = before; span <= week_1; ++span) {
      std::memset(table_.data() + at, static_cast<int>(span), ends_[span] - at);
      at = ends_[span];
    }
    table_[at] = after;
  }

  Day first_day_ = 0;
  Day as_of_ = 0;
  std::uint32_t events_ = 0;  // 0: not set
  std::array<std::uint64_t, spans - 1> ends_{};
  std::array<std::uint8_t, size + 1> table_;  // as far as it was filled
};

// The tables that a thread keeps for ledgers that are walked one by one: most of a query are alike.
inline SpanTable& kept_table(Bytes bytes) {
  static thread_local std::array<SpanTable, 16> kept;
  // The bytes behind version and kind: the first day and the number of events. The table checks them.
  std::uint32_t shape = 0;
  if (bytes.size() >= 2 + sizeof shape) std::memcpy(&shape, bytes.data() + 2, sizeof shape);
  return kept[(shape * 2654435761U) >> 28];
}

// Walks the users of one part.
class Part {
 public:
  // `table` belongs to the part while it is walked.
  void open(const Bytes& bytes, Day as_of, SpanTable& table) {
    bytes_ = bytes;
    at_ = bytes.data();
    end_ = at_ + bytes.size();
    users_left_ = 0;
    has_markers_ = false;
    text_.clear();
    table_ = &table;
    if (bytes.size() < 2 || at_[0] != usage_version || at_[1] > static_cast<std::uint8_t>(UserKind::text))
      reject(bytes_);
    kind_ = static_cast<UserKind>(at_[1]);
    at_ += 2;
    if (kind_ == UserKind::none) return;
    const std::int64_t first_day = unzigzag(read());
    const std::uint64_t events = read();
    users_left_ = read();
    read();  // cells
    if (first_day < min_day || first_day > max_day || events == 0 || events > max_event_names) reject(bytes_);
    first_day_ = static_cast<Day>(first_day);
    events_ = static_cast<std::uint32_t>(events);
    positions_ = static_cast<std::uint64_t>(max_day - first_day + 1) * events;
    first_user_ = true;
    table.set(first_day_, events_, as_of);
    read_names();
  }

  UserKind kind() const { return kind_; }
  Bytes bytes() const { return bytes_; }

  // Moves to the next user, whose identity is read only when `identify`: a lone part need not know who it is.
  [[gnu::always_inline]] inline bool next_user(bool identify) {
    if (users_left_ == 0) {
      if (at_ != end_) reject(bytes_);
      return false;
    }
    --users_left_;
    if (kind_ == UserKind::bigint) {
      const std::uint64_t step = read();
      user_.number = first_user_
                         ? unzigzag(step)
                         : static_cast<std::int64_t>(static_cast<std::uint64_t>(user_.number) + step + 1);
    } else {
      read_name(identify);
    }
    first_user_ = false;
    cells_left_ = read();
    return true;
  }
  const UserId& user() const { return user_; }

  // Adds the present user's cells to the counts. Returns the user's events of the last 28 days.
  Exact count_cells(Counts& counts) {
    if (has_markers_) return count<true, false>(counts);
    return table_->is_table() ? count<false, true>(counts) : count<false, false>(counts);
  }

  // Counts the cells of all users that are left, and calls take(events of the last 28 days) after each.
  template <class Take>
  void count_users(Counts& counts, bool identify, Take&& take) {
    if (has_markers_)
      while (next_user(identify)) take(count<true, false>(counts));
    else if (table_->is_table())
      while (next_user(identify)) take(count<false, true>(counts));
    else
      while (next_user(identify)) take(count<false, false>(counts));
  }

 private:
  std::uint64_t read() {
    if (at_ < end_ && *at_ < 0x80) return *at_++;
    return read_long();
  }
  [[gnu::noinline]] std::uint64_t read_long() {
    std::uint64_t value = 0;
    if (!get_varint(at_, end_, value)) reject(bytes_);
    return value;
  }

  std::string_view read_bytes(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) reject(bytes_);
    const std::string_view bytes(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }

  [[gnu::noinline]] void read_name(bool identify) {
    if (kind_ == UserKind::uuid) {
      user_.bytes = read_bytes(16);
      return;
    }
    const std::uint64_t shared = read();
    const std::string_view rest = read_bytes(read());
    if (!identify) return;
    if (shared > text_.size()) reject(bytes_);
    text_.resize(static_cast<std::size_t>(shared));
    text_.append(rest);
    user_.bytes = text_;
  }

  // Names ascend, so markers are neighbours.
  void read_names() {
    joined_event_ = events_;
    first_marker_ = last_marker_ = 0;
    for (std::uint32_t i = 0; i < events_; ++i) {
      const std::string_view name = read_bytes(read());
      if (!health::is_marker(name)) continue;
      if (!has_markers_) first_marker_ = i;
      last_marker_ = i;
      has_markers_ = true;
      if (name == joined_marker) joined_event_ = i;
    }
  }

  // A number that was read, and where the next one begins: both fit registers, as the walk's state should.
  struct Tag {
    std::uint64_t value;
    const std::uint8_t* next;
  };
  struct Count {
    std::int64_t value;
    const std::uint8_t* next;
  };

  Tag read_tag(const std::uint8_t* at, const std::uint8_t* end) const {
    const ShortVarint number = look_at_varint(at, end);
    return number.size != 0 ? Tag{number.value, at + number.size} : read_long_tag(at);
  }
  [[gnu::noinline]] Tag read_long_tag(const std::uint8_t* at) const {
    std::uint64_t value = 0;
    if (!get_varint(at, end_, value)) reject(bytes_);
    if (value / 2 >= positions_) reject(bytes_);
    return {value, at};
  }

  // What follows the tag of a cell that is not one event without an amount: the number of events.
  [[gnu::noinline]] Count read_count(const std::uint8_t* at) const {
    std::uint64_t meta = 0;
    std::uint64_t skipped = 0;
    if (!get_varint(at, end_, meta)) reject(bytes_);
    for (std::uint64_t amounts = meta & 3; amounts > 0; --amounts)
      if (!get_varint(at, end_, skipped)) reject(bytes_);
    return {unzigzag(meta >> 2), at};
  }

  bool is_marker(std::uint64_t position) const {
    const auto event = static_cast<std::uint32_t>(position % events_);
    return event >= first_marker_ && event <= last_marker_;
  }
  // A $joined that says when.
  bool is_joined(std::uint64_t position) const {
    return position % events_ == joined_event_ &&
           first_day_ + static_cast<std::int64_t>(position / events_) != always_there;
  }

  // Inline, as most users have few cells.
  template <bool with_markers, bool by_table>
  [[gnu::always_inline]] inline Exact count(Counts& counts) {
    const SpanTable& table = *table_;
    const std::uint8_t* at = at_;
    const std::uint8_t* const end = end_;
    std::uint64_t position = 0;  // of the last cell, plus 1
    std::size_t span = before;
    std::uint64_t recent = 0;
    bool has_several = false;
    std::uint64_t left = cells_left_;
    if (left > static_cast<std::uint64_t>(end - at)) reject(bytes_);
    if ((walked_ += left) >= cells_between_polls) {
      walked_ = 0;
      poll_cancel();
    }
    while (left > 0) {
      std::uint64_t cells = counts.make_room(left);
      left -= cells;
      std::uint64_t word = counts.word;
      while (cells > 0) {
        std::uint64_t here = 0;
        bool has_count = false;
        bool is_plain = true;
        // Cells of one event each: a loop of its own, that all of it stays in registers.
        do {
          const Tag tag = read_tag(at, end);
          at = tag.next;
          here = position + (tag.value >> 1);
          position = here + 1;
          span = by_table ? table.find_in_table(here) : table.find_from(span, here);
          --cells;
          has_count = (tag.value & 1) != 0;
          if (has_count || (with_markers && is_marker(here))) {
            is_plain = false;
            break;
          }
          word += Counts::one(span);
        } while (cells > 0);
        if (is_plain) break;
        Count number{1, at};
        if (has_count) number = read_count(at);
        at = number.next;
        counts.has_negative |= number.value < 0;
        if (with_markers && is_marker(here)) {
          if (span <= first_day_of_week_8 && is_joined(here)) counts.old_joined += number.value;
        } else if (span != after) {
          counts.total[span] += number.value;
          if (!is_recent(span)) continue;
          counts.recent_several += number.value;
          has_several = true;
        }
      }
      recent += Counts::recent_in_word(word - counts.word);
      counts.word = word;
    }
    if (position > positions_) reject(bytes_);
    at_ = at;
    if (!has_several) return recent;
    return recent + std::exchange(counts.recent_several, 0);
  }

  Bytes bytes_;
  const SpanTable* table_ = nullptr;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  UserKind kind_ = UserKind::none;
  Day first_day_ = 0;
  std::uint32_t events_ = 0;
  std::uint32_t joined_event_ = 0;  // events_ when there is none
  std::uint32_t first_marker_ = 0;
  std::uint32_t last_marker_ = 0;
  bool has_markers_ = false;
  bool first_user_ = false;
  std::uint64_t users_left_ = 0;
  std::uint64_t cells_left_ = 0;
  std::uint64_t positions_ = 0;  // first position out of range
  std::uint64_t walked_ = 0;
  std::string text_;
  UserId user_;
};

// The error of a ledger with negative counts; `bytes` when it is a single one.
[[noreturn]] void reject_negative(const Bytes* bytes);

// What is known of the last 28 days' users.
struct Users {
  std::int64_t active = 0;
  Exact most = 0;  // events of one user

  void add(Exact recent) {
    active += recent > 0;
    most = std::max(most, recent);
  }
};

// The account is 8 weeks old: as the question says, or by its events or $joined markers up to then.
inline bool is_old(const PulseQuestion& question, Exact events, Exact joined) {
  if (question.account_start)
    return std::int64_t{question.as_of} - *question.account_start >= std::int64_t{7} * weeks_seen;
  return events > 0 || joined > 0;
}

// The figures, from the events of the last 8 weeks, oldest first. `has_history`: the account is 8 weeks old.
// Error 22023 for a week with a negative number.
Pulse conclude(const Users& users, const std::array<Exact, weeks_seen>& weeks, bool has_history);

}  // namespace health::pulse
