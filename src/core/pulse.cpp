// Five figures of an account over its last 56 days, straight from the bytes of its ledger.
//
// Nothing is sorted or kept: users come in ascending order from every part, so those that several parts have
// in common meet.
#include "pulse.hpp"

#include <vector>

#include "pulse_walk.hpp"
#include "trend.hpp"
#include "usage_algebra.hpp"

namespace health {

namespace pulse {

void reject_negative(const Bytes* bytes) {
  if (bytes != nullptr) Ledger::decode(UsageReader(*bytes), {}, {});  // names the event and the user
  throw Error(sqlstate::invalid_parameter_value, "usage has a negative number of events",
              "Parts of a ledger may have negative counts, their sum may not: give all parts that belong "
              "together.");
}

Pulse conclude(const Users& users, const std::array<Exact, weeks_seen>& weeks, bool has_history) {
  for (const Exact week : weeks)
    if (week < 0) reject_negative(nullptr);
  Pulse pulse;
  pulse.active_users = users.active;
  pulse.events = users.events;
  pulse.dip_streak = dip_streak(weeks);
  pulse.trend_4w = has_history ? trend_4w(weeks) : Value::none(Unknown::insufficient_history);
  pulse.power_user_dependency = users.events == 0
                                    ? Value::none(Unknown::zero_denominator)
                                    : Value::of(to_double(users.most) / to_double(users.events));
  return pulse;
}

}  // namespace pulse

namespace {

using namespace pulse;

Users walk_one(const Bytes& bytes, Day as_of, Counts& counts, Counts& joined) {
  Part part;
  part.open(bytes, as_of, kept_table(bytes));
  Users users;
  bool negative = false;
  while (part.next_user(false)) {
    Exact recent = 0;
    part.count_cells(counts, joined, recent, negative);
    users.add(recent);
  }
  if (negative) reject_negative(&bytes);
  return users;
}

// Takes the users of all parts in ascending order, each user's parts together. `parts`, `tables` and
// `open` have room for all of them.
Users walk_together(std::span<const Bytes> bytes, Day as_of, Part* parts, SpanTable* tables, Part** open,
                    Counts& counts, Counts& joined) {
  UserKind kind = UserKind::none;
  std::size_t count = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    parts[i].open(bytes[i], as_of, tables[i]);
    kind = common_user_kind(kind, parts[i].kind());
    if (parts[i].next_user(true)) open[count++] = &parts[i];
  }
  Users users;
  bool negative = false;  // a part may be
  while (count > 0) {
    // Those who are at the smallest user go to the front of `open`.
    std::size_t here = 1;
    for (std::size_t i = 1; i < count; ++i) {
      const int order = compare_users(kind, open[i]->user(), open[0]->user());
      if (order > 0) continue;
      if (order < 0) here = 0;
      std::swap(open[here], open[i]);
      ++here;
    }
    Exact recent = 0;
    for (std::size_t i = 0; i < here; ++i) open[i]->count_cells(counts, joined, recent, negative);
    if (recent < 0) reject_negative(nullptr);
    users.add(recent);
    for (std::size_t i = here; i > 0; --i)
      if (!open[i - 1]->next_user(true)) open[i - 1] = open[--count];
  }
  return users;
}

constexpr std::size_t few = 8;

Users walk_users(std::span<const Bytes> bytes, Day as_of, Counts& counts, Counts& joined) {
  if (bytes.empty()) return {};
  if (bytes.size() == 1) return walk_one(bytes[0], as_of, counts, joined);
  if (bytes.size() <= few) {
    std::array<Part, few> parts;
    // Kept: the parts of the next account are mostly of the same shapes, in the same order.
    static thread_local std::array<SpanTable, few> tables;
    std::array<Part*, few> open;
    return walk_together(bytes, as_of, parts.data(), tables.data(), open.data(), counts, joined);
  }
  std::vector<Part> parts(bytes.size());
  std::vector<SpanTable> tables(bytes.size());
  std::vector<Part*> open(bytes.size());
  return walk_together(bytes, as_of, parts.data(), tables.data(), open.data(), counts, joined);
}

}  // namespace

namespace pulse {

namespace {

Exact old(const Counts& counts) { return counts[before] + counts[first_day_of_week_8]; }

}  // namespace

Walked walk(std::span<const Bytes> parts, Day as_of) {
  Counts counts;
  Counts joined;
  Walked walked;
  walked.users = walk_users(parts, as_of, counts, joined);
  walked.weeks[0] = counts[first_day_of_week_8] + counts[rest_of_week_8];
  for (std::size_t week = 1; week < walked.weeks.size(); ++week)
    walked.weeks[week] = counts[week_7 + week - 1];
  walked.old_events = old(counts);
  walked.old_joined = old(joined);
  return walked;
}

void count_old(Bytes bytes, Day as_of, Exact& events, Exact& joined) {
  Counts counts;
  Counts joined_counts;
  Part part;
  part.open(bytes, as_of, kept_table(bytes));
  Exact recent = 0;
  bool negative = false;
  while (part.next_user(false)) part.count_cells(counts, joined_counts, recent, negative);
  events += old(counts);
  joined += old(joined_counts);
}

}  // namespace pulse

Pulse take_pulse(std::span<const Bytes> parts, Day as_of, std::optional<Day> account_start) {
  const pulse::Walked walked = pulse::walk(parts, as_of);
  return pulse::conclude(walked.users, walked.weeks, walked.has_history({as_of, account_start}));
}

}  // namespace health
