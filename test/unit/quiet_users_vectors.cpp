// Quiet users: who did at most half as much as in the window before, and their part of the fall.
#include "core/metrics/quiet_users.hpp"

#include <map>
#include <random>

#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("who did at most half as much went quiet; shares are of all losses") {
  // Windows of 28 days: [2025-02-03, 2025-03-03) and [2025-03-03, 2025-03-31).
  const Ledger of = ledger(
      "text{ann:2025-02-10/a*90;bob:2025-03-02/a*50,2025-03-10/a*25;cy:2025-02-10/a*10,2025-03-30/a*8;"
      "dan:2025-02-03/a*3,2025-03-03/a*9;eve:2025-02-02/a*7;fay:2025-02-20/a*25,2025-02-28/b*5}");
  MetricRequest request;
  request.events = {"a"};
  const QuietUsers quiet = find_quiet_users(of, request, day("2025-03-31"));
  CHECK(quiet.lost_by_all == 90 + 25 + 2 + 25);
  REQUIRE(quiet.users.size() == 3);
  CHECK(of.user_text(quiet.users[0].user) == "ann");
  CHECK(quiet.users[0].last_day == day("2025-02-10"));
  CHECK(quiet.users[0].before == 90);
  CHECK(quiet.users[0].now == 0);
  CHECK(quiet.share_of_fall(quiet.users[0]) == Approx(90 / 142.0));
  CHECK(of.user_text(quiet.users[1].user) == "bob");  // 25 lost, as of fay: by id
  CHECK(quiet.users[1].last_day == day("2025-03-10"));
  CHECK(of.user_text(quiet.users[2].user) == "fay");
  CHECK(quiet.users[2].last_day == day("2025-02-20"));  // of an event that was asked for
  CHECK(find_quiet_users(ledger("{}"), {}, day("2025-03-31")).users.empty());
  request.window_days = -1;
  CHECK_THROWS_AS(find_quiet_users(of, request, day("2025-03-31")), Error);
}

TEST_CASE("value points respect the daily cap") {
  MetricSettings settings;
  settings.daily_cap = 15;
  const Ledger of =
      ledger("text{ann:2025-02-10/record*3,2025-02-11/view*4,2025-03-10/record}", settings, video_catalog());
  MetricRequest request;
  request.by_value = true;
  CHECK(find_quiet_users(of, request, day("2025-03-31")).users.empty());  // 15 + 4 against 10
  settings.daily_cap = std::nullopt;
  const Ledger uncapped =
      ledger("text{ann:2025-02-10/record*3,2025-02-11/view*4,2025-03-10/record}", settings, video_catalog());
  const QuietUsers quiet = find_quiet_users(uncapped, request, day("2025-03-31"));
  REQUIRE(quiet.users.size() == 1);
  CHECK(quiet.users[0].before == Exact{34} * micro);
  CHECK(quiet.users[0].now == Exact{10} * micro);
}

TEST_CASE("of random ledgers the quiet users are those that a plain count finds") {
  std::mt19937_64 random(run_seed());
  const auto number = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  int wrong = 0;
  for (int round = 0; round < 200; ++round) {
    const Day as_of = 9000 + number(0, 20);
    const int days = number(1, 40);
    std::map<int, std::pair<long, long>> sums;
    std::map<int, Day> last;
    std::map<std::pair<int, Day>, int> cells;
    for (int i = number(0, 60); i > 0; --i) cells[{number(1, 8), 9030 - number(0, 100)}] += number(1, 9);
    std::string text;
    for (const auto& [cell, count] : cells) {
      const auto& [user, on] = cell;
      text += (text.empty() ? "" : ";") + std::to_string(user) + ":" + day_text(on) + "/x*" +
              std::to_string(count);
      if (on >= as_of) continue;
      last[user] = std::max(last.count(user) ? last[user] : min_day, on);
      if (on >= as_of - days)
        sums[user].second += count;
      else if (on >= as_of - 2 * days)
        sums[user].first += count;
    }
    long all = 0;
    std::map<int, std::pair<long, long>> expected;
    for (const auto& [user, sum] : sums) {
      all += std::max(0L, sum.first - sum.second);
      if (sum.first > 0 && 2 * sum.second <= sum.first) expected[user] = sum;
    }
    MetricRequest request;
    request.window_days = days;
    const Ledger of = ledger("bigint{" + text + "}");
    const QuietUsers quiet = find_quiet_users(of, request, as_of);
    wrong += quiet.lost_by_all != all || quiet.users.size() != expected.size();
    Exact previous = Exact{1} << 100;
    for (const QuietUser& user : quiet.users) {
      const int id = std::stoi(of.user_text(user.user));
      wrong += expected.count(id) == 0 ||
               expected[id] != std::pair(static_cast<long>(user.before), static_cast<long>(user.now)) ||
               user.last_day != last[id] || user.lost() > previous;
      previous = user.lost();
    }
  }
  CHECK(wrong == 0);
}
