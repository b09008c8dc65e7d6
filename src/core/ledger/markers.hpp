// Markers: cells of a ledger that tell of a user's membership instead of activity. Their names start with $,
// a sign that no event may start with. So do names of what others than people do, "$agent/message_sent", and
// of what became known later than its day: "$/3/message_sent", three days later; and of facts
// (fact_name.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fact_name.hpp"

namespace health {

// Names that are no event's own.
constexpr bool is_reserved(std::string_view name) { return !name.empty() && name.front() == '$'; }

// The name of an event with how many days after its own it became known; 0: on its day.
struct LateEvent {
  std::int64_t days;
  std::string_view event;
};
inline constexpr std::int64_t never_known = INT32_MAX;
constexpr LateEvent split_late(std::string_view name) {
  constexpr std::string_view sign = "$/";
  if (!name.starts_with(sign)) return {0, name};
  std::int64_t days = 0;
  std::size_t at = sign.size();
  for (; at < name.size() && name[at] >= '0' && name[at] <= '9' && days <= never_known; ++at)
    days = 10 * days + (name[at] - '0');
  const bool is_late =
      days > 0 && days <= never_known && name[sign.size()] != '0' && at + 1 < name.size() && name[at] == '/';
  return is_late ? LateEvent{days, name.substr(at + 1)} : LateEvent{0, name};
}

// The one rule of what is a marker.
constexpr bool is_marker(std::string_view name) { return is_reserved(split_late(name).event); }

inline constexpr std::string_view joined_marker = "$joined";

enum class Marker : std::uint8_t { none, joined, deactivated, invited, fact, other };

// The name of an event with who acts: "$agent/message_sent" is agent and message_sent; of people the actor is
// empty.
struct ActorEvent {
  std::string_view actor;
  std::string_view event;
};
constexpr ActorEvent split_actor(std::string_view name) {
  const std::size_t slash = is_reserved(name) && !is_fact(name) ? name.find('/') : name.npos;
  if (slash == name.npos) return {{}, name};
  return {name.substr(1, slash - 1), name.substr(slash + 1)};
}

constexpr Marker marker_of(std::string_view name) {
  if (!is_reserved(name)) return Marker::none;
  if (name == joined_marker) return Marker::joined;
  if (name == "$deactivated") return Marker::deactivated;
  if (name == "$invited") return Marker::invited;
  if (is_fact(name)) return Marker::fact;
  return Marker::other;
}

}  // namespace health
