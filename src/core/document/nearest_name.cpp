// Edit distance over a short list of names.
#include "nearest_name.hpp"

#include <algorithm>
#include <vector>

#include "core/base/error.hpp"

namespace health {

namespace {

constexpr std::size_t longest_name = 256;  // longer ones are no typing mistakes, and the cost is quadratic

std::string fold_name(std::string_view name) {
  std::string folded(name.substr(0, longest_name));
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ') c = '_';
  }
  return folded;
}

// Optimal string alignment distance, with three rows of the table.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, row);
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view name,
                                             std::span<const std::string_view> candidates) {
  if (name.empty()) return std::nullopt;
  const std::string wanted = fold_name(name);
  const std::size_t allowed = std::max<std::size_t>(1, wanted.size() / 3);
  std::size_t best = allowed + 1;
  const std::string_view* nearest = nullptr;
  std::size_t looked_at = 0;
  for (const std::string_view& candidate : candidates) {
    if ((++looked_at & 255) == 0) poll_cancel();
    const std::string folded = fold_name(candidate);
    const std::size_t longer = std::max(folded.size(), wanted.size()),
                      shorter = std::min(folded.size(), wanted.size());
    if (longer - shorter >= best) continue;
    const std::size_t distance = edit_distance(wanted, folded);
    if (distance < best && distance < longer) {
      best = distance;
      nearest = &candidate;
    }
  }
  if (nearest == nullptr) return std::nullopt;
  return *nearest;
}

std::string suggest_name(std::string_view name, std::span<const std::string_view> candidates) {
  if (const auto nearest = nearest_name(name, candidates))
    return "did you mean \"" + std::string(*nearest) + "\"?";
  if (candidates.empty()) return {};
  constexpr std::size_t most = 40;
  std::string hint = "known: ";
  for (std::size_t i = 0; i < std::min(most, candidates.size()); ++i) {
    hint.append(i == 0 ? "\"" : ", \"").append(candidates[i]).append("\"");
  }
  if (candidates.size() > most) hint += ", ...";
  return hint;
}

}  // namespace health
