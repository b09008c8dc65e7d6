// The people of an account: vectors of each standing, and random ledgers against a plain count of the events.
#include "core/metrics/users.hpp"

#include <map>
#include <set>

#include "metrics_fixture.hpp"
#include "random.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

std::string standings(const Ledger& of, std::string_view as_of) {
  std::string text;
  for (const AccountUser& user : account_users(of, day(as_of)))
    text +=
        (text.empty() ? "" : " ") + of.user_text(user.user) + ":" + std::string(standing_name(user.standing));
  return text;
}

}  // namespace

TEST_CASE("each user of a roster has the first standing that fits") {
  // Window [2025-03-03, 2025-03-31); weeks 5 to 8 are [2025-02-03, 2025-03-03).
  const std::string usage =
      "text{ann:2024-06-01/$joined,2025-03-04/x*20,2025-03-12/x*20,2025-03-20/x*20;"
      "bob:2024-06-01/$joined,2025-03-05/x*10;cay:2024-06-01/$joined,2025-03-30/x*10;"
      "dan:2024-06-01/$joined,2025-03-02/x*900;eve:2024-06-01/$joined,2025-02-02/x;"
      "fay:2025-03-03/$joined;gus:2025-03-02/$joined;hal:2025-03-30/$invited;"
      "ian:2024-06-01/$joined,2025-03-20/x*900,2025-03-31/$deactivated;"
      "jon:2024-06-01/$joined,2025-04-01/$deactivated;kim:2025-03-31/$joined;lee:2025-03-31/$invited;"
      "mia:2025-03-15/x;nat:2024-10-01/x;oli:2024-06-01/$joined,2025-03-03/$deactivated,2025-03-10/x}";
  CHECK(standings(ledger(usage), "2025-03-31") ==
        "ann:champion bob:active cay:active dan:quiet eve:dormant fay:new gus:dormant hal:invited "
        "ian:deactivated jon:dormant mia:new nat:deactivated oli:deactivated");
}

TEST_CASE("without a user source who was seen lately belongs to the account") {
  const std::string usage =
      "bigint{1:2025-03-03/x;2:2025-03-02/x;3:2024-05-01/x;4:2023-01-01/x;5:2025-03-31/x}";
  CHECK(standings(ledger(usage), "2025-03-31") == "1:new 2:quiet 3:dormant 4:deactivated");
}

TEST_CASE("a user of agents only is no person of the account") {
  const std::string usage = "text{ann:2025-01-01/x,2025-03-20/x;bot:2025-03-20/\"$agent/x\"*9}";
  CHECK(standings(ledger(usage), "2025-03-31") == "ann:active");
  MetricSettings settings;
  settings.actor = "agent";
  CHECK(standings(ledger(usage, settings), "2025-03-31") == "ann:dormant bot:new");
  settings.actor = "any";
  CHECK(standings(ledger(usage, settings), "2025-03-31") == "ann:active bot:new");
}

TEST_CASE("the champion has twice the median, three of four weeks and two colleagues") {
  const auto champion = [](int most, int others, std::string_view days) {
    std::string text = "bigint{1:2025-01-01/x,";
    const std::string end = others == 2 ? "" : ";3:2025-01-01/x,2025-03-04/x*10";
    for (const std::string_view on : {days.substr(0, 10), days.substr(11, 10), days.substr(22, 10)})
      text += std::string(text.ends_with(",") ? "" : ",") + std::string(on) + "/x*" + std::to_string(most);
    text += ";2:2025-01-01/x,2025-03-04/x*10" + end + "}";
    return standings(ledger(text), "2025-03-31").starts_with("1:champion");
  };
  // 30 points against medians of 10, in the weeks 4, 3 and 2.
  CHECK(champion(10, 3, "2025-03-03,2025-03-10,2025-03-17"));
  CHECK_FALSE(champion(10, 2, "2025-03-03,2025-03-10,2025-03-17"));  // one colleague
  CHECK_FALSE(champion(10, 3, "2025-03-03,2025-03-10,2025-03-16"));  // two weeks
  CHECK_FALSE(champion(6, 3, "2025-03-03,2025-03-10,2025-03-17"));   // 18 is less than 20
  CHECK_FALSE(champion(3, 3, "2025-03-03,2025-03-10,2025-03-17"));
  // At 20 points each the median is 20; of two alike in an account of five the first by id.
  CHECK(
      standings(ledger("bigint{1:2025-01-01/x,2025-03-20/x;2:2025-01-01/x,2025-03-20/x;"
                       "3:2025-01-01/x,2025-03-03/x,2025-03-10/x,2025-03-17/x;"
                       "4:2025-01-01/x,2025-03-03/x,2025-03-10/x,2025-03-17/x;5:2025-01-01/x,2025-03-20/x}"),
                "2025-03-31") == "1:active 2:active 3:champion 4:active 5:active");
  // Exactly twice, of an even number: 20 against (5 + 15) / 2.
  const std::string_view rest =
      ";2:2025-01-01/x,2025-03-20/x*15;3:2025-01-01/x,2025-03-20/x*5;4:2025-01-01/x,2025-03-20/x*2}";
  const auto first = [&](int last) {
    return standings(ledger("bigint{1:2025-01-01/x,2025-03-03/x*9,2025-03-10/x*9,2025-03-17/x*" +
                            std::to_string(last) + std::string(rest)),
                     "2025-03-31")
        .starts_with("1:champion");
  };
  CHECK(first(2));
  CHECK_FALSE(first(1));
}

TEST_CASE("points are capped by day, and the baseline is that of the user") {
  MetricSettings settings;
  settings.daily_cap = 15;
  std::string text = "text{ann:2024-06-01/$joined";
  // 30 weeks of ten events each; then four of eight: 8 / 10 - 1.
  for (int week = 34; week > 0; --week)
    text += "," + day_text(day("2025-03-31") - 7 * week) + "/view*" + (week > 4 ? "10" : "8");
  text += ";bob:2025-03-30/record*2,2025-03-30/$joined}";
  const auto users = account_users(ledger(text, settings, video_catalog()), day("2025-03-31"));
  REQUIRE(users.size() == 2);
  CHECK(known(users[0].baseline, -0.2));
  CHECK(users[0].events == 32);
  CHECK(users[0].active_days == 4);
  CHECK(users[0].points == Exact{32} * micro);
  CHECK(users[1].points == Exact{15} * micro);
  CHECK(known(users[1].share, 15 / 47.0));
  CHECK(unknown(users[1].baseline, Unknown::insufficient_history));
  CHECK(users[0].first_day == day("2024-08-05"));
  CHECK(users[0].last_day == day("2025-03-24"));
}

TEST_CASE("a user whose weeks the ledger does not keep has no baseline") {
  MetricSettings settings;
  settings.account_start = day("2020-01-01");
  settings.ledger_start = day("2025-01-01");
  const auto users =
      account_users(ledger("text{ann:2022-01-01/$joined,2025-03-20/x}", settings), day("2025-03-31"));
  REQUIRE(users.size() == 1);
  CHECK(unknown(users[0].baseline, Unknown::before_ledger));
}

TEST_CASE("of random ledgers the people are those that a plain count finds") {
  Random random(run_seed());
  int wrong = 0;
  std::set<UserStanding> met;
  for (int round = 0; round < 400; ++round) {
    const auto as_of = static_cast<Day>(9000 + between(random, 0, 6));
    const bool roster = between(random, 0, 2) > 0;
    MetricSettings settings;
    settings.window_days = between(random, 0, 1) == 0 ? 28 : static_cast<int>(between(random, 1, 90));
    settings.inactive_after_days = static_cast<int>(between(random, 30, 400));
    std::map<int, std::map<Day, int>> events;
    std::map<int, Day> joined, left, invited;
    const int people = static_cast<int>(between(random, 1, 9));
    const int reach = static_cast<int>(between(random, 30, between(random, 0, 1) == 0 ? 60 : 700));
    for (int i = static_cast<int>(between(random, 0, 200)); i > 0; --i) {
      const auto user = static_cast<int>(between(random, 1, between(random, 0, 1) == 0 ? 1 : people));
      events[user][static_cast<Day>(9010 - between(random, 0, reach))] +=
          static_cast<int>(between(random, 1, 9));
    }
    for (int user = 1; roster && user <= people; ++user) {
      const int fate = static_cast<int>(between(random, 0, 5));
      if (fate > 0) joined[user] = static_cast<Day>(9010 - between(random, 0, reach));
      if (fate == 1) left[user] = static_cast<Day>(joined[user] + between(random, 0, 60));
      if (between(random, 0, 2) == 0) invited[user] = static_cast<Day>(9010 - between(random, 0, reach));
    }
    if (roster && joined.empty()) joined[1] = 9000;
    std::string text;
    for (int user = 1; user <= people; ++user) {
      std::map<Day, std::string> cells;
      const auto put = [&](Day on, const std::string& cell) {
        cells[on] += (cells[on].empty() ? "" : ",") + day_text(on) + "/" + cell;
      };
      for (const auto& [on, count] : events[user]) put(on, "x*" + std::to_string(count));
      if (invited.count(user)) put(invited[user], "$invited");
      if (joined.count(user)) put(joined[user], "$joined");
      if (left.count(user)) put(left[user], "$deactivated");
      std::string of_user;
      for (const auto& [on, cell] : cells) of_user += (of_user.empty() ? "" : ",") + cell;
      if (!of_user.empty()) text += (text.empty() ? "" : ";") + std::to_string(user) + ":" + of_user;
    }
    const Ledger of = ledger("bigint{" + text + "}", settings);

    // The same by hand.
    struct Expected {
      long events = 0, weeks[82] = {};
      int days = 0;
      std::optional<Day> first, last;
      bool member = false, was_member = false;
      std::string standing;
    };
    std::map<int, Expected> expected;
    long total = 0;
    int members = 0, dormant = 0;
    for (int user = 1; user <= people; ++user) {
      Expected row;
      bool seen_lately = false;
      for (const auto& [on, count] : events[user]) {
        if (on >= as_of) continue;
        if (!row.first) row.first = on;
        row.last = on;
        if ((as_of - 1 - on) / 7 < 82) row.weeks[(as_of - 1 - on) / 7] += count;
        if (as_of - on <= settings.inactive_after_days) seen_lately = true;
        if (on < as_of - settings.window_days) continue;
        row.events += count;
        ++row.days;
      }
      row.was_member = roster ? joined.count(user) > 0 && joined[user] < as_of : row.first.has_value();
      row.member = roster ? row.was_member && (!left.count(user) || left[user] > as_of) : seen_lately;
      const bool was_invited = invited.count(user) > 0 && invited[user] < as_of;
      if (!row.was_member && !was_invited && !row.first) continue;
      total += row.events;
      members += row.member;
      dormant += row.member && row.days == 0;
      const std::optional<Day> came = roster && row.was_member ? std::optional(joined[user]) : row.first;
      const bool fell = row.weeks[4] + row.weeks[5] + row.weeks[6] + row.weeks[7] > 0 &&
                        row.weeks[0] + row.weeks[1] + row.weeks[2] + row.weeks[3] == 0;
      row.standing = roster && row.was_member && !row.member         ? "deactivated"
                     : !row.member && was_invited && !row.first      ? "invited"
                     : came && *came >= as_of - settings.window_days ? "new"
                     : row.days > 0                                  ? "active"
                     : fell                                          ? "quiet"
                     : row.member                                    ? "dormant"
                                                                     : "deactivated";
      expected[user] = row;
    }
    std::vector<long> of_active;
    for (const auto& [user, row] : expected)
      if (row.days > 0) of_active.push_back(row.events);
    std::sort(of_active.begin(), of_active.end());
    int champion = 0;
    for (const auto& [user, row] : expected) {
      if (of_active.size() < 3 || row.standing != "active") continue;
      const double median = (static_cast<double>(of_active[of_active.size() / 2]) +
                             static_cast<double>(of_active[(of_active.size() - 1) / 2])) /
                            2;
      const int weeks = (row.weeks[0] > 0) + (row.weeks[1] > 0) + (row.weeks[2] > 0) + (row.weeks[3] > 0);
      if (static_cast<double>(row.events) >= 2 * median && weeks >= 3 &&
          (champion == 0 || row.events > expected[champion].events))
        champion = user;
    }
    if (champion != 0) expected[champion].standing = "champion";

    const auto found = account_users(of, as_of);
    wrong += found.size() != expected.size();
    for (const AccountUser& row : found) {
      const int user = std::stoi(of.user_text(row.user));
      const Expected& by_hand = expected[user];
      met.insert(row.standing);
      wrong += row.events != by_hand.events || row.points != Exact{by_hand.events} * micro ||
               row.active_days != by_hand.days || row.first_day != by_hand.first ||
               row.last_day != by_hand.last || row.is_member != by_hand.member ||
               standing_name(row.standing) != by_hand.standing;
      wrong += total == 0
                   ? row.share.known()
                   : row.share.number != static_cast<double>(by_hand.events) / static_cast<double>(total);
      // A ledger of this user alone, of an account that began with the user, has the baseline as a metric.
      MetricSettings alone = settings;
      alone.account_start = roster && joined.count(user) && joined[user] < as_of
                                ? joined[user]
                                : by_hand.first.value_or(max_day);
      if (by_hand.first) alone.account_start = std::min(*alone.account_start, *by_hand.first);
      std::string only;
      for (const auto& [on, count] : events[user])
        only += (only.empty() ? "" : ",") + day_text(on) + "/x*" + std::to_string(count);
      MetricRequest request;
      request.id = MetricId::baseline;
      const Value metric =
          evaluate(ledger(only.empty() ? "{}" : "bigint{1:" + only + "}", alone), request, as_of);
      wrong += row.baseline.known() != metric.known() || row.baseline.number != metric.number;
    }
    wrong += members != static_cast<int>(of.total_users(as_of));
    MetricRequest request;
    request.id = MetricId::dormant_users;
    wrong += roster && evaluate(of, request, as_of).number != dormant;
  }
  CHECK(wrong == 0);
  CHECK(met.size() == 7);
}
