// Five figures of an account over its last 56 days, straight from the bytes of its ledger.
//
// Nothing is sorted or kept: users come in ascending order from every part, so those that several parts have
// in common meet.
#include "pulse.hpp"

#include <vector>

#include "core/ledger/usage_algebra.hpp"
#include "pulse_walk.hpp"
#include "trend.hpp"

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
  for (std::size_t week = weeks_seen - 4; week < weeks_seen; ++week) pulse.events += weeks[week];
  pulse.dip_streak = dip_streak(weeks);
  pulse.trend_4w = has_history ? trend_4w(weeks) : Value::none(Unknown::insufficient_history);
  pulse.power_user_dependency = pulse.events == 0
                                    ? Value::none(Unknown::zero_denominator)
                                    : Value::of(to_double(users.most) / to_double(pulse.events));
  return pulse;
}

}  // namespace pulse

namespace {

using namespace pulse;

Users walk_one(const Bytes& bytes, Day as_of, Counts& counts) {
  Part part;
  part.open(bytes, as_of, kept_table(bytes));
  Users users;
  part.count_users(counts, false, [&](Exact recent) { users.add(recent); });
  if (counts.has_negative) reject_negative(&bytes);
  return users;
}

// Takes the users of all parts in ascending order, each user's parts together. `parts`, `tables` and
// `open` have room for all of them.
Users walk_together(std::span<const Bytes> bytes, Day as_of, Part* parts, SpanTable* tables, Part** open,
                    Counts& counts) {
  UserKind kind = UserKind::none;
  std::size_t count = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    parts[i].open(bytes[i], as_of, tables[i]);
    kind = common_user_kind(kind, parts[i].kind());
    if (parts[i].next_user(true)) open[count++] = &parts[i];
  }
  Users users;
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
    for (std::size_t i = 0; i < here; ++i) recent += open[i]->count_cells(counts);
    if (recent < 0) reject_negative(nullptr);
    users.add(recent);
    for (std::size_t i = here; i > 0; --i)
      if (!open[i - 1]->next_user(true)) open[i - 1] = open[--count];
  }
  return users;
}

constexpr std::size_t few = 8;

Users walk_users(std::span<const Bytes> bytes, Day as_of, Counts& counts) {
  if (bytes.empty()) return {};
  if (bytes.size() == 1) return walk_one(bytes[0], as_of, counts);
  if (bytes.size() <= few) {
    std::array<Part, few> parts;
    // Kept: the parts of the next account are mostly of the same shapes, in the same order.
    static thread_local std::array<SpanTable, few> tables;
    std::array<Part*, few> open;
    return walk_together(bytes, as_of, parts.data(), tables.data(), open.data(), counts);
  }
  std::vector<Part> parts(bytes.size());
  std::vector<SpanTable> tables(bytes.size());
  std::vector<Part*> open(bytes.size());
  return walk_together(bytes, as_of, parts.data(), tables.data(), open.data(), counts);
}

}  // namespace

Pulse take_pulse(std::span<const Bytes> parts, Day as_of, std::optional<Day> account_start) {
  Counts counts;
  const Users users = walk_users(parts, as_of, counts);
  std::array<Exact, weeks_seen> weeks{};
  for (std::size_t week = 0; week < weeks.size(); ++week) weeks[week] = counts.week(week);
  return conclude(users, weeks, is_old({as_of, account_start}, counts.old_events(), counts.old_joined));
}

}  // namespace health
