// Sums and differences of ledgers, by merging streams of cells.
#include "usage_algebra.hpp"

#include <algorithm>
#include <array>

#include "user_id.hpp"

namespace health {

namespace {

// One side of the merge: a reader with its next user and cell at hand, event numbers already those of the
// result.
class Side {
 public:
  // `reader` has not moved yet.
  Side(const UsageReader& reader, const EventNames& names, std::int64_t sign) : reader_(reader), sign_(sign) {
    events_.reserve(reader_.event_count());
    auto found = names.begin();
    for (std::uint32_t i = 0; i < reader_.event_count(); ++i) {
      while (*found != reader_.event_name(i)) ++found;
      events_.push_back(static_cast<std::uint32_t>(found - names.begin()));
    }
    next_user();
  }

  bool has_user() const { return has_user_; }
  const UserId& user() const { return reader_.user(); }
  void next_user() { has_user_ = reader_.next_user(); }

  bool has_cell() const { return has_cell_; }
  const Cell& cell() const { return cell_; }
  // Cells of a user ascend by this.
  std::uint64_t key() const { return key_; }
  void next_cell() {
    has_cell_ = reader_.next_cell(cell_);
    if (!has_cell_) return;
    cell_.event = events_[cell_.event];
    key_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(cell_.day) - min_day) << 32 | cell_.event;
    if (sign_ < 0) {
      cell_.count = -cell_.count;
      cell_.amount_count = add_checked(0, -cell_.amount_count, "number of amounts");
      if (cell_.amount == INT64_MIN) add_checked(INT64_MIN, -1, "amount");
      cell_.amount = -cell_.amount;
    }
  }

 private:
  UsageReader reader_;
  std::int64_t sign_;
  std::vector<std::uint32_t> events_;
  bool has_user_ = false;
  bool has_cell_ = false;
  std::uint64_t key_ = 0;
  Cell cell_;
};

void copy_cells(Side& side, UsageWriter& writer) {
  for (side.next_cell(); side.has_cell(); side.next_cell()) writer.add(side.cell());
}

// Takes the cell that all these sides have, summed up.
Cell take_sum(std::span<Side*> sides) {
  Cell sum = sides[0]->cell();
  sides[0]->next_cell();
  for (Side* side : sides.subspan(1)) {
    const Cell& more = side->cell();
    sum.count = add_checked(sum.count, more.count, "count");
    sum.amount_count = add_checked(sum.amount_count, more.amount_count, "number of amounts");
    sum.amount = add_checked(sum.amount, more.amount, "amount");
    side->next_cell();
  }
  return sum;
}

// The cells of one user in all these sides. Sides of different times take turns only once: each is copied up
// to the next cell of another. Does not leave `sides` as they were.
void merge_cells(std::span<Side*> sides, UsageWriter& writer) {
  for (Side* side : sides) side->next_cell();
  const auto less = [](const Side* a, const Side* b) { return a->key() < b->key(); };
  if (!std::is_sorted(sides.begin(), sides.end(), less)) std::sort(sides.begin(), sides.end(), less);
  while (!sides.empty()) {
    std::size_t first = 1;
    while (first < sides.size() && sides[first]->key() == sides[0]->key()) ++first;
    writer.add(take_sum(sides.first(first)));
    if (first == 1) {
      Side& side = *sides[0];
      const std::uint64_t next = sides.size() == 1 ? UINT64_MAX : sides[1]->key();
      for (; side.has_cell() && side.key() < next; side.next_cell()) writer.add(side.cell());
    }
    // Back into order; those at their end fall out at the front.
    for (std::size_t i = first; i-- > 0;) {
      if (sides[i]->has_cell()) {
        for (std::size_t at = i; at + 1 < sides.size() && less(sides[at + 1], sides[at]); ++at)
          std::swap(sides[at], sides[at + 1]);
      } else {
        std::move_backward(sides.begin(), sides.begin() + static_cast<std::ptrdiff_t>(i),
                           sides.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        sides = sides.subspan(1);
      }
    }
  }
}

// The names of all ledgers, ascending.
EventNames merge_names(std::span<const UsageReader> heads) {
  EventNames names;
  EventNames both;
  for (const UsageReader& head : heads) {
    both.clear();
    both.reserve(names.size() + head.event_count());
    auto name = names.begin();
    for (std::uint32_t i = 0; i < head.event_count(); ++i) {
      const std::string_view own = head.event_name(i);
      int order = -1;
      while (name != names.end() && (order = name->compare(own)) < 0) both.push_back(*name++);
      if (order == 0) ++name;
      both.push_back(own);
    }
    both.insert(both.end(), name, names.end());
    names.swap(both);
  }
  return names;
}

// The sum of the ledgers, the last of them times `last_sign`.
UsageBytes merge(std::span<const Bytes> ledgers, std::int64_t last_sign) {
  UserKind kind = UserKind::none;
  Day first_day = max_day;  // may be too early, when cells cancel out: the writer learns it then
  std::vector<UsageReader> heads;
  heads.reserve(ledgers.size());
  for (const Bytes ledger : ledgers) {
    const UsageReader& head = heads.emplace_back(ledger);
    if (head.user_kind() == UserKind::none) continue;
    kind = common_user_kind(kind, head.user_kind());
    first_day = std::min(first_day, head.first_day());
  }
  if (kind == UserKind::none) return empty_usage();
  const EventNames names = merge_names(heads);
  return write_usage(kind, names, first_day, [&](UsageWriter& writer) {
    std::vector<Side> sides;
    sides.reserve(heads.size());
    std::vector<Side*> open;
    for (const UsageReader& head : heads) {
      Side& side = sides.emplace_back(head, names, &head == &heads.back() ? last_sign : 1);
      if (side.has_user()) open.push_back(&side);
    }
    std::vector<Side*> here;
    std::vector<Side*> with_cells;
    while (!open.empty()) {
      // All that are at the smallest user, in the order of the ledgers.
      here.assign(1, open[0]);
      for (Side* side : std::span(open).subspan(1)) {
        const int order = compare_users(kind, side->user(), here[0]->user());
        if (order < 0) here.clear();
        if (order <= 0) here.push_back(side);
      }
      writer.begin_user(here[0]->user());
      if (here.size() == 1) {
        copy_cells(*here[0], writer);
      } else {
        with_cells = here;
        merge_cells(with_cells, writer);
      }
      writer.end_user();
      for (Side* side : here) side->next_user();
      std::erase_if(open, [](const Side* side) { return !side->has_user(); });
    }
  });
}

}  // namespace

std::int64_t add_checked(std::int64_t a, std::int64_t b, const char* what) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    throw Error(
        sqlstate::numeric_value_out_of_range,
        std::string("the ") + what + " of one user, day and event is out of range",
        "Sums of amounts go up to 9,223,372,036,854 in either direction; record them in a larger unit.");
  }
  return sum;
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
    Side side(head, names, 1);
    for (; side.has_user(); side.next_user()) {
      if (compare_users(head.user_kind(), side.user(), unwanted.id()) == 0) continue;
      writer.begin_user(side.user());
      copy_cells(side, writer);
      writer.end_user();
    }
  });
}

}  // namespace health
