// Which values something holds for.
#pragma once

#include <optional>

namespace health {

// Conditions on a value. Ratios of whole numbers are rounded once, as the limits were when they were read, so
// that -15 % is at most -15 % and -14.9 % is not.
struct Limits {
  std::optional<double> at_most, at_least, below, above;

  bool has_condition() const { return at_most || at_least || below || above; }
  // Whether the value meets all conditions.
  bool fits(double value) const {
    return (!at_most || value <= *at_most) && (!at_least || value >= *at_least) &&
           (!below || value < *below) && (!above || value > *above);
  }
  // Whether any value could.
  bool can_fit() const {
    return !((at_most && at_least && *at_most < *at_least) || (at_most && above && *at_most <= *above) ||
             (below && at_least && *below <= *at_least) || (below && above && *below <= *above));
  }
  // The limit that people call the threshold: the upper one where there are two.
  double threshold() const {
    return at_most ? *at_most : below ? *below : at_least ? *at_least : above.value_or(0);
  }
  bool operator==(const Limits&) const = default;
};

}  // namespace health
