// The event catalog: what an event is worth, which roles it plays and which feature it shows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace health {

// What an event says about its user; an event can play several roles.
enum Role : unsigned { create = 1, consume = 2, interact = 4, activate = 8, session = 16 };

// The bit of a role's name; 0 for a name that is none.
unsigned role_by_name(std::string_view name);

inline constexpr double max_event_value = 1000000;

// One event of the catalog.
struct EventRule {
  std::string name;
  unsigned roles = 0;   // Role bits
  double value = 1;     // value points of one event, usually 1..10; finite, 0..max_event_value, kept to 10^-6
  std::string feature;  // the product feature that it uses; empty: its own name
  bool operator==(const EventRule&) const = default;
};

// The events that qualify. An empty catalog lets every event qualify, with value 1 and no role.
struct EventCatalog {
  std::vector<EventRule> rules;  // ascending by name, no duplicates: filled by add()
  bool count_unlisted = true;    // events outside the catalog qualify too, with value 1 and no role

  std::vector<std::string> features;  // of the rules, ascending, distinct: filled by add()

  // Adds a rule. Throws Error 22023 on a duplicate name, a reserved one ($...) or a value out of range.
  void add(EventRule rule);
  // The rule of an event, null when it has none.
  const EventRule* find(std::string_view name) const;
  // All roles that some event plays.
  unsigned roles() const;
  bool operator==(const EventCatalog&) const = default;
};

}  // namespace health
