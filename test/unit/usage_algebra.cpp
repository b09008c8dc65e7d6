// Ledgers add up like numbers: order never matters, what was added can be taken away again.
#include "core/ledger/usage_algebra.hpp"

#include "core/ledger/usage_format.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

UsageBytes from_text(const char* text) { return usage_from_text(text); }

std::string sqlstate_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.sqlstate();
  }
  return "";
}

}  // namespace

TEST_CASE("sums and differences of ledgers are those of their cells", "[usage]") {
  Random random(run_seed() + 10);
  for (int round = 0; round < 1000; ++round) {
    const UserKind kind = any_kind(random);
    const PlainLedger a = any_ledger(random, kind, between(random, 0, 40), 100);
    const PlainLedger b = any_ledger(random, kind, between(random, 0, 40), 100);
    PlainLedger sum = a;
    PlainLedger difference = a;
    for (const auto& [place, sums] : b.cells) {
      sum.add(place, sums);
      difference.add(place, {-sums.count, -sums.amount_count, -sums.amount});
    }
    REQUIRE(add_usage(encode(a), encode(b)) == encode(sum));
    REQUIRE(subtract_usage(encode(a), encode(b)) == encode(difference));
  }
}

TEST_CASE("any number of ledgers add up as two and two do", "[usage]") {
  Random random(run_seed() + 14);
  for (int round = 0; round < 300; ++round) {
    const UserKind kind = any_kind(random);
    const auto count = static_cast<std::size_t>(
        between(random, 0, round % 10 == 0 ? 5 * static_cast<std::int64_t>(merged_at_once) : 12));
    UsageBytes sum = empty_usage();
    std::vector<UsageBytes> ledgers;
    for (std::size_t i = 0; i < count; ++i) {
      UsageBytes ledger = encode(any_ledger(random, kind, between(random, 0, 40), 100));
      // Some take away what others bring: cells, users, names and first days that cancel out.
      if (i > 0 && between(random, 0, 3) == 0) ledger = subtract_usage(ledger, any_of(random, ledgers));
      sum = add_usage(sum, ledger);
      ledgers.push_back(std::move(ledger));
    }
    REQUIRE(sum_usage({ledgers.begin(), ledgers.end()}) == sum);
    std::shuffle(ledgers.begin(), ledgers.end(), random);
    REQUIRE(sum_usage({ledgers.begin(), ledgers.end()}) == sum);
  }
}

TEST_CASE("ledgers are an abelian group", "[usage]") {
  Random random(run_seed() + 11);
  for (int round = 0; round < 500; ++round) {
    const UserKind kind = any_kind(random);
    const UsageBytes a = encode(any_ledger(random, kind, between(random, 0, 30)));
    const UsageBytes b = encode(any_ledger(random, kind, between(random, 0, 30)));
    const UsageBytes c = encode(any_ledger(random, kind, between(random, 0, 30)));
    const UsageBytes nothing = empty_usage();
    REQUIRE(add_usage(a, b) == add_usage(b, a));
    REQUIRE(add_usage(add_usage(a, b), c) == add_usage(a, add_usage(b, c)));
    REQUIRE(add_usage(a, nothing) == a);
    REQUIRE(add_usage(nothing, a) == a);
    REQUIRE(subtract_usage(a, nothing) == a);
    REQUIRE(subtract_usage(a, a) == nothing);
    REQUIRE(subtract_usage(add_usage(a, b), b) == a);
    REQUIRE(add_usage(a, subtract_usage(nothing, a)) == nothing);
    REQUIRE(subtract_usage(nothing, subtract_usage(nothing, a)) == a);
  }
}

TEST_CASE("users of different types do not add up, but the empty ledger goes with all", "[usage]") {
  const UsageBytes numbers = from_text("bigint{1:2025-01-01/a}");
  const UsageBytes names = from_text("text{1:2025-01-01/a}");
  REQUIRE(sqlstate_of([&] { add_usage(numbers, names); }) == sqlstate::datatype_mismatch);
  REQUIRE(sqlstate_of([&] { subtract_usage(names, numbers); }) == sqlstate::datatype_mismatch);
  // A ledger of which nothing is left has forgotten its type.
  REQUIRE(add_usage(subtract_usage(numbers, numbers), names) == names);
}

TEST_CASE("sums past the range of a count or an amount are errors, never a wrap-around", "[usage]") {
  const UsageBytes many = from_text("bigint{1:2025-01-01/a*1152921504606846976}");
  const UsageBytes rich = from_text("bigint{1:2025-01-01/a=10000000000000000000000}");
  const UsageBytes poor = from_text("bigint{1:2025-01-01/a=-10000000000000000000000}");
  REQUIRE(sqlstate_of([&] { add_usage(many, from_text("bigint{1:2025-01-01/a}")); }) ==
          sqlstate::numeric_value_out_of_range);
  REQUIRE(sqlstate_of([&] { add_usage(rich, from_text("bigint{1:2025-01-01/a=0.000001}")); }) ==
          sqlstate::numeric_value_out_of_range);
  REQUIRE(sqlstate_of([&] { subtract_usage(poor, rich); }) == sqlstate::numeric_value_out_of_range);
  REQUIRE(usage_to_text(add_usage(rich, poor)) == "bigint{1:2025-01-01/a*2=0}");
  REQUIRE(sqlstate_of([&] { from_text("bigint{1:2025-01-01/a=10000000000000000000000.000001}"); }) ==
          sqlstate::numeric_value_out_of_range);
}

TEST_CASE("amounts of the largest size add up and take away like any other", "[usage]") {
  const UsageBytes one = from_text("bigint{1:2025-01-01/a=9223372036854.775807}");
  UsageBytes sum = one;
  for (int doubled = 0; doubled < 30; ++doubled) sum = add_usage(sum, sum);
  validate_usage(sum);
  CHECK(usage_to_text(sum) == "bigint{1:2025-01-01/a*1073741824=9903520314283042198119.251968}");
  CHECK(usage_from_text(usage_to_text(sum)) == sum);
  // Sums that fit 64 bits are written as they ever were.
  for (int halved = 29; halved >= 0; --halved) {
    UsageBytes half = one;
    for (int doubled = 0; doubled < halved; ++doubled) half = add_usage(half, half);
    sum = subtract_usage(sum, half);
  }
  CHECK(sum == one);
}

TEST_CASE("without a user, a ledger is as if that user had never been", "[usage]") {
  Random random(run_seed() + 12);
  for (int round = 0; round < 300; ++round) {
    const PlainLedger plain = any_ledger(random, any_kind(random), between(random, 1, 20));
    if (plain.cells.empty()) continue;
    auto one = plain.cells.begin();
    std::advance(one, between(random, 0, static_cast<std::int64_t>(plain.cells.size()) - 1));
    const Place gone = one->first;
    PlainLedger rest = plain;
    std::erase_if(rest.cells, [&](const auto& cell) {
      return compare_users(plain.kind, cell.first.user(), gone.user()) == 0;
    });
    REQUIRE(usage_without_user(encode(plain), user_id_text(plain.kind, gone.user())) == encode(rest));
  }
  const UsageBytes some = from_text("bigint{1:2025-01-01/a}");
  REQUIRE(usage_without_user(some, "2") == some);
  REQUIRE(sqlstate_of([&] { usage_without_user(some, "anna"); }) == sqlstate::invalid_text_representation);
}

TEST_CASE("an amount that is left over without events is a value like any other", "[usage]") {
  const UsageBytes rest =
      subtract_usage(from_text("bigint{1:2025-01-01/a=5}"), from_text("bigint{1:2025-01-01/a=3}"));
  validate_usage(rest);
  REQUIRE(usage_to_text(rest) == "bigint{1:2025-01-01/a*0=2}");
  REQUIRE(from_text("bigint{1:2025-01-01/a*0=2}") == rest);
}

TEST_CASE("every ledger has a negative, up to the ends of the range", "[usage]") {
  const UsageBytes nothing = empty_usage();
  for (const char* text :
       {"bigint{1:2025-01-01/a*-1152921504606846976=-10000000000000000000000}",
        "bigint{1:2025-01-01/a*1152921504606846976=10000000000000000000000#-1152921504606846976}",
        "bigint{1:2025-01-01/a=-9223372036854.775808}"}) {
    const UsageBytes extreme = from_text(text);
    REQUIRE(subtract_usage(nothing, subtract_usage(nothing, extreme)) == extreme);
    REQUIRE(subtract_usage(extreme, extreme) == nothing);
  }
  // One further is not a ledger at all.
  CHECK(sqlstate_of([] { from_text("bigint{1:2025-01-01/a=-10000000000000000000000.000001}"); }) ==
        sqlstate::numeric_value_out_of_range);
  CHECK(sqlstate_of([] { from_text("bigint{1:2025-01-01/a=1#1152921504606846977}"); }) ==
        sqlstate::numeric_value_out_of_range);
}
