// Hostile text forms of ledgers: refused with an error, or read to a canonical ledger that prints as its own
// text form.
#include <algorithm>
#include <string_view>

#include "core/ledger/usage_text.hpp"
#include "fuzz.hpp"

std::vector<std::string> fuzz_seeds() {
  return {
      "{}",
      "bigint{42:2025-01-03/comment_left*2,2025-01-04/video_viewed=1.5;43:2025-01-04/video_viewed*3=4.5#2}",
      "bigint{-9223372036854775808:2025-01-03/a;9223372036854775807:0001-01-01/$joined,2025-01-04/c*-7}",
      "uuid{00000000-0000-0000-0000-000000000001:2024-02-29/a,2024-03-01/a*9}",
      "text{anna:2025-01-03/a=-0.000001;\"x \"\"y\":4714-11-24 BC/\"b c\",5874897-12-31/d}"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const health::UsageBytes usage = health::usage_from_text(text);
    health::validate_usage(usage);
    const std::string printed = health::usage_to_text(usage);
    require(std::ranges::equal(health::usage_from_text(printed), usage), "the text form is lossless");
    require(health::usage_to_text(health::usage_from_text(printed)) == printed,
            "one ledger has one text form");
  } catch (const health::Error& error) {
    const std::string_view state = error.sqlstate();
    require(state.starts_with("22") || state == health::sqlstate::program_limit_exceeded,
            "unreadable text gives SQLSTATE 22xxx or 54000");
  }
  return 0;
}
