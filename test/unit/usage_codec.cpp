// The ledger's bytes: lossless, one encoding for equal content, hostile bytes refused.
#include "core/ledger/usage.hpp"

#include "core/ledger/usage_format.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("decoding gives back what was encoded", "[usage]") {
  Random random(run_seed());
  for (int round = 0; round < 2000; ++round) {
    const PlainLedger plain = any_ledger(random, any_kind(random), between(random, 0, 60), 90);
    const UsageBytes bytes = encode(plain);
    validate_usage(bytes);
    REQUIRE(decode(bytes) == plain);
    UsageReader reader(bytes);
    REQUIRE(reader.cell_count() == plain.cells.size());
  }
}

TEST_CASE("a wrong guess of event names and first day leaves no trace in the bytes", "[usage]") {
  Random random(run_seed() + 1);
  for (int round = 0; round < 500; ++round) {
    const PlainLedger plain = any_ledger(random, any_kind(random), between(random, 0, 30));
    REQUIRE(encode(plain, {"aaa", "event_3", "zzz"}, static_cast<Day>(between(random, -40, 40))) ==
            encode(plain));
  }
}

TEST_CASE("the empty ledger has no kind and two bytes", "[usage]") {
  const UsageBytes nothing = empty_usage();
  REQUIRE(nothing == UsageBytes{usage_version, 0});
  UsageReader reader(nothing);
  REQUIRE(reader.user_kind() == UserKind::none);
  REQUIRE(reader.cell_count() == 0);
  REQUIRE_FALSE(reader.next_user());
}

TEST_CASE("extreme users, days and counts keep their place", "[usage]") {
  PlainLedger plain;
  for (const std::int64_t user :
       {INT64_MIN, INT64_MIN + 1, std::int64_t{-1}, std::int64_t{0}, INT64_MAX - 1, INT64_MAX})
    for (const Day day : {min_day, min_day + 1, -1, 0, max_day - 1, max_day})
      for (const char* event : {"a", "b"})
        plain.add({user, "", day, event}, {day < 0 ? -max_count : max_count, -1, INT64_MAX});
  const UsageBytes bytes = encode(plain);
  validate_usage(bytes);
  REQUIRE(decode(bytes) == plain);
  REQUIRE(usage_from_text(usage_to_text(bytes)) == bytes);
}

namespace {

// Bytes are refused with an error of unreadable bytes, or they are the one encoding of what they say.
void check_bytes(const UsageBytes& bytes) {
  try {
    validate_usage(bytes);
  } catch (const Error& error) {
    REQUIRE(error.sqlstate() == std::string(sqlstate::invalid_binary_representation));
    REQUIRE_FALSE(error.hint().empty());
    return;
  }
  const PlainLedger plain = decode(bytes);
  if (encode(plain) != bytes) FAIL("two encodings of " << usage_to_text(bytes));
  if (usage_from_text(usage_to_text(bytes)) != bytes) FAIL("lost in text: " << usage_to_text(bytes));
}

}  // namespace

TEST_CASE("every truncation and every changed byte is refused or canonical", "[usage]") {
  Random random(run_seed() + 2);
  for (int round = 0; round < 9; ++round) {
    const UsageBytes bytes = encode(any_ledger(random, static_cast<UserKind>(round % 3 + 1), 4, 4));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      check_bytes({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    UsageBytes changed = bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        changed[at] = static_cast<std::uint8_t>(value);
        check_bytes(changed);
      }
      changed[at] = bytes[at];
    }
    changed.push_back(0);
    REQUIRE_THROWS_AS(validate_usage(changed), Error);
  }
}

TEST_CASE("bytes cut out, doubled and swapped are refused or canonical", "[usage]") {
  Random random(run_seed() + 3);
  for (int round = 0; round < 20000; ++round) {
    UsageBytes bytes = encode(any_ledger(random, any_kind(random), between(random, 1, 5), 4));
    for (auto changes = between(random, 1, 3); changes > 0 && !bytes.empty(); --changes) {
      const auto at = bytes.begin() + between(random, 0, static_cast<std::int64_t>(bytes.size()) - 1);
      switch (between(random, 0, 2)) {
        case 0:
          bytes.erase(at);
          break;
        case 1:
          bytes.insert(at, static_cast<std::uint8_t>(between(random, 0, 255)));
          break;
        default:
          std::iter_swap(at, bytes.begin() + between(random, 0, static_cast<std::int64_t>(bytes.size()) - 1));
      }
    }
    check_bytes(bytes);
  }
}

TEST_CASE("short numbers are read and written as all others are, whatever the bytes", "[usage]") {
  for (unsigned low = 0; low < 256; ++low) {
    for (unsigned high = 0; high < 256; ++high) {
      const std::uint8_t bytes[] = {static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high)};
      const std::uint8_t* at = bytes;
      std::uint64_t value = 0;
      const bool is_number = get_varint(at, bytes + 2, value);
      const ShortVarint number = look_at_varint(bytes, bytes + 2);
      REQUIRE(number.size == (is_number ? static_cast<std::uint64_t>(at - bytes) : 0));
      if (!is_number) continue;
      REQUIRE(number.value == value);
      std::uint8_t written[max_varint_bytes + 1] = {};
      REQUIRE(put_short_varint(written, value) == written + number.size);
      REQUIRE(std::memcmp(written, bytes, number.size) == 0);
    }
    const std::uint8_t last = static_cast<std::uint8_t>(low);
    REQUIRE(look_at_varint(&last, &last + 1).size == 0);
  }
}

TEST_CASE("numbers of 128 bits are written in their shortest form, and no other is read", "[usage]") {
  Random random(run_seed() + 4);
  for (int round = 0; round < 20000; ++round) {
    UnsignedExact value = static_cast<UnsignedExact>(random()) << 64 | static_cast<std::uint64_t>(random());
    value >>= between(random, 0, 127);
    std::uint8_t bytes[max_wide_varint_bytes + 1] = {};
    std::uint8_t* const end = put_wide_varint(bytes, value);
    REQUIRE(end <= bytes + max_wide_varint_bytes);
    const std::uint8_t* at = bytes;
    UnsignedExact read = 0;
    const bool whole = get_wide_varint(at, end, read) && at == end && read == value;
    REQUIRE(whole);
    const bool signed_too = zigzag_wide(unzigzag_wide(value)) == value;
    REQUIRE(signed_too);
    if (value <= UINT64_MAX) {
      std::uint8_t narrow[max_varint_bytes + 1] = {};
      REQUIRE(put_varint(narrow, static_cast<std::uint64_t>(value)) - narrow == end - bytes);
      REQUIRE(std::equal(bytes, end, narrow));
    }
    at = bytes;
    REQUIRE_FALSE(get_wide_varint(at, end - 1, read));
    // One byte more, that says nothing.
    end[-1] |= 0x80;
    at = bytes;
    REQUIRE_FALSE(get_wide_varint(at, end + 1, read));
  }
  // A 129th bit.
  std::uint8_t large[max_wide_varint_bytes];
  std::fill(std::begin(large), std::end(large), std::uint8_t{0xff});
  const std::uint8_t* at = large;
  UnsignedExact read = 0;
  large[max_wide_varint_bytes - 1] = 4;
  REQUIRE_FALSE(get_wide_varint(at, std::end(large), read));
  at = large;
  large[max_wide_varint_bytes - 1] = 3;
  const bool all_bits = get_wide_varint(at, std::end(large), read) && read == ~UnsignedExact{0};
  REQUIRE(all_bits);
}

TEST_CASE("a ledger of a later version says that the extension is too old for it", "[usage]") {
  const UsageBytes later = {usage_version + 1, 0};
  try {
    validate_usage(later);
    FAIL("accepted");
  } catch (const Error& error) {
    REQUIRE(std::string(error.what()).find("version 2") != std::string::npos);
    REQUIRE(error.hint().find("ALTER EXTENSION") != std::string::npos);
  }
}

TEST_CASE("too many event names are a clear error", "[usage]") {
  const EventNames names(max_event_names + 1, "name");
  try {
    UsageWriter(UserKind::bigint, names, 0);
    FAIL("accepted");
  } catch (const Error& error) {
    REQUIRE(error.sqlstate() == std::string(sqlstate::program_limit_exceeded));
  }
}
