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
    const Oracle oracle(c, {});
    const Presence presence = oracle.is_active()   ? Presence::active
                              : oracle.is_silent() ? Presence::silent
                                                   : Presence::unsettled;
    ++presences[static_cast<std::size_t>(presence)];
    INFO(c.described());
    CHECK(l.presence(c.as_of) == presence);
    for (const auto& info : metric_table) {
      MetricRequest request;
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
    kept.settings.ledger_start = whole.as_of - day_between(random, 0, 500);
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
      // They are of all days there are, however few, and no score waits for them.
      if (info.id == recency_days || info.id == time_to_value || info.id == trial_use ||
          info.id == invite_conversion || info.id == dip_streak)
        continue;
      // Who was seen before the ledger began and comes back is taken for new.
      if ((info.id == growth || info.id == onboarding_activation) && !later.has_roster()) continue;
      MetricRequest request;
      request.id = info.id;
      const Value expected = evaluate(l, request, whole.as_of);
      const Value got = evaluate(later, request, whole.as_of);
      unknown_for_that += got.unknown == Unknown::before_ledger;
      if (!got.known()) continue;
      ++compared;
      INFO(info.name << " is " << shown(got) << ", of the whole " << shown(expected));
      // A weekly metric of an account whose first day is not kept may take it for younger than it is.
      CHECK((same(got, expected) || (info.id == cadence && !whole.settings.account_start)));
    }
  }
  CHECK(compared > 1000);
  CHECK(unknown_for_that > 1000);
}
