// Stored ledgers outlive versions of the extension: the bytes in test/golden are read as they ever were.
#include <fstream>

#include "core/ledger/usage_text.hpp"
#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("ledgers of format version 1 are read, and written the same", "[usage]") {
  std::ifstream file("test/golden/usage_v1.txt");  // the tests run in the root of the tree
  REQUIRE(file);
  int ledgers = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    const std::size_t tab = line.find('\t');
    REQUIRE(tab != std::string::npos);
    const std::string text = line.substr(0, tab);
    UsageBytes bytes;
    for (std::size_t at = tab + 1; at + 1 < line.size(); at += 2)
      bytes.push_back(static_cast<std::uint8_t>(std::stoi(line.substr(at, 2), nullptr, 16)));
    INFO(text);
    validate_usage(bytes);
    CHECK(usage_to_text(bytes) == text);
    CHECK(usage_from_text(text) == bytes);
    ++ledgers;
  }
  CHECK(ledgers == 10);
}
