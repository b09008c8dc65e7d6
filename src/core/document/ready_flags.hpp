// The table of ready-made flags. docs/reference/flags.md.
#pragma once

#include <span>
#include <string_view>

namespace health {

// One of them: what it is, what it asks of the model, and the flag as a document would say it. "either" has
// the ways in which a condition can be met, of which the first is taken that the model has the data for; an
// empty "events" is to be named by the model; "parameters" has names for thresholds, with where each stands.
struct ReadyFlag {
  std::string_view name;
  std::string_view rule;
  std::string_view needs;  // empty: nothing
  std::string_view document;
};

std::span<const ReadyFlag> ready_flags();

}  // namespace health
