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

#include "exact.hpp"
#include "metrics.hpp"
#include "pulse.hpp"
#include "usage_format.hpp"
#include "varint.hpp"

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

// Events by span. Most cells stand for one event: those are counted apart, where no sum can overflow.
struct Counts {
  std::array<std::uint64_t, spans> single{};
  std::array<Exact, spans> several{};

  Exact operator[](std::size_t span) const { return Exact{single[span]} + several[span]; }
  std::uint64_t recent_singles() const {
    return single[week_4] + single[week_4 + 1] + single[week_4 + 2] + single[week_1];
  }
};

inline bool is_recent(std::size_t span) { return span >= week_4 && span <= week_1; }

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
    table_ = &table;
    read_names();
  }

  UserKind kind() const { return kind_; }
  Bytes bytes() const { return bytes_; }

  // Moves to the next user, whose identity is read only when `identify`: a lone part need not know who it is.
  bool next_user(bool identify) {
    if (users_left_ == 0) {
      if (at_ != end_) reject(bytes_);
      return false;
    }
    --users_left_;
    switch (kind_) {
      case UserKind::bigint: {
        const std::uint64_t step = read();
        user_.number = first_user_
                           ? unzigzag(step)
                           : static_cast<std::int64_t>(static_cast<std::uint64_t>(user_.number) + step + 1);
        break;
      }
      case UserKind::uuid:
        user_.bytes = read_bytes(16);
        break;
      default: {
        const std::uint64_t shared = read();
        const std::string_view rest = read_bytes(read());
        if (!identify) break;
        if (shared > text_.size()) reject(bytes_);
        text_.resize(static_cast<std::size_t>(shared));
        text_.append(rest);
        user_.bytes = text_;
      }
    }
    first_user_ = false;
    cells_left_ = read();
    return true;
  }
  const UserId& user() const { return user_; }

  // Adds the present user's cells to the counts, and those of the last 28 days to `recent`. `joined` gets the
  // $joined markers that say when, `negative` is set by a negative count.
  void count_cells(Counts& counts, Counts& joined, Exact& recent, bool& negative) {
    const SpanTable& table = *table_;
    const std::uint64_t singles = counts.recent_singles();
    if (has_markers_)
      count<true, false>(table, counts, joined, recent, negative);
    else if (table.is_table())
      count<false, true>(table, counts, joined, recent, negative);
    else
      count<false, false>(table, counts, joined, recent, negative);
    recent += counts.recent_singles() - singles;
  }

 private:
  std::uint64_t read() {
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

  // Names ascend, so markers are neighbours.
  void read_names() {
    has_markers_ = false;
    joined_event_ = events_;
    first_marker_ = last_marker_ = 0;
    for (std::uint32_t i = 0; i < events_; ++i) {
      const std::string_view name = read_bytes(read());
      if (name.empty() || name.front() != '$') continue;
      if (!has_markers_) first_marker_ = i;
      last_marker_ = i;
      has_markers_ = true;
      if (name == "$joined") joined_event_ = i;
    }
  }

  // A varint, mostly of one or two bytes: those are read without a branch between them.
  std::uint64_t read_tag(const std::uint8_t*& at) {
    if (end_ - at < 4) {
      std::uint64_t value = 0;
      if (!get_varint(at, end_, value)) reject(bytes_);
      return value;
    }
    const std::uint64_t low = at[0];
    const std::uint64_t high = at[1];
    const std::uint64_t more = low >> 7;
    if ((more & (high >> 7)) != 0) {
      std::uint64_t value = 0;
      if (!get_varint(at, end_, value)) reject(bytes_);
      return value;
    }
    at += 1 + more;
    return (low & 0x7f) | ((high << 7) & (std::uint64_t{0} - more));
  }

  template <bool with_markers, bool by_table>
  void count(const SpanTable& table, Counts& counts, Counts& joined, Exact& recent, bool& negative) {
    // The state of the walk stays in registers.
    const std::uint8_t* at = at_;
    std::uint64_t position = 0;  // of the last cell, plus 1
    std::size_t span = before;
    std::uint64_t left = cells_left_;
    if (left > static_cast<std::uint64_t>(end_ - at)) reject(bytes_);
    if ((walked_ += left) >= cells_between_polls) {
      walked_ = 0;
      poll_cancel();
    }
    for (; left > 0; --left) {
      const std::uint64_t tag = read_tag(at);
      const std::uint64_t gap = tag >> 1;
      if (gap >= positions_ - position) reject(bytes_);
      const std::uint64_t here = position + gap;
      position = here + 1;
      span = by_table ? table.find_in_table(here) : table.find_from(span, here);
      Counts* into = &counts;
      if (with_markers) {
        const auto event = static_cast<std::uint32_t>(here % events_);
        if (event >= first_marker_ && event <= last_marker_) {
          const bool says_when = event == joined_event_ &&
                                 first_day_ + static_cast<std::int64_t>(here / events_) != always_there;
          into = says_when ? &joined : nullptr;
        }
      }
      if ((tag & 1) == 0) {
        if (into != nullptr) ++into->single[span];
        continue;
      }
      const std::int64_t number = read_count(at);
      negative |= number < 0;
      if (into == nullptr) continue;
      into->several[span] += number;
      if (into == &counts && is_recent(span)) recent += number;
    }
    at_ = at;
  }

  // What follows the tag of a cell that is not one event without an amount: the number of events.
  std::int64_t read_count(const std::uint8_t*& at) {
    std::uint64_t meta = 0;
    std::uint64_t skipped = 0;
    if (!get_varint(at, end_, meta)) reject(bytes_);
    for (std::uint64_t amounts = meta & 3; amounts > 0; --amounts)
      if (!get_varint(at, end_, skipped)) reject(bytes_);
    return unzigzag(meta >> 2);
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
  Exact events = 0;
  Exact most = 0;

  void add(Exact recent) {
    active += recent > 0;
    events += recent;
    most = std::max(most, recent);
  }
};

// What was counted in the parts of an account.
struct Walked {
  Users users;
  std::array<Exact, weeks_seen> weeks{};  // oldest first
  Exact old_events = 0;                   // up to the first day of week 8
  Exact old_joined = 0;                   // $joined markers up to then that say when

  // The account is 8 weeks old.
  bool has_history(const PulseQuestion& question) const {
    if (question.account_start)
      return std::int64_t{question.as_of} - *question.account_start >= std::int64_t{7} * weeks_seen;
    return old_events > 0 || old_joined > 0;
  }
};

// Counts the sum of the parts. Errors as for take_pulse.
Walked walk(std::span<const Bytes> parts, Day as_of);

// Adds what a part has up to the first day of week 8. Errors as for take_pulse, but counts may be negative.
void count_old(Bytes part, Day as_of, Exact& events, Exact& joined);

// The figures, from the events of the last 8 weeks, oldest first. `has_history`: the account is 8 weeks old.
Pulse conclude(const Users& users, const std::array<Exact, weeks_seen>& weeks, bool has_history);

}  // namespace health::pulse
