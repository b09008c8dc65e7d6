// Sums and differences of ledgers.
#include "usage_algebra.hpp"

#include <array>

#include "usage_sum.hpp"
#include "user_id.hpp"

namespace health {

namespace {

// The sum of the ledgers, the last of them times `last_sign`.
UsageBytes merge(std::span<const Bytes> ledgers, std::int64_t last_sign) {
  UsageSum sum(ledgers, last_sign);
  if (sum.user_kind() == UserKind::none) return empty_usage();
  return write_usage(sum.user_kind(), sum.names(), sum.first_day(), [&](UsageWriter& writer) {
    sum.rewind();
    while (sum.next_user()) {
      writer.begin_user(sum.user());
      for (Cell cell; sum.next_cell(cell);) writer.add(cell);
      writer.end_user();
    }
  });
}

}  // namespace

void add_cell(Cell& sum, const Cell& more) {
  if (__builtin_add_overflow(sum.count, more.count, &sum.count)) reject_sum("count");
  if (__builtin_add_overflow(sum.amount_count, more.amount_count, &sum.amount_count))
    reject_sum("number of amounts");
  if (__builtin_add_overflow(sum.amount, more.amount, &sum.amount)) reject_sum("amount");
}

Cell negate_cell(Cell cell) {
  cell.count = -cell.count;
  cell.amount_count = -cell.amount_count;
  cell.amount = -cell.amount;
  return cell;
}

UserKind common_user_kind(UserKind a, UserKind b) {
  if (a == UserKind::none) return b;
  if (b == UserKind::none || a == b) return a;
  throw Error(sqlstate::datatype_mismatch,
              "cannot combine a ledger of " + std::string(user_kind_name(a)) + " users with one of " +
                  std::string(user_kind_name(b)) + " users",
              "Give usage_agg user ids of one type everywhere, for example by casting them to text.");
}

UsageBytes add_usage(Bytes a, Bytes b) { return merge(std::array{a, b}, 1); }

UsageBytes subtract_usage(Bytes a, Bytes b) { return merge(std::array{a, b}, -1); }

UsageBytes sum_usage(std::vector<Bytes> ledgers) {
  std::vector<UsageBytes> sums;
  std::size_t done = 0;
  while (ledgers.size() - done > merged_at_once) {
    sums.push_back(merge(std::span(ledgers).subspan(done, merged_at_once), 1));
    done += merged_at_once;
    ledgers.emplace_back(sums.back());
  }
  return merge(std::span(ledgers).subspan(done), 1);
}

UsageBytes usage_without_user(Bytes usage, std::string_view user) {
  const UsageReader head(usage);
  if (head.user_kind() == UserKind::none) return empty_usage();
  const ParsedUserId unwanted(head.user_kind(), user);
  EventNames names;
  for (std::uint32_t i = 0; i < head.event_count(); ++i) names.emplace_back(head.event_name(i));
  return write_usage(head.user_kind(), names, head.first_day(), [&](UsageWriter& writer) {
    UsageReader reader(usage);
    while (reader.next_user()) {
      if (compare_users(head.user_kind(), reader.user(), unwanted.id()) == 0) continue;
      writer.begin_user(reader.user());
      for (Cell cell; reader.next_cell(cell);) writer.add(cell);
      writer.end_user();
    }
  });
}

}  // namespace health
