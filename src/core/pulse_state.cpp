// The pulse of an account whose parts come one after the other: the state of the aggregate.
#include "pulse_state.hpp"

#include <cstring>

#include "byte_buffer.hpp"
#include "pulse_walk.hpp"
#include "usage_algebra.hpp"

namespace health {

namespace {

using namespace pulse;

constexpr std::uint32_t state_version = 0x70756c31;  // "pul1"

// The start of a state; plain memory, copied as it is: states never leave the server.
struct Head {
  std::uint32_t version = state_version;
  Day as_of = 0;
  Day account_start = 0;
  std::uint8_t has_start = 0;
  UserKind kind = UserKind::none;
  std::uint16_t unused = 0;
  std::int64_t users = 0;   // in the list
  std::int64_t old = 0;     // events up to the first day of week 8
  std::int64_t joined = 0;  // $joined markers up to then that say when
  std::array<std::int64_t, weeks_seen> weeks{};

  bool asks(const PulseQuestion& question) const {
    return as_of == question.as_of && (has_start != 0) == question.account_start.has_value() &&
           account_start == question.account_start.value_or(0);
  }
};

[[noreturn]] void reject_state() {
  throw Error(sqlstate::data_corrupted, "the bytes are no state of pulse_agg",
              "Call the aggregate pulse_agg instead of its support functions.");
}

std::int64_t narrow(Exact count) {
  if (count > INT64_MAX || count < INT64_MIN)
    throw Error(sqlstate::numeric_value_out_of_range, "the number of events is out of range");
  return static_cast<std::int64_t>(count);
}

Head read_head(Bytes state) {
  Head head;
  if (state.size() < sizeof head) reject_state();
  std::memcpy(&head, state.data(), sizeof head);
  if (head.version != state_version || head.kind > UserKind::text || head.users < 0) reject_state();
  return head;
}

void add_counts(Head& head, const Counts& counts, const Counts& joined) {
  const auto add = [](std::int64_t& to, Exact more) { to = narrow(to + more); };
  const auto old = [](const Counts& of) { return of[before] + of[first_day_of_week_8]; };
  add(head.old, old(counts));
  add(head.joined, old(joined));
  add(head.weeks[0], counts[first_day_of_week_8] + counts[rest_of_week_8]);
  for (std::size_t week = 1; week < head.weeks.size(); ++week)
    add(head.weeks[week], counts[week_7 + week - 1]);
}

// Reads the users of a state: identities as in a ledger, each followed by the events of the last 28 days.
class ListReader {
 public:
  ListReader(const Head& head, Bytes state)
      : at_(state.data() + sizeof head),
        end_(state.data() + state.size()),
        kind_(head.kind),
        left_(head.users) {
    next();
  }
  ListReader() = default;

  bool has_user() const { return has_user_; }
  const UserId& user() const { return user_; }
  std::int64_t events() const { return events_; }

  void next() {
    has_user_ = left_ > 0;
    if (!has_user_) {
      if (at_ != end_) reject_state();
      return;
    }
    --left_;
    switch (kind_) {
      case UserKind::bigint: {
        const std::uint64_t step = read();
        user_.number = first_ ? unzigzag(step)
                              : static_cast<std::int64_t>(static_cast<std::uint64_t>(user_.number) + step);
        break;
      }
      case UserKind::uuid:
        user_.bytes = read_bytes(16);
        break;
      case UserKind::text:
        user_.bytes = read_bytes(read());
        break;
      case UserKind::none:
        reject_state();
    }
    first_ = false;
    events_ = unzigzag(read());
  }

 private:
  std::uint64_t read() {
    std::uint64_t value = 0;
    if (!get_varint(at_, end_, value)) reject_state();
    return value;
  }
  std::string_view read_bytes(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) reject_state();
    const std::string_view bytes(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }

  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  UserKind kind_ = UserKind::none;
  std::int64_t left_ = 0;
  std::int64_t events_ = 0;
  bool has_user_ = false;
  bool first_ = true;
  UserId user_;
};

// Writes a state: room for the head, then the users who have any events.
class ListWriter {
 public:
  explicit ListWriter(UserKind kind, PulseState& state) : kind_(kind), state_(state) {
    state_.clear();
    state_.reserve(sizeof(Head) + 512);
    state_.resize(sizeof(Head));
  }

  void add(const UserId& user, Exact events) {
    if (events == 0) return;
    switch (kind_) {
      case UserKind::bigint:
        put(users_ == 0 ? zigzag(user.number)
                        : static_cast<std::uint64_t>(user.number) - static_cast<std::uint64_t>(previous_));
        previous_ = user.number;
        break;
      case UserKind::text:
        put(user.bytes.size());
        [[fallthrough]];
      default:
        state_.insert(state_.end(), user.bytes.begin(), user.bytes.end());
    }
    put(zigzag(narrow(events)));
    ++users_;
  }

  void finish(Head& head) {
    head.users = users_;
    std::memcpy(state_.data(), &head, sizeof head);
  }

 private:
  void put(std::uint64_t value) {
    std::uint8_t bytes[max_varint_bytes];
    state_.insert(state_.end(), bytes, put_varint(bytes, value));
  }

  UserKind kind_;
  PulseState& state_;
  std::int64_t users_ = 0;
  std::int64_t previous_ = 0;
};

// Writes the users of the list who come before this one, and returns what the list has of this one.
Exact merge_until(ListReader& list, UserKind kind, const UserId& user, ListWriter& writer) {
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

void merge_rest(ListReader& list, ListWriter& writer) {
  for (; list.has_user(); list.next()) writer.add(list.user(), list.events());
}

}  // namespace

bool add_to_pulse(std::span<std::uint8_t> state, Bytes bytes, const PulseQuestion& question,
                  PulseState& result) {
  Head head;
  if (state.empty()) {
    head.as_of = question.as_of;
    head.has_start = question.account_start.has_value();
    head.account_start = question.account_start.value_or(0);
  } else {
    head = read_head(state);
    if (!head.asks(question))
      throw Error(sqlstate::invalid_parameter_value,
                  "as_of or account_start of pulse_agg differs between rows of one group",
                  "Give all rows of a group the same as_of and account_start.");
  }
  Part part;
  part.open(bytes, question.as_of, kept_table(bytes));
  const UserKind kind = common_user_kind(head.kind, part.kind());
  ListReader list;
  if (!state.empty()) list = ListReader(head, state);
  head.kind = kind;
  Counts counts;
  Counts joined;
  bool negative = false;  // a part may be
  ListWriter writer(kind, result);
  bool changes_list = state.empty();
  while (part.next_user(true)) {
    Exact recent = 0;
    part.count_cells(counts, joined, recent, negative);
    if (recent == 0) continue;
    changes_list = true;
    recent += merge_until(list, kind, part.user(), writer);
    writer.add(part.user(), recent);
  }
  add_counts(head, counts, joined);
  if (!changes_list) {
    std::memcpy(state.data(), &head, sizeof head);
    return true;
  }
  merge_rest(list, writer);
  writer.finish(head);
  return false;
}

PulseState combine_pulses(Bytes a, Bytes b) {
  Head head = read_head(a);
  const Head other = read_head(b);
  if (head.as_of != other.as_of || head.has_start != other.has_start ||
      head.account_start != other.account_start)
    throw Error(sqlstate::invalid_parameter_value,
                "as_of or account_start of pulse_agg differs between rows of one group",
                "Give all rows of a group the same as_of and account_start.");
  const UserKind kind = common_user_kind(head.kind, other.kind);
  ListReader mine(head, a);
  ListReader theirs(other, b);
  PulseState state;
  ListWriter writer(kind, state);
  for (; theirs.has_user(); theirs.next()) {
    const Exact events = theirs.events() + merge_until(mine, kind, theirs.user(), writer);
    writer.add(theirs.user(), events);
  }
  merge_rest(mine, writer);
  head.kind = kind;
  head.old = narrow(Exact{head.old} + other.old);
  head.joined = narrow(Exact{head.joined} + other.joined);
  for (std::size_t week = 0; week < head.weeks.size(); ++week)
    head.weeks[week] = narrow(Exact{head.weeks[week]} + other.weeks[week]);
  writer.finish(head);
  return state;
}

Pulse finish_pulse(Bytes state) {
  const Head head = read_head(state);
  Users users;
  for (ListReader list(head, state); list.has_user(); list.next()) {
    if (list.events() < 0) reject_negative(nullptr);
    users.add(list.events());
  }
  std::array<Exact, weeks_seen> weeks{};
  for (std::size_t week = 0; week < weeks.size(); ++week) weeks[week] = head.weeks[week];
  const bool has_history = head.has_start != 0
                               ? std::int64_t{head.as_of} - head.account_start >= 7 * weeks_seen
                               : head.old > 0 || head.joined > 0;
  return conclude(users, weeks, has_history);
}

}  // namespace health
