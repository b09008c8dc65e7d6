// What a person decided about the score of an account, for a time: a score, a cap or a floor.
// docs/reference/scoring.md, "Overrides".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/day.hpp"

namespace health {

enum class OverrideKind : std::uint8_t {
  score,  // this is the score, known or not
  cap,    // a known score is not above this
  floor   // a known score is not below this
};

// "score", "cap", "floor".
std::string_view override_kind_name(OverrideKind kind);
// Nothing when no kind has that name.
std::optional<OverrideKind> override_kind_by_name(std::string_view name);

struct Override {
  OverrideKind kind = OverrideKind::score;
  double value = 0;    // 0..100
  Day from = min_day;  // the first day on which it holds
  std::optional<Day> expires =
      {};                         // the first day on which it does not any more, as was said when it was made
  std::optional<Day> ended = {};  // the same, when it was ended or replaced
  std::string owner = {}, reason = {};  // who says so, and why

  bool holds(Day as_of) const {
    return from <= as_of && (!expires || as_of < *expires) && (!ended || as_of < *ended);
  }
  bool operator==(const Override&) const = default;
};

// Of overrides in the order in which they were made the last that holds on the day; null when none does.
const Override* find_override(std::span<const Override> overrides, Day as_of);

// The score that an override makes of one. An unknown score becomes known by OverrideKind::score alone.
std::optional<double> apply_override(const Override& made, std::optional<double> score);

// "capped at 40 by maria until 1 August: sponsor left".
std::string describe_override(const Override& made, Day as_of);
// Of one that has no effect any more: "no longer capped at 40 by maria".
std::string describe_end_of_override(const Override& made);

}  // namespace health
