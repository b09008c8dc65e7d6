// Markers: cells of a ledger that tell of a user's membership instead of activity. Their names start with $,
// a sign that no event may start with. So do names of what others than people do: "$agent/message_sent".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace health {

// The one rule of what is a marker.
constexpr bool is_marker(std::string_view name) { return !name.empty() && name.front() == '$'; }

inline constexpr std::string_view joined_marker = "$joined";

enum class Marker : std::uint8_t { none, joined, deactivated, invited, other };

// The name of an event with who acts: "$agent/message_sent" is agent and message_sent; of people the actor is
// empty.
struct ActorEvent {
  std::string_view actor;
  std::string_view event;
};
constexpr ActorEvent split_actor(std::string_view name) {
  const std::size_t slash = is_marker(name) ? name.find('/') : name.npos;
  if (slash == name.npos) return {{}, name};
  return {name.substr(1, slash - 1), name.substr(slash + 1)};
}

constexpr Marker marker_of(std::string_view name) {
  if (!is_marker(name)) return Marker::none;
  if (name == joined_marker) return Marker::joined;
  if (name == "$deactivated") return Marker::deactivated;
  if (name == "$invited") return Marker::invited;
  return Marker::other;
}

}  // namespace health
