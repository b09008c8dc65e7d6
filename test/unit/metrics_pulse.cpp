// The pulse is what the metrics say of the sum of the parts.
#include "core/metrics/pulse_state.hpp"

#include "core/ledger/usage_format.hpp"
#include "core/ledger/usage_parts.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

Pulse pulse_of(const std::vector<UsageBytes>& parts, Day as_of, std::optional<Day> start = std::nullopt) {
  std::vector<Bytes> bytes;
  for (const UsageBytes& part : parts) bytes.emplace_back(part);
  return take_pulse(bytes, as_of, start);
}

// The same through the aggregate's state: part by part, and as the sum of two states when there are several.
Pulse aggregated_pulse(const std::vector<UsageBytes>& parts, Day as_of, std::optional<Day> start) {
  const auto state_of = [&](std::size_t from, std::size_t until) {
    PulseState state;
    for (std::size_t i = from; i < until; ++i) {
      PulseState next;
      if (!add_to_pulse(state, parts[i], {as_of, start}, next)) state = next;
    }
    return state;
  };
  const std::size_t half = parts.size() / 2;
  if (half == 0) return finish_pulse(state_of(0, parts.size()));
  const Pulse whole = finish_pulse(state_of(0, parts.size()));
  const Pulse combined = finish_pulse(combine_pulses(state_of(0, half), state_of(half, parts.size())));
  REQUIRE(whole.active_users == combined.active_users);
  REQUIRE(whole.events == combined.events);
  REQUIRE(whole.trend_4w == combined.trend_4w);
  REQUIRE(whole.dip_streak == combined.dip_streak);
  REQUIRE(whole.power_user_dependency == combined.power_user_dependency);
  return combined;
}

Pulse pulse_of(const char* text, const char* as_of) { return pulse_of({usage_from_text(text)}, day(as_of)); }

// Compares with the metrics of the whole; a dip streak is seen for 8 weeks only.
void require_as_metrics(const Pulse& pulse, const UsageBytes& whole, Day as_of, std::optional<Day> start) {
  MetricSettings settings;
  settings.account_start = start;
  const Ledger ledger = Ledger::decode(UsageReader(whole), {}, settings);
  MetricRecord record;
  evaluate_all(ledger, as_of, record);
  INFO(usage_to_text(whole) << " as of " << day_text(as_of));
  REQUIRE(static_cast<double>(pulse.active_users) == record[MetricId::active_users].number);
  REQUIRE(to_double(pulse.events) == record[MetricId::events].number);
  REQUIRE(pulse.trend_4w.known() == record[MetricId::trend_4w].known());
  REQUIRE(pulse.trend_4w.number == record[MetricId::trend_4w].number);
  REQUIRE(static_cast<double>(pulse.dip_streak) == std::min(7.0, record[MetricId::dip_streak].number));
  REQUIRE(pulse.power_user_dependency.known() == record[MetricId::power_user_dependency].known());
  REQUIRE(pulse.power_user_dependency.number == record[MetricId::power_user_dependency].number);
}

// Events of a few users and weeks, some markers, now and then an amount, a large count or a far day.
PlainLedger busy_ledger(Random& random, UserKind kind, std::int64_t cells, std::int64_t names) {
  PlainLedger plain;
  plain.kind = kind;
  std::vector<Place> users;
  for (int i = 0; i < 6; ++i) users.push_back(any_user(random, kind));
  for (std::int64_t i = 0; i < cells; ++i) {
    Place place = any_of(random, users);
    place.day = between(random, 0, 50) == 0 ? any_day(random) : static_cast<Day>(between(random, 9000, 9080));
    if (between(random, 0, 60) == 0) place.day = always_there;
    place.event = any_event(random, names);
    Sums sums{1, 0, 0};
    if (between(random, 0, 5) == 0) sums.count = between(random, 1, 300);
    if (between(random, 0, 30) == 0) sums.count = between(random, 1, max_count / 100);
    if (between(random, 0, 6) == 0) sums = {sums.count, between(random, 0, 2), between(random, -9, 9)};
    plain.add(place, sums);
  }
  return plain;
}

}  // namespace

TEST_CASE("the pulse of a ledger is that of its metrics", "[metrics]") {
  Random random(run_seed() + 30);
  for (int round = 0; round < 2000; ++round) {
    const std::int64_t names = round % 10 == 0 ? 100 : between(random, 1, 8);
    const UsageBytes whole = encode(busy_ledger(random, any_kind(random), between(random, 0, 60), names));
    const Day as_of = static_cast<Day>(between(random, 8990, 9150));
    std::optional<Day> start;
    if (between(random, 0, 2) == 0) start = as_of - static_cast<Day>(between(random, 50, 60));
    require_as_metrics(pulse_of({whole}, as_of, start), whole, as_of, start);
    require_as_metrics(aggregated_pulse({whole}, as_of, start), whole, as_of, start);
  }
}

TEST_CASE("the pulse of parts is that of their sum, however it was taken apart", "[metrics]") {
  Random random(run_seed() + 31);
  for (int round = 0; round < 2000; ++round) {
    const UserKind kind = any_kind(random);
    const UsageBytes whole = encode(busy_ledger(random, kind, between(random, 0, 60), between(random, 1, 8)));
    std::vector<UsageBytes> parts = {whole};
    // Splits by day, or into something and the whole less it: parts with negative counts.
    for (auto splits = between(random, 0, round % 20 == 0 ? 12 : 4); splits > 0; --splits) {
      const auto at =
          static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(parts.size()) - 1));
      const UsageBytes part = parts[at];
      const Day border = static_cast<Day>(between(random, 9000, 9080));
      UsageBytes piece = slice_usage(part, border, std::nullopt).value_or(part);
      if (between(random, 0, 1) == 0) piece = encode(busy_ledger(random, kind, between(random, 0, 10), 3));
      parts[at] = subtract_usage(part, piece);
      parts.push_back(piece);
    }
    std::shuffle(parts.begin(), parts.end(), random);
    const Day as_of = static_cast<Day>(between(random, 8990, 9150));
    if (parts.size() == 1) continue;
    require_as_metrics(pulse_of(parts, as_of), whole, as_of, std::nullopt);
    require_as_metrics(aggregated_pulse(parts, as_of, std::nullopt), whole, as_of, std::nullopt);
  }
}

TEST_CASE("the trend vector as a pulse", "[metrics]") {
  const Pulse pulse = pulse_of(
      "bigint{1:2025-02-03/a*100,2025-02-10/a*100,2025-02-17/a*100,2025-02-24/a*100,2025-03-03/a*95,"
      "2025-03-10/a*90,2025-03-17/a*80,2025-03-24/a*75}",
      "2025-03-31");
  CHECK(pulse.active_users == 1);
  CHECK(pulse.events == 340);
  CHECK(pulse.trend_4w == Value::of(-0.15));
  CHECK(pulse.dip_streak == 4);
  CHECK(pulse.power_user_dependency == Value::of(1));
}

TEST_CASE("a pulse knows its three outcomes", "[metrics]") {
  const Pulse nothing = pulse_of("{}", "2025-03-31");
  CHECK(nothing.active_users == 0);
  CHECK(nothing.events == 0);
  CHECK_FALSE(nothing.trend_4w.known());
  CHECK_FALSE(nothing.power_user_dependency.known());
  CHECK(pulse_of("bigint{1:2020-01-01/a}", "2025-03-31").trend_4w == Value::of(0));
  CHECK(pulse_of("bigint{1:2020-01-01/a,2025-03-30/a}", "2025-03-31").trend_4w ==
        Value::none(Unknown::zero_denominator));
  CHECK(pulse_of("bigint{1:2025-02-03/a}", "2025-03-31").trend_4w == Value::of(-1));
  CHECK(pulse_of("bigint{1:2025-02-04/a}", "2025-03-31").trend_4w ==
        Value::none(Unknown::insufficient_history));
  // Markers are no events, but $joined says when the account began.
  const Pulse joined = pulse_of("bigint{1:2024-01-01/$joined,2025-03-30/$x;2:2025-03-30/b}", "2025-03-31");
  CHECK(joined.active_users == 1);
  CHECK(joined.trend_4w == Value::none(Unknown::zero_denominator));
  CHECK(pulse_of("bigint{1:0001-01-01/$joined,2025-03-30/b}", "2025-03-31").trend_4w ==
        Value::none(Unknown::insufficient_history));
  // What cancels out was never there.
  CHECK(pulse_of({usage_from_text("bigint{1:2020-01-01/a,2025-03-30/a}"),
                  usage_from_text("bigint{1:2020-01-01/a*-1}")},
                 day("2025-03-31"))
            .trend_4w == Value::none(Unknown::insufficient_history));
}

TEST_CASE("a pulse of negative counts or of different users is refused", "[metrics]") {
  const auto sqlstate_of = [](const std::vector<UsageBytes>& parts) {
    try {
      pulse_of(parts, day("2025-03-31"));
    } catch (const Error& error) {
      return std::string(error.sqlstate());
    }
    return std::string();
  };
  const UsageBytes one = usage_from_text("bigint{1:2025-03-30/a}");
  const UsageBytes minus = usage_from_text("bigint{1:2025-03-30/a*-2}");
  CHECK(sqlstate_of({minus}) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({minus, one}) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({minus, one, one}).empty());
  CHECK(sqlstate_of({usage_from_text("bigint{1:2025-02-20/a*-2}"), one}) ==
        sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of({usage_from_text("text{1:2025-03-30/a}"), one}) == sqlstate::datatype_mismatch);
  CHECK(sqlstate_of({usage_from_text("text{1:2025-03-30/a}"), empty_usage()}).empty());
}

TEST_CASE("damaged bytes never lead a pulse astray", "[metrics]") {
  Random random(run_seed() + 32);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const UserKind kind = any_kind(random);
    UsageBytes bytes = encode(busy_ledger(random, kind, between(random, 1, 20), 4));
    const auto damage = between(random, 1, 4);
    for (auto i = damage; i > 0; --i)
      bytes[static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(bytes.size()) - 1))] =
          static_cast<std::uint8_t>(between(random, 0, 255));
    if (between(random, 0, 3) == 0)
      bytes.resize(static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(bytes.size()))));
    // At its very end of memory, so that the sanitizer sees each step beyond.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    for (const bool twice : {false, true}) {
      try {
        pulse_of(twice ? std::vector<UsageBytes>{exact, exact} : std::vector<UsageBytes>{exact}, 9060);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("a state answers one question, and foreign bytes are no state", "[metrics]") {
  const auto sqlstate_of = [](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.sqlstate());
    }
    return std::string();
  };
  const UsageBytes part = usage_from_text("text{anna:2025-03-30/a;bert:2025-03-29/b*3}");
  PulseState state;
  REQUIRE_FALSE(add_to_pulse({}, part, {day("2025-03-31"), std::nullopt}, state));
  PulseState other;
  REQUIRE_FALSE(add_to_pulse({}, part, {day("2025-03-30"), std::nullopt}, other));
  PulseState result;
  CHECK(sqlstate_of([&] {
          add_to_pulse(state, part, {day("2025-03-30"), std::nullopt}, result);
        }) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of([&] {
          add_to_pulse(state, part, {day("2025-03-31"), day("2025-01-01")}, result);
        }) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of([&] { combine_pulses(state, other); }) == sqlstate::invalid_parameter_value);
  CHECK(sqlstate_of([&] { finish_pulse(PulseState(40, 0)); }) == sqlstate::data_corrupted);
  Random random(run_seed() + 33);
  for (int round = 0; round < 5000; ++round) {
    PulseState damaged = state;
    for (auto i = between(random, 1, 3); i > 0; --i)
      damaged[static_cast<std::size_t>(between(random, 0, static_cast<std::int64_t>(damaged.size()) - 1))] =
          static_cast<std::uint8_t>(between(random, 0, 255));
    damaged.resize(static_cast<std::size_t>(between(random, 1, static_cast<std::int64_t>(damaged.size()))));
    damaged.shrink_to_fit();
    sqlstate_of([&] { finish_pulse(damaged); });
    sqlstate_of([&] { combine_pulses(damaged, state); });
    sqlstate_of([&] { add_to_pulse(damaged, part, {day("2025-03-31"), std::nullopt}, result); });
  }
}
