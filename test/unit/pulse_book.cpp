// A book of accounts has the pulse of each account's chunks.
#include "core/metrics/pulse_book.hpp"

#include <map>

#include "core/ledger/usage_format.hpp"
#include "core/ledger/usage_parts.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

struct Shown {
  std::int64_t account;
  Day period;
  UsageBytes usage;
};

using Pulses = std::map<std::int64_t, Pulse>;

void read(PulseBook& book, const std::vector<Shown>& chunks, Pulses& pulses) {
  do {
    for (const Shown& chunk : chunks) {
      UserId account;
      account.number = chunk.account;
      PulseBook::Account* const wanted = book.wants(account, chunk.period);
      if (wanted == nullptr) continue;
      // At its very end of memory, and gone afterwards: the book keeps no pointer into a chunk.
      const std::vector<std::uint8_t> bytes(chunk.usage.begin(), chunk.usage.end());
      book.add(*wanted, bytes);
    }
    AccountPulse result;
    while (book.next(result)) REQUIRE(pulses.emplace(result.account.number, result.pulse).second);
  } while (book.start_again());
}

void require_same(const Pulse& pulse, const Pulse& expected) {
  REQUIRE(pulse.active_users == expected.active_users);
  REQUIRE(pulse.events == expected.events);
  REQUIRE(pulse.trend_4w == expected.trend_4w);
  REQUIRE(pulse.dip_streak == expected.dip_streak);
  REQUIRE(pulse.power_user_dependency == expected.power_user_dependency);
}

// What an account did in the two years before that day, and a little after it.
PlainLedger history(Random& random, UserKind kind, Day as_of) {
  PlainLedger plain;
  plain.kind = kind;
  const auto oldest = between(random, 0, 3) == 0 ? 700 : between(random, 1, 120);
  std::vector<Place> users;
  for (auto count = between(random, 1, 40); count > 0; --count) users.push_back(any_user(random, kind));
  for (auto cells = between(random, 0, between(random, 0, 3) == 0 ? 400 : 40); cells > 0; --cells) {
    Place place = any_of(random, users);
    place.day = as_of - static_cast<Day>(between(random, -5, oldest));
    place.event = between(random, 0, 20) == 0 ? any_of(random, std::vector<std::string>{"$joined", "$seat"})
                                              : std::string(1, static_cast<char>(between(random, 'a', 'f')));
    Sums sums{1, 0, 0};
    if (between(random, 0, 5) == 0) sums.count = between(random, 1, 300);
    if (between(random, 0, 9) == 0) sums = {sums.count, 1, between(random, -9, 9)};
    plain.add(place, sums);
  }
  return plain;
}

// The chunks of a ledger: one for each quarter, or several whose sum that is, some with negative counts.
void take_apart(Random& random, std::int64_t account, const PlainLedger& plain, std::vector<Shown>& chunks) {
  std::map<Day, PlainLedger> quarters;
  for (const auto& [place, sums] : plain.cells) {
    PlainLedger& quarter = quarters[period_start(place.day)];
    quarter.kind = plain.kind;
    quarter.add(place, sums);
  }
  for (const auto& [period, quarter] : quarters) {
    UsageBytes rest = encode(quarter);
    for (auto parts = between(random, 0, 9) == 0 ? between(random, 1, 12) : between(random, 0, 2) / 2;
         parts > 0; --parts) {
      PlainLedger piece;
      piece.kind = plain.kind;
      for (const auto& [place, sums] : quarter.cells)
        if (between(random, 0, 2) == 0) piece.add(place, {between(random, -2, 2), 0, 0});
      if (between(random, 0, 2) == 0 && !quarter.cells.empty()) {
        Place stranger = any_user(random, plain.kind);
        stranger.day = quarter.cells.begin()->first.day;
        stranger.event = "g";
        piece.add(stranger, {between(random, 1, 3), 0, 0});
      }
      const UsageBytes bytes = encode(piece);
      rest = subtract_usage(rest, bytes);
      chunks.push_back({account, period, bytes});
    }
    chunks.push_back({account, period, rest});
  }
}

std::string sqlstate_of(const std::vector<Shown>& chunks, Day as_of) {
  PulseBook book(UserKind::bigint, {as_of, std::nullopt});
  Pulses pulses;
  try {
    read(book, chunks, pulses);
  } catch (const Error& error) {
    return std::string(error.sqlstate());
  }
  return {};
}

}  // namespace

TEST_CASE("a book of accounts has the pulse of each account's chunks, in one share or in several") {
  const Day as_of = day("2025-07-01");
  std::vector<Shown> chunks;
  for (std::int64_t account = 0; account < 200; ++account) {
    const auto add = [&](const char* period, const char* usage) {
      chunks.push_back({account, day(period), usage_from_text(usage)});
    };
    if (account % 2 == 0) add("2024-01-01", "bigint{1:2024-02-01/a*2;2:2024-02-01/b}");
    if (account % 3 == 0) add("2025-04-01", "bigint{1:2025-05-20/a,2025-06-20/a*2;7:2025-06-20/b}");
    if (account % 5 == 0) add("2025-04-01", "bigint{1:2025-06-20/a*-1;3:2025-06-25/$x,2025-06-26/c*9}");
    if (account % 7 == 0) add("2024-01-01", "bigint{1:2024-02-01/a*-2;2:2024-02-01/b*-1}");
    if (account % 11 == 0) add("2025-07-01", "bigint{1:2025-07-02/a}");
    if (account % 13 == 0) add("2025-01-01", "bigint{4:2025-03-03/$joined}");
  }
  // As a table has them after changes: in no order.
  for (std::size_t i = 0; i < chunks.size(); ++i) std::swap(chunks[i], chunks[(i * 7919) % chunks.size()]);
  std::map<std::int64_t, std::vector<Bytes>> parts;
  for (const Shown& chunk : chunks) parts[chunk.account].emplace_back(chunk.usage);
  // A part that takes away what is not there is an error: as of the sum.
  for (auto it = parts.begin(); it != parts.end();) {
    bool fine = true;
    try {
      take_pulse(it->second, as_of);
    } catch (const Error&) {
      fine = false;
      std::erase_if(chunks, [&](const Shown& chunk) { return chunk.account == it->first; });
    }
    it = fine ? std::next(it) : parts.erase(it);
  }
  REQUIRE(parts.size() > 50);

  for (const std::optional<Day> start : {std::optional<Day>(), std::optional<Day>(day("2025-06-01"))}) {
    for (const std::uint32_t shares : {1U, 3U}) {
      Pulses pulses;
      for (std::uint32_t share = 0; share < shares; ++share) {
        PulseBook book(UserKind::bigint, {as_of, start}, share, shares);
        read(book, chunks, pulses);
      }
      REQUIRE(pulses.size() == parts.size());
      for (const auto& [account, pulse] : pulses) {
        INFO("account " << account);
        require_same(pulse, take_pulse(parts[account], as_of, start));
      }
    }
  }
}

TEST_CASE("a book agrees with the pulse of ledgers that were taken apart at random, in any order") {
  Random random(run_seed() + 40);
  for (int round = 0; round < 60; ++round) {
    const Day as_of = day("2025-03-20") + static_cast<Day>(between(random, 0, 120));
    std::vector<Shown> chunks;
    std::map<std::int64_t, UsageBytes> whole;
    for (std::int64_t account = 0; account < 40; ++account) {
      const PlainLedger plain = history(random, any_kind(random), as_of);
      if (plain.cells.empty()) continue;
      whole[account] = encode(plain);
      take_apart(random, account, plain, chunks);
    }
    // In the order of the accounts, as a table is written, and in none.
    if (round % 2 == 1) std::shuffle(chunks.begin(), chunks.end(), random);
    std::optional<Day> start;
    if (between(random, 0, 2) == 0) start = as_of - static_cast<Day>(between(random, 50, 60));
    const auto shares = static_cast<std::uint32_t>(between(random, 1, 3));
    Pulses pulses;
    for (std::uint32_t share = 0; share < shares; ++share) {
      PulseBook book(UserKind::bigint, {as_of, start}, share, shares);
      read(book, chunks, pulses);
    }
    REQUIRE(pulses.size() == whole.size());
    for (const auto& [account, pulse] : pulses) {
      INFO(usage_to_text(whole[account]) << " as of " << day_text(as_of));
      const Bytes bytes = whole[account];
      require_same(pulse, take_pulse({&bytes, 1}, as_of, start));
    }
  }
}

TEST_CASE("accounts of uuid and text are told apart in a book") {
  const std::string one(16, 'a');
  const std::string two = std::string(15, 'a').append("b");
  const UsageBytes april =
      usage_from_text("text{anna:2025-06-20/a;annabel:2025-06-21/a*2;bert:2025-05-20/a}");
  const UsageBytes july = usage_from_text("text{annabel:2025-07-01/a;carl:2025-07-01/b}");
  for (const UserKind kind : {UserKind::uuid, UserKind::text}) {
    PulseBook book(kind, {day("2025-07-02"), std::nullopt});
    for (const std::string& name : {one, two, one}) {
      const std::string copy = name;
      const bool is_one = book.wants({0, copy}, day("2025-07-01")) == book.wants({0, one}, day("2025-07-01"));
      REQUIRE(is_one == (name == one));
      book.add(*book.wants({0, copy}, day("2025-04-01")), april);
      if (name == two) book.add(*book.wants({0, copy}, day("2025-07-01")), july);
    }
    AccountPulse result;
    REQUIRE(book.next(result));
    CHECK(result.account.bytes == one);
    CHECK(result.pulse.active_users == 2);
    CHECK(result.pulse.events == 6);
    REQUIRE(book.next(result));
    CHECK(result.account.bytes == two);
    CHECK(result.pulse.active_users == 3);
    CHECK(result.pulse.events == 5);
    CHECK(result.pulse.power_user_dependency == Value::of(3.0 / 5));
    CHECK_FALSE(book.next(result));
  }
}

TEST_CASE("a book holds long lists of users, whose chunks come in many parts") {
  for (const UserKind kind : {UserKind::bigint, UserKind::uuid, UserKind::text}) {
    const Day as_of = day("2025-06-30");
    std::vector<Shown> chunks;
    PlainLedger whole;
    whole.kind = kind;
    for (int part = 0; part < 40; ++part) {
      PlainLedger plain;
      plain.kind = kind;
      for (int i = 0; i < 100; ++i) {
        const int user = (i * 37 + part * 11) % 1000;
        Place place;
        place.number = std::int64_t{user} * 1000000007;
        if (kind == UserKind::uuid) place.bytes = "uuid of 13  " + std::to_string(1000 + user);
        if (kind == UserKind::text) place.bytes = std::string(200, 'x') + std::to_string(user);
        if (kind != UserKind::bigint) place.number = 0;
        place.day = as_of - 1 - part;
        place.event = "a";
        plain.add(place, {1, 0, 0});
        whole.add(place, {1, 0, 0});
      }
      chunks.push_back({7, day("2025-04-01"), encode(plain)});
    }
    PulseBook book(UserKind::bigint, {as_of, std::nullopt});
    Pulses pulses;
    read(book, chunks, pulses);
    const UsageBytes bytes = encode(whole);
    const Bytes part = bytes;
    require_same(pulses.at(7), take_pulse({&part, 1}, as_of));
  }
}

TEST_CASE("a book refuses what a pulse refuses, and sums that are no bigint") {
  const Day as_of = day("2025-06-30");
  const Day period = day("2025-04-01");
  const auto chunk = [&](const std::string& text) { return Shown{1, period, usage_from_text(text)}; };
  const Shown one = chunk("bigint{1:2025-06-20/a}");
  const Shown minus = chunk("bigint{1:2025-06-20/a*-2}");
  const Shown other = chunk("bigint{2:2025-06-20/a*5}");
  CHECK(sqlstate_of({minus}, as_of) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({minus, one}, as_of) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({one, other, minus}, as_of) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({minus, one, one}, as_of).empty());
  CHECK(sqlstate_of({one, minus, one}, as_of).empty());
  // Where it does not show: before the last 28 days among more events of others.
  CHECK(sqlstate_of({chunk("bigint{1:2025-05-20/a*-2}"), chunk("bigint{2:2025-05-20/a*5}")}, as_of).empty());
  CHECK(sqlstate_of({chunk("bigint{1:2025-05-20/a*-2}"), chunk("{}")}, as_of) ==
        sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({one, chunk("text{1:2025-06-20/a}")}, as_of) == sqlstate::datatype_mismatch);
  CHECK(sqlstate_of({one, chunk("{}"), other}, as_of).empty());
  Shown cut = one;
  cut.usage.pop_back();
  CHECK(sqlstate_of({one, cut}, as_of) == sqlstate_of({cut}, as_of));
  CHECK_FALSE(sqlstate_of({cut}, as_of).empty());

  // The error of a lone chunk names the user and the event, as that of the ledger itself does.
  const auto message_of = [](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.what()) + error.detail();
    }
    return std::string();
  };
  const std::string message = message_of([&] {
    PulseBook book(UserKind::bigint, {as_of, std::nullopt});
    Pulses pulses;
    read(book, {minus}, pulses);
  });
  CHECK(message == message_of([&] {
          const Bytes bytes = minus.usage;
          take_pulse({&bytes, 1}, as_of);
        }));

  // Of one user in the last 28 days, of all in a week, of all before: each alone beyond the range of bigint.
  const std::string most = "*" + std::to_string(max_count);
  for (const char* date : {"2025-06-20", "2025-05-20", "2025-04-20"}) {
    std::vector<Shown> parts;
    for (int i = 0; i < 8; ++i) {
      CHECK(sqlstate_of(parts, as_of).empty());
      parts.push_back(chunk("bigint{1:" + std::string(date) + "/a" + most + "}"));
    }
    CHECK(sqlstate_of(parts, as_of) == sqlstate::numeric_value_out_of_range);
  }
}

TEST_CASE("damaged chunks never lead a book astray") {
  Random random(run_seed() + 41);
  const Day as_of = day("2025-06-30");
  int refused = 0;
  for (int round = 0; round < 10000; ++round) {
    const UserKind kind = any_kind(random);
    std::vector<Shown> chunks;
    for (const char* period : {"2025-04-01", "2025-04-01", "2024-10-01"})
      chunks.push_back({1, day(period), encode(history(random, kind, as_of))});
    UsageBytes& bytes = chunks[static_cast<std::size_t>(round % 3)].usage;
    for (auto i = between(random, 1, 4); i > 0; --i)
      bytes[static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(bytes.size()) - 1))] =
          static_cast<std::uint8_t>(between(random, 0, 255));
    if (between(random, 0, 3) == 0)
      bytes.resize(static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(bytes.size()))));
    refused += sqlstate_of(chunks, as_of).empty() ? 0 : 1;
  }
  CHECK(refused > 0);
}
