// The pulse of an account whose parts come one after the other: the state of the aggregate.
#include "pulse_state.hpp"

#include <cstring>

#include "pulse_sums.hpp"

namespace health {

namespace {

using namespace pulse;

constexpr std::uint32_t state_version = 0x70756c31;  // "pul1"

// The start of a state; plain memory, copied as it is: states never leave the server. The list of users
// follows.
struct Head {
  std::uint32_t version = state_version;
  Day as_of = 0;
  Day account_start = 0;
  std::uint8_t has_start = 0;
  UserKind kind = UserKind::none;
  std::uint16_t unused = 0;
  Sums sums;

  PulseQuestion question() const {
    return {as_of, has_start != 0 ? std::optional(account_start) : std::nullopt};
  }
  bool asks(const PulseQuestion& other) const {
    return as_of == other.as_of && question().account_start == other.account_start;
  }
};

Head read_head(Bytes state) {
  Head head;
  if (state.size() < sizeof head) reject_list();
  std::memcpy(&head, state.data(), sizeof head);
  if (head.version != state_version || head.kind > UserKind::text) reject_list();
  return head;
}

Bytes list_of(Bytes state) { return state.empty() ? state : state.subspan(sizeof(Head)); }

// Puts the head in front of the list.
void finish_state(PulseState& state, Head& head, const ListWriter& writer) {
  state.resize(sizeof head + writer.finish(head.sums).size());
  std::memcpy(state.data(), &head, sizeof head);
}

[[noreturn]] void reject_question() {
  throw Error(sqlstate::invalid_parameter_value,
              "as_of or account_start of pulse_agg differs between rows of one group",
              "Give all rows of a group the same as_of and account_start.");
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
    if (!head.asks(question)) reject_question();
  }
  Part part;
  part.open(bytes, question.as_of, kept_table(bytes));
  const UserKind kind = common_user_kind(head.kind, part.kind());
  ListReader list(head.kind, list_of(state));
  head.kind = kind;
  Counts counts;  // a part may have negative ones
  ListWriter writer(kind, result, sizeof head);
  const bool changes_list = merge_part(part, kind, list, writer, counts) || state.empty();
  head.sums.add(counts);
  if (!changes_list) {
    std::memcpy(state.data(), &head, sizeof head);
    return true;
  }
  merge_rest(list, writer);
  finish_state(result, head, writer);
  return false;
}

PulseState combine_pulses(Bytes a, Bytes b) {
  Head head = read_head(a);
  const Head other = read_head(b);
  if (!head.asks(other.question())) reject_question();
  const UserKind kind = common_user_kind(head.kind, other.kind);
  ListReader mine(head.kind, list_of(a));
  ListReader theirs(other.kind, list_of(b));
  PulseState state;
  ListWriter writer(kind, state, sizeof head);
  for (; theirs.has_user(); theirs.next()) {
    const Exact events = theirs.events() + merge_until(mine, kind, theirs.user(), writer);
    writer.add(theirs.user(), events);
  }
  merge_rest(mine, writer);
  head.kind = kind;
  head.sums.add(other.sums);
  finish_state(state, head, writer);
  return state;
}

Pulse finish_pulse(Bytes state) {
  const Head head = read_head(state);
  return head.sums.conclude(head.sums.has_history(head.question()));
}

}  // namespace health
