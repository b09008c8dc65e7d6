// What the parts of an account add up to, kept in few bytes while they come one after the other. Internal to
// the pulse: others use pulse_state.hpp and pulse_book.hpp.
#pragma once

#include <vector>

#include "core/ledger/usage_algebra.hpp"
#include "pulse_walk.hpp"

namespace health::pulse {

// Plain memory.
struct Sums {
  // Of the users of the last 28 days: added up anew whenever their list is written.
  std::int64_t active_users = 0;  // with a positive number of events
  std::int64_t most = 0;          // events of one of them
  std::int64_t least = 0;         // the same, if negative

  std::int64_t old_events = 0;                   // up to the first day of week 8
  std::int64_t old_joined = 0;                   // $joined markers up to then that say when
  std::array<std::int64_t, weeks_seen> weeks{};  // oldest first

  // Adds all but the users. Error 22003 when a number of events leaves the range of bigint.
  void add(const Counts& counts);
  void add_old(const Counts& counts);
  void add(const Sums& other);

  bool has_history(const PulseQuestion& question) const { return is_old(question, old_events, old_joined); }
  // The figures. Error 22023 when they show a negative number of events.
  Pulse conclude(bool has_history) const;
};

[[noreturn]] void reject_list();
[[noreturn]] void reject_range();

inline std::int64_t narrow(Exact count) {
  if (count > INT64_MAX || count < INT64_MIN) reject_range();
  return static_cast<std::int64_t>(count);
}

// Reads a list of users: identities much as in a ledger, ascending, each followed by the events of the last
// 28 days. Error XX001 for bytes that are none.
class ListReader {
 public:
  ListReader(UserKind kind, Bytes bytes) : at_(bytes.data()), end_(at_ + bytes.size()), kind_(kind) {
    next();
  }

  bool has_user() const { return has_user_; }
  const UserId& user() const { return user_; }
  std::int64_t events() const { return events_; }

  void next() {
    has_user_ = at_ != end_;
    if (!has_user_) return;
    switch (kind_) {
      case UserKind::bigint: {
        const std::uint64_t step = read();
        user_.number = is_first_ ? unzigzag(step)
                                 : static_cast<std::int64_t>(static_cast<std::uint64_t>(user_.number) + step);
        break;
      }
      case UserKind::uuid:
        user_.bytes = read_bytes(16);
        break;
      case UserKind::text: {
        const std::uint64_t shared = read();
        const std::string_view rest = read_bytes(read());
        if (shared > text_.size()) reject_list();
        text_.resize(static_cast<std::size_t>(shared));
        text_.append(rest);
        user_.bytes = text_;
        break;
      }
      case UserKind::none:
        reject_list();
    }
    is_first_ = false;
    events_ = unzigzag(read());
  }

 private:
  std::uint64_t read() {
    std::uint64_t value = 0;
    if (!get_varint(at_, end_, value)) reject_list();
    return value;
  }
  std::string_view read_bytes(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) reject_list();
    const std::string_view bytes(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  UserKind kind_;
  std::int64_t events_ = 0;
  bool has_user_ = false;
  bool is_first_ = true;
  std::string text_;
  UserId user_;
};

// Writes a list of the users who have any events, and adds them up. The memory is the caller's, who may use
// it again.
class ListWriter {
 public:
  // Bytes of `memory` before `from` are left alone.
  ListWriter(UserKind kind, std::vector<std::uint8_t>& memory, std::size_t from = 0)
      : kind_(kind), memory_(memory), from_(from) {
    if (memory_.size() < from + 512) memory_.resize(from + 512);
    at_ = memory_.data() + from;
    end_ = memory_.data() + memory_.size();
  }

  // Users ascend.
  void add(const UserId& user, Exact events) {
    if (events == 0) return;
    const std::int64_t number = narrow(events);
    make_room(2 * max_varint_bytes);
    if (kind_ == UserKind::bigint) {
      at_ = put_varint(
          at_, is_first_ ? zigzag(user.number)
                         : static_cast<std::uint64_t>(user.number) - static_cast<std::uint64_t>(previous_));
      previous_ = user.number;
    } else {
      put_name(user.bytes);
    }
    at_ = put_varint(at_, zigzag(number));
    is_first_ = false;
    active_ += number > 0;
    most_ = std::max(most_, number);
    least_ = std::min(least_, number);
  }

  // The list, valid as long as nothing else is done with its memory.
  Bytes finish(Sums& sums) const {
    sums.active_users = active_;
    sums.most = most_;
    sums.least = least_;
    return {memory_.data() + from_, static_cast<std::size_t>(at_ - memory_.data()) - from_};
  }

 private:
  void make_room(std::size_t room) {
    if (static_cast<std::size_t>(end_ - at_) < room) grow(room);
  }
  void grow(std::size_t room);
  // The id of a uuid or text user, and room for a number behind it.
  void put_name(std::string_view name);

  UserKind kind_;
  std::vector<std::uint8_t>& memory_;
  std::size_t from_;
  std::uint8_t* at_;
  std::uint8_t* end_;
  bool is_first_ = true;
  std::int64_t active_ = 0;
  std::int64_t most_ = 0;
  std::int64_t least_ = 0;
  std::int64_t previous_ = 0;
  std::string previous_text_;
};

// Writes the users of the list who come before this one, and returns what the list has of this one.
inline Exact merge_until(ListReader& list, UserKind kind, const UserId& user, ListWriter& writer) {
  for (; list.has_user(); list.next()) {
    const int order = compare_users(kind, list.user(), user);
    if (order > 0) break;
    if (order == 0) {
      const Exact events = list.events();
      list.next();
      return events;
    }
    writer.add(list.user(), list.events());
  }
  return 0;
}

// Counts the cells of a part, and writes its users of the last 28 days together with those of the list who
// come before them. False when it has none.
bool merge_part(Part& part, UserKind kind, ListReader& list, ListWriter& writer, Counts& counts);

inline void merge_rest(ListReader& list, ListWriter& writer) {
  for (; list.has_user(); list.next()) writer.add(list.user(), list.events());
}

}  // namespace health::pulse
