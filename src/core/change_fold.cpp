// Folds changes of a tracked table into ledgers per account and calendar quarter.
#include "change_fold.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "usage_algebra.hpp"

namespace health {

namespace {

// Puts the ids in order: `ids` by rank, the result by number.
std::vector<std::uint32_t> rank_ids(UserKind kind, std::vector<UserId>& ids) {
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return compare_users(kind, ids[a], ids[b]) < 0; });
  std::vector<std::uint32_t> ranks(ids.size());
  std::vector<UserId> sorted(ids.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    ranks[order[i]] = i;
    sorted[i] = ids[order[i]];
  }
  ids = std::move(sorted);
  return ranks;
}

}  // namespace

Day first_day_of_quarter(Day day) {
  // Days to civil dates by H. Hinnant, https://howardhinnant.github.io/date_algorithms.html: years begin in
  // March, eras of 400 years on 0000-03-01.
  constexpr std::int64_t era_days = 146097;
  const std::int64_t z = static_cast<std::int64_t>(day) + 730425;  // since 0000-03-01
  const std::int64_t era = (z >= 0 ? z : z - era_days + 1) / era_days;
  const std::int64_t of_era = z - era * era_days;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;  // 0: March ... 11: February
  const std::int64_t of_month = of_year - (153 * month + 2) / 5;
  // Quarters begin in April (1), July (4), October (7) and January (10).
  static constexpr std::int64_t into_quarter[] = {59, 0, 30, 61, 0, 31, 62, 0, 31, 61, 0, 31};
  std::int64_t before = into_quarter[month] + of_month;
  if (month == 0) {  // 29 days in February of a leap year: the civil year of March to December is `year`
    const std::int64_t civil = era * 400 + year;
    const bool leap = civil % 4 == 0 && (civil % 100 != 0 || civil % 400 == 0);
    before += leap ? 1 : 0;
  }
  return static_cast<Day>(std::max<std::int64_t>(min_day, static_cast<std::int64_t>(day) - before));
}

std::uint32_t ChangeFold::Numbers::number_of(const UserId& id) {
  const auto next = static_cast<std::uint32_t>(ids.size());
  std::uint32_t number = 0;
  if (kind == UserKind::bigint) {
    number = by_number.emplace(id.number, next).first->second;
  } else {
    number = by_bytes.emplace(id.bytes, next).first->second;
  }
  if (number == next) ids.push_back(id);
  return number;
}

void ChangeFold::add(Bytes piece) {
  ChangeCursor cursor(piece);
  cursor.is_text = is_text_;
  accounts_.kind = common_user_kind(accounts_.kind, cursor.change().account_kind);
  users_.kind = common_user_kind(users_.kind, cursor.change().event.kind);
  events_.kind = UserKind::text;
  std::string_view name;  // of the change before
  std::uint32_t event = 0;
  while (cursor.next()) {
    const Change& change = cursor.change();
    if (change.bad) {
      bad_rows_ += change.minus ? -1 : 1;
      continue;
    }
    if (name.data() != change.event.name.data() || name.size() != change.event.name.size()) {
      name = change.event.name;
      event = events_.number_of({0, name});
    }
    const Day day = change.event.day;
    entries_.push_back({accounts_.number_of(change.account), users_.number_of(change.event.user),
                        first_day_of_quarter(day), day, event,
                        static_cast<std::int8_t>(change.minus ? -1 : 1), change.event.has_amount,
                        change.event.amount});
    if (entries_.size() % 4096 == 0) poll_cancel();
  }
}

std::vector<FoldedChanges> ChangeFold::fold() {
  const auto account_rank = rank_ids(accounts_.kind, accounts_.ids);
  const auto user_rank = rank_ids(users_.kind, users_.ids);
  const auto event_rank = rank_ids(UserKind::text, events_.ids);
  for (Entry& entry : entries_) {
    entry.account = account_rank[entry.account];
    entry.user = user_rank[entry.user];
    entry.event = event_rank[entry.event];
  }
  poll_cancel();
  const auto group_of = [](const Entry& entry) { return std::tie(entry.account, entry.period); };
  const auto key_of = [](const Entry& entry) {
    return std::tie(entry.account, entry.period, entry.user, entry.day, entry.event);
  };
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return key_of(a) < key_of(b); });
  poll_cancel();

  std::vector<FoldedChanges> folded;
  std::vector<std::uint32_t> number_in_group(events_.ids.size());
  for (auto from = entries_.begin(); from != entries_.end();) {
    const auto to = std::find_if(from, entries_.end(),
                                 [&](const Entry& entry) { return group_of(entry) != group_of(*from); });
    std::vector<std::uint32_t> events;
    Day first_day = max_day;
    for (auto entry = from; entry != to; ++entry) {
      events.push_back(entry->event);
      first_day = std::min(first_day, entry->day);
    }
    std::sort(events.begin(), events.end());
    events.erase(std::unique(events.begin(), events.end()), events.end());
    EventNames names;
    for (const std::uint32_t event : events) {
      number_in_group[event] = static_cast<std::uint32_t>(names.size());
      names.emplace_back(events_.ids[event].bytes);
    }
    UsageBytes usage = write_usage(users_.kind, names, first_day, [&](UsageWriter& writer) {
      for (auto entry = from; entry != to;) {
        const std::uint32_t user = entry->user;
        writer.begin_user(users_.ids[user]);
        while (entry != to && entry->user == user) {
          Cell cell;
          cell.day = entry->day;
          cell.event = number_in_group[entry->event];
          for (const Entry& first = *entry; entry != to && key_of(*entry) == key_of(first); ++entry) {
            cell.count += entry->sign;
            if (!entry->has_amount) continue;
            cell.amount_count += entry->sign;
            // Minus the smallest number is no number; capture never writes it.
            if (entry->sign < 0 && entry->amount == INT64_MIN)
              throw Error(sqlstate::numeric_value_out_of_range, "an amount is out of range");
            cell.amount =
                add_checked(cell.amount, entry->sign < 0 ? -entry->amount : entry->amount, "amount");
          }
          writer.add(cell);
        }
        writer.end_user();
      }
    });
    if (usage != empty_usage())
      folded.push_back({accounts_.ids[from->account], from->period, std::move(usage)});
    from = to;
    poll_cancel();
  }
  return folded;
}

}  // namespace health
