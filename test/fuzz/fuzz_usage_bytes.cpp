// Hostile ledgers: bytes are refused with an error, or they are canonical and the ledger's algebra holds for
// them.
#include <algorithm>
#include <span>
#include <string_view>

#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/usage_text.hpp"
#include "fuzz.hpp"

namespace {

bool same(health::Bytes a, health::Bytes b) { return std::ranges::equal(a, b); }

// The errors that unreadable bytes may give.
bool is_honest(const health::Error& error) {
  const std::string_view state = error.sqlstate();
  return state == health::sqlstate::invalid_binary_representation ||
         state == health::sqlstate::numeric_value_out_of_range ||
         state == health::sqlstate::datetime_field_overflow;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (const char* text : {"{}", "bigint{42:2025-01-03/comment*2,2025-01-04/view=1.5}",
                           "bigint{-9223372036854775808:2025-01-03/a;-1:1999-12-31/"
                           "b*3=4.5#2;9223372036854775807:2025-01-04/c*-7}",
                           "uuid{00000000-0000-0000-0000-000000000001:2024-02-29/a,2024-03-01/"
                           "a*9;ffffffff-0000-0000-0000-000000000001:2024-02-29/b}",
                           "text{anna:2025-01-03/$joined,2025-02-03/a;annabel:2025-01-03/"
                           "a*100000=0.000001#1;\"x y\":2025-01-04/\"b c\"}"}) {
    const health::UsageBytes bytes = health::usage_from_text(text);
    seeds.emplace_back(bytes.begin(), bytes.end());
  }
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const health::Bytes input(data, size);
  try {
    health::validate_usage(input);
  } catch (const health::Error& error) {
    require(is_honest(error), "unreadable bytes give SQLSTATE 22P03, 22003 or 22008");
    return 0;
  }
  require(same(health::usage_from_text(health::usage_to_text(input)), input), "the text form is lossless");
  const health::UsageBytes nothing = health::subtract_usage(input, input);
  require(same(nothing, health::empty_usage()), "u - u is empty");
  require(same(health::add_usage(input, nothing), input), "u + empty is u");
  try {
    const health::UsageBytes twice = health::add_usage(input, input);
    health::validate_usage(twice);
    require(same(health::subtract_usage(twice, input), input), "u + u - u is u");
  } catch (const health::Error& error) {
    require(error.sqlstate() == std::string_view(health::sqlstate::numeric_value_out_of_range),
            "only an overflow stops u + u");
  }
  return 0;
}
