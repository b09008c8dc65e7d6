// The aggregates' transition state: whatever comes in, in any order, folds to the one ledger of it.
#include "core/collect/usage_log.hpp"

#include <memory>

#include "core/base/radix_sort.hpp"
#include "core/ledger/usage_format.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// A log in memory that grows as the aggregates' does.
class GrowingLog {
 public:
  explicit GrowingLog(std::size_t capacity = smallest_log) : capacity_(capacity), memory_(words(capacity)) {
    UsageLog::start(bytes());
  }

  void append(const LoggedEvent& event, EventCodes& codes) {
    while (!log().append(event, codes)) make_room(UsageLog::bytes_for(event));
  }
  void append(Bytes usage) {
    while (!log().append_ledger(usage)) make_room(usage.size() + 16);
  }
  UsageBytes fold() { return log().fold(); }
  std::size_t capacity() const { return capacity_; }
  int folds() const { return folds_; }
  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(memory_.get()); }

 private:
  static std::unique_ptr<std::uint64_t[]> words(std::size_t bytes) {
    return std::make_unique<std::uint64_t[]>((bytes + 7) / 8);
  }
  UsageLog log() { return {bytes(), capacity_}; }
  void make_room(std::size_t more) {
    const UsageLog old(bytes(), capacity_);
    const LogPlan plan = old.plan_room(more);
    folds_ += plan.folded ? 1 : 0;
    if (plan.capacity == capacity_) {
      old.carry_out(plan, bytes());
      return;
    }
    auto larger = words(plan.capacity);
    UsageLog::start(reinterpret_cast<std::uint8_t*>(larger.get()));
    old.carry_out(plan, reinterpret_cast<std::uint8_t*>(larger.get()));
    memory_ = std::move(larger);
    capacity_ = plan.capacity;
  }

  std::size_t capacity_;
  std::unique_ptr<std::uint64_t[]> memory_;
  int folds_ = 0;
};

struct Row {
  Place place;
  bool has_amount;
  std::int64_t amount;
};

LoggedEvent logged(UserKind kind, const Row& row) {
  return {kind, row.place.user(), row.place.day, row.place.event, row.has_amount, row.amount};
}

std::vector<Row> any_rows(Random& random, UserKind kind, std::int64_t rows, std::int64_t names) {
  std::vector<Row> all;
  for (std::int64_t i = 0; i < rows; ++i) {
    Row row{any_user(random, kind), between(random, 0, 4) == 0, 0};
    row.place.day = any_day(random);
    row.place.event = any_event(random, names);
    if (row.has_amount) row.amount = any_amount(random);
    all.push_back(row);
  }
  return all;
}

PlainLedger plain_of(UserKind kind, const std::vector<Row>& rows) {
  PlainLedger plain;
  plain.kind = kind;
  for (const Row& row : rows) plain.add(row.place, {1, row.has_amount ? 1 : 0, row.amount});
  return plain;
}

std::unique_ptr<EventCodes> fresh_codes(std::uint32_t seed) {
  auto codes = std::make_unique<EventCodes>();
  codes->start(seed);
  return codes;
}

}  // namespace

TEST_CASE("a log folds to the ledger of its events, in any order of arrival", "[usage]") {
  Random random(run_seed() + 30);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 400; ++round) {
    const UserKind kind = any_kind(random);
    // Up to 400 names: more than the table of codes holds.
    auto rows =
        any_rows(random, kind, between(random, 0, 200), any_of(random, std::vector<int>{1, 5, 60, 130, 400}));
    const UsageBytes expected = encode(plain_of(kind, rows));
    for (int order = 0; order < 3; ++order) {
      GrowingLog log;
      for (const Row& row : rows) log.append(logged(kind, row), *codes);
      REQUIRE(log.fold() == expected);
      REQUIRE(log.fold() == expected);  // looking does not change anything
      std::shuffle(rows.begin(), rows.end(), random);
    }
  }
}

TEST_CASE("a log that was folded on the way gives the same ledger", "[usage]") {
  Random random(run_seed() + 31);
  const auto codes = fresh_codes(1);
  for (const UserKind kind : {UserKind::bigint, UserKind::uuid, UserKind::text}) {
    const auto rows = any_rows(random, kind, 60000, 30);
    GrowingLog log;
    for (const Row& row : rows) log.append(logged(kind, row), *codes);
    REQUIRE(log.folds() > 0);
    REQUIRE(log.fold() == encode(plain_of(kind, rows)));
  }
}

TEST_CASE("the size of a log follows the cells, not the events", "[usage]") {
  Random random(run_seed() + 32);
  const auto codes = fresh_codes(1);
  GrowingLog log;
  for (std::int64_t i = 0; i < 2000000; ++i) {
    Row row{{between(random, 1, 20), "", static_cast<Day>(between(random, 9000, 9027)), "view"}, false, 0};
    log.append(logged(UserKind::bigint, row), *codes);
  }
  REQUIRE(log.capacity() <= 64 * 1024);
  std::int64_t events = 0;
  for (const auto& [place, sums] : decode(log.fold()).cells) events += sums.count;
  REQUIRE(events == 2000000);
}

TEST_CASE("ledgers and events mix in one log, and states combine in any order", "[usage]") {
  Random random(run_seed() + 33);
  for (int round = 0; round < 200; ++round) {
    const UserKind kind = any_kind(random);
    const auto rows = any_rows(random, kind, between(random, 0, 300), 20);
    const UsageBytes expected = encode(plain_of(kind, rows));
    // Processes with tables of their own, some started with names already known.
    std::vector<std::unique_ptr<EventCodes>> codes;
    std::vector<GrowingLog> logs(4);
    for (std::uint32_t i = 0; i < logs.size(); ++i) {
      codes.push_back(fresh_codes(i * 100));
      for (std::int64_t known = between(random, 0, 10); known > 0; --known)
        codes.back()->code_of("other_" + std::to_string(random() % 100));
    }
    for (const Row& row : rows) {
      const auto to = static_cast<std::size_t>(between(random, 0, 3));
      if (between(random, 0, 5) == 0) {
        logs[to].append(encode(plain_of(kind, {row})));
      } else {
        logs[to].append(logged(kind, row), *codes[static_cast<std::size_t>(between(random, 0, 3))]);
      }
    }
    std::shuffle(logs.begin(), logs.end(), random);
    GrowingLog all;
    for (GrowingLog& log : logs) all.append(log.fold());
    REQUIRE(all.fold() == expected);
  }
}

TEST_CASE("ledgers too large to be taken apart are merged as streams", "[usage]") {
  Random random(run_seed() + 34);
  GrowingLog log;
  PlainLedger sum;
  for (int i = 0; i < 5; ++i) {
    PlainLedger part;
    for (int cell = 0; cell < 60000; ++cell)
      part.add({between(random, 0, 4000), "", static_cast<Day>(between(random, 9000, 9100)),
                "event_" + std::to_string(random() % 5)},
               {1, 0, 0});
    for (const auto& [place, sums] : part.cells) sum.add(place, sums);
    const UsageBytes bytes = encode(part);
    REQUIRE(bytes.size() > 65536);
    log.append(bytes);
  }
  REQUIRE(log.fold() == encode(sum));
}

TEST_CASE("a log refuses other users' types, nameless events and impossible days", "[usage]") {
  const auto codes = fresh_codes(1);
  GrowingLog log;
  const auto state_of = [&](const LoggedEvent& event) -> std::string {
    try {
      log.append(event, *codes);
    } catch (const Error& error) {
      return error.sqlstate();
    }
    return "";
  };
  CHECK(state_of({UserKind::bigint, {1, ""}, 0, "a", false, 0}).empty());
  CHECK(state_of({UserKind::text, {0, "1"}, 0, "a", false, 0}) == sqlstate::datatype_mismatch);
  CHECK(state_of({UserKind::bigint, {1, ""}, 0, "", false, 0}) == sqlstate::invalid_parameter_value);
  CHECK(state_of({UserKind::bigint, {1, ""}, min_day - 1, "a", false, 0}) ==
        sqlstate::datetime_field_overflow);
  CHECK(state_of({UserKind::bigint, {1, ""}, max_day, "a", false, 0}).empty());
  CHECK(state_of({UserKind::bigint, {1, ""}, min_day, "a", false, 0}).empty());
  CHECK(decode(log.fold()).cells.size() == 3);
}

TEST_CASE("a damaged state is an error of damaged data", "[usage]") {
  Random random(run_seed() + 35);
  const auto codes = fresh_codes(1);
  for (int round = 0; round < 3000; ++round) {
    const UserKind kind = any_kind(random);
    GrowingLog log;
    for (const Row& row : any_rows(random, kind, between(random, 1, 30), 5))
      log.append(logged(kind, row), *codes);
    // The first bytes belong to the host, the last ones are not in use.
    for (auto changes = between(random, 1, 3); changes > 0; --changes)
      log.bytes()[static_cast<std::size_t>(between(random, 4, 127))] = static_cast<std::uint8_t>(random());
    try {
      log.fold();
    } catch (const Error& error) {
      REQUIRE(error.what()[0] != '\0');
    }
  }
}

TEST_CASE("amounts enter rounded to millionths, and never as NaN or infinity", "[usage]") {
  CHECK(amount_to_micro(1.5) == 1500000);
  CHECK(amount_to_micro(-0.0000004) == 0);
  CHECK(amount_to_micro(0.1) + amount_to_micro(0.2) == amount_to_micro(0.3));
  CHECK(amount_to_micro(9.2e12) == 9200000000000000000);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(), 9.3e12, -1e300})
    CHECK_THROWS_AS(amount_to_micro(bad), Error);
}

TEST_CASE("the radix sort sorts like the standard's", "[usage]") {
  Random random(run_seed() + 36);
  for (int round = 0; round < 600; ++round) {
    const std::uint64_t bound = std::uint64_t{1} << between(random, 0, 63);
    std::vector<std::uint64_t> values(static_cast<std::size_t>(between(random, 0, 2000)));
    for (auto& value : values) value = random() % bound;
    auto expected = values;
    std::sort(expected.begin(), expected.end());
    radix_sort(values, bound);
    REQUIRE(values == expected);
  }
}
