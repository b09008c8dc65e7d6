// Metrics of the window: who is counted, by which events, and what is unknown.
#include <limits>

#include "metrics_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("an event on as_of is not seen, the window's first day is") {
  const Ledger l = ledger("bigint{1:2025-03-31/a;2:2025-03-30/a;3:2025-03-03/a;4:2025-03-02/a}");
  CHECK(known(ask(l, MetricId::active_users, "2025-03-31"), 2));
  CHECK(known(ask(l, MetricId::events, "2025-03-31"), 2));
  CHECK(known(ask(l, MetricId::total_users, "2025-03-31"), 3));
  CHECK(known(ask(l, MetricId::total_users, "2025-04-01"), 4));
  MetricRequest month;
  month.window_days = 30;
  CHECK(known(ask(l, month, MetricId::active_users, "2025-04-01"), 4));
}

TEST_CASE("activation is active users of all users, with its interval") {
  const Ledger l =
      ledger("bigint{1:2025-03-30/a*9;2:2025-03-30/a;3:2025-03-10/a;4:2024-06-01/a;5:2024-06-01/a}");
  CHECK(known(ask(l, MetricId::activation_rate, "2025-03-31"), 0.6));
  CHECK(ask(l, MetricId::activation_rate_low, "2025-03-31").number == Approx(0.231).margin(5e-4));
  CHECK(ask(l, MetricId::activation_rate_high, "2025-03-31").number == Approx(0.882).margin(5e-4));
  CHECK(known(ask(l, MetricId::dormant_users, "2025-03-31"), 2));
}

TEST_CASE("without a roster users count for 365 days after they were seen, or as long as the settings say") {
  const char* text = "bigint{1:2024-03-31/a,2024-09-01/a;2:2024-03-31/a;3:2025-03-20/a}";
  const Ledger l = ledger(text);
  CHECK(known(ask(l, MetricId::total_users, "2025-03-31"), 3));
  CHECK(known(ask(l, MetricId::total_users, "2025-04-01"), 2));
  CHECK(known(ask(l, MetricId::activation_rate, "2025-04-01"), 0.5));
  CHECK(known(ask(l, MetricId::total_users, "2025-09-01"), 2));
  CHECK(known(ask(l, MetricId::total_users, "2025-09-02"), 1));
  MetricSettings month;
  month.inactive_after_days = 30;
  month.window_days = 60;
  const Ledger shorter = ledger("bigint{1:2025-02-28/a;2:2025-03-01/a;3:2025-01-01/a,2025-03-30/a}", month);
  CHECK(known(ask(shorter, MetricId::total_users, "2025-03-31"), 2));
  CHECK(known(ask(shorter, MetricId::active_users, "2025-03-31"), 3));
  // Who was active in the window but does not count any more is in neither part.
  CHECK(known(ask(shorter, MetricId::activation_rate, "2025-03-31"), 1));
  CHECK(known(ask(shorter, MetricId::total_users, "2025-02-01"), 0));
  CHECK(known(ask(shorter, MetricId::total_users, "2025-01-31"), 1));
}

TEST_CASE("a user without a roster who was deactivated is out from that day on, seen again or not") {
  const char* text = "bigint{1:2024-01-10/a,2025-03-20/a,2024-02-01/$deactivated;2:2025-03-20/a}";
  CHECK(known(ask(ledger(text), MetricId::total_users, "2024-01-31"), 1));
  CHECK(known(ask(ledger(text), MetricId::total_users, "2024-02-01"), 0));
  CHECK(known(ask(ledger(text), MetricId::total_users, "2025-03-31"), 1));
  CHECK(known(ask(ledger(text), MetricId::active_users, "2025-03-31"), 2));
  CHECK(known(ask(ledger(text), MetricId::activation_rate, "2025-03-31"), 1));
  // A deactivation long after the last event brings nobody back.
  const Ledger late = ledger("bigint{1:2020-01-10/a,2025-02-01/$deactivated}");
  CHECK(known(ask(late, MetricId::total_users, "2025-01-15"), 0));
}

TEST_CASE("in an empty ledger nobody is active: counts are real zeros, all else says so") {
  const Ledger l = ledger("{}");
  for (const auto id : {MetricId::total_users, MetricId::active_users, MetricId::events,
                        MetricId::value_points, MetricId::cadence})
    CHECK(known(ask(l, id, "2025-03-31"), 0));
  for (const auto id :
       {MetricId::activation_rate, MetricId::activation_rate_low, MetricId::events_per_user_week,
        MetricId::stickiness, MetricId::depth, MetricId::growth, MetricId::recency_days, MetricId::trend_4w,
        MetricId::dropoff, MetricId::slope_4w, MetricId::dip_streak, MetricId::power_user_dependency,
        MetricId::gini, MetricId::amount_sum, MetricId::dormant_users})
    CHECK(unknown(ask(l, id, "2025-03-31"), Unknown::nobody_active));
}

TEST_CASE("an empty ledger of a young account knows nothing, but counts are real zeros") {
  MetricSettings settings;
  settings.account_start = day("2025-03-25");
  const Ledger l = ledger("{}", settings);
  for (const auto id : {MetricId::total_users, MetricId::active_users, MetricId::events,
                        MetricId::value_points, MetricId::dormant_users})
    CHECK(known(ask(l, id, "2025-03-31"), 0));
  for (const auto id : {MetricId::activation_rate, MetricId::events_per_user_week, MetricId::stickiness,
                        MetricId::depth, MetricId::growth, MetricId::recency_days, MetricId::slope_4w,
                        MetricId::dip_streak, MetricId::power_user_dependency, MetricId::amount_sum})
    CHECK(unknown(ask(l, id, "2025-03-31"), Unknown::no_data));
  for (const auto id : {MetricId::trend_4w, MetricId::dropoff, MetricId::cadence})
    CHECK(unknown(ask(l, id, "2025-03-31"), Unknown::insufficient_history));
}

TEST_CASE("an account without events but with users and a start has zeros where they are real") {
  MetricSettings settings;
  settings.account_start = day("2020-01-01");
  const Ledger l = ledger("bigint{1:0001-01-01/$joined;2:2021-05-05/$joined}", settings);
  CHECK(known(ask(l, MetricId::total_users, "2025-03-31"), 2));
  CHECK(known(ask(l, MetricId::activation_rate, "2025-03-31"), 0));
  CHECK(known(ask(l, MetricId::cadence, "2025-03-31"), 0));
  CHECK(known(ask(l, MetricId::dormant_users, "2025-03-31"), 2));
  for (const auto id : {MetricId::trend_4w, MetricId::recency_days, MetricId::power_user_dependency,
                        MetricId::events_per_user_week})
    CHECK(unknown(ask(l, id, "2025-03-31"), Unknown::nobody_active));
}

TEST_CASE(
    "a deactivated user leaves both parts of a ratio on the day of deactivation, totals keep what was done") {
  const Ledger l = ledger(
      "bigint{1:2025-01-01/$joined,2025-03-20/a,2025-03-25/$deactivated;2:2025-01-01/$joined,2025-03-20/a}");
  CHECK(known(ask(l, MetricId::total_users, "2025-03-24"), 2));
  CHECK(known(ask(l, MetricId::activation_rate, "2025-03-24"), 1));
  CHECK(known(ask(l, MetricId::total_users, "2025-03-25"), 1));
  CHECK(known(ask(l, MetricId::active_users, "2025-03-25"), 2));
  CHECK(known(ask(l, MetricId::events, "2025-03-25"), 2));
  CHECK(known(ask(l, MetricId::activation_rate, "2025-03-25"), 1));
  CHECK(ask(l, MetricId::activation_rate_low, "2025-03-25").number == Approx(0.2065).margin(5e-5));
  CHECK(known(ask(l, MetricId::activation_rate_high, "2025-03-25"), 1));
  CHECK(known(ask(l, MetricId::dormant_users, "2025-03-25"), 0));
}

TEST_CASE("a user who comes back belongs to the account again") {
  const Ledger l = ledger("bigint{1:2025-01-01/$joined,2025-02-01/$deactivated,2025-03-01/$joined}");
  CHECK(known(ask(l, MetricId::total_users, "2025-01-01"), 0));
  CHECK(known(ask(l, MetricId::total_users, "2025-01-02"), 1));
  CHECK(known(ask(l, MetricId::total_users, "2025-02-15"), 0));
  CHECK(known(ask(l, MetricId::total_users, "2025-03-02"), 1));
}

TEST_CASE("with a roster, users outside of it are active but not entitled") {
  const Ledger l = ledger("bigint{1:2025-01-01/$joined;2:2025-03-20/a}");
  CHECK(known(ask(l, MetricId::total_users, "2025-03-31"), 1));
  CHECK(known(ask(l, MetricId::active_users, "2025-03-31"), 1));
  CHECK(known(ask(l, MetricId::activation_rate, "2025-03-31"), 0));
  CHECK(known(ask(l, MetricId::dormant_users, "2025-03-31"), 1));
}

TEST_CASE("adoption is active users of licensed seats") {
  MetricSettings settings;
  CHECK(unknown(ask(ledger("bigint{1:2025-03-30/a}", settings), MetricId::adoption_rate, "2025-03-31"),
                Unknown::no_data));
  settings.seats = 0;
  CHECK(unknown(ask(ledger("bigint{1:2025-03-30/a}", settings), MetricId::adoption_rate, "2025-03-31"),
                Unknown::zero_denominator));
  settings.seats = 4;
  CHECK(known(ask(ledger("bigint{1:2025-03-30/a}", settings), MetricId::adoption_rate, "2025-03-31"), 0.25));
  // Shared seats are a finding, so that ratios above 1 stay; who is not entitled takes no seat.
  settings.seats = 1;
  CHECK(known(
      ask(ledger("bigint{1:2025-03-30/a;2:2025-03-30/a}", settings), MetricId::adoption_rate, "2025-03-31"),
      2));
  CHECK(known(ask(ledger("bigint{1:2025-03-30/a,2025-01-01/$joined;2:2025-03-30/a}", settings),
                  MetricId::adoption_rate, "2025-03-31"),
              1));
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    settings.seats = bad;
    CHECK(unknown(ask(ledger("bigint{1:2025-03-30/a}", settings), MetricId::adoption_rate, "2025-03-31"),
                  Unknown::bad_value));
  }
}

TEST_CASE("roles give coverage, interaction, reply ratio, spread, depth and breadth") {
  const Ledger l = ledger(
      "bigint{1:2025-03-30/record*2,2025-03-30/open*4;2:2025-03-29/view*3,2025-03-29/comment*2,2025-03-28/"
      "react;"
      "3:2025-03-30/open,2025-03-30/unlisted*50;4:2025-03-30/unlisted}",
      {}, video_catalog());
  const char* as_of = "2025-03-31";
  CHECK(known(ask(l, MetricId::total_users, as_of), 4));
  CHECK(known(ask(l, MetricId::active_users, as_of), 3));  // unlisted events do not qualify
  CHECK(known(ask(l, MetricId::events, as_of), 2 + 4 + 3 + 2 + 1 + 1));
  CHECK(known(ask(l, MetricId::coverage, as_of), 0.5));
  CHECK(known(ask(l, MetricId::interaction, as_of), 3.0 / 3 / 4));
  CHECK(known(ask(l, MetricId::reply_ratio, as_of), 1.5));
  CHECK(known(ask(l, MetricId::creators, as_of), 1));
  CHECK(known(ask(l, MetricId::spread, as_of), 1.0 / 3));
  CHECK(known(ask(l, MetricId::value_points, as_of), 20 + 3 + 6 + 2));
  CHECK(known(ask(l, MetricId::depth, as_of), 31.0 / 3));
  CHECK(known(ask(l, MetricId::sessions_per_user_week, as_of), 5.0 / 3 / 4));
  CHECK(known(ask(l, MetricId::breadth, as_of), 4.0 / 4));  // recorder, player, react, open
  CHECK(known(ask(l, MetricId::stickiness, as_of), 4.0 / 28 / 3));
  CHECK(known(ask(l, MetricId::events_per_user_week, as_of), 13.0 / 3 / 4));
}

TEST_CASE("without the role in the catalog the question does not arise") {
  const Ledger l = ledger("bigint{1:2025-03-30/a}");
  for (const auto id :
       {MetricId::coverage, MetricId::interaction, MetricId::reply_ratio, MetricId::spread,
        MetricId::creators, MetricId::breadth, MetricId::sessions_per_user_week, MetricId::time_to_value,
        MetricId::onboarding_activation, MetricId::invite_conversion})
    CHECK(unknown(ask(l, id, "2025-03-31"), Unknown::not_applicable));
}

TEST_CASE("a request may choose its events, listed or not") {
  const Ledger l =
      ledger("bigint{1:2025-03-30/record,2025-03-30/odd*3;2:2025-03-30/view*4}", {}, video_catalog());
  MetricRequest odd;
  odd.events = {"odd"};
  CHECK(known(ask(l, odd, MetricId::events, "2025-03-31"), 3));
  CHECK(known(ask(l, odd, MetricId::coverage, "2025-03-31"), 0.5));
  CHECK(known(ask(l, odd, MetricId::events_per_user_week, "2025-03-31"), 3.0 / 2 / 4));
  MetricRequest creating;
  creating.roles = create;
  CHECK(known(ask(l, creating, MetricId::active_users, "2025-03-31"), 1));
  CHECK(known(ask(l, creating, MetricId::events_per_user_week, "2025-03-31"), 1.0 / 2 / 4));
}

TEST_CASE("breadth counts only what the plan entitles") {
  MetricSettings settings;
  settings.features = {"recorder", "analytics", "recorder"};
  const auto text = "bigint{1:2025-03-30/record;2:2025-03-30/view}";
  CHECK(known(ask(ledger(text, settings, video_catalog()), MetricId::breadth, "2025-03-31"), 0.5));
  settings.features = std::vector<std::string>{};
  CHECK(unknown(ask(ledger(text, settings, video_catalog()), MetricId::breadth, "2025-03-31"),
                Unknown::zero_denominator));
}

TEST_CASE("the daily cap holds per user and day") {
  MetricSettings settings;
  settings.daily_cap = 25;
  const Ledger l =
      ledger("bigint{1:2025-03-30/record*9,2025-03-29/record,2025-03-29/comment*4;2:2025-03-30/record*2}",
             settings, video_catalog());
  CHECK(known(ask(l, MetricId::value_points, "2025-03-31"), 25 + 22 + 20));
  CHECK(known(ask(l, MetricId::depth, "2025-03-31"), 67.0 / 2));
}

TEST_CASE("amounts are summed and averaged over the events that carry one") {
  const Ledger l = ledger("bigint{1:2025-03-30/a*3=4.5#2;2:2025-03-29/a=0.5,2025-03-28/b}");
  CHECK(known(ask(l, MetricId::amount_sum, "2025-03-31"), 5));
  CHECK(known(ask(l, MetricId::amount_mean, "2025-03-31"), 5.0 / 3));
  MetricRequest without;
  without.events = {"b"};
  CHECK(unknown(ask(l, without, MetricId::amount_mean, "2025-03-31"), Unknown::no_data));
}

TEST_CASE("growth is active newcomers per user at the window's start") {
  const Ledger l =
      ledger("bigint{1:2025-01-01/a;2:2025-01-02/a;3:2025-03-10/a;4:2025-03-03/a;5:2025-03-02/a}");
  CHECK(known(ask(l, MetricId::growth, "2025-03-31"), 2.0 / 3));
  CHECK(unknown(ask(l, MetricId::growth, "2025-01-20"), Unknown::zero_denominator));
}

TEST_CASE("a negative number of events has no metrics") {
  CHECK_THROWS_AS(ledger("bigint{1:2025-03-30/a*-1}"), Error);
}

TEST_CASE("counts beyond 32 bits are kept") {
  const Ledger l = ledger("bigint{1:2025-03-30/a*5000000000,2025-03-30/b*2;2:2025-03-30/a*5000000002}");
  CHECK(known(ask(l, MetricId::events, "2025-03-31"), 10000000004.0));
  CHECK(known(ask(l, MetricId::power_user_dependency, "2025-03-31"), 0.5));
}

TEST_CASE("the top user among equals is the one with the smallest id") {
  const Ledger l = ledger("bigint{10:2025-03-30/a*5;9:2025-03-30/a*5;2:2025-03-30/a}");
  MetricRequest request;
  const auto top = top_user(l, request, day("2025-03-31"));
  REQUIRE(top);
  CHECK(l.user_text(*top) == "9");
  const auto ranked = contributions(l, request, day("2025-03-31"));
  REQUIRE(ranked.size() == 3);
  CHECK(l.user_text(ranked[1].user) == "10");
  request.top_k = 2;
  CHECK(known(ask(l, request, MetricId::power_user_dependency, "2025-03-31"), 10.0 / 11));
  request.top_k = 0;
  CHECK_THROWS_AS(ask(l, request, MetricId::power_user_dependency, "2025-03-31"), Error);
}

TEST_CASE("without the top user the activity is gone, the seat stays") {
  const Ledger roster = ledger(
      "bigint{1:2025-01-01/$joined,2025-03-30/a*80=8;2:2025-01-01/$joined,2025-03-30/a*20,2025-03-30/b}");
  const Ledger rest = roster.without_user(0);
  CHECK(known(ask(rest, MetricId::events, "2025-03-31"), 21));
  CHECK(known(ask(rest, MetricId::activation_rate, "2025-03-31"), 0.5));
  CHECK(unknown(ask(rest, MetricId::amount_sum, "2025-03-31"), Unknown::no_data));
  // Without a roster nobody ever saw the user.
  const Ledger seen = ledger("bigint{1:2025-01-01/a*80;2:2025-03-30/a*20}").without_user(0);
  CHECK(known(ask(seen, MetricId::total_users, "2025-03-31"), 1));
  CHECK(known(ask(seen, MetricId::activation_rate, "2025-03-31"), 1));
  CHECK(seen.account_start() == day("2025-01-01"));
}
