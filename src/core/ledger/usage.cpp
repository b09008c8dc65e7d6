// The canonical usage ledger: reading and validation.
#include "usage.hpp"

#include "usage_format.hpp"

namespace health {

namespace {

[[noreturn]] void reject(const char* why) {
  throw Error(sqlstate::invalid_binary_representation, "invalid value of type health.usage",
              "The bytes are not a ledger that this version of account_health wrote; recompute the value "
              "from its events.",
              why);
}

}  // namespace

std::string_view user_kind_name(UserKind kind) {
  switch (kind) {
    case UserKind::bigint:
      return "bigint";
    case UserKind::uuid:
      return "uuid";
    case UserKind::text:
      return "text";
    case UserKind::none:
      break;
  }
  return "";
}

UserKind user_kind_named(std::string_view name) {
  return name == "bigint" ? UserKind::bigint : name == "uuid" ? UserKind::uuid : UserKind::text;
}

std::string user_id_text(UserKind kind, const UserId& id) {
  if (kind == UserKind::bigint) return std::to_string(id.number);
  if (kind == UserKind::text) return std::string(id.bytes);
  static constexpr char hex[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(id.bytes[i]);
    text += hex[byte >> 4];
    text += hex[byte & 15];
  }
  return text;
}

UserKind usage_kind(Bytes usage) {
  if (usage.size() < 2) reject("The header is cut off.");
  if (usage[0] != usage_version) {
    throw Error(
        sqlstate::invalid_binary_representation,
        "health.usage version " + std::to_string(usage[0]) +
            " is not known to this version of account_health",
        "Update the extension (ALTER EXTENSION account_health UPDATE) or recompute the value from its "
        "events.");
  }
  if (usage[1] > static_cast<std::uint8_t>(UserKind::text)) reject("The kind of user ids is unknown.");
  return static_cast<UserKind>(usage[1]);
}

UsageReader::UsageReader(Bytes bytes) : kind_(usage_kind(bytes)) {
  bytes_ = ByteReader<Reject>(bytes.subspan(2));
  if (kind_ == UserKind::none) {
    if (!bytes_.at_end()) reject("An empty ledger is followed by more bytes.");
    return;
  }
  first_day_ = bytes_.signed_number();
  if (first_day_ < min_day || first_day_ > max_day) reject("The first day is out of range.");
  const std::uint64_t events = bytes_.number();
  users_ = bytes_.number();
  cells_ = bytes_.number();
  if (events == 0 || events > max_event_names) reject("The number of event names is out of range.");
  if (users_ == 0 || cells_ < users_ || cells_ < events || cells_ > bytes.size())
    reject("The numbers of users and cells do not fit.");
  events_ = static_cast<std::uint32_t>(events);
  positions_ = static_cast<std::uint64_t>(max_day - first_day_ + 1) * events_;
  std::string_view previous;
  for (std::uint32_t i = 0; i < events_; ++i) {
    const std::string_view name = bytes_.string();
    if (name.empty() || (i > 0 && name <= previous)) reject("The event names are not in order.");
    if (i >= inline_names_.size())
      more_names_.push_back(name);
    else
      inline_names_[i] = name;
    previous = name;
  }
  if (events_ > 64) more_seen_.assign(events_, false);
}

std::string_view UsageReader::event_name(std::uint32_t event) const {
  return event < inline_names_.size() ? inline_names_[event] : more_names_.at(event - inline_names_.size());
}

void UsageReader::Reject::reject(ByteFault fault) {
  health::reject(fault == ByteFault::string ? "A string is cut off." : "A number is cut off or overlong.");
}

void UsageReader::reject_day() { reject("A day is out of range."); }

void UsageReader::finish() {
  if (!bytes_.at_end()) reject("Bytes follow the last user.");
  if (cells_read_ != cells_) reject("The number of cells does not fit.");
  if (cells_ == 0) return;
  if (!saw_first_day_) reject("No cell lies on the first day.");
  for (std::uint32_t i = 0; i < events_; ++i) {
    if (!(events_ > 64 ? more_seen_[i] : ((seen_ >> i) & 1) != 0)) reject("An event name has no cell.");
  }
}

bool UsageReader::next_user() {
  if (user_cells_left_ != 0) skip_cells();
  if (users_read_ == users_) {
    finish();
    return false;
  }
  switch (kind_) {
    case UserKind::bigint: {
      if (users_read_ == 0) {
        user_.number = bytes_.signed_number();
      } else {
        const std::uint64_t gap = bytes_.number();
        const std::uint64_t room =
            static_cast<std::uint64_t>(INT64_MAX) - static_cast<std::uint64_t>(user_.number);
        if (gap >= room) reject("A user id is out of range.");
        user_.number = static_cast<std::int64_t>(static_cast<std::uint64_t>(user_.number) + gap + 1);
      }
      break;
    }
    case UserKind::uuid: {
      const std::string_view id = bytes_.string(16);
      if (users_read_ > 0 && id <= user_.bytes) reject("The users are not in order.");
      user_.bytes = id;
      break;
    }
    case UserKind::text: {
      const std::uint64_t shared = bytes_.number();
      const std::string_view rest = bytes_.string();
      if (shared > text_.size() || (users_read_ == 0 && shared != 0))
        reject("A user id refers past the previous one.");
      const std::string_view old_rest = std::string_view(text_).substr(static_cast<std::size_t>(shared));
      // Ascending, and `shared` is the longest common prefix: the rests differ in their first byte, or the
      // old id is a prefix of the new.
      if (users_read_ > 0) {
        const bool ascending =
            !rest.empty() && (old_rest.empty() ||
                              static_cast<unsigned char>(rest[0]) > static_cast<unsigned char>(old_rest[0]));
        if (!ascending) reject("The users are not in order.");
      }
      text_.resize(static_cast<std::size_t>(shared));
      text_.append(rest);
      user_.bytes = text_;
      break;
    }
    case UserKind::none:
      break;
  }
  ++users_read_;
  user_cells_left_ = bytes_.number();
  position_ = day_start_ = 0;
  day_ = static_cast<Day>(first_day_);
  if (user_cells_left_ == 0 || user_cells_left_ > cells_ - cells_read_)
    reject("A user's number of cells does not fit.");
  return true;
}

void UsageReader::read_sums(Cell& cell) {
  const std::uint64_t meta = bytes_.number();
  cell.count = unzigzag(meta >> 2);
  switch (meta & 3) {
    case 0:
      if (cell.count == 0 || cell.count == 1) reject("A cell is not in its shortest form.");
      break;
    case 1:
      cell.amount_count = cell.count;
      cell.amount = bytes_.wide_number();
      if (cell.count == 0) reject("A cell is not in its shortest form.");
      break;
    case 2:
      cell.amount_count = bytes_.signed_number();
      cell.amount = bytes_.wide_number();
      if ((cell.amount_count == cell.count && cell.count != 0) ||
          (cell.amount_count == 0 && cell.amount == 0)) {
        reject("A cell is not in its shortest form.");
      }
      break;
    default:
      reject("The mode of a cell is unknown.");
  }
  if (cell.count > max_count || cell.count < -max_count || cell.amount_count > max_count ||
      cell.amount_count < -max_count || cell.amount > max_amount || cell.amount < -max_amount) {
    reject("A count or an amount is out of range.");
  }
}

void validate_usage(Bytes bytes) {
  UsageReader reader(bytes);
  while (reader.next_user()) reader.skip_cells();
}

}  // namespace health
