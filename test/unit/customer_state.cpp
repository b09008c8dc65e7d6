// Where a customer stands: every state, which comes first, and its words.
#include "core/scoring/customer_state.hpp"

#include "core/scoring/phrase.hpp"
#include "core/scoring/score_summary.hpp"
#include "core/scoring/signal_values.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

using enum CustomerStateKind;

constexpr const char* today = "2025-06-30";

struct Dates {
  const char* start = nullptr;
  const char* end = nullptr;
  const char* kept_from = nullptr;
  int minimum_age_days = 0;
};

MetricSettings settings_of(const Dates& dates) {
  MetricSettings settings;
  if (dates.start != nullptr) settings.account_start = day(dates.start);
  if (dates.end != nullptr) settings.account_end = day(dates.end);
  if (dates.kept_from != nullptr) settings.ledger_start = day(dates.kept_from);
  settings.minimum_age_days = dates.minimum_age_days;
  return settings;
}

CustomerState state_of(const Dates& dates, const char* text = "{}", bool by_usage = true,
                       const EventCatalog& catalog = {}) {
  return find_customer_state(ledger(text, settings_of(dates), catalog), day(today), by_usage);
}

std::string words_of(const Dates& dates, const char* text = "{}") {
  return describe_customer_state(state_of(dates, text), day(today));
}

constexpr const char* used_today = "bigint{1:2025-06-29/a}";
constexpr const char* used_in_may = "bigint{1:2025-05-12/a}";

}  // namespace

TEST_CASE("an account is a prospect up to the day before its start") {
  CHECK(state_of({.start = "2025-07-01"}) == CustomerState{prospect, day("2025-07-01")});
  CHECK(state_of({.start = "2025-06-30"}).kind != prospect);
  CHECK(state_of({.start = "2025-07-01"}, used_today).kind == prospect);
  CHECK_FALSE(state_of({.start = "2025-07-01"}).in_book());
  CHECK(words_of({.start = "2025-07-01"}) == "not a customer before 1 July");
  CHECK(words_of({.start = "2026-01-05"}) == "not a customer before 5 January 2026");
  CHECK(describe_customer_state({prospect, max_day}, day(today)) == "not a customer yet");
}

TEST_CASE("an account has ended from the day of its end on") {
  CHECK(state_of({.end = "2025-06-30"}) == CustomerState{ended, day("2025-06-30")});
  CHECK(state_of({.end = "2025-07-01"}, used_today).kind == active);
  CHECK(state_of({.end = "2025-06-01"}, used_today).kind == ended);
  CHECK_FALSE(state_of({.end = "2025-06-30"}).in_book());
  CHECK(words_of({.end = "2025-06-01"}) == "no customer any more since 1 June");
  CHECK(describe_customer_state({ended, min_day}, day(today)) == "no customer any more");
}

TEST_CASE("a prospect comes before an ended account, and that before a young one") {
  CHECK(state_of({.start = "2025-08-01", .end = "2025-06-01"}).kind == prospect);
  CHECK(state_of({.start = "2025-06-20", .end = "2025-06-25", .minimum_age_days = 14}).kind == ended);
}

TEST_CASE("an account is onboarding below its minimum age, active or not") {
  const Dates thirteen = {.start = "2025-06-17", .minimum_age_days = 14};
  const Dates fourteen = {.start = "2025-06-16", .minimum_age_days = 14};
  CHECK(state_of(thirteen, used_today) == CustomerState{onboarding, day("2025-06-17")});
  CHECK(state_of(thirteen).kind == onboarding);
  CHECK(state_of(fourteen, used_today).kind == active);
  CHECK(state_of(fourteen).kind == onboarding_stalled);
  CHECK(state_of({.start = "2025-06-17"}, used_today).kind == active);
  // Also when it is silent: a minimum of more than the window.
  CHECK(state_of({.start = "2025-05-20", .minimum_age_days = 60}).kind == onboarding);
  CHECK(state_of({.minimum_age_days = 14}, used_today).kind == active);  // an unknown start is long ago
  CHECK(words_of(thirteen) == "a customer for 13 days");
  CHECK(words_of({.start = "2025-06-29", .minimum_age_days = 14}) == "a customer for 1 day");
  CHECK(words_of({.start = "2025-06-30", .minimum_age_days = 14}) == "a customer since today");
}

TEST_CASE("an account that nobody ever used is stalled up to day 55, and then never started") {
  CHECK(state_of({.start = "2025-05-06"}) == CustomerState{onboarding_stalled, day("2025-05-06")});  // 55
  CHECK(state_of({.start = "2025-05-05"}) == CustomerState{never_started, day("2025-05-05")});       // 56
  CHECK(state_of({.start = "2025-06-30"}).kind == onboarding_stalled);  // without a minimum age from day 0 on
  CHECK(state_of({.start = "2024-01-01", .minimum_age_days = 14}).kind == never_started);
  CHECK(state_of({}) == CustomerState{never_started});
  CHECK(state_of({.start = "2025-05-05"}, "bigint{1:2025-05-06/$joined}").kind == never_started);
  CHECK(state_of({.start = "2025-05-05"}, "bigint{1:2025-06-30/a}").kind == never_started);  // not seen yet
  CHECK(state_of({.start = "2025-05-05"}, "bigint{1:2025-06-29/other}", true, video_catalog()).kind ==
        never_started);
  CHECK(words_of({.start = "2025-06-10"}) == "nobody active yet, 20 days after the start");
  CHECK(words_of({.start = "2025-06-29"}) == "nobody active yet, 1 day after the start");
  CHECK(words_of({.start = "2025-01-01"}) == "nobody ever active since the start on 1 January");
  CHECK(words_of({}) == "nobody ever active");
}

TEST_CASE("an account is silent since its last day of activity") {
  CHECK(state_of({}, used_in_may) == CustomerState{silent, day("2025-05-12")});
  CHECK(state_of({.start = "2025-01-01"}, "bigint{1:2025-06-01/a}").kind == silent);  // 29 days ago
  CHECK(state_of({.start = "2025-01-01"}, "bigint{1:2025-06-02/a}").kind == active);  // on the first of 28
  CHECK(words_of({}, used_in_may) == "nobody active since 12 May (49 days)");
  CHECK(words_of({}, "bigint{1:2024-12-31/a}") == "nobody active since 31 December 2024 (181 days)");
  CHECK(state_of({}, used_in_may).is_idle(score_day("2025-06-30")));
  CHECK(state_of({}, used_in_may).in_book());
}

TEST_CASE("an account that began before the kept days and has no event in them is silent since before") {
  const CustomerState before{silent, day("2025-04-01"), true};
  CHECK(state_of({.start = "2024-01-01", .kept_from = "2025-04-01"}) == before);
  CHECK(state_of({.kept_from = "2025-04-01"}) == before);
  CHECK(words_of({.kept_from = "2025-04-01"}) == "nobody active since before 1 April");
  // With kept events, or a start among the kept days, it is as ever.
  CHECK(state_of({.kept_from = "2025-04-01"}, used_in_may) == CustomerState{silent, day("2025-05-12")});
  CHECK(state_of({.start = "2025-04-01", .kept_from = "2025-04-01"}).kind == never_started);
  CHECK(state_of({.start = "2025-05-20", .kept_from = "2025-04-01"}).kind == onboarding_stalled);
}

TEST_CASE("a window that begins before the kept days tells nothing but activity") {
  CHECK(state_of({.kept_from = "2025-06-10"}) == CustomerState{unsettled});
  CHECK(state_of({.start = "2024-01-01", .kept_from = "2025-06-10"}).kind == unsettled);
  CHECK(state_of({.start = "2024-01-01", .kept_from = "2025-06-10"}, used_today).kind == active);
  CHECK(state_of({.start = "2024-01-01", .kept_from = "2025-06-02"}).kind == silent);
  CHECK(words_of({.kept_from = "2025-06-10"}).empty());
  CHECK_FALSE(state_of({.kept_from = "2025-06-10"}).is_idle(score_day("2025-06-30")));
}

TEST_CASE("an active account is one that was used in the window, or is too young to be called silent") {
  CHECK(state_of({}, used_today) == CustomerState{active});
  // Tried out before the start, 13 days ago, and not since.
  CHECK(state_of({.start = "2025-06-17"}, used_in_may).kind == active);
  CHECK(state_of({.start = "2025-06-16"}, used_in_may).kind == silent);
  CHECK(words_of({}, used_today).empty());
}

TEST_CASE("to a model that reads no usage nobody is idle, but prospects and the ended stay") {
  CHECK(state_of({}, "{}", false).kind == active);
  CHECK(state_of({.start = "2025-06-10"}, "{}", false).kind == active);
  CHECK(state_of({}, used_in_may, false).kind == active);
  CHECK(state_of({.start = "2025-07-01"}, "{}", false).kind == prospect);
  CHECK(state_of({.end = "2025-06-01"}, "{}", false).kind == ended);
  CHECK(state_of({.start = "2025-06-17", .minimum_age_days = 14}, "{}", false).kind == onboarding);
  const Model columns = flat_model({1});
  CHECK_FALSE(columns.reads_usage());
  const std::vector<ExternalInput> inputs = {{"70", {}, {}}};
  const Score score = score_account(columns, score_ledger(columns, "{}"), inputs, day(today));
  CHECK(score.state.kind == active);
  CHECK(*score.score == 70);
}

TEST_CASE("all events that stop at once are suspected, in words") {
  CHECK(describe_customer_state({tracking_suspect, day("2025-06-25")}, day(today)) ==
        "all its events stopped at once, the last are of 25 June");
  CHECK(CustomerState{tracking_suspect}.in_book());
  CHECK_FALSE(CustomerState{tracking_suspect}.is_idle(0));
}

TEST_CASE("states have names, and codes that lead back to them") {
  const std::pair<CustomerStateKind, const char*> names[] = {{unsettled, ""},
                                                             {prospect, "prospect"},
                                                             {ended, "ended"},
                                                             {tracking_suspect, "tracking_suspect"},
                                                             {onboarding, "onboarding"},
                                                             {onboarding_stalled, "onboarding_stalled"},
                                                             {never_started, "never_started"},
                                                             {silent, "silent"},
                                                             {active, "active"}};
  std::string codes;
  for (const auto& [kind, name] : names) {
    CHECK(customer_state_name(kind) == name);
    const CustomerState state{kind, day("2025-05-12")};
    codes += state_code(state);
    CHECK(state_of_code(state_code(state), state.since) == state);
  }
  CHECK(codes == "upetofnsa");
  const CustomerState before{silent, day("2025-04-01"), true};
  CHECK(state_code(before) == 'k');
  CHECK(state_of_code('k', before.since) == before);
  CHECK(state_of_code('?', {}).kind == unsettled);
}

namespace {

Model depth_model() {
  return parse_model(R"({"minimum_coverage": 0, "silence": {"next_step": "find a new champion"},
    "signals": [{"name": "depth", "metric": "depth", "next_step": {"low": "train them"},
                 "normalize": {"kind": "linear", "worst": 0, "best": 10}}]})");
}

Score depth_score(const Dates& dates, const char* text) {
  Model model = depth_model();
  model.settings = settings_of(dates);
  return score_account(model, score_ledger(model, text), {}, day(today));
}

}  // namespace

TEST_CASE("an account out of the book has no score and says why, an onboarding one a score and no band") {
  const Score not_yet = depth_score({.start = "2025-07-01"}, used_today);
  CHECK_FALSE(not_yet.score);
  CHECK(not_yet.unknown_reason == "prospect: not a customer before 1 July");
  const Score gone = depth_score({.end = "2025-06-01"}, used_today);
  CHECK_FALSE(gone.score);
  CHECK(gone.unknown_reason == "ended: no customer any more since 1 June");
  const Model model = depth_model();
  const Score young = depth_score({.start = "2025-06-20", .minimum_age_days = 14}, used_today);
  CHECK(*young.score == 10);
  CHECK(young.band(model).empty());
  CHECK(describe_score(model, young) ==
        "10 of 100, no band yet. A customer for 10 days. Costs most: 1 value points per active user in 28 "
        "days (-90.0).");
  CHECK(depth_score({.start = "2025-06-16", .minimum_age_days = 14}, used_today).band(model) == "critical");
}

TEST_CASE("a silent account says so instead of what costs most, and its next step is that of silence") {
  const Model model = depth_model();
  const Ledger l = score_ledger(model, used_in_may);
  const Score score = score_account(model, l, {}, day(today));
  CHECK(describe_score(model, score) == "0 of 100, critical. Nobody active since 12 May (49 days).");
  const ScoreSummary summary = summarize_score(model, l, {}, day(today));
  CHECK(summary.main_reason == "nobody active since 12 May (49 days)");
  CHECK(summary.next_step == "find a new champion");
  CHECK_FALSE(summary.without_top_user);
  CHECK(*summary.change_7d == 0);
  const ScoreSummary in_use = summarize_score(model, score_ledger(model, used_today), {}, day(today));
  CHECK(in_use.next_step == "train them");
}
