// Changes of a tracked table: the codec of pieces.
#include "change_log.hpp"

#include <algorithm>
#include <memory>

#include "usage_log_format.hpp"

namespace health {

namespace {

constexpr std::uint32_t change_codes = 58;  // codes that share a byte with sign and amount
constexpr std::uint8_t change_coded = 232;
constexpr std::uint8_t change_inline = 236;
constexpr std::uint8_t change_bad = 240;
constexpr std::uint8_t change_block = 242;
constexpr std::uint8_t change_day = 243;
constexpr std::uint8_t change_define = 244;
constexpr std::size_t piece_header = 2;
static_assert(change_codes * 4 == change_coded);

std::uint64_t align(std::uint64_t offset) { return (offset + 7) & ~std::uint64_t{7}; }

std::uint64_t gap(std::int64_t value, std::int64_t previous) {
  return zigzag(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(previous)));
}

// Writes an id; `number`, `before` and `size` are what is remembered of the previous one.
std::uint8_t* put_id(std::uint8_t* to, const std::uint8_t* memory, UserKind kind, const UserId& id,
                     std::int64_t& number, std::uint64_t& before, std::uint64_t& size) {
  if (kind == UserKind::bigint) {
    to = put_varint(to, gap(id.number, number));
    number = id.number;
    return to;
  }
  if (kind == UserKind::uuid) {
    std::memcpy(to, id.bytes.data(), 16);
    return to + 16;
  }
  if (id.bytes == std::string_view(reinterpret_cast<const char*>(memory + before), size)) {
    *to++ = 0;
    return to;
  }
  to = put_varint(to, id.bytes.size() + 1);
  if (!id.bytes.empty()) std::memcpy(to, id.bytes.data(), id.bytes.size());
  before = static_cast<std::uint64_t>(to - memory);
  size = id.bytes.size();
  return to + size;
}

[[noreturn]] void reject_piece() {
  throw Error(sqlstate::invalid_binary_representation, "invalid changes of a tracked table",
              "Values like this come from health.capture() only.");
}

}  // namespace

std::size_t ChangeLog::bytes_for(const Change& change) noexcept {
  // Block 6, day 6, definition 12 or code 1, tag 1, ids 10 each, amount 10.
  return change.bad
             ? 8
             : 56 + change.event.name.size() + change.account.bytes.size() + change.event.user.bytes.size();
}

void ChangeLog::close() noexcept {
  if (at.used == at.start) return;
  const auto size = static_cast<std::uint32_t>(at.used - at.start);
  std::memcpy(memory + at.start, &size, piece_word);
}

void ChangeLog::begin_piece(std::uint8_t kinds) noexcept {
  close();
  const std::uint64_t start = align(at.used);
  at = {};
  at.start = start;
  at.kinds = kinds;
  memory[start + piece_word] = change_version;
  memory[start + piece_word + 1] = kinds;
  at.used = start + piece_word + piece_header;
}

Bytes ChangeLog::piece(std::size_t offset, std::size_t& next) const noexcept {
  if (offset >= at.used) return {};
  std::uint32_t size = 0;
  std::memcpy(&size, memory + offset, piece_word);
  next = align(offset + size);
  return {memory + offset + piece_word, size - piece_word};
}

bool ChangeLog::append(const Change& change, EventCodes& codes) noexcept {
  const std::size_t size = bytes_for(change);
  if (at.used + size + 24 > capacity) return false;
  const auto kinds = static_cast<std::uint8_t>(static_cast<unsigned>(change.account_kind) |
                                               static_cast<unsigned>(change.event.kind) << 2);
  if (at.used == at.start || at.kinds != kinds || at.used - at.start + size > largest_piece + piece_word)
    begin_piece(kinds);
  std::uint8_t* to = memory + at.used;
  if (change.block != at.block) {
    *to++ = change_block;
    to = put_varint(to, gap(change.block, at.block));
    at.block = change.block;
  }
  if (change.bad) {
    *to++ = static_cast<std::uint8_t>(change_bad + (change.minus ? 1 : 0));
    at.used = static_cast<std::uint64_t>(to - memory);
    return true;
  }
  const LoggedEvent& event = change.event;
  if (event.day != at.day) {
    *to++ = change_day;
    to = put_varint(to, gap(event.day, at.day));
    at.day = event.day;
  }
  const unsigned flags = (change.minus ? 2u : 0u) + (event.has_amount ? 1u : 0u);
  const std::uint32_t code = codes.code_of(event.name);
  if (code < EventCodes::capacity) {
    if (at.epoch != codes.epoch()) {
      at.epoch = codes.epoch();
      at.defined[0] = at.defined[1] = 0;
    }
    const std::uint64_t bit = std::uint64_t{1} << (code % 64);
    if ((at.defined[code / 64] & bit) == 0) {
      at.defined[code / 64] |= bit;
      *to++ = change_define;
      *to++ = static_cast<std::uint8_t>(code);
      to = put_string(to, event.name);
    }
    if (code < change_codes) {
      *to++ = static_cast<std::uint8_t>(code * 4 + flags);
    } else {
      *to++ = static_cast<std::uint8_t>(change_coded + flags);
      *to++ = static_cast<std::uint8_t>(code);
    }
  } else {
    *to++ = static_cast<std::uint8_t>(change_inline + flags);
    to = put_string(to, event.name);
  }
  to = put_id(to, memory, change.account_kind, change.account, at.account, at.account_at, at.account_size);
  to = put_id(to, memory, event.kind, event.user, at.user, at.user_at, at.user_size);
  if (event.has_amount) to = put_varint(to, zigzag(event.amount));
  at.used = static_cast<std::uint64_t>(to - memory);
  return true;
}

void ChangeCursor::Reject::reject(ByteFault) { reject_piece(); }

ChangeCursor::ChangeCursor(Bytes piece) : start_(piece.data()) {
  if (piece.size() < piece_header || piece[0] != change_version) reject_piece();
  bytes_ = ByteReader<Reject>(piece.subspan(piece_header));
  const unsigned account = piece[1] & 3u;
  const unsigned user = piece[1] >> 2;
  if (account == 0 || user == 0 || user > 3) reject_piece();
  change_.account_kind = static_cast<UserKind>(account);
  change_.event.kind = static_cast<UserKind>(user);
}

std::string_view ChangeCursor::read_text(std::uint64_t size) {
  const std::string_view text = bytes_.string(size);
  if (is_text != nullptr && !is_text(text)) reject_piece();
  return text;
}

std::string_view& ChangeCursor::name_of_code() {
  const std::uint8_t code = bytes_.byte();
  if (code >= names_.size()) reject_piece();
  return names_[code];
}

void ChangeCursor::read_id(UserKind kind, UserId& id) {
  if (kind == UserKind::bigint) {
    id.number = static_cast<std::int64_t>(static_cast<std::uint64_t>(id.number) +
                                          static_cast<std::uint64_t>(bytes_.signed_number()));
  } else if (kind == UserKind::uuid) {
    id.bytes = bytes_.string(16);
  } else if (const std::uint64_t size = bytes_.number(); size != 0) {
    id.bytes = read_text(size - 1);
  }
}

void ChangeCursor::read_event(bool minus, bool has_amount) {
  if (change_.event.name.empty()) reject_piece();
  change_.minus = minus;
  change_.bad = false;
  change_.event.has_amount = has_amount;
  read_id(change_.account_kind, change_.account);
  read_id(change_.event.kind, change_.event.user);
  change_.event.amount = has_amount ? bytes_.signed_number() : 0;
}

bool ChangeCursor::next() {
  while (!bytes_.at_end()) {
    const std::uint8_t entry = bytes_.byte();
    if (entry < change_coded) {
      change_.event.name = names_[entry / 4];
      read_event((entry & 2) != 0, (entry & 1) != 0);
      return true;
    }
    switch (entry) {
      case change_bad:
      case change_bad + 1:
        change_.bad = true;
        change_.minus = entry != change_bad;
        return true;
      case change_block: {
        const std::int64_t blocks = bytes_.signed_number();
        if (blocks < -INT64_C(0xffffffff) || blocks > INT64_C(0xffffffff)) reject_piece();
        block_ += blocks;
        if (block_ < 0 || block_ > INT64_C(0xffffffff)) reject_piece();
        change_.block = static_cast<std::uint32_t>(block_);
        break;
      }
      case change_day: {
        const std::int64_t days = bytes_.signed_number();
        if (days < -(INT64_C(1) << 33) || days > INT64_C(1) << 33) reject_piece();
        day_ += days;
        if (day_ < min_day || day_ > max_day) reject_piece();
        change_.event.day = static_cast<Day>(day_);
        break;
      }
      case change_define: {
        std::string_view& name = name_of_code();
        name = read_text(bytes_.number());
        break;
      }
      default:
        if (entry >= change_bad) reject_piece();
        if (entry < change_inline) {
          change_.event.name = name_of_code();
        } else {
          change_.event.name = read_text(bytes_.number());
        }
        read_event((entry & 2) != 0, (entry & 1) != 0);
        return true;
    }
  }
  return false;
}

std::int64_t count_changes(Bytes piece) {
  std::int64_t count = 0;
  for (ChangeCursor cursor(piece); cursor.next();) ++count;
  return count;
}

void copy_changes(Bytes piece, std::size_t skip, ChangeLog& to, EventCodes& codes) {
  ChangeCursor cursor(piece);
  while (cursor.position() < skip && cursor.next()) {
  }
  while (cursor.next()) {
    if (!to.append(cursor.change(), codes))
      throw Error(sqlstate::program_limit_exceeded, "changes of a tracked table do not fit their memory");
  }
}

UsageBytes drop_blocks(Bytes piece, std::span<const std::int64_t> ranges) {
  if (ranges.size() % 2 != 0)
    throw Error(sqlstate::invalid_parameter_value, "ranges of blocks have an odd number of bounds");
  struct Range {
    std::int64_t from;
    std::int64_t to;
  };
  std::vector<Range> sorted;
  for (std::size_t i = 0; i < ranges.size(); i += 2)
    if (ranges[i] < ranges[i + 1]) sorted.push_back({ranges[i], ranges[i + 1]});
  std::sort(sorted.begin(), sorted.end(), [](const Range& a, const Range& b) { return a.from < b.from; });
  std::vector<Range> merged;
  for (const Range& range : sorted) {
    if (!merged.empty() && range.from <= merged.back().to) {
      merged.back().to = std::max(merged.back().to, range.to);
    } else {
      merged.push_back(range);
    }
  }
  const auto is_in = [&](std::int64_t block) {
    const auto after = std::upper_bound(merged.begin(), merged.end(), block,
                                        [](std::int64_t b, const Range& range) { return b < range.from; });
    return after != merged.begin() && block < std::prev(after)->to;
  };

  std::int64_t kept = 0;
  std::int64_t all = 0;
  std::size_t room = 64;
  for (ChangeCursor cursor(piece); cursor.next(); ++all) {
    if (is_in(cursor.change().block)) continue;
    ++kept;
    room += ChangeLog::room_for(cursor.change());
  }
  if (kept == 0) return {};
  if (kept == all) return {piece.begin(), piece.end()};

  std::vector<std::uint64_t> memory(room / 8 + 1);
  ChangeLog log;
  log.memory = reinterpret_cast<std::uint8_t*>(memory.data());
  log.capacity = memory.size() * 8;
  log.largest_piece = log.capacity;
  const auto codes = std::make_unique<EventCodes>();
  codes->start(1);
  for (ChangeCursor cursor(piece); cursor.next();) {
    if (!is_in(cursor.change().block)) log.append(cursor.change(), *codes);
  }
  log.close();
  std::size_t next = 0;
  const Bytes left = log.piece(0, next);
  return {left.begin(), left.end()};
}

}  // namespace health
