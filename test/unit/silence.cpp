// Accounts in which nobody is active: when that is known, what each metric is then, and that falling silent
// is never good news.
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/scoring/phrase.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

constexpr const char* monday = "2025-03-31";

MetricSettings started(const char* start) {
  MetricSettings settings;
  settings.account_start = day(start);
  return settings;
}

Presence presence_of(const MetricSettings& settings, const char* text = "{}",
                     const EventCatalog& catalog = {}) {
  return ledger(text, settings, catalog).presence(day(monday));
}

// An account that was silent from 27 February 2025 on: three users, four seats, the catalog of the video
// tool.
MetricSettings quiet_settings() {
  MetricSettings settings = started("2024-01-01");
  settings.seats = 4;
  return settings;
}
constexpr const char* quiet_text =
    "bigint{1:2024-01-01/$joined,2024-01-11/record,2025-02-05/record;"
    "2:2024-01-01/$joined,2025-02-12/view=3,2025-02-26/view;"
    "3:2024-01-01/$joined}";

}  // namespace

TEST_CASE("an account is silent when it was in the book for the whole window without a qualifying event") {
  CHECK(presence_of({}) == Presence::silent);  // a start that is unknown is long ago
  CHECK(presence_of(started("2025-03-03")) == Presence::silent);
  CHECK(presence_of({}, "bigint{1:2025-03-03/a}") == Presence::active);
  CHECK(presence_of({}, "bigint{1:2025-03-02/a}") == Presence::silent);
  CHECK(presence_of({}, "bigint{1:2025-03-31/a}") == Presence::silent);  // not seen yet
  CHECK(presence_of({}, "bigint{1:2025-03-30/other}", video_catalog()) == Presence::silent);
  CHECK(presence_of({}, "bigint{1:2025-03-30/view}", video_catalog()) == Presence::active);
  MetricSettings week;
  week.window_days = 7;
  CHECK(presence_of(week, "bigint{1:2025-03-23/a}") == Presence::silent);
  CHECK(presence_of(week, "bigint{1:2025-03-24/a}") == Presence::active);
}

TEST_CASE("an account that is younger than the window is silent from 14 days on, or its minimum age") {
  CHECK(presence_of(started("2025-03-18")) == Presence::unsettled);  // 13 days
  CHECK(presence_of(started("2025-03-17")) == Presence::silent);     // 14
  CHECK(presence_of(started("2025-03-31")) == Presence::unsettled);
  MetricSettings older = started("2025-03-12");  // 19 days
  older.minimum_age_days = 20;
  CHECK(presence_of(older) == Presence::unsettled);
  older.account_start = day("2025-03-11");
  CHECK(presence_of(older) == Presence::silent);
  older.minimum_age_days = 60;  // but for the whole window is long enough
  CHECK(presence_of(older) == Presence::unsettled);
  older.account_start = day("2025-03-03");
  CHECK(presence_of(older) == Presence::silent);
  MetricSettings week = started("2025-03-24");  // a window shorter than 14 days
  week.window_days = 7;
  CHECK(presence_of(week) == Presence::silent);
}

TEST_CASE("nobody is called silent before the start, after the end, or in days that the ledger lacks") {
  CHECK(presence_of(started("2025-04-01")) == Presence::unsettled);
  MetricSettings settings;
  settings.account_end = day("2025-03-31");
  CHECK(presence_of(settings) == Presence::unsettled);
  settings.account_end = day("2025-04-01");
  CHECK(presence_of(settings) == Presence::silent);
  MetricSettings kept;
  kept.ledger_start = day("2025-03-03");
  CHECK(presence_of(kept) == Presence::silent);
  kept.ledger_start = day("2025-03-04");
  CHECK(presence_of(kept) == Presence::unsettled);
  CHECK(presence_of(kept, "bigint{1:2025-03-30/a}") == Presence::active);
  kept.account_start = day("2024-01-01");
  CHECK(presence_of(kept) == Presence::unsettled);
  kept.account_start = day("2025-03-04");  // it has no earlier days
  CHECK(presence_of(kept) == Presence::silent);
}

TEST_CASE("each metric of a silent account is its real value, or nobody_active") {
  const Ledger l = ledger(quiet_text, quiet_settings(), video_catalog());
  REQUIRE(l.presence(day(monday)) == Presence::silent);
  using enum MetricId;
  // z = 1.96: 0 of 3 is up to z^2 / (3 + z^2). Weeks, oldest first: 1, 1, 0, 1, then four without events.
  const std::map<MetricId, double> real = {{total_users, 3},
                                           {active_users, 0},
                                           {events, 0},
                                           {activation_rate, 0},
                                           {activation_rate_low, 0},
                                           {activation_rate_high, 3.841458820694124 / 6.841458820694124},
                                           {coverage, 0},
                                           {adoption_rate, 0},
                                           {trend_4w, -1},
                                           {trend_4w_users, -1},
                                           {trend_4w_value, -1},
                                           {dropoff, -1},
                                           {dip_streak, 4},
                                           {cadence, 3.0 / 8},
                                           {creators, 0},
                                           {breadth, 0},
                                           {value_points, 0},
                                           {recency_days, 33},
                                           {recency_weeks, 4},
                                           {cadence_recency, 19.64015093671208},  // 3 of 63, in week 59
                                           {time_to_value, 10},
                                           {trial_use, 0},
                                           {dormant_users, 3}};
  for (const MetricInfo& info : metric_table) {
    INFO(info.name);
    MetricRequest request;
    request.bgbb = BgbbParameters{1, 1, 1, 1};
    const Value value = ask(l, request, info.id, monday);
    if (const auto found = real.find(info.id); found != real.end())
      CHECK(known(value, found->second));
    else if (info.id == invite_conversion)
      CHECK(unknown(value, Unknown::zero_denominator));  // none invited: no matter of silence
    else
      CHECK(unknown(value, Unknown::nobody_active));
  }
}

TEST_CASE("of an account that never did anything only the counts are real") {
  const Ledger l = ledger("bigint{1:2024-01-01/$joined}", quiet_settings(), video_catalog());
  using enum MetricId;
  for (const auto id : {active_users, events, activation_rate, activation_rate_low, coverage, adoption_rate,
                        cadence, creators, breadth, value_points})
    CHECK(known(ask(l, id, monday), 0));
  CHECK(known(ask(l, dormant_users, monday), 1));
  for (const auto id :
       {recency_days, time_to_value, trial_use, trend_4w, trend_4w_users, trend_4w_value, dropoff, baseline,
        slope_4w, dip_streak, onboarding_activation, growth, depth, amount_mean, hhi})
    CHECK(unknown(ask(l, id, monday), Unknown::nobody_active));
}

TEST_CASE("a silent account without users has no ratio to them, and without a roster nobody is dormant") {
  const Ledger l = ledger("bigint{1:2023-05-05/view}", quiet_settings(), video_catalog());
  using enum MetricId;
  CHECK(known(ask(l, total_users, monday), 0));
  for (const auto id : {activation_rate, activation_rate_low, activation_rate_high, coverage, dormant_users})
    CHECK(unknown(ask(l, id, monday), Unknown::nobody_active));
  const Ledger seen = ledger("bigint{1:2025-01-05/view}", quiet_settings(), video_catalog());
  CHECK(known(ask(seen, total_users, monday), 1));
  CHECK(known(ask(seen, activation_rate, monday), 0));
  CHECK(unknown(ask(seen, dormant_users, monday), Unknown::nobody_active));
}

TEST_CASE("gaps that are not silence stay gaps when nobody is active") {
  using enum MetricId;
  const Ledger young = ledger("{}", started("2025-03-11"), video_catalog());  // 20 days
  REQUIRE(young.presence(day(monday)) == Presence::silent);
  for (const auto id : {trend_4w, trend_4w_users, trend_4w_value, dropoff})
    CHECK(unknown(ask(young, id, monday), Unknown::insufficient_history));
  CHECK(known(ask(young, cadence, monday), 0));
  CHECK(unknown(ask(young, adoption_rate, monday), Unknown::no_data));
  CHECK(unknown(ask(young, invite_conversion, monday), Unknown::no_data));

  MetricSettings settings = quiet_settings();
  settings.seats = -1;
  settings.features = std::vector<std::string>{};
  const Ledger odd = ledger(quiet_text, settings, video_catalog());
  CHECK(unknown(ask(odd, adoption_rate, monday), Unknown::bad_value));
  CHECK(unknown(ask(odd, breadth, monday), Unknown::zero_denominator));
  settings.seats = 0;
  CHECK(unknown(ask(ledger(quiet_text, settings), adoption_rate, monday), Unknown::zero_denominator));

  const Ledger plain = ledger("bigint{1:2024-01-01/$joined}", quiet_settings());
  for (const auto id : {coverage, creators, spread, interaction, reply_ratio, sessions_per_user_week, breadth,
                        time_to_value, trial_use, onboarding_activation, invite_conversion})
    CHECK(unknown(ask(plain, id, monday), Unknown::not_applicable));
}

TEST_CASE("what needs days that the ledger lacks is unknown, unless the account began later") {
  using enum MetricId;
  // The days that each needs: the first one that it does is 31 March less so many.
  const std::map<MetricId, int> needed = {{total_users, 365},
                                          {activation_rate, 365},
                                          {coverage, 365},
                                          {dormant_users, 365},
                                          {growth, 28 + 365},
                                          {events, 28},
                                          {active_users, 28},
                                          {depth, 28},
                                          {hhi, 28},
                                          {stickiness, 28},
                                          {breadth, 28},
                                          {trend_4w, 56},
                                          {trend_4w_users, 56},
                                          {dropoff, 35},
                                          {baseline, 210},
                                          {baseline_users, 210},
                                          {slope_4w, 28},
                                          {dip_streak, 14},
                                          {cadence, 56},
                                          {adoption_rate, 28},
                                          {onboarding_activation, 35 + 365}};
  for (const auto& [id, days] : needed) {
    INFO(metric_info(id).name);
    MetricSettings settings;
    settings.seats = 3;
    const char* text = "bigint{1:2024-01-05/view,2025-03-20/record}";
    settings.ledger_start = day(monday) - days;
    CHECK_FALSE(ask(ledger(text, settings, video_catalog()), id, monday).unknown == Unknown::before_ledger);
    settings.ledger_start = day(monday) - days + 1;
    CHECK(unknown(ask(ledger(text, settings, video_catalog()), id, monday), Unknown::before_ledger));
    settings.account_start = *settings.ledger_start - 1;
    CHECK(unknown(ask(ledger(text, settings, video_catalog()), id, monday), Unknown::before_ledger));
    settings.account_start = settings.ledger_start;
    CHECK_FALSE(ask(ledger(text, settings, video_catalog()), id, monday).unknown == Unknown::before_ledger);
  }
  // A roster says who the users are.
  MetricSettings settings;
  settings.ledger_start = day("2025-03-03");
  const Ledger roster = ledger("bigint{1:2024-01-01/$joined,2025-03-20/view}", settings);
  CHECK(known(ask(roster, total_users, monday), 1));
  CHECK(known(ask(roster, activation_rate, monday), 1));
  CHECK(known(ask(roster, growth, monday), 0));
}

TEST_CASE("a signal of a silent account that looks further back is nobody_active all the same") {
  using enum MetricId;
  const Ledger l = ledger(quiet_text, quiet_settings(), video_catalog());
  MetricRequest quarter;
  quarter.window_days = 90;
  CHECK(known(ask(l, quarter, events, monday), 3));
  CHECK(known(ask(l, quarter, active_users, monday), 2));
  CHECK(known(ask(l, quarter, activation_rate, monday), 2.0 / 3));
  for (const auto id : {depth, events_per_user_week, stickiness, spread, growth, power_user_dependency, gini,
                        hhi_normalized, amount_sum, amount_mean})
    CHECK(unknown(ask(l, quarter, id, monday), Unknown::nobody_active));
  // One user is no exception.
  quarter.events = {"record"};
  CHECK(unknown(ask(l, quarter, hhi_normalized, monday), Unknown::nobody_active));
}

TEST_CASE("no silent account of unknown start is too young for a trend") {
  using enum MetricId;
  const Ledger l = ledger("bigint{1:2025-02-20/a*4}");
  CHECK(known(ask(l, trend_4w, monday), -1));
  CHECK(known(ask(l, dropoff, "2025-03-21"), -1));
  CHECK(known(ask(l, cadence, monday), 0));  // 5 whole weeks, and the event is of the one before
  CHECK(unknown(ask(l, trend_4w, "2025-03-20"), Unknown::insufficient_history));  // still active
  CHECK(known(ask(l, cadence, "2025-03-06"), 0.5));
  MetricSettings young = started("2025-02-20");
  CHECK(unknown(ask(ledger("bigint{1:2025-02-20/a*4}", young), trend_4w, monday),
                Unknown::insufficient_history));
}

TEST_CASE("in an active account, what its events do not touch is 0, or as bad as it gets where it ever was") {
  using enum MetricId;
  const char* text = "bigint{1:2025-01-01/$joined,2025-01-05/record,2025-01-06/comment=2,2025-03-20/view}";
  MetricSettings settings = started("2024-01-01");
  settings.seats = 2;
  const Ledger l = ledger(text, settings, video_catalog());
  REQUIRE(l.presence(day(monday)) == Presence::active);
  MetricRequest comments;
  comments.events = {"comment"};
  MetricRequest odd;
  odd.events = {"odd"};
  // Counts, and ratios to users, active users and seats.
  for (const auto id : {active_users, events, activation_rate, coverage, adoption_rate, creators, spread,
                        events_per_user_week, interaction, depth, value_points})
    for (const auto& request : {comments, odd}) CHECK(known(ask(l, request, id, monday), 0));
  CHECK(known(ask(l, interaction, monday), 0));
  CHECK(known(ask(l, spread, monday), 0));
  // Nothing against nothing.
  for (const auto id : {trend_4w, trend_4w_users, dropoff, slope_4w, stickiness, power_user_dependency, hhi,
                        hhi_normalized, gini, absence_factor, amount_sum, amount_mean}) {
    INFO(metric_info(id).name);
    CHECK(unknown(ask(l, comments, id, monday), Unknown::nobody_active));
    CHECK(unknown(ask(l, odd, id, monday), Unknown::not_applicable));
  }
  CHECK(unknown(ask(l, odd, dip_streak, monday), Unknown::not_applicable));
  CHECK(unknown(ask(l, reply_ratio, monday), Unknown::nobody_active));
  CHECK(unknown(ask(ledger("bigint{1:2025-03-20/view}", settings, video_catalog()), reply_ratio, monday),
                Unknown::not_applicable));
  CHECK(unknown(ask(ledger("bigint{1:2025-03-20/react}", settings, video_catalog()), reply_ratio, monday),
                Unknown::zero_denominator));
  // Recency, sessions, amounts: what was never there is no news.
  CHECK(known(ask(l, comments, recency_days, monday), 84));
  CHECK(unknown(ask(l, odd, recency_days, monday), Unknown::no_data));
  CHECK(unknown(ask(l, sessions_per_user_week, monday), Unknown::no_data));
  CHECK(known(ask(ledger("bigint{1:2025-01-05/open,2025-03-20/view}", settings, video_catalog()),
                  sessions_per_user_week, monday),
              0));
  CHECK(unknown(ask(l, amount_mean, monday), Unknown::no_data));  // events in the window, without an amount
  CHECK(unknown(ask(l, hhi_normalized, monday), Unknown::not_applicable));  // one user
}

TEST_CASE("a young account without events has ordinary unknowns") {
  using enum MetricId;
  const Ledger l = ledger("bigint{1:2025-03-25/$joined}", started("2025-03-24"), video_catalog());
  REQUIRE(l.presence(day(monday)) == Presence::unsettled);
  CHECK(known(ask(l, activation_rate, monday), 0));
  CHECK(known(ask(l, dormant_users, monday), 1));
  CHECK(known(ask(l, cadence, monday), 0));
  CHECK(unknown(ask(l, trend_4w, monday), Unknown::insufficient_history));
  for (const auto id : {depth, stickiness, growth, onboarding_activation, power_user_dependency, slope_4w,
                        dip_streak, events_per_user_week})
    CHECK(unknown(ask(l, id, monday), Unknown::zero_denominator));
  CHECK(unknown(ask(l, recency_days, monday), Unknown::no_data));
  CHECK(unknown(ask(l, amount_sum, monday), Unknown::no_data));
}

namespace {

Model signal_model(const std::string& members) {
  return parse_model(R"({"minimum_coverage": 0, "catalog": {"make": {"role": "create"}}, "signals": [)" +
                     members + "]}");
}

Score quiet_score(const Model& model, const char* text = "bigint{1:2024-06-01/make}") {
  return score_account(model, score_ledger(model, text), {}, day(monday));
}

}  // namespace

TEST_CASE("a signal of a silent account takes the lowest value of its normaliser, whatever its policy") {
  for (const char* missing :
       {R"("ignore")", R"("neutral")", R"("zero")", R"("required")", R"({"carry_forward_days": 3000})"}) {
    const Model model = signal_model(
        std::string(
            R"({"name": "a", "metric": "depth", "shrink": 3, "frozen": {"median": 2, "accounts": 50},
                "normalize": {"kind": "piecewise", "points": [[0, 15], [5, 90]]}, "missing": )") +
        missing + "}");
    const Score score = quiet_score(model);
    INFO(missing);
    REQUIRE(score.score);
    CHECK(*score.score == 15);
    CHECK(score.readings[0].nobody_active());
    CHECK_FALSE(score.readings[0].counted);
    CHECK_FALSE(score.readings[0].carried);
    CHECK(score.tree.coverage == 1);
    CHECK(describe_signal(model, 0, score) == "a: nobody active");
  }
}

TEST_CASE("a signal that ignores silence counts in neither score nor coverage, whatever its policy") {
  for (const char* missing : {"ignore", "neutral", "zero"}) {
    const Model model = signal_model(
        std::string(R"({"name": "a", "metric": "depth", "silent": "ignore", "missing": ")") + missing +
        R"(", "normalize": {"kind": "linear", "worst": 0, "best": 5}},
           {"name": "b", "metric": "events", "silent": "lowest",
            "normalize": {"kind": "linear", "worst": -1, "best": 1}})");
    const Score score = quiet_score(model);
    INFO(missing);
    CHECK(*score.score == 50);  // no event at all lies between -1 and 1
    CHECK(score.tree.coverage == 0.5);
    CHECK_FALSE(score.readings[0].known());
    CHECK(describe_signal(model, 0, score) == "a unknown: nobody active");
  }
  // Of a real value it is true as well.
  const Model model = signal_model(
      R"({"name": "a", "metric": "events", "silent": "ignore", "normalize": {"kind": "identity"}})");
  CHECK_FALSE(quiet_score(model).score);
  CHECK(*quiet_score(model, "bigint{1:2025-03-30/make*7}").score == 7);
}

TEST_CASE("a rank among peers that do not exist is no zero, and neither is a question that does not arise") {
  const char* text = "bigint{1:2025-03-30/make}";
  const auto standing = [&](const std::string& signal) {
    return quiet_score(signal_model(signal), text).standings[0];
  };
  CHECK_FALSE(standing(R"({"name": "a", "metric": "events", "missing": "zero",
                          "normalize": {"kind": "percentile"}})")
                  .counts);
  CHECK_FALSE(standing(R"({"name": "a", "metric": "interaction", "missing": "zero",
                          "normalize": {"kind": "identity"}})")
                  .counts);
  CHECK(standing(R"({"name": "a", "metric": "adoption_rate", "missing": "zero",
                    "normalize": {"kind": "identity"}})")
            .counts);
  // Nobody active and no peers: a gap as well.
  const Model model = signal_model(
      R"({"name": "a", "metric": "depth", "missing": "zero", "normalize": {"kind": "percentile"}})");
  const Score score = quiet_score(model);
  CHECK_FALSE(score.standings[0].counts);
  CHECK(score.readings[0].score.unknown == Unknown::no_data);
  CHECK(describe_signal(model, 0, score) == "a unknown: no peers to compare with");
}

TEST_CASE("a signal whose events were never seen in the book does not apply, silent or not") {
  const Model model = signal_model(
      R"({"name": "a", "metric": "depth", "missing": "zero", "frozen": {"seen": false},
          "normalize": {"kind": "identity"}},
         {"name": "b", "metric": "events", "normalize": {"kind": "identity"}})");
  for (const char* text : {"bigint{1:2024-06-01/make}", "bigint{1:2025-03-30/make}"}) {
    const Score score = quiet_score(model, text);
    CHECK(score.readings[0].score.unknown == Unknown::not_applicable);
    CHECK_FALSE(score.standings[0].counts);
    CHECK(describe_signal(model, 0, score) == "a unknown: none of its events was ever seen");
  }
}

TEST_CASE("a date before the ledger has no score and says from which day on there is one") {
  Model model = signal_model(
      R"({"name": "a", "metric": "events", "normalize": {"kind": "identity"}},
         {"name": "b", "metric": "trend_4w", "weight": 0.1, "normalize": {"kind": "linear", "worst": -1, "best": 1}})");
  model.settings.ledger_start = day("2025-02-10");
  const Score score = quiet_score(model, "bigint{1:2025-03-30/make}");
  CHECK_FALSE(score.score);
  CHECK(score.unknown_reason == "before_ledger: the ledger keeps days from 2025-02-10 on");
  CHECK(score.readings[0].known());
  model.settings.ledger_start = day("2025-02-03");
  CHECK(quiet_score(model, "bigint{1:2025-03-30/make}").score);
}

TEST_CASE("falling silent moves values of signals that were known, and availability of those that were not") {
  const Model model = signal_model(
      R"({"name": "depth", "metric": "depth", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
         {"name": "growth", "metric": "growth", "normalize": {"kind": "linear", "worst": 0, "best": 1}})");
  const Ledger l = score_ledger(model, "bigint{1:2025-01-30/make*6}");
  const Score from = score_account(model, l, {}, day("2025-02-10")),
              to = score_account(model, l, {}, day(monday));
  REQUIRE(from.score);
  CHECK(*from.score == 60);  // nobody was there at the window's start
  CHECK(*to.score == 0);
  const ScoreChange change = decompose_change(model, from, to, to);
  REQUIRE(change.parts.size() == 2);
  CHECK(change.parts[0].step == ChangeStep::values);
  CHECK(change.parts[0].signal == 0);
  CHECK(change.parts[0].points == Approx(-60));
  CHECK(change.parts[1].step == ChangeStep::availability);
  CHECK(change.parts[1].signal == 1);
  CHECK(describe_part(model, change.parts[0], from, to) == "depth 6 -> nobody active (-60.0)");
  CHECK(describe_part(model, change.parts[1], from, to) == "growth now known: nobody active (0.0)");
}

TEST_CASE("while nobody is active no signal about weeks rises, whatever weekday it is") {
  for (const auto& [id, worst, best] :
       {std::tuple{MetricId::cadence, 0., 1.}, std::tuple{MetricId::dip_streak, 20., 0.}}) {
    Model model = flat_model({1});
    model.inputs.clear();
    model.signals[0].source = SignalSource::metric;
    model.signals[0].metric.id = id;
    model.signals[0].normalize.kind = NormalizerKind::linear;
    model.signals[0].normalize.worst = worst;
    model.signals[0].normalize.best = best;
    model.settings = started("2024-01-01");
    // Days that lie in one week or in two, and weeks that fall or do not.
    const Ledger l = score_ledger(model, "bigint{1:2025-02-05/a=10,2025-02-11/a=9,2025-02-16/a=2}");
    double before = 200;
    int wobbles = 0;
    double raw_before = 0;
    for (Day as_of = day("2025-03-17"); as_of < day("2025-05-20"); ++as_of) {
      const Reading reading = read_signals(model, l, {}, as_of).front();
      REQUIRE(reading.known());
      CHECK(reading.score.number <= before);
      before = reading.score.number;
      const double raw =
          normalize(model.signals[0].normalize, reading.raw.known() ? reading.raw.number : worst).number;
      if (as_of > day("2025-03-17")) wobbles += raw > raw_before;
      raw_before = raw;
      if (reading.counted) CHECK(reading.score.number < raw);
    }
    CHECK(wobbles > 0);  // as measured it does
  }
}
