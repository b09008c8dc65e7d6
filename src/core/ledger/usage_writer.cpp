// Writes canonical ledgers from users and cells that arrive in order.
#include "usage_writer.hpp"

#include "usage_algebra.hpp"
#include "usage_format.hpp"

namespace health {

void reject_sum(const char* what) {
  throw Error(
      sqlstate::numeric_value_out_of_range,
      std::string("the ") + what + " of one user, day and event is out of range",
      std::string_view(what) == "amount"
          ? "Sums of amounts go up to 10,000,000,000,000,000,000,000 in either direction; record them "
            "in a larger unit."
          : "");
}

UsageBytes empty_usage() { return {usage_version, static_cast<std::uint8_t>(UserKind::none)}; }

UsageWriter::UsageWriter(UserKind kind, const EventNames& names, Day first_day) : kind_(kind) {
  restart(names, first_day);
}

void UsageWriter::restart(const EventNames& names, Day first_day) {
  if (names.size() > max_event_names) {
    throw Error(sqlstate::program_limit_exceeded,
                "more than " + std::to_string(max_event_names) + " distinct event names in one ledger",
                "Use names of kinds of events, and keep ids and addresses out of them.");
  }
  names_ = names;
  renumber_.resize(names_.size());
  for (std::uint32_t i = 0; i < renumber_.size(); ++i) renumber_[i] = i;
  seen_.assign(names_.size(), 0);
  first_day_ = first_day;
  earliest_ = max_day;
  body_.clear();
  users_ = cells_ = 0;
  previous_text_.clear();
}

void UsageWriter::begin_user(const UserId& user) {
  user_ = user;
  user_cells_.clear();
  cells_of_user_ = 0;
  position_ = 0;
}

void UsageWriter::add_sums(const Cell& cell) {
  if (cell.count == 0 && cell.amount_count == 0 && cell.amount == 0) return;
  // The range is symmetric, so that every ledger has a negative.
  if (cell.count > max_count || cell.count < -max_count) reject_sum("count");
  if (cell.amount_count > max_count || cell.amount_count < -max_count) reject_sum("number of amounts");
  if (cell.amount > max_amount || cell.amount < -max_amount) reject_sum("amount");
  if (!move_to(cell)) return;
  user_cells_.append_varint(2 * gap_ + 1);
  const std::uint64_t count = zigzag(cell.count) << 2;
  if (cell.amount_count == 0 && cell.amount == 0) {
    user_cells_.append_varint(count);
  } else if (cell.amount_count == cell.count && cell.count != 0) {
    user_cells_.append_varint(count | 1);
    user_cells_.append_wide(cell.amount);
  } else {
    user_cells_.append_varint(count | 2);
    user_cells_.append_signed(cell.amount_count);
    user_cells_.append_wide(cell.amount);
  }
}

void UsageWriter::add_events(std::uint64_t position, std::int64_t count) {
  const std::uint64_t gap = position - position_;
  position_ = position + 1;
  user_cells_.append_varint(2 * gap + (count == 1 ? 0 : 1));
  if (count != 1) user_cells_.append_varint(zigzag(count) << 2);
  ++cells_of_user_;
}

void UsageWriter::end_user() {
  if (cells_of_user_ == 0) return;
  switch (kind_) {
    case UserKind::bigint:
      if (users_ == 0) {
        body_.append_signed(user_.number);
      } else {
        body_.append_varint(static_cast<std::uint64_t>(user_.number) -
                            static_cast<std::uint64_t>(previous_number_) - 1);
      }
      previous_number_ = user_.number;
      break;
    case UserKind::uuid:
      body_.append_bytes(user_.bytes.data(), user_.bytes.size());
      break;
    case UserKind::text: {
      const auto [mine, theirs] =
          std::mismatch(user_.bytes.begin(), user_.bytes.end(), previous_text_.begin(), previous_text_.end());
      const auto shared = static_cast<std::size_t>(mine - user_.bytes.begin());
      body_.append_varint(shared);
      body_.append_string(user_.bytes.substr(shared));
      previous_text_.assign(user_.bytes);
      break;
    }
    case UserKind::none:
      break;
  }
  body_.append_varint(cells_of_user_);
  body_.append_bytes(user_cells_.bytes().data(), user_cells_.size());
  ++users_;
  if ((cells_ & ~std::uint64_t{0xfff}) != ((cells_ + cells_of_user_) & ~std::uint64_t{0xfff})) poll_cancel();
  cells_ += cells_of_user_;
  if (body_.size() > max_usage_bytes) {
    throw Error(sqlstate::program_limit_exceeded, "a value of type health.usage would exceed 1 GB",
                "Split the ledger, for example by period or by a part of the account, and combine the "
                "results of each.");
  }
}

bool UsageWriter::settle() {
  const bool none_seen = std::find(seen_.begin(), seen_.end(), 1) == seen_.end();
  if (none_seen) return true;
  const bool all_seen = std::find(seen_.begin(), seen_.end(), 0) == seen_.end();
  if (all_seen && earliest_ == first_day_) return true;
  EventNames used;
  std::vector<std::uint32_t> renumber(seen_.size(), 0);
  for (std::uint32_t i = 0; i < seen_.size(); ++i) {
    renumber[i] = static_cast<std::uint32_t>(used.size());
    if (seen_[i] != 0) used.push_back(names_[i]);
  }
  names_ = std::move(used);
  renumber_ = std::move(renumber);
  seen_.assign(names_.size(), 0);
  first_day_ = earliest_;
  earliest_ = max_day;
  body_.clear();
  users_ = cells_ = 0;
  previous_text_.clear();
  return false;
}

void UsageWriter::take(UsageBytes& bytes) const {
  if (cells_ == 0) {
    bytes = empty_usage();
    return;
  }
  ByteBuffer head;
  head.append_byte(usage_version);
  head.append_byte(static_cast<std::uint8_t>(kind_));
  head.append_signed(first_day_);
  head.append_varint(names_.size());
  head.append_varint(users_);
  head.append_varint(cells_);
  for (const std::string_view name : names_) head.append_string(name);
  bytes.clear();
  bytes.reserve(head.size() + body_.size());
  bytes.insert(bytes.end(), head.bytes().begin(), head.bytes().end());
  bytes.insert(bytes.end(), body_.bytes().begin(), body_.bytes().end());
  if (bytes.size() > max_usage_bytes) {
    throw Error(sqlstate::program_limit_exceeded, "a value of type health.usage would exceed 1 GB",
                "Split the ledger, for example by period or by a part of the account, and combine the "
                "results of each.");
  }
}

}  // namespace health
