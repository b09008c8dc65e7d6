// Changes of tracked tables: what was written is read, pieces are small, cuts leave nothing, damage is an
// error.
#include "core/collect/change_log.hpp"

#include <memory>

#include "core/base/civil.hpp"
#include "core/collect/account_fold.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// A change that owns what it points to.
struct OwnedChange {
  std::uint32_t block = 0;
  bool minus = false;
  bool bad = false;
  UserKind account_kind = UserKind::bigint;
  UserKind user_kind = UserKind::bigint;
  Place account;
  Place user;
  bool has_amount = false;
  std::int64_t amount = 0;

  Change change() const {
    return {block,        minus,          bad,
            account_kind, account.user(), {user_kind, user.user(), user.day, user.event, has_amount, amount}};
  }
  friend bool operator==(const OwnedChange& a, const OwnedChange& b) {
    if (a.bad || b.bad) return a.bad == b.bad && a.block == b.block && a.minus == b.minus;
    return a.block == b.block && a.minus == b.minus && a.account_kind == b.account_kind &&
           a.user_kind == b.user_kind && a.account == b.account && a.user == b.user &&
           a.has_amount == b.has_amount && a.amount == b.amount;
  }
};

OwnedChange owned(const Change& change) {
  OwnedChange copy;
  copy.block = change.block;
  copy.minus = change.minus;
  copy.bad = change.bad;
  copy.account_kind = change.account_kind;
  copy.user_kind = change.event.kind;
  copy.account.number = change.account_kind == UserKind::bigint ? change.account.number : 0;
  copy.account.bytes = change.account.bytes;
  copy.user.number = change.event.kind == UserKind::bigint ? change.event.user.number : 0;
  copy.user.bytes = change.event.user.bytes;
  copy.user.day = change.event.day;
  copy.user.event = change.event.name;
  copy.has_amount = change.event.has_amount;
  copy.amount = change.event.amount;
  return copy;
}

std::vector<OwnedChange> any_changes(Random& random, std::int64_t count, std::int64_t names) {
  const UserKind account_kind = any_kind(random);
  const UserKind user_kind = any_kind(random);
  std::vector<OwnedChange> changes;
  std::int64_t block = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    OwnedChange change;
    const auto shape = between(random, 0, 40);
    if (shape == 0) block = any_of(random, std::vector<std::int64_t>{0, 0xfffffffe, 0xffffffff, 70000});
    if (shape < 5) block = std::min<std::int64_t>(0xffffffff, block + between(random, 0, 2));
    change.block = static_cast<std::uint32_t>(block);
    change.minus = between(random, 0, 2) == 0;
    change.bad = between(random, 0, 15) == 0;
    change.account_kind = account_kind;
    change.user_kind = user_kind;
    if (!change.bad) {
      change.account = between(random, 0, 2) == 0 && !changes.empty() && !changes.back().bad
                           ? changes.back().account
                           : any_user(random, account_kind);
      change.user = any_user(random, user_kind);
      change.user.day = any_day(random);
      change.user.event = any_event(random, names);
      change.has_amount = between(random, 0, 3) == 0;
      if (change.has_amount)
        change.amount = any_of(random, std::vector<std::int64_t>{INT64_MIN, INT64_MAX, 0, 1500000, -1});
    }
    changes.push_back(change);
  }
  return changes;
}

// A log in memory that grows as the extension's does.
class GrowingLog {
 public:
  explicit GrowingLog(std::size_t largest = piece_bytes) {
    log_.largest_piece = largest;
    grow(128);
  }
  void append(const OwnedChange& change, EventCodes& codes) {
    while (!log_.append(change.change(), codes)) grow(log_.capacity * 2);
  }
  ChangeMark mark() const { return log_.at; }
  void cut_back(const ChangeMark& mark) { log_.at = mark; }
  std::vector<Bytes> pieces() {
    log_.close();
    std::vector<Bytes> all;
    std::size_t next = 0;
    for (Bytes piece = log_.piece(0, next); !piece.empty(); piece = log_.piece(next, next))
      all.push_back(piece);
    return all;
  }
  ChangeLog& log() { return log_; }

 private:
  void grow(std::size_t bytes) {
    auto larger = std::make_unique<std::uint64_t[]>(bytes / 8);
    if (log_.at.used > 0) std::memcpy(larger.get(), memory_.get(), log_.at.used);
    memory_ = std::move(larger);
    log_.memory = reinterpret_cast<std::uint8_t*>(memory_.get());
    log_.capacity = bytes;
  }
  std::unique_ptr<std::uint64_t[]> memory_;
  ChangeLog log_;
};

std::vector<OwnedChange> read(Bytes piece) {
  std::vector<OwnedChange> changes;
  for (ChangeCursor cursor(piece); cursor.next();) changes.push_back(owned(cursor.change()));
  return changes;
}

std::vector<OwnedChange> read(const std::vector<Bytes>& pieces) {
  std::vector<OwnedChange> all;
  for (const Bytes piece : pieces) {
    for (OwnedChange& change : read(piece)) all.push_back(std::move(change));
  }
  return all;
}

std::unique_ptr<EventCodes> fresh_codes(std::uint32_t seed) {
  auto codes = std::make_unique<EventCodes>();
  codes->start(seed);
  return codes;
}

std::string state_of(Bytes piece) {
  try {
    read(piece);
  } catch (const Error& error) {
    return error.sqlstate();
  }
  return "";
}

}  // namespace

TEST_CASE("changes are read as they were written, in pieces of 8,000 bytes", "[changes]") {
  Random random(run_seed() + 70);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 300; ++round) {
    // Up to 400 names: more than the table of codes holds.
    const auto changes = any_changes(random, between(random, 0, 700),
                                     any_of(random, std::vector<std::int64_t>{1, 5, 60, 130, 400}));
    GrowingLog log;
    for (const OwnedChange& change : changes) log.append(change, *codes);
    const auto pieces = log.pieces();
    REQUIRE(read(pieces) == changes);
    for (const Bytes piece : pieces) {
      REQUIRE(piece.size() <= piece_bytes);
      REQUIRE(count_changes(piece) == static_cast<std::int64_t>(read(piece).size()));
    }
  }
}

TEST_CASE("a change too large for a piece gets one of its own", "[changes]") {
  Random random(run_seed() + 71);
  const auto codes = fresh_codes(1);
  GrowingLog log;
  auto changes = any_changes(random, 9, 3);
  changes[3].bad = changes[4].bad = changes[5].bad = false;
  for (OwnedChange& change : changes) change.account_kind = change.user_kind = UserKind::text;
  for (const std::size_t i : {3, 4}) changes[i].account.bytes = std::string(30000, 'a');
  changes[5].user.event = std::string(9000, 'e');
  for (OwnedChange& change : changes) {
    change.account.number = change.user.number = 0;
    if (!change.bad && change.user.event.empty()) change.user.event = "e";
  }
  for (const OwnedChange& change : changes) log.append(change, *codes);
  const auto pieces = log.pieces();
  REQUIRE(read(pieces) == changes);
  for (const Bytes piece : pieces) REQUIRE((piece.size() <= piece_bytes || count_changes(piece) == 1));
}

TEST_CASE("few bytes hold a change", "[changes]") {
  Random random(run_seed() + 72);
  const auto codes = fresh_codes(1);
  GrowingLog log;
  for (std::int64_t i = 0; i < 100000; ++i) {
    OwnedChange change;
    change.block = static_cast<std::uint32_t>(i / 100);
    change.account.number = between(random, 1, 20000);
    change.user.number = change.account.number * 64 + between(random, 0, 40);
    change.user.day = static_cast<Day>(9100 + i / 3000);
    change.user.event = "event_" + std::to_string(between(random, 1, 18));
    log.append(change, *codes);
  }
  CHECK(log.mark().used < 100000 * 8);
}

TEST_CASE("what is cut back was never there", "[changes]") {
  Random random(run_seed() + 73);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 300; ++round) {
    const auto changes = any_changes(random, between(random, 1, 300), 200);
    GrowingLog log;
    struct Mark {
      ChangeMark at;
      std::size_t kept;
    };
    std::vector<Mark> marks;
    std::vector<OwnedChange> kept;
    for (const OwnedChange& change : changes) {
      const auto shape = between(random, 0, 5);
      if (shape == 0) marks.push_back({log.mark(), kept.size()});
      if (shape == 1 && !marks.empty()) {
        log.cut_back(marks.back().at);
        kept.resize(marks.back().kept);
        marks.pop_back();
      }
      log.append(change, *codes);
      kept.push_back(change);
    }
    REQUIRE(read(log.pieces()) == kept);
  }
}

TEST_CASE("the changes behind a mark are copied into pieces of their own", "[changes]") {
  Random random(run_seed() + 74);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 300; ++round) {
    const auto changes = any_changes(random, between(random, 1, 300), 200);
    GrowingLog log(1000000);
    const auto before =
        static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(changes.size())));
    for (std::size_t i = 0; i < before; ++i) log.append(changes[i], *codes);
    const ChangeMark mark = log.mark();
    for (std::size_t i = before; i < changes.size(); ++i) log.append(changes[i], *codes);
    const Bytes piece = log.pieces().front();
    std::vector<std::uint64_t> memory(piece.size() * 2 / 8 + 32);
    ChangeLog tail;
    tail.memory = reinterpret_cast<std::uint8_t*>(memory.data());
    tail.capacity = memory.size() * 8;
    copy_changes(piece, before == 0 ? 0 : mark.used - mark.start - piece_word, tail, *codes);
    tail.close();
    std::vector<Bytes> pieces;
    std::size_t next = 0;
    for (Bytes part = tail.piece(0, next); !part.empty(); part = tail.piece(next, next))
      pieces.push_back(part);
    REQUIRE(read(pieces) ==
            std::vector<OwnedChange>(changes.begin() + static_cast<std::ptrdiff_t>(before), changes.end()));
  }
}

TEST_CASE("changes of blocks within ranges are dropped", "[changes]") {
  Random random(run_seed() + 75);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 500; ++round) {
    const auto changes = any_changes(random, between(random, 1, 100), 40);
    GrowingLog log(1000000);
    for (const OwnedChange& change : changes) log.append(change, *codes);
    const Bytes piece = log.pieces().front();
    std::vector<std::int64_t> ranges;
    for (auto count = between(random, 0, 4); count > 0; --count) {
      const std::int64_t from = any_of(random, changes).block + between(random, -1, 1);
      ranges.push_back(from);
      ranges.push_back(from + between(random, -1, 5));
    }
    std::vector<OwnedChange> expected;
    for (const OwnedChange& change : changes) {
      bool is_read = false;
      for (std::size_t i = 0; i < ranges.size(); i += 2)
        is_read = is_read || (ranges[i] <= change.block && change.block < ranges[i + 1]);
      if (!is_read) expected.push_back(change);
    }
    const UsageBytes left = drop_blocks(piece, ranges);
    REQUIRE(left.empty() == expected.empty());
    if (!left.empty()) REQUIRE(read(Bytes(left)) == expected);
    if (expected.size() == changes.size()) REQUIRE(std::ranges::equal(left, piece));
  }
  GrowingLog log;
  OwnedChange one;
  one.user.event = "a";
  log.append(one, *codes);
  CHECK_THROWS_AS(drop_blocks(log.pieces().front(), std::vector<std::int64_t>{1}), Error);
}

TEST_CASE("damaged changes are read or refused with 22P03", "[changes]") {
  Random random(run_seed() + 76);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 20000; ++round) {
    GrowingLog log;
    for (const OwnedChange& change : any_changes(random, between(random, 1, 20), 20))
      log.append(change, *codes);
    const Bytes piece = log.pieces().front();
    UsageBytes damaged(piece.begin(), piece.end());
    for (auto changes = between(random, 1, 3); changes > 0; --changes) {
      const auto at =
          static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(damaged.size()) - 1));
      if (between(random, 0, 3) == 0) {
        damaged.resize(at + 1);
      } else {
        damaged[at] = static_cast<std::uint8_t>(random());
      }
    }
    const std::string state = state_of(damaged);
    REQUIRE((state.empty() || state == sqlstate::invalid_binary_representation));
  }
  CHECK(state_of({}) == sqlstate::invalid_binary_representation);
  CHECK(state_of(UsageBytes{1, 5}).empty());
  CHECK(state_of(UsageBytes{2, 5}) == sqlstate::invalid_binary_representation);
  CHECK(state_of(UsageBytes{1, 5, 0, 2, 2}) == sqlstate::invalid_binary_representation);  // no such name
  CHECK(state_of(UsageBytes{1, 5, 242, 1}) == sqlstate::invalid_binary_representation);   // block -1
  CHECK(state_of(UsageBytes{1, 5, 250}) == sqlstate::invalid_binary_representation);      // no such entry
  CHECK(state_of(UsageBytes{1, 5, 244, 0, 1, 'a', 0, 2, 2}).empty());
}

TEST_CASE("changes fold to the ledgers of their events per account and quarter", "[changes]") {
  Random random(run_seed() + 77);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 200; ++round) {
    const auto changes = any_changes(random, between(random, 0, 400), 20);
    struct Key {
      Place account;
      Day period;
      bool operator<(const Key& other) const {
        return std::tie(account, period) < std::tie(other.account, other.period);
      }
    };
    std::map<Key, PlainLedger> expected;
    std::int64_t bad = 0;
    GrowingLog log(static_cast<std::size_t>(between(random, 100, 8000)));
    for (OwnedChange change : changes) {
      if (change.bad) bad += change.minus ? -1 : 1;
      change.account.day = 0;
      change.account.event.clear();
      log.append(change, *codes);
      if (change.bad) continue;
      const std::int64_t sign = change.minus ? -1 : 1;
      PlainLedger& plain = expected[{change.account, period_start(change.user.day)}];
      plain.kind = change.user_kind;
      plain.add(change.user, {sign, change.has_amount ? sign : 0,
                              change.has_amount ? Exact{sign} * change.amount : Exact{0}});
    }
    std::erase_if(expected, [](const auto& ledger) { return ledger.second.cells.empty(); });
    std::int64_t found_bad = 0;
    AccountFold fold(changes.empty() ? UserKind::text : changes.front().account_kind,
                     changes.empty() ? UserKind::text : changes.front().user_kind);
    for (const Bytes piece : log.pieces()) {
      for (ChangeCursor cursor(piece); cursor.next();) {
        const int sign = cursor.change().minus ? -1 : 1;
        if (cursor.change().bad) {
          found_bad += sign;
        } else {
          fold.add(cursor.change().account, cursor.change().event, sign);
        }
      }
    }
    REQUIRE(found_bad == bad);
    AccountLedger ledger;
    for (const auto& [key, plain] : expected) {
      REQUIRE(fold.next(ledger));
      CHECK((ledger.account.number == key.account.number && ledger.account.bytes == key.account.bytes));
      CHECK(ledger.period == key.period);
      CHECK(std::ranges::equal(ledger.usage, encode(plain)));
    }
    REQUIRE(!fold.next(ledger));
  }
}
