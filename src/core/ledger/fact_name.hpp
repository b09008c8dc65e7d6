// Facts in a ledger: an entry for the start of each, and one for its end, whose names say what it was.
//   $/+tickets///bug         began: fact, value of an opinion, currency, kind
//   $/*tickets///bug         the same of no user; its user is a stand-in
//   $/-tickets/12//bug       ended, after 12 days
// No slash but the four: the kind comes last and may have any. src/sql/sources/facts.sql writes these names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace health {

enum class FactEntry : std::uint8_t { start, start_of_nobody, end };

struct FactName {
  FactEntry entry = FactEntry::start;
  std::string_view fact;
  std::string_view
      detail;  // of a start the value, where each is kept apart; of an end the days since the start
  std::string_view currency;
  std::string_view kind;
};

// Whether a name is that of a fact's entry. Late events, "$/3/...", have a number there.
constexpr bool is_fact(std::string_view name) {
  return name.size() > 2 && name.starts_with("$/") && (name[2] == '+' || name[2] == '*' || name[2] == '-');
}

// Nothing for a name that is_fact() but has not all of its parts.
constexpr std::optional<FactName> split_fact(std::string_view name) {
  if (!is_fact(name)) return std::nullopt;
  FactName parts;
  parts.entry = name[2] == '+'   ? FactEntry::start
                : name[2] == '*' ? FactEntry::start_of_nobody
                                 : FactEntry::end;
  name.remove_prefix(3);
  for (std::string_view* part : {&parts.fact, &parts.detail, &parts.currency}) {
    const std::size_t slash = name.find('/');
    if (slash == name.npos) return std::nullopt;
    *part = name.substr(0, slash);
    name.remove_prefix(slash + 1);
  }
  parts.kind = name;
  return parts;
}

}  // namespace health
