// A book of accounts has the pulse of each account's chunks.
#include "core/pulse_book.hpp"

#include <map>

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
      if (book.wants(account, chunk.period)) book.add(chunk.usage);
    }
    AccountPulse result;
    while (book.next(result)) REQUIRE(pulses.emplace(result.account.number, result.pulse).second);
  } while (book.start_again());
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
        const Pulse expected = take_pulse(parts[account], as_of, start);
        REQUIRE(pulse.active_users == expected.active_users);
        REQUIRE(pulse.events == expected.events);
        REQUIRE(pulse.trend_4w == expected.trend_4w);
        REQUIRE(pulse.dip_streak == expected.dip_streak);
        REQUIRE(pulse.power_user_dependency == expected.power_user_dependency);
      }
    }
  }
}
