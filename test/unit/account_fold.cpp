// Folding events of many accounts: the same ledgers as account by account, in any memory.
#include "core/collect/account_fold.hpp"

#include <tuple>

#include "core/base/civil.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

struct Event {
  Place account;
  Place user;
  std::string name;
  Day day;
  bool has_amount;
  std::int64_t amount;
  int sign;

  LoggedEvent logged(UserKind kind) const { return {kind, user.user(), day, name, has_amount, amount}; }
};

// Account as number and bytes, period.
using Key = std::tuple<std::int64_t, std::string, Day>;
using Ledgers = std::map<Key, UsageBytes>;

Day day_of(std::string_view text) { return parse_day(text).value(); }

// The ledger of one event, through the log of the aggregates.
UsageBytes logged_usage(const LoggedEvent& event) {
  static EventCodes codes;
  codes.start(1);
  std::vector<std::uint8_t> memory(4096);
  UsageLog::start(memory.data());
  UsageLog log(memory.data(), memory.size());
  REQUIRE(log.append(event, codes));
  return log.fold();
}

// Event by event with the algebra of ledgers.
Ledgers add_up(UserKind user_kind, const std::vector<Event>& events) {
  Ledgers sums;
  for (const Event& event : events) {
    UsageBytes& sum =
        sums.try_emplace({event.account.number, event.account.bytes, period_start(event.day)}, empty_usage())
            .first->second;
    const UsageBytes one = logged_usage(event.logged(user_kind));
    sum = event.sign > 0 ? add_usage(sum, one) : subtract_usage(sum, one);
  }
  std::erase_if(sums, [](const auto& sum) { return sum.second == empty_usage(); });
  return sums;
}

Ledgers fold(UserKind account_kind, UserKind user_kind, const std::vector<Event>& events,
             std::size_t limit = AccountFold::usual_limit) {
  AccountFold fold(account_kind, user_kind, limit);
  for (const Event& event : events) {
    // Ids and names are only lent.
    Event copy = event;
    fold.add(copy.account.user(), copy.logged(user_kind), copy.sign);
  }
  Ledgers ledgers;
  const Key* previous = nullptr;
  for (AccountLedger ledger; fold.next(ledger);) {
    validate_usage(ledger.usage);
    REQUIRE(ledger.usage.size() > empty_usage().size());
    const auto [entry, is_new] =
        ledgers.emplace(Key{ledger.account.number, std::string(ledger.account.bytes), ledger.period},
                        UsageBytes(ledger.usage.begin(), ledger.usage.end()));
    REQUIRE(is_new);
    REQUIRE((previous == nullptr || *previous < entry->first));
    previous = &entry->first;
  }
  return ledgers;
}

struct Shape {
  bool amounts;
  bool signs;
  bool far_days;
  bool far_users;
};

std::vector<Event> any_events(Random& random, UserKind account_kind, UserKind user_kind, Shape shape,
                              std::int64_t count) {
  std::vector<Place> accounts;
  for (int i = 0; i < 7; ++i) accounts.push_back(any_user(random, account_kind));
  std::vector<Event> events;
  for (std::int64_t i = 0; i < count; ++i) {
    Event event{};
    event.account = any_of(random, accounts);
    event.user = any_user(random, user_kind);
    if (user_kind == UserKind::bigint && !shape.far_users) event.user.number = between(random, -40, 40);
    event.name = any_event(random, 12);
    event.day = shape.far_days ? any_day(random) : static_cast<Day>(between(random, 9080, 9200));
    event.has_amount = shape.amounts && between(random, 0, 1) == 0;
    event.amount = event.has_amount ? any_amount(random) : 0;
    event.sign = 1;
    events.push_back(event);
    if (shape.signs && between(random, 0, 2) == 0) {  // some of what came goes
      Event gone = any_of(random, events);
      gone.sign = -gone.sign;
      events.push_back(gone);
    }
  }
  return events;
}

}  // namespace

TEST_CASE("a quarter begins in January, April, July and October", "[account_fold]") {
  const auto start = [](std::string_view day) { return day_text(period_start(day_of(day))); };
  CHECK(start("2025-01-01") == "2025-01-01");
  CHECK(start("2025-03-31") == "2025-01-01");
  CHECK(start("2025-04-01") == "2025-04-01");
  CHECK(start("2024-02-29") == "2024-01-01");
  CHECK(start("1999-12-31") == "1999-10-01");
  CHECK(start("2025-12-31") == "2025-10-01");
  CHECK(start("-0044-03-15") == "-0044-01-01");
  CHECK(start("+5874897-12-31") == "+5874897-10-01");
  CHECK(period_start(min_day) == min_day);  // its quarter begins before the first of all dates
}

TEST_CASE("a month begins on its first day", "[account_fold]") {
  const auto start = [](std::string_view day) { return day_text(month_start(day_of(day))); };
  CHECK(start("2025-01-01") == "2025-01-01");
  CHECK(start("2025-03-31") == "2025-03-01");
  CHECK(start("2024-02-29") == "2024-02-01");
  CHECK(start("1999-12-31") == "1999-12-01");
  CHECK(start("-0044-03-15") == "-0044-03-01");
  CHECK(start("+5874897-12-31") == "+5874897-12-01");
  CHECK(month_start(min_day) == min_day);  // its month begins before the first of all dates
}

TEST_CASE("folding many accounts equals the algebra of ledgers, for all kinds of ids", "[account_fold]") {
  Random random(run_seed());
  for (int round = 0; round < 60; ++round) {
    const UserKind account_kind = any_kind(random);
    const UserKind user_kind = any_kind(random);
    const Shape shape{between(random, 0, 1) == 1, between(random, 0, 1) == 1, between(random, 0, 2) == 0,
                      between(random, 0, 1) == 1};
    const auto events = any_events(random, account_kind, user_kind, shape, between(random, 0, 600));
    const Ledgers expected = add_up(user_kind, events);
    REQUIRE(fold(account_kind, user_kind, events) == expected);
    // In less memory, down to a ledger for every event.
    REQUIRE(fold(account_kind, user_kind, events, 20000) == expected);
    REQUIRE(fold(account_kind, user_kind, events, 0) == expected);
  }
}

TEST_CASE("days of one quarter are in one ledger, and those of the next in another", "[account_fold]") {
  AccountFold fold(UserKind::bigint, UserKind::bigint);
  for (const char* day : {"2025-04-01", "2025-03-31", "2025-01-01", "2024-12-31", "2025-06-30"})
    fold.add({7, {}}, {UserKind::bigint, {1, {}}, day_of(day), "seen", false, 0});
  std::vector<std::pair<std::string, std::string>> found;
  for (AccountLedger ledger; fold.next(ledger);)
    found.emplace_back(day_text(ledger.period), usage_to_text(ledger.usage));
  REQUIRE(found.size() == 3);
  CHECK(found[0].first == "2024-10-01");
  CHECK(found[1].first == "2025-01-01");
  CHECK(found[2].first == "2025-04-01");
  for (const char* day : {"2025-01-01", "2025-03-31"}) CHECK(found[1].second.find(day) != std::string::npos);
  CHECK(found[1].second.find("2025-04-01") == std::string::npos);
}

TEST_CASE("in one period are all days of an account", "[account_fold]") {
  for (const std::size_t limit : {AccountFold::usual_limit, std::size_t{0}}) {
    AccountFold fold(UserKind::bigint, UserKind::bigint, limit, true);
    for (const Day day : {day_of("2025-04-01"), day_of("1998-03-31"), min_day, max_day})
      for (const std::int64_t account : {7, 8})
        fold.add({account, {}}, {UserKind::bigint, {1, {}}, day, "seen", false, 0});
    std::vector<std::pair<std::int64_t, Day>> found;
    for (AccountLedger ledger; fold.next(ledger);) {
      found.emplace_back(ledger.account.number, ledger.period);
      CHECK(UsageReader(ledger.usage).cell_count() == 4);
    }
    CHECK(found == std::vector<std::pair<std::int64_t, Day>>{{7, min_day}, {8, min_day}});
  }
}

TEST_CASE("events that are taken away leave nothing", "[account_fold]") {
  for (const std::size_t limit : {AccountFold::usual_limit, std::size_t{0}}) {
    AccountFold fold(UserKind::text, UserKind::text, limit);
    const LoggedEvent paid{UserKind::text, {0, "anna"}, 9000, "paid", true, 250000};
    fold.add({0, "acme"}, paid, -1);
    fold.add({0, "acme"}, paid, 1);
    AccountLedger ledger;
    CHECK(!fold.next(ledger));
  }
}

TEST_CASE("more accounts than fit one cache, more users than numbers of a word", "[account_fold]") {
  Random random(run_seed());
  std::vector<Event> events;
  for (int i = 0; i < 20000; ++i) {
    Event event{};
    event.account.number = between(random, 0, 4000);
    event.user.number =
        between(random, 0, 1) == 0 ? between(random, 0, 9) : static_cast<std::int64_t>(random());
    event.name = "n" + std::to_string(between(random, 0, 200));
    event.day = static_cast<Day>(between(random, 9000, 9400));
    event.sign = 1;
    events.push_back(event);
  }
  REQUIRE(fold(UserKind::bigint, UserKind::bigint, events) == add_up(UserKind::bigint, events));
}

TEST_CASE("what an account fold does not take is a clear error", "[account_fold]") {
  AccountFold fold(UserKind::bigint, UserKind::bigint);
  const auto state_of = [&](const LoggedEvent& event) -> std::string {
    try {
      fold.add({1, {}}, event);
    } catch (const Error& error) {
      return error.sqlstate();
    }
    return "";
  };
  CHECK(state_of({UserKind::text, {0, "anna"}, 9000, "paid", false, 0}) == sqlstate::datatype_mismatch);
  CHECK(state_of({UserKind::bigint, {1, {}}, 9000, "", false, 0}) == sqlstate::invalid_parameter_value);
  // The sum of what single events may carry has no such bound.
  for (int events = 0; events < 3; ++events)
    CHECK(state_of({UserKind::bigint, {1, {}}, day_of("2025-01-03"), "paid", true, INT64_MAX}) == "");
  AccountLedger ledger;
  REQUIRE(fold.next(ledger));
  CHECK(usage_to_text(ledger.usage) == "bigint{1:2025-01-03/paid*3=27670116110564.327421}");
}
