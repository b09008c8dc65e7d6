// The ledger as text: readable, lossless, forgiving about order, exact about mistakes.
#include "core/ledger/usage_text.hpp"

#include "core/ledger/usage_format.hpp"

#include "usage_fixture.hpp"

using namespace health;
using namespace health::test;

TEST_CASE("text gives back the same bytes", "[usage]") {
  Random random(run_seed() + 20);
  for (int round = 0; round < 1000; ++round) {
    const UsageBytes bytes = encode(any_ledger(random, any_kind(random), between(random, 0, 40)));
    REQUIRE(usage_from_text(usage_to_text(bytes)) == bytes);
  }
}

TEST_CASE("cells in any order, split and repeated, give identical bytes", "[usage]") {
  Random random(run_seed() + 21);
  for (int round = 0; round < 500; ++round) {
    const UserKind kind = any_kind(random);
    const PlainLedger plain = any_ledger(random, kind, between(random, 1, 15));
    if (plain.cells.empty()) continue;
    std::vector<std::string> pieces;
    for (const auto& [place, sums] : plain.cells) {
      PlainLedger half;
      half.kind = kind;
      const Sums part{between(random, -4, 4), between(random, -4, 4), between(random, -4000000, 4000000)};
      half.cells[place] = part;
      PlainLedger other = half;
      other.cells[place] = {sums.count - part.count, sums.amount_count - part.amount_count,
                            sums.amount - part.amount};
      for (PlainLedger* piece : {&half, &other}) {
        std::erase_if(piece->cells, [](const auto& cell) { return cell.second == Sums{}; });
        std::string text = usage_to_text(encode(*piece));
        if (text == "{}") continue;
        text = text.substr(text.find('{') + 1);
        text.pop_back();
        pieces.push_back(text);
      }
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    std::string all = std::string(user_kind_name(kind)) + "{";
    for (const std::string& piece : pieces) all += (all.back() == '{' ? " " : " ;\n\t") + piece;
    REQUIRE(usage_from_text(all + " } ") == encode(plain));
  }
}

TEST_CASE("text is what a person would write", "[usage]") {
  const auto same = [](const char* text) { return usage_to_text(usage_from_text(text)) == text; };
  CHECK(same("{}"));
  CHECK(
      same("bigint{-9223372036854775808:2025-01-03/a;42:2025-01-03/comment_left*2,2025-01-04/view*3=1.5#2}"));
  CHECK(same("bigint{1:2025-01-03/a*0=0#3}"));
  CHECK(same("bigint{1:2025-01-03/a*-2=-0.000001}"));
  CHECK(same("uuid{00000000-0000-0000-0000-0000000000ff:2025-01-03/a}"));
  CHECK(same("text{\"\":2025-01-03/\"b c\";\"a \"\"b\"\"\":2025-01-03/\"/\";\xc3\xa4rger:2025-01-03/x}"));
  CHECK(usage_to_text(usage_from_text("bigint{}")) == "{}");
  CHECK(usage_to_text(usage_from_text("bigint{1:2025-01-03/a*2,2025-01-03/a*-2}")) == "{}");
  CHECK(micro_to_text(INT64_MIN) == "-9223372036854.775808");
  CHECK(micro_to_text(-10) == "-0.00001");
  CHECK(micro_to_text(Exact{1000000000000000000} * 1000000) == "1000000000000000000");
  CHECK(micro_to_text(Exact{-1000000000000000000} * 1000007) == "-1000007000000000000");
  CHECK(micro_to_text(max_amount - 1) == "9999999999999999999999.999999");
}

TEST_CASE("a mistake in the text is answered with its place and an example", "[usage]") {
  const auto detail_of = [](std::string_view text) -> std::string {
    try {
      usage_from_text(text);
    } catch (const Error& error) {
      CHECK(error.sqlstate() == std::string(sqlstate::invalid_text_representation));
      CHECK_FALSE(error.hint().empty());
      return error.detail();
    }
    return "accepted";
  };
  CHECK(detail_of("") == "Expected \"{\" at character 1.");
  CHECK(detail_of("int{1:2025-01-03/a}") == "Expected \"bigint\", \"uuid\" or \"text\" at character 1.");
  CHECK(detail_of("{1:2025-01-03/a}") == "Expected \"bigint\", \"uuid\" or \"text\" at character 1.");
  CHECK(detail_of("bigint{1:2025-02-30/a}") == "Expected a date like 2025-01-03 at character 10.");
  CHECK(detail_of("bigint{1:2025-01-03/a} x") == "Expected the end at character 24.");
  CHECK(detail_of("bigint{1:2025-01-03/a*}") == "Expected a number at character 23.");
  CHECK(detail_of("bigint{1:2025-01-03/a=}") == "Expected an amount at character 23.");
  CHECK(detail_of("bigint{1:2025-01-03/\"a}") == "Expected a closing quote at character 24.");
  CHECK(detail_of("text{anna:2025-01-03/\"\"}").find("an event name") != std::string::npos);
  CHECK(detail_of("bigint{1:2025-01-03/a;}") == "Expected a name at character 23.");
}

TEST_CASE("a message that quotes a part of a text cuts between its characters", "[usage]") {
  for (std::size_t start = 0; start < 3; ++start) {
    std::string text(start, ' ');
    for (int i = 0; i < 100; ++i) text += "ä€";
    std::string message;
    try {
      usage_from_text(text);
    } catch (const Error& error) {
      message = error.what();
    }
    REQUIRE(message.size() > 80);
    const std::string quoted = message.substr(message.find('"') + 1);
    CHECK(text.starts_with(quoted.substr(0, quoted.size() - 1)));
    CHECK((static_cast<unsigned char>(text[quoted.size() - 1]) & 0xc0) != 0x80);
  }
}

TEST_CASE("text cut off or changed anywhere is refused, or means a canonical ledger", "[usage]") {
  Random random(run_seed() + 22);
  for (int round = 0; round < 12; ++round) {
    const std::string text = usage_to_text(encode(any_ledger(random, any_kind(random), 3, 4)));
    for (std::size_t at = 0; at <= text.size(); ++at) {
      for (const char* change :
           {"", "{", "}", ":", "/", ",", ";", "*", "=", "#", "\"", "-", "9", ".", "\n", "\xff"}) {
        std::string changed = text.substr(0, at);
        changed += change;
        if (at < text.size() && *change != '\0') changed += text.substr(at + 1);
        try {
          const UsageBytes bytes = usage_from_text(changed);
          validate_usage(bytes);
          REQUIRE(encode(decode(bytes)) == bytes);
        } catch (const Error& error) {
          const std::string state = error.sqlstate();
          const bool honest = state == sqlstate::invalid_text_representation ||
                              state == sqlstate::numeric_value_out_of_range ||
                              state == sqlstate::program_limit_exceeded;
          REQUIRE(honest);
        }
      }
    }
  }
}
