// Parts of a ledger are what is left of its cells.
#include "core/ledger/usage_parts.hpp"

#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// What a function that answers nothing for "unchanged" comes to.
UsageBytes or_whole(const std::optional<UsageBytes>& part, const UsageBytes& whole) {
  if (part) REQUIRE(*part != whole);
  return part.value_or(whole);
}

UserSet set_of(const std::vector<std::string>& texts) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return UserSet(views);
}

}  // namespace

TEST_CASE("a slice has the cells of its days", "[usage]") {
  Random random(run_seed() + 20);
  for (int round = 0; round < 1000; ++round) {
    const PlainLedger plain = any_ledger(random, any_kind(random), between(random, 0, 30));
    const UsageBytes whole = encode(plain);
    std::optional<Day> from;
    std::optional<Day> until;
    if (between(random, 0, 3) > 0) from = any_day(random);
    if (between(random, 0, 3) > 0) until = any_day(random);
    PlainLedger expected = plain;
    std::erase_if(expected.cells, [&](const auto& cell) {
      return (from && cell.first.day < *from) || (until && cell.first.day >= *until);
    });
    REQUIRE(or_whole(slice_usage(whole, from, until), whole) == encode(expected));
  }
}

TEST_CASE("slices of adjoining days add up to the ledger", "[usage]") {
  Random random(run_seed() + 21);
  for (int round = 0; round < 300; ++round) {
    const UsageBytes whole = encode(any_ledger(random, any_kind(random), between(random, 0, 30)));
    const Day border = any_day(random);
    const UsageBytes before = or_whole(slice_usage(whole, std::nullopt, border), whole);
    const UsageBytes after = or_whole(slice_usage(whole, border, std::nullopt), whole);
    REQUIRE(add_usage(before, after) == whole);
  }
}

TEST_CASE("without some users, a ledger is as if they had never been", "[usage]") {
  Random random(run_seed() + 22);
  for (int round = 0; round < 500; ++round) {
    const UserKind kind = any_kind(random);
    const PlainLedger plain = any_ledger(random, kind, between(random, 0, 30));
    const UsageBytes whole = encode(plain);
    std::vector<std::string> texts = {"", "no id", "-17", "99999999999999999999",
                                      "00000000-0000-4000-8000-000000000000"};
    for (const auto& [place, sums] : plain.cells)
      if (between(random, 0, 2) == 0) texts.push_back(user_id_text(kind, place.user()));
    std::shuffle(texts.begin(), texts.end(), random);
    PlainLedger expected = plain;
    std::erase_if(expected.cells, [&](const auto& cell) {
      const std::string id = user_id_text(kind, cell.first.user());
      return std::find(texts.begin(), texts.end(), id) != texts.end();
    });
    REQUIRE(or_whole(usage_without_users(whole, set_of(texts)), whole) == encode(expected));
  }
}

TEST_CASE("a long list of users that are to go can be cancelled", "[usage]") {
  std::vector<std::string> texts;
  for (int i = 0; i < 100000; ++i) texts.push_back("user-" + std::to_string(i));
  static int polls;
  polls = 0;
  cancel_requested = []() noexcept { return ++polls == 3; };
  CHECK_THROWS_AS(set_of(texts), Cancelled);
  cancel_requested = nullptr;
  CHECK(polls == 3);
  const UserSet users = set_of(texts);
  CHECK(users.ids(UserKind::text).size() == texts.size());
  CHECK(users.ids(UserKind::uuid).empty());
}

TEST_CASE("users who are not in the ledger, or cannot be, leave it as it is", "[usage]") {
  const UsageBytes numbers = usage_from_text("bigint{1:2025-01-01/a;3:2025-01-01/a}");
  CHECK_FALSE(usage_without_users(numbers, set_of({})));
  CHECK_FALSE(usage_without_users(numbers, set_of({"2", "anna", "1.0", " 1", "01x"})));
  CHECK_FALSE(usage_without_users(empty_usage(), set_of({"1"})));
  CHECK(usage_without_users(numbers, set_of({"3", "1", "3"})) == empty_usage());
}
