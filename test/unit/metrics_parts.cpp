// The metrics of ledgers that add up are those of their sum.
#include <optional>

#include "core/ledger/usage_algebra.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// Everything that can be asked at a date, or the message of the error.
struct Answers {
  std::string error;
  std::optional<MetricRecord> record;
  std::string top_user;
  std::string without_top_user;  // events and users, as text

  friend bool operator==(const Answers& a, const Answers& b) {
    if (a.error != b.error || a.top_user != b.top_user || a.without_top_user != b.without_top_user)
      return false;
    if (!a.record || !b.record) return a.record.has_value() == b.record.has_value();
    return a.record->values == b.record->values && a.record->first_event == b.record->first_event &&
           a.record->last_event == b.record->last_event && a.record->weekly == b.record->weekly;
  }
};

Answers answers(std::span<const Bytes> parts, const EventCatalog& catalog, Day as_of) {
  Answers result;
  try {
    MetricSettings settings;
    settings.window_days = 28;
    const Ledger ledger = Ledger::decode(parts, catalog, settings);
    result.record.emplace();
    evaluate_all(ledger, as_of, *result.record);
    if (!result.record->top_user) return result;
    result.top_user = ledger.user_text(*result.record->top_user);
    const Ledger rest = ledger.without_user(*result.record->top_user);
    for (const MetricId id : {MetricId::events, MetricId::total_users}) {
      MetricRequest request;
      request.id = id;
      result.without_top_user += std::to_string(evaluate(rest, request, as_of).number) + "/";
    }
  } catch (const Error& error) {
    result.error = std::string(error.sqlstate()) + error.what();
  }
  return result;
}

// A ledger of one quarter, mostly: few users and names, markers among them.
UsageBytes any_part(Random& random, UserKind kind, Day from) {
  static const std::vector<std::string> names = {"record",  "view",     "comment",
                                                 "$joined", "$invited", "$deactivated"};
  PlainLedger part;
  part.kind = kind;
  for (auto left = between(random, 0, 30); left > 0; --left) {
    Place place = any_user(random, kind);
    if (kind == UserKind::bigint) place.number = between(random, 1, 6);
    place.day = from + static_cast<Day>(between(random, 0, 30));
    place.event = any_of(random, names);
    if (between(random, 0, 2) == 0)
      part.add(place, {between(random, 1, 4), 1, 2500000});
    else
      part.add(place, {1, 0, 0});
  }
  return encode(part);
}

}  // namespace

TEST_CASE("metrics of parts are those of their sum", "[metrics]") {
  Random random(run_seed() + 21);
  const EventCatalog catalog = video_catalog();
  int negative = 0;
  for (int round = 0; round < 1500; ++round) {
    const UserKind kind = any_kind(random);
    const auto count = static_cast<std::size_t>(between(random, 0, round % 20 == 0 ? 20 : 6));
    const bool overlap = between(random, 0, 1) == 0;
    std::vector<UsageBytes> parts;
    for (std::size_t i = 0; i < count; ++i) {
      UsageBytes part = any_part(random, kind, static_cast<Day>(9000 + (overlap ? 0 : 30 * (i % 6))));
      // What is taken back later: users, names and first days that come to nothing, or a negative sum.
      if (i > 0 && between(random, 0, 3) == 0)
        part = subtract_usage(between(random, 0, 1) == 0 ? part : empty_usage(), any_of(random, parts));
      parts.push_back(std::move(part));
    }
    const std::vector<Bytes> spans(parts.begin(), parts.end());
    const UsageBytes sum = sum_usage(spans);
    const Day as_of = static_cast<Day>(between(random, 9000, 9200));
    const Answers expected = answers(std::vector<Bytes>{sum}, catalog, as_of);
    negative += !expected.error.empty();
    INFO("round " << round << " kind " << static_cast<int>(kind) << " parts " << count);
    REQUIRE(answers(spans, catalog, as_of) == expected);
  }
  REQUIRE(negative > 10);
  const UsageBytes numbers = usage_from_text("bigint{1:2025-01-01/view}");
  const UsageBytes names = usage_from_text("text{a:2025-01-01/view}");
  REQUIRE_THROWS_AS(Ledger::decode(std::vector<Bytes>{numbers, names}, catalog, {}), Error);
}

TEST_CASE("what a ledger was asked before does not change its answers", "[metrics]") {
  Random random(run_seed() + 22);
  const EventCatalog catalog = video_catalog();
  for (int round = 0; round < 200; ++round) {
    const UserKind kind = any_kind(random);
    std::vector<UsageBytes> parts;
    for (Day from = 9000; from <= 9120; from += 30) parts.push_back(any_part(random, kind, from));
    const std::vector<Bytes> spans(parts.begin(), parts.end());
    MetricSettings settings;
    settings.window_days = static_cast<int>(between(random, 1, 40));
    if (between(random, 0, 1) == 0) settings.daily_cap = static_cast<double>(between(random, 0, 9));
    if (between(random, 0, 1) == 0) settings.features = std::vector<std::string>{"view", "record", "view"};
    const Ledger asked = Ledger::decode(spans, catalog, settings);
    for (int question = 0; question < 60; ++question) {
      MetricRequest request;
      request.id = static_cast<MetricId>(between(random, 0, static_cast<int>(metric_count) - 1));
      request.window_days = between(random, 0, 1) == 0 ? 0 : static_cast<int>(between(random, 1, 30));
      request.by_value = between(random, 0, 1) == 0;
      if (between(random, 0, 1) == 0) request.roles = static_cast<unsigned>(between(random, 1, 31));
      const Day as_of = static_cast<Day>(between(random, 9000, 9200));
      const Value expected = evaluate(Ledger::decode(spans, catalog, settings), request, as_of);
      INFO("round " << round << " metric " << static_cast<int>(request.id) << " roles " << request.roles);
      REQUIRE(evaluate(asked, request, as_of) == expected);
      if (request.roles == 0 || (catalog.roles() & request.roles) == 0) continue;
      // The same events by their names.
      for (const EventRule& rule : catalog.rules)
        if ((rule.roles & request.roles) != 0) request.events.push_back(rule.name);
      request.roles = 0;
      REQUIRE(evaluate(asked, request, as_of) == expected);
    }
  }
}
