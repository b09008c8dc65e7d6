// Onboarding, invitations, time to value, recency.
#include "metrics_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE(
    "onboarding counts users who joined long enough ago and did enough different things in their first "
    "days") {
  // as_of 2025-03-31, X = 7, W = 28: joined in [2025-02-24, 2025-03-24).
  const char* text =
      "bigint{1:2025-03-01/$joined,2025-03-07/record;"  // on day 7: in time
      "2:2025-03-01/$joined,2025-03-08/record;"         // a day late
      "3:2025-03-23/$joined,2025-03-23/comment,2025-03-24/record;"
      "4:2025-03-24/$joined,2025-03-24/record;"  // too fresh
      "5:2025-02-24/$joined,2025-02-25/record*9;"
      "6:2025-02-23/$joined,2025-02-23/record;"   // before the window
      "7:0001-01-01/$joined,2025-03-01/record;"   // always there
      "8:2025-03-02/$joined,2025-03-01/record}";  // before joining
  MetricSettings settings;
  CHECK(known(ask(ledger(text, settings, video_catalog()), MetricId::onboarding_activation, "2025-03-31"),
              3.0 / 5));
  settings.onboarding_events = 2;  // two of the activation events: nine times the same is one
  CHECK(known(ask(ledger(text, settings, video_catalog()), MetricId::onboarding_activation, "2025-03-31"),
              1.0 / 5));
  CHECK(unknown(ask(ledger("bigint{1:2025-01-01/$joined,2025-03-30/view}", settings, video_catalog()),
                    MetricId::onboarding_activation, "2025-03-31"),
                Unknown::zero_denominator));
  for (const char* silent : {"2025-01-31", "2026-01-31"})
    CHECK(unknown(ask(ledger(text, settings, video_catalog()), MetricId::onboarding_activation, silent),
                  Unknown::nobody_active));
}

TEST_CASE("without a roster users join with their first activity, and coming back is no joining") {
  const Ledger seen =
      ledger("bigint{1:2025-03-01/view,2025-03-03/record;2:2025-03-01/view}", {}, video_catalog());
  CHECK(known(ask(seen, MetricId::onboarding_activation, "2025-03-31"), 0.5));
  const Ledger back = ledger(
      "bigint{1:2024-01-01/$joined,2025-02-01/$deactivated,2025-03-01/$joined,2025-03-01/record,2025-03-20/"
      "view;"
      "2:2025-03-01/$joined}",
      {}, video_catalog());
  CHECK(known(ask(back, MetricId::onboarding_activation, "2025-03-31"), 0));
}

TEST_CASE("invited users convert with a create or consume event once they are old enough") {
  const char* text =
      "text{ann:2025-03-01/$invited,2025-03-20/view;bob:2025-03-01/$invited,2025-03-20/open;"
      "cal:2025-03-23/$invited,2025-03-23/record;dan:2025-03-24/$invited,2025-03-24/record;eve:2025-03-01/"
      "view}";
  CHECK(known(ask(ledger(text, {}, video_catalog()), MetricId::invite_conversion, "2025-03-31"), 2.0 / 3));
  CHECK(known(ask(ledger(text, {}, video_catalog()), MetricId::invite_conversion, "2025-03-20"), 0));
  CHECK(unknown(ask(ledger(text, {}, video_catalog()), MetricId::invite_conversion, "2025-03-05"),
                Unknown::zero_denominator));
}

TEST_CASE("time to value runs from the account's start, clamps at 0 and flags trial use") {
  const char* text = "bigint{1:2025-01-01/view,2025-01-11/record,2025-02-01/record}";
  CHECK(known(ask(ledger(text, {}, video_catalog()), MetricId::time_to_value, "2025-03-31"), 10));
  CHECK(known(ask(ledger(text, {}, video_catalog()), MetricId::trial_use, "2025-03-31"), 0));
  MetricSettings settings;
  settings.account_start = day("2025-01-20");
  CHECK(known(ask(ledger(text, settings, video_catalog()), MetricId::time_to_value, "2025-03-31"), 0));
  CHECK(known(ask(ledger(text, settings, video_catalog()), MetricId::trial_use, "2025-03-31"), 1));
  CHECK(unknown(ask(ledger(text, settings, video_catalog()), MetricId::time_to_value, "2025-01-11"),
                Unknown::no_data));
}

TEST_CASE("the account starts with the earliest of activity and known joining") {
  CHECK(ledger("bigint{1:2025-01-05/$joined,2025-01-09/a;2:0001-01-01/$joined}").account_start() ==
        day("2025-01-05"));
  CHECK(ledger("bigint{1:2025-01-05/$joined,2025-01-02/a}").account_start() == day("2025-01-02"));
  CHECK_FALSE(ledger("bigint{2:0001-01-01/$joined}").account_start().has_value());
}

TEST_CASE("recency is the days since the last event, of the account or of one person") {
  const Ledger l = ledger("text{ann:2025-03-20/a,2025-03-30/b;bob:2025-03-25/a}");
  CHECK(known(ask(l, MetricId::recency_days, "2025-03-31"), 1));
  CHECK(known(ask(l, MetricId::recency_days, "2025-03-26"), 1));
  MetricRequest bob;
  bob.user = "bob";
  CHECK(known(ask(l, bob, MetricId::recency_days, "2025-03-31"), 6));
  bob.user = "nobody";
  CHECK(unknown(ask(l, bob, MetricId::recency_days, "2025-03-31"), Unknown::no_data));
  MetricRequest of_a;
  of_a.events = {"a"};
  CHECK(known(ask(l, of_a, MetricId::recency_days, "2025-03-31"), 6));
}

TEST_CASE("the catalog's JSON is read, and refused with its path") {
  CHECK(parse_catalog("{}").count_unlisted);
  CHECK_FALSE(video_catalog().count_unlisted);
  CHECK(parse_catalog(R"({"a": {}, "*": {}})").count_unlisted);
  CHECK(parse_catalog("null").count_unlisted);
  CHECK(video_catalog().find("record")->roles == (create | activate));
  CHECK(video_catalog().find("react")->feature == "react");
  const auto message = [](const char* json) -> std::string {
    try {
      parse_catalog(json);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message(R"({"a": {"role": "creat"}})") == "invalid catalog: catalog.a.role: unknown role \"creat\"");
  CHECK(message(R"({"a": {"role": ["create", 1]}})") ==
        "invalid catalog: catalog.a.role[1]: must be a string, not 1");
  CHECK(message(R"({"a": {"value": -1}})") ==
        "invalid catalog: catalog.a.value: must be a number from 0 to 1000000, not -1");
  CHECK(message(R"({"a": {"value": "x"}})") ==
        "invalid catalog: catalog.a.value: must be a number from 0 to 1000000, not \"x\"");
  CHECK(message(R"({"a": {"points": 1}})") == "invalid catalog: catalog.a.points: unknown key");
  CHECK(message(R"({"a": 1})") == "invalid catalog: catalog.a: must be an object, not 1");
  CHECK(message(R"({"$joined": {}})") ==
        "invalid catalog: catalog.\"$joined\": names that start with $ are reserved");
  CHECK(message("[]") == "invalid catalog: catalog: must be an object, not an array");
  CHECK(message("{") != "");
}

TEST_CASE("a model reads its catalog by the same rules, with values from 1 to 10 and no key for all others") {
  const auto first_problem = [](const std::string& event) -> std::string {
    const auto problems = find_model_problems(R"({"catalog": {)" + event + "}}");
    for (const Problem& one : problems)
      if (one.path.starts_with("catalog")) return one.path + " " + one.problem;
    return "";
  };
  CHECK(first_problem(R"("a": {"role": "creat"})") == "catalog.a.role unknown role \"creat\"");
  CHECK(first_problem(R"("a": {"value": 10})").empty());
  CHECK(first_problem(R"("a": {"value": 0})") == "catalog.a.value must be a number from 1 to 10, not 0");
  CHECK(first_problem(R"("*": {})") == "catalog.\"*\" is no event");
}
