// The arithmetic of the normalisers.
#include "normalize.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <numeric>

namespace health {

namespace {

// Adding 0 makes -0 a plain 0.
double clamp_score(double score) { return std::clamp(score, 0.0, 100.0) + 0.0; }

double score_linear(const Normalizer& n, double x) {
  // Halves keep the differences of huge numbers finite.
  return clamp_score(100 * ((x / 2 - n.worst / 2) / (n.best / 2 - n.worst / 2)));
}

double score_piecewise(const Normalizer& n, double x) {
  const auto& points = n.points;
  if (x <= points.front().first) return points.front().second;
  if (x >= points.back().first) return points.back().second;
  const auto after =
      std::upper_bound(points.begin(), points.end(), x, [](double v, const auto& p) { return v < p.first; });
  const auto before = after - 1;
  const double share = (x / 2 - before->first / 2) / (after->first / 2 - before->first / 2);
  return before->second + share * (after->second - before->second);
}

double score_steps(const Normalizer& n, double x) {
  const auto after = std::upper_bound(n.points.begin(), n.points.end(), x,
                                      [](double v, const auto& p) { return v < p.first; });
  return after == n.points.begin() ? n.below : (after - 1)->second;
}

double score_target(const Normalizer& n, double x) {
  double outside = 0;
  if (n.low && x < *n.low) outside = *n.low - x;
  if (n.high && x > *n.high) outside = x - *n.high;
  return clamp_score(100 * (1 - outside / n.tolerance));
}

const PeerReference* find_reference(const Normalizer& n, std::string_view segment) {
  if (n.segments.empty()) return n.reference ? &*n.reference : nullptr;
  const auto found =
      std::lower_bound(n.segments.begin(), n.segments.end(), segment,
                       [](const auto& entry, std::string_view name) { return entry.first < name; });
  return found != n.segments.end() && found->first == segment ? &found->second : nullptr;
}

// Share of the peers below the value, plus half of those equal to it.
Value score_percentile(const Normalizer& n, double x, std::string_view segment) {
  const PeerReference* peers = find_reference(n, segment);
  if (peers == nullptr || peers->peers < 2) return Value::none(Unknown::no_data);
  const auto found = std::lower_bound(peers->values.begin(), peers->values.end(), x);
  const auto index = static_cast<std::size_t>(found - peers->values.begin());
  const bool equal = found != peers->values.end() && *found == x;
  const double rank = equal ? (peers->below[index] + peers->below[index + 1]) / 2 : peers->below[index];
  return Value::of(clamp_score(100 * rank / peers->peers));
}

Value find_category(const Normalizer& n, std::string_view category) {
  const auto find = [&](std::string_view name) -> const double* {
    const auto found =
        std::lower_bound(n.categories.begin(), n.categories.end(), name,
                         [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    return found != n.categories.end() && found->first == name ? &found->second : nullptr;
  };
  const double* score = find(category);
  // Booleans come as 1 and 0, or as PostgreSQL prints them; models say true and false.
  for (const auto& same : {std::initializer_list<std::string_view>{"true", "t", "1"}, {"false", "f", "0"}}) {
    if (score != nullptr || std::find(same.begin(), same.end(), category) == same.end()) continue;
    for (const std::string_view name : same) {
      if (score == nullptr) score = find(name);
    }
  }
  if (score != nullptr) return Value::of(*score);
  for (const std::string_view no_number : {"NaN", "Infinity", "-Infinity"})
    if (category == no_number) return Value::none(Unknown::bad_value);
  if (n.otherwise) return Value::of(*n.otherwise);
  return Value::none(Unknown::not_applicable);
}

std::string category_of_number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

}  // namespace

Value normalize(const Normalizer& n, double x, std::string_view segment) {
  if (!std::isfinite(x)) return Value::none(Unknown::bad_value);
  Value score;
  switch (n.kind) {
    case NormalizerKind::identity:
      score = Value::of(clamp_score(x));
      break;
    case NormalizerKind::linear:
      return Value::of(score_linear(n, x));
    case NormalizerKind::piecewise:
      score = Value::of(score_piecewise(n, x));
      break;
    case NormalizerKind::steps:
      score = Value::of(score_steps(n, x));
      break;
    case NormalizerKind::map:
      score = find_category(n, category_of_number(x));
      break;
    case NormalizerKind::recency:
      score = Value::of(clamp_score(100 * std::exp2(-std::max(0.0, x) / n.half_life_days)));
      break;
    case NormalizerKind::percentile:
      score = score_percentile(n, x, segment);
      break;
    case NormalizerKind::target:
      score = Value::of(score_target(n, x));
      break;
    case NormalizerKind::logistic:
      score = Value::of(clamp_score(100 / (1 + std::exp(-n.steepness * (x - n.midpoint)))));
      break;
  }
  if (score.known() && n.lower_is_better) score.number = 100 - score.number;
  return score;
}

Value lowest_score(const Normalizer& n, std::string_view segment) {
  double low = 0, high = 100;
  const auto take = [&](double score) {
    low = std::min(low, score);
    high = std::max(high, score);
  };
  if (n.kind == NormalizerKind::percentile) {
    const Value rank = score_percentile(n, 0, segment);
    if (!rank.known()) return rank;
  } else if (n.kind == NormalizerKind::piecewise || n.kind == NormalizerKind::steps) {
    low = high = n.kind == NormalizerKind::steps ? n.below : n.points.front().second;
    for (const auto& point : n.points) take(point.second);
  } else if (n.kind == NormalizerKind::map) {
    low = high = n.otherwise ? *n.otherwise : n.categories.front().second;
    for (const auto& category : n.categories) take(category.second);
  }
  return Value::of(n.lower_is_better ? 100 - high : low);
}

std::optional<double> parse_number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text == "t" || text == "true") return 1;
  if (text == "f" || text == "false") return 0;
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || status == std::errc::invalid_argument) return std::nullopt;
  if (status == std::errc::result_out_of_range) {
    // Too small for a double is 0 for every purpose here; too large is none.
    number = std::strtod(std::string(text).c_str(), nullptr);
    return std::fabs(number) < 1 ? std::optional(number) : std::nullopt;
  }
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

Value normalize_text(const Normalizer& n, std::string_view text, std::string_view segment) {
  if (n.takes_categories()) {
    Value score = find_category(n, text);
    if (score.known() && n.lower_is_better) score.number = 100 - score.number;
    return score;
  }
  const auto number = parse_number(text);
  return number ? normalize(n, *number, segment) : Value::none(Unknown::bad_value);
}

PeerReference build_reference(std::vector<double> values, std::vector<double> counts) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  PeerReference reference;
  for (const std::size_t i : order) {
    if (reference.values.empty() || reference.values.back() != values[i]) {
      reference.values.push_back(values[i]);
      reference.below.push_back(reference.peers);
    }
    reference.peers += counts[i];
  }
  reference.below.push_back(reference.peers);
  return reference;
}

}  // namespace health
