// Every metric of random ledgers against a brute-force count.
#include "metrics_oracle.hpp"

using namespace health;
using namespace health::test;

namespace {

bool same(const Value& got, const Value& expected) {
  if (!got.known() || !expected.known()) return got.unknown == expected.unknown;
  return std::abs(got.number - expected.number) <= 1e-9 * (1 + std::abs(expected.number));
}

std::string shown(const Value& value) {
  return value.known() ? std::to_string(value.number) : std::string(unknown_name(value.unknown));
}

std::string shown(const MetricRequest& request) {
  std::string words = std::string(metric_info(request.id).name) + "(window " +
                      std::to_string(request.window_days) + ", roles " + std::to_string(request.roles) +
                      ", by_value " + std::to_string(request.by_value) + ", top_k " +
                      std::to_string(request.top_k) + ", user \"" + request.user + "\", events";
  for (const auto& event : request.events) words += " " + event;
  return words + ")";
}

}  // namespace

TEST_CASE(
    "every metric equals a plain count over the rows, asked singly or all at once, fresh or after other "
    "dates") {
  Random random(run_seed() + 31);
  std::map<MetricId, std::set<Unknown>> reasons;
  std::array<int, 3> presences{};
  int wrong = 0;
  for (int round = 0; round < 6000 && wrong < 8; ++round) {
    const Case c = random_case(random);
    const std::string text = c.text();
    const EventCatalog catalog = c.catalog();
    const Ledger l = ledger(text, c.settings, catalog);
    MetricRecord record;
    evaluate_all(l, c.as_of - day_between(random, 0, 29), record);
    evaluate_all(l, c.as_of, record);
    MetricRequest plain;
    plain.bgbb = c.settings.bgbb;
    const Oracle oracle(c, plain);
    const Presence presence = oracle.is_active()   ? Presence::active
                              : oracle.is_silent() ? Presence::silent
                                                   : Presence::unsettled;
    ++presences[static_cast<std::size_t>(presence)];
    INFO(c.described());
    CHECK(l.presence(c.as_of) == presence);
    for (const auto& info : metric_table) {
      MetricRequest request = plain;
      request.id = info.id;
      if (round % 10 == 0 &&
          !(evaluate(ledger(text, c.settings, catalog), request, c.as_of) == record[info.id]))
        FAIL_CHECK(info.name << " differs between evaluate and evaluate_all");
      const Value expected = oracle.metric(info.id);
      reasons[info.id].insert(expected.unknown);
      if (same(record[info.id], expected)) continue;
      ++wrong;
      FAIL_CHECK(info.name << " is " << shown(record[info.id]) << ", plainly counted " << shown(expected));
    }
    for (int question = 0; question < 20; ++question) {
      MetricRequest request = random_request(random);
      request.id = metric_table[static_cast<std::size_t>(between(random, 0, metric_count - 1))].id;
      const Value expected = Oracle(c, request).metric(request.id);
      const Value got = evaluate(l, request, c.as_of);
      if (same(got, expected)) continue;
      ++wrong;
      FAIL_CHECK(shown(request) << " is " << shown(got) << ", plainly counted " << shown(expected));
    }
  }
  for (const int times : presences) CHECK(times > 500);
  // Every metric was known, and every one but the plain counts was unknown because nobody was active.
  for (const auto& info : metric_table) {
    INFO(info.name);
    CHECK(reasons[info.id].contains(Unknown::none));
    const auto never = {MetricId::total_users,  MetricId::active_users,  MetricId::events,
                        MetricId::value_points, MetricId::creators,      MetricId::breadth,
                        MetricId::cadence,      MetricId::adoption_rate, MetricId::invite_conversion};
    const bool is_count = std::find(never.begin(), never.end(), info.id) != never.end();
    CHECK(reasons[info.id].contains(Unknown::nobody_active) != is_count);
  }
}

TEST_CASE("what a ledger that begins late still knows is what the whole one says") {
  Random random(run_seed() + 32);
  int compared = 0;
  int unknown_for_that = 0;
  for (int round = 0; round < 4000; ++round) {
    Case whole = random_case(random);
    whole.settings.ledger_start.reset();
    Case kept = whole;
    kept.settings.ledger_start = whole.as_of - day_between(random, 0, 600);
    // An account that began later has no earlier days.
    if (whole.settings.account_start && *whole.settings.account_start >= *kept.settings.ledger_start)
      continue;
    // Whether anybody was active is not known then, and so is no score.
    if (whole.as_of - whole.settings.window_days < *kept.settings.ledger_start) continue;
    std::erase_if(kept.rows, [&](const Row& row) { return row.day < *kept.settings.ledger_start; });
    const Ledger l = ledger(whole.text(), whole.settings, whole.catalog());
    const Ledger later = ledger(kept.text(), kept.settings, kept.catalog());
    INFO(kept.described());
    for (const auto& info : metric_table) {
      using enum MetricId;
      // They are of all days there are, however few, and no score waits for them. cadence_recency is asked
      // without parameters here: its weeks begin with the first that is kept.
      if (info.id == recency_days || info.id == time_to_value || info.id == trial_use ||
          info.id == invite_conversion || info.id == dip_streak)
        continue;
      // Who was seen before the ledger began and comes back is taken for new.
      if ((info.id == growth || info.id == onboarding_activation) && !later.has_roster()) continue;
      // Without the year before there is no season.
      const bool is_baseline = info.id == baseline || info.id == baseline_users || info.id == baseline_value;
      if (is_baseline && *kept.settings.ledger_start > whole.as_of - 7 * 82) continue;
      MetricRequest request;
      request.id = info.id;
      const Value expected = evaluate(l, request, whole.as_of);
      const Value got = evaluate(later, request, whole.as_of);
      unknown_for_that += got.unknown == Unknown::before_ledger;
      if (!got.known()) continue;
      ++compared;
      INFO(info.name << " is " << shown(got) << ", of the whole " << shown(expected));
      // A weekly metric of an account whose first day is not kept may take it for younger than it is.
      CHECK((same(got, expected) || ((info.id == cadence || is_baseline) && !whole.settings.account_start)));
    }
  }
  CHECK(compared > 1000);
  CHECK(unknown_for_that > 1000);
}

TEST_CASE("a baseline of busy weeks, and its season, equals a plain count") {
  Random random(run_seed() + 33);
  std::array<int, 2> seasons{};
  for (int round = 0; round < 400; ++round) {
    Case c;
    c.as_of = day_between(random, 9000, 9006);
    c.listed = between(random, 0, 1) == 0;
    const Day days = day_between(random, 80, 700);
    if (between(random, 0, 1) == 0) c.settings.account_start = c.as_of - day_between(random, 80, 700);
    if (between(random, 0, 2) == 0) c.settings.ledger_start = c.as_of - day_between(random, 200, 700);
    if (between(random, 0, 3) == 0) c.settings.daily_cap = 12;
    const auto busy = between(random, 1, 3);
    for (Day day = c.as_of - days; day < c.as_of; ++day)
      for (auto i = between(random, 0, busy); i > 0; --i)
        if (!c.settings.ledger_start || day >= *c.settings.ledger_start)
          c.rows.push_back({static_cast<int>(between(random, 0, 3)), day, any_of(random, event_names), {}});
    const Ledger l = ledger(c.text(), c.settings, c.catalog());
    INFO(c.described());
    for (const auto id : {MetricId::baseline, MetricId::baseline_users, MetricId::baseline_value}) {
      MetricRequest request;
      request.id = id;
      request.by_value = between(random, 0, 3) == 0;
      if (between(random, 0, 3) == 0) request.events = {any_of(random, event_names)};
      const Value expected = Oracle(c, request).metric(id);
      const Value got = evaluate(l, request, c.as_of);
      INFO(shown(request) << " is " << shown(got) << ", plainly counted " << shown(expected));
      CHECK(same(got, expected));
      if (!got.known()) continue;
      // Does the year before come in?
      Case recent = c;
      std::erase_if(recent.rows, [&](const Row& row) { return row.day < c.as_of - 7 * 52; });
      if (!recent.settings.account_start) recent.settings.account_start = c.as_of - 7 * 52;
      const Value without =
          evaluate(ledger(recent.text(), recent.settings, recent.catalog()), request, c.as_of);
      ++seasons[!same(got, without)];
    }
  }
  for (const int times : seasons) CHECK(times > 100);
}
