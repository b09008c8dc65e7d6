// Facts: names of entries, every measure by its vectors of METRICS and at its edges, and against a loop over
// the rows.
#include "core/metrics/facts.hpp"

#include <limits>

#include "core/ledger/markers.hpp"
#include "core/scoring/phrase_fact.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// A row of a table of facts; nobody's without a user, open without an end.
struct Fact {
  std::string user;
  Day at;
  std::optional<Day> until;
  std::optional<double> value;
  std::string kind = "";
  std::string currency = "";
};

using FactRows = std::vector<Fact>;

void add_fact(PlainLedger& plain, const std::string& name, const Fact& fact, bool opinion) {
  Place place;
  place.bytes = fact.user;
  place.day = fact.at;
  const std::string value = opinion && fact.value ? std::to_string(static_cast<int>(*fact.value)) : "";
  const std::string rest = "/" + fact.currency + "/" + fact.kind;
  place.event = (fact.user.empty() ? "$/*" : "$/+") + name + "/" + value + rest;
  const Sums sums{1, fact.value ? 1 : 0, fact.value ? to_micro(*fact.value) : 0};
  plain.add(place, sums);
  if (!fact.until) return;
  place.event = "$/-" + name + "/" + std::to_string(*fact.until - fact.at) + rest;
  place.day = *fact.until;
  plain.add(place, sums);
}

Ledger facts_ledger(const FactRows& rows, bool opinion = false, const std::string& name = "f") {
  PlainLedger plain;
  plain.kind = UserKind::text;
  for (const Fact& fact : rows) add_fact(plain, name, fact, opinion);
  return Ledger::decode(encode(plain), {}, {});
}

// The same rows in ledgers of facts beside one of usage; what was written by mistake is taken back in
// another.
Ledger parted_ledger(Random& random, const FactRows& rows, bool take_back) {
  std::vector<PlainLedger> parts(4);
  for (PlainLedger& part : parts) part.kind = UserKind::text;
  for (const Fact& row : rows)
    add_fact(parts[static_cast<std::size_t>(between(random, 0, 2))], "f", row, true);
  Place place;
  place.bytes = "bob";
  place.event = "view";
  for (place.day = day("2025-01-01"); place.day < day("2025-01-10"); ++place.day)
    parts[3].add(place, Sums{1, 0, 0});
  std::vector<UsageBytes> written;
  for (const PlainLedger& part : parts) written.push_back(encode(part));
  if (take_back) {
    PlainLedger mistake;
    mistake.kind = UserKind::text;
    add_fact(mistake, "f", {"ann", day("2025-01-05"), day("2025-01-20"), 3.0, "bug"}, true);
    const UsageBytes more = encode(mistake);
    written[0] = add_usage(written[0], more);
    written.push_back(subtract_usage(empty_usage(), more));
  }
  const std::vector<Bytes> ledgers(written.begin(), written.end());
  return Ledger::decode(ledgers, {}, {});
}

FactRequest request_for(std::string_view measure) {
  FactRequest request;
  request.fact = "f";
  request.measure = fact_measure_by_name(measure).value();
  return request;
}

Value measured(const FactRows& rows, std::string_view measure, std::string_view as_of) {
  const auto request = request_for(measure);
  const bool opinion = fact_measure_info(request.measure).need == FactNeed::opinion;
  return evaluate_fact(facts_ledger(rows, opinion), request, day(as_of));
}

Value measured(const FactRows& rows, const FactRequest& request, std::string_view as_of) {
  return evaluate_fact(facts_ledger(rows), request, day(as_of));
}

Fact began(std::string_view at, std::string kind = "", std::optional<double> value = std::nullopt) {
  return {"", day(at), std::nullopt, value, std::move(kind)};
}

Fact lasted(std::string_view at, std::string_view until, std::optional<double> value = std::nullopt) {
  return {"", day(at), day(until), value};
}

Fact answered(std::string user, std::string_view at, double value) {
  return {std::move(user), day(at), std::nullopt, value};
}

}  // namespace

TEST_CASE("a name of an entry is taken apart, its kind last", "[facts]") {
  const auto split = [](std::string_view name) -> std::string {
    const auto parts = split_fact(name);
    if (!parts) return "none";
    const char* entry = parts->entry == FactEntry::start             ? "start"
                        : parts->entry == FactEntry::start_of_nobody ? "nobody"
                                                                     : "end";
    std::string text = entry;
    for (const std::string_view part : {parts->fact, parts->detail, parts->currency, parts->kind})
      text.append("|").append(part);
    return text;
  };
  CHECK(split("$/+tickets///bug") == "start|tickets|||bug");
  CHECK(split("$/*answers/9//") == "nobody|answers|9||");
  CHECK(split("$/-subs/59/EUR/pro") == "end|subs|59|EUR|pro");
  CHECK(split("$/+t///how/to/\"x\"/") == "start|t|||how/to/\"x\"/");
  CHECK(split("$/+////") == "start||||/");
  for (const char* name :
       {"$/+tickets", "$/+tickets/", "$/+tickets//", "$/-", "$/+", "$/3/x", "$/", "", "tickets", "$agent/x"})
    CHECK(split(name) == "none");
  CHECK(is_fact("$/+tickets"));
  CHECK_FALSE(is_fact("$/"));
  CHECK_FALSE(is_fact("$/3/x"));
  CHECK(is_marker("$/+tickets///bug"));
}

TEST_CASE("measures have names", "[facts]") {
  for (const FactMeasureInfo& info : fact_measures) {
    CHECK(fact_measure_by_name(info.name) == info.id);
    CHECK(fact_measure_info(info.id).name == info.name);
  }
  CHECK_FALSE(fact_measure_by_name("opn"));
  CHECK_FALSE(fact_measure_by_name(""));
}

TEST_CASE("what is open: monthly revenue of METRICS", "[facts]") {
  const FactRows rows{lasted("2025-01-01", "2025-03-01", 100), {"", day("2025-03-01"), std::nullopt, 150}};
  CHECK(known(measured(rows, "open_sum", "2025-02-01"), 100));
  CHECK(known(measured(rows, "open_sum", "2025-03-01"), 100));
  CHECK(known(measured(rows, "open_sum", "2025-03-02"), 150));
  CHECK(known(measured(rows, "open_sum", "2025-01-01"), 0));
  CHECK(known(measured(rows, "open_sum", "2025-01-02"), 100));
  CHECK(known(measured(rows, "open", "2025-03-01"), 1));
  CHECK(known(measured(rows, "open", "2025-03-02"), 1));
  CHECK(known(measured({}, "open", "2025-03-02"), 0));
  CHECK(known(measured({}, "open_sum", "2025-03-02"), 0));
}

TEST_CASE("what ends on its first day counts and is never open", "[facts]") {
  const FactRows rows{lasted("2025-03-10", "2025-03-10", 5)};
  for (const char* as_of : {"2025-03-10", "2025-03-11", "2025-03-12"}) {
    CHECK(known(measured(rows, "open", as_of), 0));
    CHECK(known(measured(rows, "open_sum", as_of), 0));
  }
  CHECK(known(measured(rows, "count", "2025-03-10"), 0));
  CHECK(known(measured(rows, "count", "2025-03-11"), 1));
  CHECK(known(measured(rows, "sum", "2025-03-11"), 5));
  CHECK(known(measured(rows, "mean_days", "2025-03-11"), 0));
}

TEST_CASE("a window has its first day and not its last", "[facts]") {
  const FactRows rows{began("2025-03-01", "", 10), began("2025-03-01", "", 20)};
  FactRequest request = request_for("count");
  CHECK(known(measured(rows, request, "2025-03-01"), 0));
  CHECK(known(measured(rows, request, "2025-03-02"), 2));
  CHECK(known(measured(rows, request, "2025-03-29"), 2));  // 28 days, those of the settings
  CHECK(known(measured(rows, request, "2025-03-30"), 0));
  request.window_days = 7;
  CHECK(known(measured(rows, request, "2025-03-08"), 2));
  CHECK(known(measured(rows, request, "2025-03-09"), 0));
  CHECK(known(measured(rows, "sum", "2025-03-29"), 30));
  CHECK(known(measured(rows, "sum", "2025-03-30"), 0));
  CHECK(known(measured(rows, "mean", "2025-03-29"), 15));
  CHECK(unknown(measured(rows, "mean", "2025-03-30"), Unknown::no_data));
  CHECK(unknown(measured({began("2025-03-01")}, "mean", "2025-03-02"), Unknown::no_data));
}

TEST_CASE("a change needs a base", "[facts]") {
  FactRequest request = request_for("change");
  request.window_days = 7;
  const FactRows rows{began("2025-03-01", "", 4), began("2025-03-07", "", 1), began("2025-03-08", "", -2),
                      began("2025-03-14", "", 12), began("2025-03-14", "", 0)};
  CHECK(known(measured(rows, request, "2025-03-15"), .5));
  CHECK(known(measured(rows, request, "2025-03-22"), -1));
  CHECK(unknown(measured(rows, request, "2025-03-08"), Unknown::zero_denominator));
  CHECK(unknown(measured(rows, request, "2025-03-29"), Unknown::zero_denominator));
  request.by_value = true;
  CHECK(known(measured(rows, request, "2025-03-15"), 1));
  CHECK(unknown(measured({began("2025-03-01", "", 0), began("2025-03-10", "", 3)}, request, "2025-03-15"),
                Unknown::zero_denominator));
  CHECK(unknown(measured({began("2025-03-01", "", -3), began("2025-03-10", "", 3)}, request, "2025-03-15"),
                Unknown::zero_denominator));
  // Down 10 % of 400 is exactly that: a quotient less one is not.
  FactRows many(400, began("2025-03-01"));
  many.insert(many.end(), 360, began("2025-03-08"));
  request.by_value = false;
  CHECK(measured(many, request, "2025-03-15").number == -.1);
}

TEST_CASE("days since the latest start, days left to the first end of what is open", "[facts]") {
  const FactRows rows{lasted("2025-01-01", "2025-03-01"), lasted("2025-01-01", "2025-06-01")};
  CHECK(unknown(measured(rows, "days_since", "2025-01-01"), Unknown::no_data));
  CHECK(known(measured(rows, "days_since", "2025-01-02"), 1));
  CHECK(known(measured(rows, "days_since", "2025-02-01"), 31));
  CHECK(unknown(measured(rows, "days_left", "2025-01-01"), Unknown::no_data));
  CHECK(known(measured(rows, "days_left", "2025-02-01"), 28));
  CHECK(known(measured(rows, "days_left", "2025-03-01"), 0));  // open on the day before, ends today
  CHECK(known(measured(rows, "days_left", "2025-03-02"), 91));
  CHECK(known(measured(rows, "days_left", "2025-06-02"), -1));
  CHECK(known(measured(rows, "days_left", "2025-07-01"), -30));
  // What runs without an end has none, whatever ended before; what ends on its day never runs.
  CHECK(
      unknown(measured({lasted("2025-01-01", "2025-02-01"), began("2025-02-01")}, "days_left", "2025-03-01"),
              Unknown::no_data));
  CHECK(known(measured({lasted("2025-01-01", "2025-04-01"), began("2025-02-01")}, "days_left", "2025-03-01"),
              31));
  CHECK(known(measured({lasted("2025-02-10", "2025-02-10")}, "days_left", "2025-03-01"), -19));
  // A contract that begins later is not open yet.
  CHECK(known(measured({lasted("2024-01-01", "2025-02-01"), lasted("2025-03-01", "2026-03-01")}, "days_left",
                       "2025-03-01"),
              -28));
  CHECK(known(measured({lasted("2024-01-01", "2025-02-01"), lasted("2025-03-01", "2026-03-01")}, "days_left",
                       "2025-03-02"),
              364));
}

TEST_CASE("ends count where they are, starts where they are", "[facts]") {
  const FactRows rows{lasted("2025-01-01", "2025-03-01"), lasted("2025-02-27", "2025-03-02"),
                      lasted("2025-03-03", "2025-12-31")};
  CHECK(unknown(measured(rows, "mean_days", "2025-03-01"), Unknown::no_data));
  CHECK(known(measured(rows, "mean_days", "2025-03-02"), 59));
  CHECK(known(measured(rows, "mean_days", "2025-03-03"), 31));
  CHECK(known(measured(rows, "mean_days", "2025-03-29"), 31));
  CHECK(known(measured(rows, "mean_days", "2025-03-30"), 3));
  CHECK(unknown(measured(rows, "mean_days", "2025-03-31"), Unknown::no_data));
}

TEST_CASE("opinions: each person's latest, two of a day half a vote each", "[facts]") {
  const FactRows later{answered("ann", "2025-02-01", 9), answered("ann", "2025-02-05", 6),
                       answered("bob", "2025-02-03", 10), answered("cy", "2025-02-03", 7)};
  CHECK(known(measured(later, "nps", "2025-03-01"), 0));
  CHECK(known(measured(later, "nps", "2025-02-05"), 200 / 3.));  // her second answer is of that day
  const FactRows same{answered("ann", "2025-02-05", 9), answered("ann", "2025-02-05", 6),
                      answered("bob", "2025-02-03", 10), answered("cy", "2025-02-03", 7)};
  CHECK(known(measured(same, "nps", "2025-03-01"), 100 / 3.));
  // 5 promoters and 2 detractors of 10; 6 and 0 against, 7 and 8 neither.
  FactRows ten;
  for (const double value : {9, 9, 10, 10, 9, 6, 0, 7, 8, 8})
    ten.push_back(answered("u" + std::to_string(ten.size()), "2025-02-01", value));
  CHECK(known(measured(ten, "nps", "2025-03-01"), 30));
  CHECK(unknown(measured({}, "nps", "2025-03-01"), Unknown::no_data));
  CHECK(known(measured({answered("a", "2025-02-01", 4), answered("b", "2025-02-01", 5),
                        answered("c", "2025-02-01", 3)},
                       "csat", "2025-03-01"),
              200 / 3.));
  CHECK(known(measured({answered("a", "2025-02-01", 2), answered("b", "2025-02-01", 7)}, "ces", "2025-03-01"),
              4.5));
  CHECK(known(measured({answered("a", "2025-02-01", 2.5), answered("a", "2025-02-01", 3.5),
                        answered("b", "2025-02-01", 7)},
                       "latest", "2025-03-01"),
              5));
}

TEST_CASE("answers of nobody count singly", "[facts]") {
  CHECK(known(measured({answered("", "2025-02-01", 10), answered("", "2025-02-01", 10),
                        answered("", "2025-02-02", 0)},
                       "nps", "2025-03-01"),
              100 / 3.));
  CHECK(known(measured({answered("", "2025-02-01", 10), answered("ann", "2025-02-01", 0),
                        answered("ann", "2025-02-02", 0)},
                       "nps", "2025-03-01"),
              0));
}

TEST_CASE("answers are valid for so many days", "[facts]") {
  const FactRows rows{answered("ann", "2025-01-01", 9), answered("bob", "2025-02-01", 3)};
  CHECK(known(measured(rows, "nps", "2025-06-30"), 0));  // 180 days
  CHECK(known(measured(rows, "nps", "2025-07-01"), -100));
  CHECK(known(measured(rows, "nps", "2025-07-31"), -100));
  CHECK(unknown(measured(rows, "nps", "2025-08-01"), Unknown::no_data));
  FactRequest request = request_for("latest");
  request.valid_days = 1;
  CHECK(known(measured(rows, request, "2025-02-02"), 3));
  CHECK(unknown(measured(rows, request, "2025-02-03"), Unknown::no_data));
}

TEST_CASE("some kinds, and their share", "[facts]") {
  const FactRows rows{began("2025-02-01", "bug"), began("2025-02-01", "bug"), began("2025-02-02", "how/to"),
                      began("2025-02-02", "")};
  FactRequest request = request_for("share");
  request.kinds = {"bug"};
  CHECK(known(measured(rows, request, "2025-02-10"), .5));
  request.kinds = {"bug", "how/to"};
  CHECK(known(measured(rows, request, "2025-02-10"), .75));
  request.kinds = {"none"};
  CHECK(known(measured(rows, request, "2025-02-10"), 0));
  CHECK(unknown(measured(rows, request, "2025-03-10"), Unknown::no_data));
  request = request_for("count");
  request.kinds = {"how/to"};
  CHECK(known(measured(rows, request, "2025-02-10"), 1));
}

TEST_CASE("amounts of several currencies are not added", "[facts]") {
  const FactRows rows{{"", day("2025-01-01"), day("2025-02-01"), 100, "", "EUR"},
                      {"", day("2025-01-15"), std::nullopt, 50, "", "USD"}};
  CHECK(known(measured(rows, "open_sum", "2025-01-15"), 100));
  CHECK(unknown(measured(rows, "open_sum", "2025-02-01"), Unknown::not_applicable));
  CHECK(known(measured(rows, "open_sum", "2025-02-02"), 50));
  CHECK(known(measured(rows, "open", "2025-02-01"), 2));
  for (const char* measure : {"sum", "mean", "latest"})
    CHECK(unknown(measured(rows, measure, "2025-01-20"), Unknown::not_applicable));
  CHECK(known(measured(rows, "count", "2025-01-20"), 2));
  FactRequest euros = request_for("open_sum");
  euros.currency = "EUR";
  CHECK(known(measured(rows, euros, "2025-02-01"), 100));
  CHECK(known(measured(rows, euros, "2025-02-02"), 0));
  FactRequest change = request_for("change");
  change.by_value = true;
  change.window_days = 14;
  CHECK(unknown(measured(rows, change, "2025-01-29"), Unknown::not_applicable));  // from euros to dollars
  change.currency = "USD";
  CHECK(unknown(measured(rows, change, "2025-01-29"), Unknown::zero_denominator));
}

TEST_CASE("facts are told apart from each other and from usage", "[facts]") {
  PlainLedger plain;
  plain.kind = UserKind::text;
  add_fact(plain, "f", began("2025-02-01"), false);
  add_fact(plain, "ff", began("2025-02-02"), false);
  add_fact(plain, "e", lasted("2025-02-01", "2025-03-01"), false);
  plain.add({0, "ann", day("2025-02-03"), "view"}, {2, 0, 0});
  const Ledger both = Ledger::decode(encode(plain), {}, {});
  for (const char* fact : {"f", "ff", "e"}) {
    FactRequest request = request_for("count");
    request.fact = fact;
    CHECK(known(evaluate_fact(both, request, day("2025-02-10")), 1));
  }
  FactRequest request = request_for("count");
  request.fact = "none";
  CHECK(known(evaluate_fact(both, request, day("2025-02-10")), 0));
  CHECK(known(ask(both, MetricId::events, "2025-02-10"), 2));
  CHECK(known(ask(both, MetricId::active_users, "2025-02-10"), 1));
  CHECK(known(ask(both, MetricId::recency_days, "2025-02-10"), 7));
  CHECK(has_fact(both, "f", day("2025-02-02")));
  CHECK_FALSE(has_fact(both, "f", day("2025-02-01")));
  CHECK_FALSE(has_fact(both, "none", day("2025-02-10")));
}

namespace {

// The measures by their words, over the rows.
struct FactOracle {
  const FactRows& rows;
  Day as_of;
  int window, valid;

  template <class Wanted>
  std::pair<double, double> sum(Wanted&& wanted) const {  // values and how many
    double total = 0, count = 0;
    for (const Fact& row : rows)
      if (wanted(row)) total += *row.value, ++count;
    return {total, count};
  }
  bool in_window(Day day, int back = 0) const {
    return day >= as_of - window * (1 + back) && day < as_of - window * back;
  }
  bool open(const Fact& row) const { return row.at < as_of && (!row.until || *row.until >= as_of); }

  std::optional<double> over(double part, double whole) const {
    return whole == 0 ? std::nullopt : std::optional(part / whole);
  }

  std::optional<double> left() const {
    std::optional<double> first, last;
    bool any = false;
    for (const Fact& row : rows) {
      if (open(row)) {
        any = true;
        if (row.until && (!first || *row.until - as_of < *first)) first = *row.until - as_of;
      } else if (row.until && *row.until < as_of && (!last || *row.until - as_of > *last)) {
        last = *row.until - as_of;
      }
    }
    return any ? first : last;
  }

  template <class Vote>
  std::optional<double> voices(Vote&& vote) const {
    double total = 0, people = 0;
    for (const Fact& row : rows) {
      if (row.at >= as_of || row.at < as_of - valid) continue;
      double beside = 1;
      bool later = false;
      for (const Fact& other : rows) {
        if (row.user.empty() || other.user != row.user || other.at >= as_of) continue;
        later |= other.at > row.at;
        beside += &other != &row && other.at == row.at;
      }
      if (later) continue;
      total += vote(*row.value) / beside;
      people += 1 / beside;
    }
    return over(total, people);
  }

  std::optional<double> answer(FactMeasure measure) const {
    const auto counted = sum([&](const Fact& row) { return in_window(row.at); });
    const auto running = sum([&](const Fact& row) { return open(row); });
    switch (measure) {
      case FactMeasure::count:
        return counted.second;
      case FactMeasure::sum:
        return counted.first;
      case FactMeasure::mean:
        return over(counted.first, counted.second);
      case FactMeasure::change: {
        const auto before = sum([&](const Fact& row) { return in_window(row.at, 1); });
        return over(counted.second - before.second, before.second);
      }
      case FactMeasure::open:
        return running.second;
      case FactMeasure::open_sum:
        return running.first;
      case FactMeasure::days_since: {
        std::optional<double> days;
        for (const Fact& row : rows)
          if (row.at < as_of && (!days || as_of - row.at < *days)) days = as_of - row.at;
        return days;
      }
      case FactMeasure::days_left:
        return left();
      case FactMeasure::mean_days: {
        double days = 0, ended = 0;
        for (const Fact& row : rows)
          if (row.until && in_window(*row.until)) days += *row.until - row.at, ++ended;
        return over(days, ended);
      }
      case FactMeasure::nps:
        return voices([](double value) { return value >= 9 ? 100. : value <= 6 ? -100. : 0.; });
      case FactMeasure::csat:
        return voices([](double value) { return value >= 4 ? 100. : 0.; });
      case FactMeasure::latest:
      case FactMeasure::ces:
        return voices([](double value) { return value; });
      case FactMeasure::share:
        break;
    }
    return over(sum([&](const Fact& row) { return in_window(row.at) && row.kind == "bug"; }).second,
                counted.second);
  }
};

}  // namespace

TEST_CASE("every measure is what a loop over the rows says", "[facts]") {
  Random random(run_seed() + 77);
  const Day first = day("2025-01-01");
  for (int round = 0; round < 150; ++round) {
    FactRows rows;
    const auto count = between(random, 0, 25);
    for (std::int64_t i = 0; i < count; ++i) {
      Fact row{any_of(random, std::vector<std::string>{"", "ann", "bob", "cy"}),
               static_cast<Day>(first + between(random, 0, 60)), std::nullopt,
               static_cast<double>(between(random, 0, 10)),
               any_of(random, std::vector<std::string>{"", "bug", "how/to"})};
      if (between(random, 0, 2) > 0) row.until = static_cast<Day>(row.at + between(random, 0, 30));
      rows.push_back(row);
    }
    const Ledger of = facts_ledger(rows, true);
    const Ledger parted = parted_ledger(random, rows, round % 2 == 1);
    const int window = static_cast<int>(between(random, 1, 30)),
              valid = static_cast<int>(between(random, 1, 40));
    for (Day as_of = first - 1; as_of < first + 95; as_of += static_cast<Day>(between(random, 1, 4)))
      for (const FactMeasureInfo& info : fact_measures) {
        FactRequest request = request_for(info.name);
        request.window_days = window;
        request.valid_days = valid;
        if (info.id == FactMeasure::share) request.kinds = {"bug"};
        const Value value = evaluate_fact(of, request, as_of);
        const auto expected = FactOracle{rows, as_of, window, valid}.answer(info.id);
        INFO(info.name << " at " << day_text(as_of) << " in round " << round);
        REQUIRE(value.known() == expected.has_value());
        if (expected) REQUIRE(value.number == Approx(*expected).margin(1e-9));
        const Value in_parts = evaluate_fact(parted, request, as_of);
        REQUIRE(in_parts.unknown == value.unknown);
        REQUIRE(in_parts.number == value.number);
      }
  }
}

TEST_CASE("a measure is a phrase", "[facts]") {
  const auto says = [](std::string_view measure, double value, std::vector<std::string> kinds = {}) {
    FactRequest request = request_for(measure);
    request.fact = "tickets";
    request.kinds = std::move(kinds);
    return describe_fact(request, value, {});
  };
  CHECK(says("count", 0) == "no tickets in 28 days");
  CHECK(says("count", 1) == "1 ticket in 28 days");
  CHECK(says("count", 3, {"bug", "how/to"}) == "3 tickets (bug, how/to) in 28 days");
  CHECK(says("sum", 1250) == "tickets of 1250 in 28 days");
  CHECK(says("mean", 2.5) == "tickets of 2.5 on average in 28 days");
  CHECK(says("change", .5) == "tickets up 50 % in 28 days");
  CHECK(says("change", -.5) == "tickets down 50 % in 28 days");
  CHECK(says("change", 0) == "as many tickets as in the 28 days before");
  CHECK(says("open", 2) == "2 tickets open");
  CHECK(says("open_sum", 150) == "tickets of 150 running");
  CHECK(says("days_since", 1) == "1 day since the latest tickets");
  CHECK(says("days_left", 12) == "tickets end in 12 days");
  CHECK(says("days_left", 0) == "tickets end today");
  CHECK(says("days_left", -1) == "tickets ended 1 day ago");
  CHECK(says("mean_days", 4.25) == "tickets took 4.25 days on average in 28 days");
  CHECK(says("latest", 7) == "latest tickets 7 on average");
  CHECK(says("nps", 30) == "NPS 30 of tickets");
  CHECK(says("csat", 66.6) == "66.6 % satisfied in tickets");
  CHECK(says("ces", 4) == "effort score 4 of tickets");
  CHECK(says("share", .5, {"bug"}) == "50 % of tickets in 28 days are bug");
  FactRequest request = request_for("open_sum");
  request.fact = "Open_invoices";
  request.currency = "EUR";
  CHECK(describe_fact(request, 90, {}) == "open invoices of 90 EUR running");
  CHECK(show_fact(request_for("share"), .25) == "25 %");
  CHECK(show_fact(request_for("change"), .25) == "+25 %");
  CHECK(show_fact(request_for("open"), 3) == "3");
}
