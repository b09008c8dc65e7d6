// Parts of a ledger: a range of days, all but some users.
#include "usage_parts.hpp"

#include <algorithm>

#include "usage_algebra.hpp"
#include "user_id.hpp"

namespace health {

namespace {

EventNames names_of(const UsageReader& reader) {
  EventNames names;
  names.reserve(reader.event_count());
  for (std::uint32_t i = 0; i < reader.event_count(); ++i) names.emplace_back(reader.event_name(i));
  return names;
}

// The cells that are kept. `make_filter()` gives, for one pass, a filter with keeps_user(id), called for
// ascending users, and keeps_day(day).
template <class MakeFilter>
UsageBytes filter_usage(Bytes usage, MakeFilter&& make_filter) {
  const UsageReader head(usage);
  return write_usage(head.user_kind(), names_of(head), head.first_day(), [&](UsageWriter& writer) {
    UsageReader reader(usage);
    auto filter = make_filter();
    while (reader.next_user()) {
      if (!filter.keeps_user(reader.user())) continue;
      writer.begin_user(reader.user());
      for (Cell cell; reader.next_cell(cell);)
        if (filter.keeps_day(cell.day)) writer.add(cell);
      writer.end_user();
    }
  });
}

struct DayRange {
  std::optional<Day> from;
  std::optional<Day> until;

  bool keeps_user(const UserId&) const { return true; }
  bool keeps_day(Day day) const { return (!from || day >= *from) && (!until || day < *until); }
};

void sort_ids(UserKind kind, std::vector<UserId>& ids) {
  poll_cancel();
  std::sort(ids.begin(), ids.end(),
            [kind](const UserId& a, const UserId& b) { return compare_users(kind, a, b) < 0; });
  const auto same = [kind](const UserId& a, const UserId& b) { return compare_users(kind, a, b) == 0; };
  ids.erase(std::unique(ids.begin(), ids.end(), same), ids.end());
}

// All but some users, for ledgers whose users come in ascending order.
class OtherUsers {
 public:
  OtherUsers(UserKind kind, std::span<const UserId> unwanted) : kind_(kind), unwanted_(unwanted) {}

  bool keeps_user(const UserId& user) {
    while (at_ < unwanted_.size()) {
      const int order = compare_users(kind_, unwanted_[at_], user);
      if (order >= 0) return order > 0;
      ++at_;
    }
    return true;
  }
  bool keeps_day(Day) const { return true; }

 private:
  UserKind kind_;
  std::span<const UserId> unwanted_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<UsageBytes> slice_usage(Bytes usage, std::optional<Day> from, std::optional<Day> until) {
  const DayRange range{from, until};
  UsageReader reader(usage);
  bool whole = true;
  while (reader.next_user())
    for (Cell cell; reader.next_cell(cell);) whole = whole && range.keeps_day(cell.day);
  if (whole) return std::nullopt;
  return filter_usage(usage, [&] { return range; });
}

UserSet::UserSet(std::span<const std::string_view> texts) : texts_(texts.begin(), texts.end()) {
  text_ids_.reserve(texts_.size());
  for (const std::string& text : texts_) {
    if ((text_ids_.size() & 0xfff) == 0xfff) poll_cancel();
    text_ids_.push_back({0, text});
    UserId id;
    if (read_bigint_id(text, id.number)) bigint_ids_.push_back(id);
    std::array<char, 16> uuid{};
    if (read_uuid_id(text, uuid)) uuids_.push_back(uuid);
  }
  for (const auto& uuid : uuids_) uuid_ids_.push_back({0, std::string_view(uuid.data(), uuid.size())});
  sort_ids(UserKind::text, text_ids_);
  sort_ids(UserKind::uuid, uuid_ids_);
  sort_ids(UserKind::bigint, bigint_ids_);
}

std::span<const UserId> UserSet::ids(UserKind kind) const {
  switch (kind) {
    case UserKind::bigint:
      return bigint_ids_;
    case UserKind::uuid:
      return uuid_ids_;
    case UserKind::text:
      return text_ids_;
    case UserKind::none:
      break;
  }
  return {};
}

std::optional<UsageBytes> usage_without_users(Bytes usage, const UserSet& users) {
  UsageReader reader(usage);
  const auto others = [kind = reader.user_kind(), &users] { return OtherUsers(kind, users.ids(kind)); };
  OtherUsers filter = others();
  bool whole = true;
  while (reader.next_user()) {
    whole = whole && filter.keeps_user(reader.user());
    reader.skip_cells();
  }
  if (whole) return std::nullopt;
  return filter_usage(usage, others);
}

}  // namespace health
