// What a mistyped name most likely meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace health {

// The candidate nearest to `name` by edits of single letters (insert, delete, replace, swap of neighbours),
// ignoring case and the difference of `_`, `-`, space; nothing when none is within a third of the name's
// length (at least one edit). Ties: the first candidate.
std::optional<std::string_view> nearest_name(std::string_view name,
                                             std::span<const std::string_view> candidates);

// `did you mean "normalize"?`, or else `known: "a", "b", ...` while the list is short, or nothing.
std::string suggest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace health
