// Overrides: which one holds, what it does to a score, and the words for it.
#include "override.hpp"

#include <algorithm>

#include "phrase_format.hpp"

namespace health {

namespace {

std::string describe_limit(const Override& made) {
  std::string value = show_number(made.value) + " by " + made.owner;
  switch (made.kind) {
    case OverrideKind::score:
      return "set to " + value;
    case OverrideKind::cap:
      return "capped at " + value;
    case OverrideKind::floor:
      return "raised to " + value;
  }
  return value;
}

}  // namespace

std::string_view override_kind_name(OverrideKind kind) {
  switch (kind) {
    case OverrideKind::score:
      return "score";
    case OverrideKind::cap:
      return "cap";
    case OverrideKind::floor:
      return "floor";
  }
  return "";
}

std::optional<OverrideKind> override_kind_by_name(std::string_view name) {
  for (const OverrideKind kind : {OverrideKind::score, OverrideKind::cap, OverrideKind::floor})
    if (override_kind_name(kind) == name) return kind;
  return std::nullopt;
}

const Override* find_override(std::span<const Override> overrides, Day as_of) {
  const auto found = std::find_if(overrides.rbegin(), overrides.rend(),
                                  [as_of](const Override& made) { return made.holds(as_of); });
  return found == overrides.rend() ? nullptr : &*found;
}

std::optional<double> apply_override(const Override& made, std::optional<double> score) {
  if (made.kind == OverrideKind::score) return made.value;
  if (!score) return score;
  return made.kind == OverrideKind::cap ? std::min(*score, made.value) : std::max(*score, made.value);
}

std::string describe_override(const Override& made, Day as_of) {
  return describe_limit(made) +
         (made.expires ? " until " + day_in_sentence(*made.expires, as_of) : std::string()) + ": " +
         made.reason;
}

std::string describe_end_of_override(const Override& made) { return "no longer " + describe_limit(made); }

}  // namespace health
