// Sums and differences of ledgers, by merging two streams of cells.
#include "usage_algebra.hpp"

#include <algorithm>

#include "user_id.hpp"

namespace health {

namespace {

// One side of the merge: a reader with its next user and cell at hand, event numbers already those of the
// result.
class Side {
 public:
  Side(Bytes bytes, const EventNames& names, std::int64_t sign) : reader_(bytes), sign_(sign) {
    events_.reserve(reader_.event_count());
    for (std::uint32_t i = 0; i < reader_.event_count(); ++i) {
      const auto found = std::lower_bound(names.begin(), names.end(), reader_.event_name(i));
      events_.push_back(static_cast<std::uint32_t>(found - names.begin()));
    }
    next_user();
  }

  bool has_user() const { return has_user_; }
  const UserId& user() const { return reader_.user(); }
  void next_user() { has_user_ = reader_.next_user(); }

  bool has_cell() const { return has_cell_; }
  const Cell& cell() const { return cell_; }
  void next_cell() {
    has_cell_ = reader_.next_cell(cell_);
    if (!has_cell_) return;
    cell_.event = events_[cell_.event];
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
  Cell cell_;
};

void copy_cells(Side& side, UsageWriter& writer) {
  for (side.next_cell(); side.has_cell(); side.next_cell()) writer.add(side.cell());
}

void merge_cells(Side& a, Side& b, UsageWriter& writer) {
  a.next_cell();
  b.next_cell();
  while (a.has_cell() && b.has_cell()) {
    const Cell& x = a.cell();
    const Cell& y = b.cell();
    if (x.day != y.day ? x.day < y.day : x.event < y.event) {
      writer.add(x);
      a.next_cell();
    } else if (x.day != y.day || x.event != y.event) {
      writer.add(y);
      b.next_cell();
    } else {
      Cell sum = x;
      sum.count = add_checked(x.count, y.count, "count");
      sum.amount_count = add_checked(x.amount_count, y.amount_count, "number of amounts");
      sum.amount = add_checked(x.amount, y.amount, "amount");
      writer.add(sum);
      a.next_cell();
      b.next_cell();
    }
  }
  for (; a.has_cell(); a.next_cell()) writer.add(a.cell());
  for (; b.has_cell(); b.next_cell()) writer.add(b.cell());
}

// The union of two ledgers' names, and the earlier of their first days (learnt by the writer if the guess is
// off).
EventNames merge_names(const UsageReader& a, const UsageReader& b) {
  EventNames names;
  std::uint32_t i = 0;
  std::uint32_t j = 0;
  while (i < a.event_count() || j < b.event_count()) {
    const bool from_a = j == b.event_count() || (i < a.event_count() && a.event_name(i) <= b.event_name(j));
    const std::string_view name = from_a ? a.event_name(i) : b.event_name(j);
    if (from_a && j < b.event_count() && b.event_name(j) == name) ++j;
    from_a ? ++i : ++j;
    names.emplace_back(name);
  }
  return names;
}

UsageBytes merge(Bytes a, Bytes b, std::int64_t sign_of_b) {
  const UsageReader head_a(a);
  const UsageReader head_b(b);
  const UserKind kind = common_user_kind(head_a.user_kind(), head_b.user_kind());
  if (kind == UserKind::none) return empty_usage();
  const EventNames names = merge_names(head_a, head_b);
  const Day first_day = head_a.user_kind() == UserKind::none ? head_b.first_day()
                        : head_b.user_kind() == UserKind::none
                            ? head_a.first_day()
                            : std::min(head_a.first_day(), head_b.first_day());
  return write_usage(kind, names, first_day, [&](UsageWriter& writer) {
    Side x(a, names, 1);
    Side y(b, names, sign_of_b);
    while (x.has_user() || y.has_user()) {
      const int order = !x.has_user() ? 1 : !y.has_user() ? -1 : compare_users(kind, x.user(), y.user());
      writer.begin_user(order <= 0 ? x.user() : y.user());
      if (order < 0) {
        copy_cells(x, writer);
      } else if (order > 0) {
        copy_cells(y, writer);
      } else {
        merge_cells(x, y, writer);
      }
      writer.end_user();
      if (order <= 0) x.next_user();
      if (order >= 0) y.next_user();
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

UsageBytes add_usage(Bytes a, Bytes b) { return merge(a, b, 1); }

UsageBytes subtract_usage(Bytes a, Bytes b) { return merge(a, b, -1); }

UsageBytes usage_without_user(Bytes usage, std::string_view user) {
  const UsageReader head(usage);
  if (head.user_kind() == UserKind::none) return empty_usage();
  const ParsedUserId unwanted(head.user_kind(), user);
  EventNames names;
  for (std::uint32_t i = 0; i < head.event_count(); ++i) names.emplace_back(head.event_name(i));
  return write_usage(head.user_kind(), names, head.first_day(), [&](UsageWriter& writer) {
    Side side(usage, names, 1);
    for (; side.has_user(); side.next_user()) {
      if (compare_users(head.user_kind(), side.user(), unwanted.id()) == 0) continue;
      writer.begin_user(side.user());
      copy_cells(side, writer);
      writer.end_user();
    }
  });
}

}  // namespace health
