// Markers: cells of a ledger that tell of a user's membership instead of activity. Their names start with $,
// a sign that no event may start with.
#pragma once

#include <cstdint>
#include <string_view>

namespace health {

// The one rule of what is a marker.
constexpr bool is_marker(std::string_view name) { return !name.empty() && name.front() == '$'; }

inline constexpr std::string_view joined_marker = "$joined";

enum class Marker : std::uint8_t { none, joined, deactivated, invited, other };

constexpr Marker marker_of(std::string_view name) {
  if (!is_marker(name)) return Marker::none;
  if (name == joined_marker) return Marker::joined;
  if (name == "$deactivated") return Marker::deactivated;
  if (name == "$invited") return Marker::invited;
  return Marker::other;
}

}  // namespace health
