// What was known on a day is the ledger of the rows that were there by then.
#include "core/ledger/known_at.hpp"

#include "core/ledger/markers.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

UsageBytes known(std::string_view text, std::optional<std::string_view> before = std::nullopt) {
  const UsageBytes whole = usage_from_text(text);
  std::optional<Day> until;
  if (before) until = day(*before);
  return usage_known_before(whole, until).value_or(whole);
}

std::string late_name(std::int64_t days, const std::string& event) {
  return days == 0 ? event : "$/" + std::to_string(days) + "/" + event;
}

}  // namespace

TEST_CASE("a name says how late its event became known", "[known_at]") {
  const auto split = [](std::string_view name) {
    const auto [days, event] = split_late(name);
    return std::to_string(days) + " " + std::string(event);
  };
  CHECK(split("$/3/sent") == "3 sent");
  CHECK(split("$/2147483647/sent") == "2147483647 sent");
  CHECK(split("$/12/$agent/sent") == "12 $agent/sent");
  CHECK(split("$/1/a/b") == "1 a/b");
  for (const std::string name : {"sent", "$agent/sent", "$joined", "", "$", "$/", "$/3", "$/3/", "$//sent",
                                 "$/0/sent", "$/03/sent", "$/-3/sent", "$/x/sent", "$/3x/sent",
                                 "$/2147483648/sent", "$/99999999999999999999999/sent", "/3/sent"})
    CHECK(split(name) == "0 " + name);
  CHECK_FALSE(is_marker("$/3/sent"));
  CHECK(is_marker("$/3/$agent/sent"));
  CHECK(is_marker("$/3/$joined"));
  CHECK(is_marker("$/x"));
}

TEST_CASE("what became known on a day is not known before it", "[known_at]") {
  const std::string_view whole =
      "bigint{1:2025-01-10/\"$/1/a\",2025-01-10/\"$/20/a\"*2=6#2,2025-01-10/a*3,2025-01-12/b;"
      "2:2025-01-10/\"$/2/a\";3:2025-01-10/\"$/2147483647/a\"}";
  CHECK(known(whole, "2025-01-11") == usage_from_text("bigint{1:2025-01-10/a*3,2025-01-12/b}"));
  CHECK(known(whole, "2025-01-12") == usage_from_text("bigint{1:2025-01-10/a*4,2025-01-12/b}"));
  CHECK(known(whole, "2025-01-13") ==
        usage_from_text("bigint{1:2025-01-10/a*4,2025-01-12/b;2:2025-01-10/a}"));
  CHECK(known(whole, "2025-01-30") ==
        usage_from_text("bigint{1:2025-01-10/a*4,2025-01-12/b;2:2025-01-10/a}"));
  CHECK(known(whole, "2025-01-31") ==
        usage_from_text("bigint{1:2025-01-10/a*6=6#2,2025-01-12/b;2:2025-01-10/a}"));
  CHECK(known(whole) ==
        usage_from_text("bigint{1:2025-01-10/a*6=6#2,2025-01-12/b;2:2025-01-10/a;3:2025-01-10/a}"));
  CHECK(known("bigint{1:2025-01-10/\"$/9/a\"}", "2025-01-11") == empty_usage());
}

TEST_CASE("a ledger of which nobody said when rows became known stays as it is", "[known_at]") {
  for (const std::string_view text :
       {"{}", "bigint{1:2025-01-10/a}", "bigint{1:2025-01-10/\"$agent/a\",2025-01-10/\"$/x\"}"}) {
    const UsageBytes usage = usage_from_text(text);
    CHECK_FALSE(has_late_rows(UsageReader(usage)));
    CHECK_FALSE(usage_known_before(usage, day("2025-01-01")));
  }
}

TEST_CASE("for every day, what was known is the ledger of the rows known before it", "[known_at]") {
  Random random(run_seed() + 60);
  for (int round = 0; round < 300; ++round) {
    PlainLedger whole;
    PlainLedger now;
    whole.kind = now.kind = any_kind(random);
    const Day first = 9100;
    constexpr Day days = 25;
    std::vector<PlainLedger> expected(days, now);
    const std::int64_t rows = between(random, 0, 40);
    for (std::int64_t i = 0; i < rows; ++i) {
      Place place = any_user(random, whole.kind);
      place.day = first + static_cast<Day>(between(random, 0, 10));
      place.event = any_of(random, std::vector<std::string>{"a", "b", "zz", "$agent/a", "$joined", "3/a"});
      // Few rows that were taken away again; the sum of a cell may be negative.
      Sums sums{between(random, 0, 9) == 0 ? -1 : 1, 0, 0};
      if (between(random, 0, 2) == 0) sums = {sums.count, sums.count, between(random, -9, 9) * 1000000};
      const std::int64_t late = between(random, 0, 2) == 0    ? 0
                                : between(random, 0, 20) == 0 ? never_known
                                                              : between(random, 1, 9);
      now.add(place, sums);
      for (Day day = 0; day < days; ++day)
        if (late == 0 || place.day + late < first + day) expected[day].add(place, sums);
      place.event = late_name(late, place.event);
      whole.add(place, sums);
    }
    const UsageBytes bytes = encode(whole);
    const auto or_whole = [&](const std::optional<UsageBytes>& part) { return part.value_or(bytes); };
    for (Day day = 0; day < days; ++day)
      REQUIRE(or_whole(usage_known_before(bytes, first + day)) == encode(expected[day]));
    REQUIRE(or_whole(usage_known_before(bytes)) == encode(now));
  }
}

TEST_CASE("metrics are about all that is known, whenever it became known", "[known_at]") {
  const Ledger late = ledger(
      "bigint{1:2025-01-10/\"$/1/view\",2025-01-10/view,2025-01-11/\"$/4/$agent/view\";"
      "2:2025-01-10/\"$/20/record\"*2}",
      {}, video_catalog());
  const Ledger plain = ledger("bigint{1:2025-01-10/view*2,2025-01-11/\"$agent/view\";2:2025-01-10/record*2}",
                              {}, video_catalog());
  for (const MetricId id :
       {MetricId::events, MetricId::active_users, MetricId::value_points, MetricId::breadth}) {
    const Value expected = ask(plain, id, "2025-01-20");
    REQUIRE(expected.known());
    CHECK(ask(late, id, "2025-01-20").number == expected.number);
  }
  REQUIRE(late.events().size() == 3);
  CHECK(late.events()[0].actor == "agent");
}

TEST_CASE("parts of an account are known before a day, each by itself", "[known_at]") {
  const UsageBytes first = usage_from_text("bigint{1:2025-01-10/\"$/1/view\",2025-01-10/view}");
  const UsageBytes second = usage_from_text("bigint{1:2025-04-10/\"$/3/view\";2:2025-04-10/view}");
  const std::vector<Bytes> parts{first, second};
  const auto events = [&](std::optional<std::string_view> before) {
    std::optional<Day> until;
    if (before) until = day(*before);
    MetricRequest request;
    request.id = MetricId::events;
    request.window_days = 365;
    return evaluate(Ledger::decode(parts, {}, {}, until), request, day("2025-06-01")).number;
  };
  CHECK(events("2025-01-11") == 2);
  CHECK(events("2025-01-12") == 3);
  CHECK(events("2025-04-13") == 3);
  CHECK(events("2025-04-14") == 4);
  CHECK(events(std::nullopt) == 4);
}
