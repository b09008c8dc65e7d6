// Normalisers: from a raw value to a score of 0 (worst) to 100 (best).
// docs/reference/scoring.md, "Normalisers".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/value.hpp"

namespace health {

enum class NormalizerKind { identity, linear, piecewise, steps, map, recency, percentile, target, logistic };

// "identity", "linear", ...
std::string_view normalizer_name(NormalizerKind kind);

// A frozen set of peers: distinct values ascending, and how many peers lie below each.
struct PeerReference {
  std::vector<double> values;
  std::vector<double> below;  // one more than values; the last is all peers
  double peers = 0;
  bool operator==(const PeerReference&) const = default;
};

// Builds a reference from values in any order with their counts (> 0, same length).
PeerReference build_reference(std::vector<double> values, std::vector<double> counts);

// One normaliser, ready to use. Which fields matter follows from the kind.
struct Normalizer {
  NormalizerKind kind = NormalizerKind::identity;
  bool lower_is_better = false;  // the result is turned round: 100 - y (linear says it by worst > best)

  double worst = 0, best = 100;  // linear: scores 0 and 100, values between them in proportion, clamped
  std::vector<std::pair<double, double>>
      points;        // piecewise: (x, y) ascending in x, straight between, flat outside;
                     // steps: (from, y) ascending, y holds from that value on
  double below = 0;  // steps: score under the first step
  std::vector<std::pair<std::string, double>> categories;  // map: ascending by category
  std::optional<double> otherwise;         // map: score of any other category; else that is unknown
  double half_life_days = 0;               // recency: 100 x 2^(-age / half life)
  std::optional<double> low, high;         // target: 100 from low to high
  double tolerance = 0;                    // target: 0 from this far outside
  double midpoint = 0, steepness = 1;      // logistic: 100 / (1 + exp(-steepness x (value - midpoint)))
  std::optional<PeerReference> reference;  // percentile: of everybody,
  std::vector<std::pair<std::string, PeerReference>> segments;  // or by segment, ascending by name
  std::string segment_column;  // percentile: where an account's segment comes from; empty: no segments

  bool takes_categories() const { return kind == NormalizerKind::map; }
  bool operator==(const Normalizer&) const = default;
};

// The score of a number, 0..100. Unknown: NaN and infinities (bad_value); percentile without a reference, in
// a segment without peers or with a single peer (no_data); a map without the value as a category
// (not_applicable).
Value normalize(const Normalizer& normalizer, double value, std::string_view segment = {});

// The lowest score that the normaliser can give. Unknown where a percentile has no peers to rank among
// (no_data).
Value lowest_score(const Normalizer& normalizer, std::string_view segment = {});

// The score of a category. Booleans answer to true/t/1 and false/f/0. Unknown (not_applicable) when the map
// lacks it, or bad_value: the normaliser takes numbers and the text is no finite one.
Value normalize_text(const Normalizer& normalizer, std::string_view text, std::string_view segment = {});

// A number as PostgreSQL prints numbers and booleans (t, true: 1; f, false: 0); nothing when the text is
// none, out of the range of doubles, NaN or an infinity.
std::optional<double> parse_number(std::string_view text);

}  // namespace health
