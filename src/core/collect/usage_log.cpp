// The transition state of usage_agg and rollup: appending and folding.
#include "usage_log.hpp"

#include <algorithm>
#include <bit>

#include "core/base/hash_name.hpp"
#include "core/base/hash_table.hpp"
#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/usage_format.hpp"
#include "log_fold.hpp"
#include "usage_log_format.hpp"

namespace health {

namespace {

constexpr std::size_t fold_at_least = 8192;  // bytes of raw log that make a fold worth it
constexpr std::size_t fold_at_most = std::size_t{4}
                                     << 20;  // bytes of raw log that are never exceeded without one

}  // namespace

void EventCodes::start(std::uint32_t seed) noexcept {
  epoch_ = seed | 1;
  count_ = misses_ = 0;
  codes_.fill(0);
}

std::uint32_t EventCodes::code_of(std::string_view name) noexcept {
  if (name.size() > longest) return no_code;
  std::uint8_t& known = find_slot(codes_, hash_name(name), [&](std::uint8_t slot) {
    const Entry& entry = entries_[slot - 1u];
    return entry.size == name.size() && std::memcmp(entry.name, name.data(), name.size()) == 0;
  });
  if (known != 0) return known - 1u;
  if (count_ == capacity) {
    // Names of an earlier statement may crowd out those of the present one.
    if (++misses_ < 4096) return no_code;
    start(epoch_ + 2);
    return code_of(name);
  }
  const std::uint32_t code = count_++;
  entries_[code].size = static_cast<std::uint8_t>(name.size());
  std::memcpy(entries_[code].name, name.data(), name.size());
  known = static_cast<std::uint8_t>(code + 1);
  return code;
}

void UsageLog::start(std::uint8_t* memory) {
  LogHeader header{};
  header.version = log_version;
  header.used = header.folded = log_start;
  std::memcpy(&header.reserved, memory, sizeof(header.reserved));
  std::memcpy(memory, &header, sizeof(header));
}

UsageLog::UsageLog(std::uint8_t* memory, std::size_t capacity)
    : header_(reinterpret_cast<LogHeader*>(memory)), memory_(memory), capacity_(capacity) {
  if (capacity < log_start || header_->version != log_version || header_->used > capacity ||
      header_->used < header_->folded || header_->folded < log_start || header_->staged > staging_bytes) {
    throw Error(sqlstate::data_corrupted, "invalid value of type health.usage_state",
                "Values of this type live inside of aggregates only; store health.usage instead.");
  }
}

void UsageLog::adopt_kind(UserKind kind) {
  header_->kind = static_cast<std::uint8_t>(common_user_kind(this->kind(), kind));
}

bool UsageLog::append(const LoggedEvent& event, EventCodes& codes) {
  check_event(event);
  LogHeader& header = *header_;
  if (header.kind != static_cast<std::uint8_t>(event.kind)) adopt_kind(event.kind);
  const std::uint32_t code = codes.code_of(event.name);
  const bool coded = code < EventCodes::capacity;
  if (coded && header.epoch != codes.epoch()) {
    header.epoch = codes.epoch();
    header.defined[0] = header.defined[1] = 0;
  }
  const std::uint64_t bit = std::uint64_t{1} << (code % 64);
  const bool named = !coded || (header.defined[code / 64] & bit) == 0;
  // Room for the longest numbers: tag 6, user or its length 10, amount 10, and 12 for a definition's code and
  // length.
  const std::size_t size = 1 + 6 + 10 + (event.has_amount ? 10 : 0) + event.user.bytes.size() +
                           (named ? event.name.size() + 12 : 0);
  const bool staged = size <= staging_bytes;
  if (header.staged + size > staging_bytes && !flush()) return false;
  if (!staged && capacity_ - header.used < size) return false;

  std::uint8_t* const from = staged ? memory_ + sizeof(LogHeader) + header.staged : memory_ + header.used;
  std::uint8_t* to = from;
  if (coded && named) {
    header.defined[code / 64] |= bit;
    *to++ = entry_define;
    *to++ = static_cast<std::uint8_t>(code);
    to = put_string(to, event.name);
  }
  const std::int64_t days = static_cast<std::int64_t>(event.day) - header.last_day;
  header.last_day = event.day;
  if (code < short_codes && days >= 0 && days < any_days && !event.has_amount) {
    *to++ = static_cast<std::uint8_t>(code * 4 + static_cast<std::uint32_t>(days));
  } else {
    if (code < short_codes) {
      *to++ = static_cast<std::uint8_t>(code * 4 + any_days);
    } else if (coded) {
      *to++ = entry_coded;
      *to++ = static_cast<std::uint8_t>(code);
    } else {
      *to++ = entry_inline;
      to = put_string(to, event.name);
    }
    to = put_varint(to, 2 * zigzag(days) + (event.has_amount ? 1 : 0));
  }
  if (event.kind == UserKind::bigint) {
    if (header.has_first_user == 0) {
      header.has_first_user = 1;
      header.first_user = event.user.number;
    }
    to = put_varint(to, zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(event.user.number) -
                                                         static_cast<std::uint64_t>(header.first_user))));
  } else if (event.kind == UserKind::uuid) {
    std::memcpy(to, event.user.bytes.data(), 16);
    to += 16;
  } else {
    to = put_string(to, event.user.bytes);
  }
  if (event.has_amount) to = put_varint(to, zigzag(event.amount));
  const auto written = static_cast<std::uint32_t>(to - from);
  if (staged) {
    header.staged = static_cast<std::uint8_t>(header.staged + written);
  } else {
    header.used += written;
  }
  return true;
}

bool UsageLog::flush() {
  if (capacity_ - header_->used < header_->staged) return false;
  std::memcpy(memory_ + header_->used, memory_ + sizeof(LogHeader), header_->staged);
  header_->used += header_->staged;
  header_->staged = 0;
  return true;
}

bool UsageLog::append_ledger(Bytes usage) {
  const std::size_t size = usage.size() + ledger_overhead;
  const UserKind kind = usage_kind(usage);
  if (kind == UserKind::none) return true;
  if (!flush() || capacity_ - header_->used < size) return false;
  adopt_kind(kind);
  header_->used = static_cast<std::uint32_t>(put_ledger(memory_ + header_->used, usage) - memory_);
  header_->epoch = 0;  // combined states may come from other processes: what follows defines its codes anew
  return true;
}

LogPlan UsageLog::plan_room(std::size_t more) const {
  LogPlan plan;
  const std::size_t folded = header_->folded - log_start;
  const std::size_t raw = header_->used - header_->folded;
  std::size_t used = header_->used + header_->staged;
  if (raw >= std::clamp(folded, fold_at_least, fold_at_most)) {
    plan.folded = true;
    for (LogCursor cursor(*header_, memory_, log_start, header_->folded); cursor.next();) {
      plan.ledgers.emplace_back(cursor.ledger().begin(), cursor.ledger().end());
    }
    UsageBytes newest = fold_entries(*header_, memory_, header_->folded);
    while (!plan.ledgers.empty() && plan.ledgers.back().size() < 2 * newest.size()) {
      newest = add_usage(plan.ledgers.back(), newest);
      plan.ledgers.pop_back();
    }
    plan.ledgers.push_back(std::move(newest));
    used = log_start;
    for (const UsageBytes& ledger : plan.ledgers) used += ledger.size() + ledger_overhead;
  }
  const std::size_t needed = used + more;
  if (needed > max_usage_bytes) {
    throw Error(sqlstate::program_limit_exceeded, "the usage of one group exceeds 1 GB",
                "Aggregate shorter periods or parts of the account, and combine what is computed from each.");
  }
  // A log that folding left more than half full would have to be folded again soon.
  const bool roomy = plan.folded && needed <= capacity_ && used <= capacity_ / 2;
  plan.capacity =
      roomy ? capacity_ : std::min(max_usage_bytes, std::max(std::bit_ceil(needed), 2 * capacity_));
  return plan;
}

void UsageLog::carry_out(const LogPlan& plan, std::uint8_t* memory) const {
  if (!plan.folded) {
    if (memory != memory_)
      std::memcpy(memory + sizeof(header_->reserved), memory_ + sizeof(header_->reserved),
                  header_->used - sizeof(header_->reserved));
    return;
  }
  const std::uint8_t kind = header_->kind;
  start(memory);
  auto* header = reinterpret_cast<LogHeader*>(memory);
  std::uint8_t* to = memory + log_start;
  for (const UsageBytes& ledger : plan.ledgers) to = put_ledger(to, ledger);
  header->kind = kind;
  header->used = header->folded = static_cast<std::uint32_t>(to - memory);
}

UsageBytes UsageLog::fold() const {
  UsageBytes newest = fold_entries(*header_, memory_, header_->folded);
  std::vector<Bytes> ledgers;
  for (LogCursor cursor(*header_, memory_, log_start, header_->folded); cursor.next();)
    ledgers.push_back(cursor.ledger());
  if (ledgers.empty()) return newest;
  ledgers.emplace_back(newest);
  return sum_usage(std::move(ledgers));
}

}  // namespace health
