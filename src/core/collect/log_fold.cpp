// Folds the entries of a usage log into one canonical ledger: number users and events, sort by one integer
// key, add up equal keys.
#include "log_fold.hpp"

#include <algorithm>
#include <memory>
#include <numeric>

#include "core/base/radix_sort.hpp"
#include "core/ledger/name_numbers.hpp"
#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/user_numbers.hpp"
#include "usage_log_format.hpp"

namespace health {

namespace {

constexpr std::size_t large_ledger =
    std::size_t{1} << 16;  // bytes; such ledgers are merged as streams instead of taken apart

// The number of the present event's name, which is mostly found by its code.
std::uint32_t number_of_name(NameNumbers& names, LogCursor& cursor) {
  std::uint32_t* const note = cursor.note();
  if (note == nullptr) return names.number_of(cursor.event().name);
  if (*note == 0) *note = names.number_of(cursor.event().name) + 1;
  return *note - 1;
}

struct Event {
  std::uint32_t user;
  std::uint32_t event;
  Day day;
};

struct Sum {
  std::int64_t count = 1;
  std::int64_t amount_count = 0;
  Exact amount = 0;
};

// What the entries hold, with users and events still numbered by appearance.
struct Collected {
  Collected(UserKind kind, std::int64_t near_user) : users(kind, near_user) {}
  UserNumbers users;
  NameNumbers events;
  std::vector<Event> single;  // count 1, no amount
  std::vector<Event> summed;  // with `sums` beside it
  std::vector<Sum> sums;
  std::vector<std::unique_ptr<std::string>> texts;  // user ids of embedded ledgers, which a reader only lends
  Day first_day = max_day;
  Day last_day = min_day;
};

void collect_ledger(Collected& all, Bytes usage) {
  UsageReader reader(usage);
  std::vector<std::uint32_t> events;
  for (std::uint32_t i = 0; i < reader.event_count(); ++i)
    events.push_back(all.events.number_of(reader.event_name(i)));
  while (reader.next_user()) {
    UserId user = reader.user();
    if (reader.user_kind() == UserKind::text) {
      all.texts.push_back(std::make_unique<std::string>(user.bytes));
      user.bytes = *all.texts.back();
    }
    const std::uint32_t number = all.users.number_of(user);
    for (Cell cell; reader.next_cell(cell);) {
      all.first_day = std::min(all.first_day, cell.day);
      all.last_day = std::max(all.last_day, cell.day);
      // Most cells are one event: those sort as plain numbers.
      if (cell.count == 1 && cell.amount_count == 0 && cell.amount == 0) {
        all.single.push_back({number, events[cell.event], cell.day});
        continue;
      }
      all.summed.push_back({number, events[cell.event], cell.day});
      all.sums.push_back({cell.count, cell.amount_count, cell.amount});
    }
  }
}

// The rank of each item in ascending order.
template <class Items, class Less>
std::vector<std::uint32_t> rank(const Items& items, std::vector<std::uint32_t>& order, Less less) {
  order.resize(items.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return less(items[a], items[b]); });
  std::vector<std::uint32_t> ranks(items.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) ranks[order[i]] = i;
  return ranks;
}

// Sorts by key = (user, day, event) as one integer, and writes the sums of equal keys.
template <class Key>
UsageBytes sort_and_write(UserKind kind, const Collected& all) {
  std::vector<std::uint32_t> user_order;
  std::vector<std::uint32_t> event_order;
  const auto user_rank = rank(all.users.users(), user_order, [&](const UserId& a, const UserId& b) {
    return compare_users(kind, a, b) < 0;
  });
  const auto event_rank =
      rank(all.events.names(), event_order, [](std::string_view a, std::string_view b) { return a < b; });
  EventNames names;
  for (const std::uint32_t i : event_order) names.emplace_back(all.events.names()[i]);
  const Key events = names.size();
  const Key span = (static_cast<Key>(static_cast<std::int64_t>(all.last_day) - all.first_day) + 1) * events;
  const auto key_of = [&](const Event& event) {
    const Key day = static_cast<Key>(static_cast<std::int64_t>(event.day) - all.first_day);
    return user_rank[event.user] * span + day * events + event_rank[event.event];
  };
  std::vector<Key> single(all.single.size());
  std::transform(all.single.begin(), all.single.end(), single.begin(), key_of);
  poll_cancel();
  if constexpr (std::is_same_v<Key, std::uint64_t>) {
    radix_sort(single, span * all.users.users().size());
  } else {
    std::sort(single.begin(), single.end());
  }
  struct Keyed {
    Key key;
    std::uint32_t sum;
  };
  std::vector<Keyed> summed;
  summed.reserve(all.summed.size());
  for (std::size_t i = 0; i < all.summed.size(); ++i)
    summed.push_back({key_of(all.summed[i]), static_cast<std::uint32_t>(i)});
  poll_cancel();
  std::sort(summed.begin(), summed.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
  poll_cancel();

  if (summed.empty()) {  // nothing can cancel out: names and first day are exact
    UsageWriter writer(kind, names, all.first_day, UsageWriter::exact);
    for (auto one = single.begin(); one != single.end();) {
      const auto user = static_cast<std::uint32_t>(*one / span);
      const Key user_start = user * span;
      const Key user_end = user_start + span;
      writer.begin_user(all.users.users()[user_order[user]]);
      while (one != single.end() && *one < user_end) {
        const auto next = std::find_if(one, single.end(), [key = *one](Key other) { return other != key; });
        writer.add_events(static_cast<std::uint64_t>(*one - user_start), next - one);
        one = next;
      }
      writer.end_user();
    }
    return writer.take();
  }
  return write_usage(kind, names, all.first_day, [&](UsageWriter& writer) {
    auto one = single.begin();
    auto many = summed.begin();
    while (one != single.end() || many != summed.end()) {
      const Key first = many == summed.end() || (one != single.end() && *one < many->key) ? *one : many->key;
      const auto user = static_cast<std::uint32_t>(first / span);
      const Key user_start = user * span;
      const Key user_end = user_start + span;
      writer.begin_user(all.users.users()[user_order[user]]);
      for (;;) {
        const bool has_one = one != single.end() && *one < user_end;
        const bool has_many = many != summed.end() && many->key < user_end;
        if (!has_one && !has_many) break;
        const Key key = !has_many || (has_one && *one < many->key) ? *one : many->key;
        Cell cell;
        for (; one != single.end() && *one == key; ++one) ++cell.count;
        for (; many != summed.end() && many->key == key; ++many) {
          const Sum& sum = all.sums[many->sum];
          add_cell(cell, {0, 0, sum.count, sum.amount_count, sum.amount});
        }
        const Key position = key - user_start;
        cell.day = static_cast<Day>(all.first_day + static_cast<std::int64_t>(position / events));
        cell.event = static_cast<std::uint32_t>(position % events);
        writer.add(cell);
      }
      writer.end_user();
    }
  });
}

// The ledgers of a log that has no events, and few of them; else none.
std::vector<Bytes> few_ledgers(const LogHeader& header, const std::uint8_t* memory, std::size_t from) {
  std::vector<Bytes> ledgers;
  if (header.staged != 0) return {};
  for (LogCursor cursor(header, memory, from, header.used); cursor.next();) {
    if (!cursor.is_ledger() || ledgers.size() == merged_at_once) return {};
    ledgers.push_back(cursor.ledger());
  }
  return ledgers;
}

}  // namespace

UsageBytes fold_entries(const LogHeader& header, const std::uint8_t* memory, std::size_t from) {
  std::vector<Bytes> ledgers = few_ledgers(header, memory, from);
  if (!ledgers.empty()) return sum_usage(std::move(ledgers));
  const auto kind = static_cast<UserKind>(header.kind);
  Collected all(kind, header.first_user);
  std::vector<UsageBytes> large;
  std::size_t entries = 0;
  LogCursor cursor(header, memory, from, header.used);
  cursor.then_staged(header, memory);
  while (cursor.next()) {
    if ((++entries & 0xfff) == 0) poll_cancel();
    if (cursor.is_ledger()) {
      if (cursor.ledger().size() >= large_ledger) {
        large.emplace_back(cursor.ledger().begin(), cursor.ledger().end());
      } else {
        collect_ledger(all, cursor.ledger());
      }
      continue;
    }
    const LoggedEvent& event = cursor.event();
    const Event entry{all.users.number_of(event.user), number_of_name(all.events, cursor), event.day};
    all.first_day = std::min(all.first_day, event.day);
    all.last_day = std::max(all.last_day, event.day);
    if (event.has_amount) {
      all.summed.push_back(entry);
      all.sums.push_back({1, 1, event.amount});
    } else {
      all.single.push_back(entry);
    }
  }
  UsageBytes result = empty_usage();
  if (!all.single.empty() || !all.summed.empty()) {
    const auto days = static_cast<std::uint64_t>(static_cast<std::int64_t>(all.last_day) - all.first_day + 1);
    const auto positions =
        static_cast<unsigned __int128>(days) * all.events.names().size() * all.users.users().size();
    result = positions <= UINT64_MAX ? sort_and_write<std::uint64_t>(kind, all)
                                     : sort_and_write<unsigned __int128>(kind, all);
  }
  large.push_back(std::move(result));
  return large.size() == 1 ? std::move(large.front()) : sum_usage({large.begin(), large.end()});
}

}  // namespace health
