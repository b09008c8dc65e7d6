// Hostile changes of tracked tables: bytes are refused with 22P03, or they are read and written again alike.
#include "core/collect/change_log.hpp"

#include <memory>
#include <string_view>

#include "fuzz.hpp"

namespace {

struct Memory {
  explicit Memory(std::size_t bytes) : words(bytes / 8 + 1) {
    log.memory = reinterpret_cast<std::uint8_t*>(words.data());
    log.capacity = words.size() * 8;
    log.largest_piece = log.capacity;
  }
  health::Bytes piece() {
    log.close();
    std::size_t next = 0;
    return log.piece(0, next);
  }
  std::vector<std::uint64_t> words;
  health::ChangeLog log;
};

std::unique_ptr<health::EventCodes> fresh_codes() {
  auto codes = std::make_unique<health::EventCodes>();
  codes->start(1);
  return codes;
}

bool same(const health::Change& a, const health::Change& b) {
  if (a.block != b.block || a.minus != b.minus || a.bad != b.bad) return false;
  return a.bad || (a.account.number == b.account.number && a.account.bytes == b.account.bytes &&
                   a.event.user.number == b.event.user.number && a.event.user.bytes == b.event.user.bytes &&
                   a.event.day == b.event.day && a.event.name == b.event.name &&
                   a.event.has_amount == b.event.has_amount && a.event.amount == b.event.amount);
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  using health::UserKind;
  std::vector<std::string> seeds;
  for (const UserKind account : {UserKind::bigint, UserKind::uuid, UserKind::text}) {
    for (const UserKind user : {UserKind::bigint, UserKind::uuid, UserKind::text}) {
      Memory memory(4096);
      const auto codes = fresh_codes();
      for (std::uint32_t i = 0; i < 70; ++i) {
        const std::string id = i % 3 == 0 ? "0123456789abcdef" : "fedcba9876543210";
        const std::string name = "event" + std::to_string(i % 65) + (i == 9 ? std::string(80, 'x') : "");
        health::Change change{
            i / 4, i % 5 == 0, i % 11 == 0, account, {static_cast<std::int64_t>(i) * 17, {}}, {}};
        change.event = {
            user, {-static_cast<std::int64_t>(i), {}}, 9000 + static_cast<int>(i), name, i % 7 == 0, 1500000};
        if (account != UserKind::bigint) change.account = {0, id};
        if (user != UserKind::bigint) change.event.user = {0, id};
        require(memory.log.append(change, *codes), "a seed fits its memory");
      }
      const health::Bytes piece = memory.piece();
      seeds.emplace_back(piece.begin(), piece.end());
    }
  }
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const health::Bytes input(data, size);
  std::int64_t changes = 0;
  std::size_t room = 64;
  try {
    for (health::ChangeCursor cursor(input); cursor.next(); ++changes)
      room += health::ChangeLog::room_for(cursor.change());
  } catch (const health::Error& error) {
    require(error.sqlstate() == std::string_view(health::sqlstate::invalid_binary_representation),
            "unreadable bytes give SQLSTATE 22P03");
    return 0;
  }
  require(health::count_changes(input) == changes, "changes are counted as they are read");
  if (changes == 0) return 0;

  Memory memory(room);
  const auto codes = fresh_codes();
  health::copy_changes(input, 0, memory.log, *codes);
  health::ChangeCursor ours(memory.piece());
  for (health::ChangeCursor cursor(input); cursor.next();)
    require(ours.next() && same(cursor.change(), ours.change()), "changes are written as they were read");
  require(!ours.next(), "nothing is added");

  const std::vector<std::int64_t> low{0, 8};
  const std::vector<std::int64_t> high{8, std::int64_t{1} << 32};
  const health::UsageBytes upper = health::drop_blocks(input, low);
  const health::UsageBytes lower = health::drop_blocks(input, high);
  require((upper.empty() ? 0 : health::count_changes(upper)) +
                  (lower.empty() ? 0 : health::count_changes(lower)) ==
              changes,
          "every change is in one of two complementary ranges");
  return 0;
}
