// The one place where a weight is applied: a weighted mean over the known values, exact and independent of
// order.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace health {

// A sum of doubles without rounding, as an expansion of non-overlapping parts (J. R. Shewchuk, Adaptive
// Precision Floating-Point Arithmetic, 1997; the method of Python's math.fsum). Rounded once, at the end: the
// result does not depend on the order of addition.
class ExactSum {
 public:
  // Adds a finite number. Error 22003 when the sum leaves the range of doubles.
  void add(double number);
  // Adds the exact product of two finite numbers.
  void add_product(double a, double b);
  void add(const ExactSum& other);
  // The sum, correctly rounded.
  double value() const;

  std::span<const double> parts() const { return parts_; }

 private:
  std::vector<double> parts_;  // ascending magnitude, none 0
};

// sum(w x s) / sum(w) over the known values, and data coverage = known weights / all weights.
// docs/reference/scoring.md, "The weighted mean".
class WeightedMean {
 public:
  // Counts a known value; `what` names it in errors. Error 22023 unless the value is finite and the weight
  // finite and >= 0.
  void add(double value, double weight, const char* what = "value");
  // Counts an unknown value: its weight lowers the coverage.
  void add_unknown(double weight);
  void merge(const WeightedMean& other);

  // Unknown (nothing) when the known values weigh nothing.
  std::optional<double> mean() const;
  // 0..1; nothing when all weights together are 0.
  std::optional<double> coverage() const;
  // Sum of the weights of known values, and of all.
  double known_weight() const { return known_.value(); }
  double total_weight() const { return total_.value(); }

  // The three sums, for storing: weighted, known, total.
  const ExactSum& weighted_sum() const { return weighted_; }
  const ExactSum& known_sum() const { return known_; }
  const ExactSum& total_sum() const { return total_; }
  static WeightedMean restore(ExactSum weighted, ExactSum known, ExactSum total);

 private:
  ExactSum weighted_, known_, total_;
};

// Throws Error 22023 naming `what` unless the weight is finite and >= 0.
void check_weight(double weight, const char* what = "weight");

// The mean of paired values (nothing = unknown) and weights. Errors 22023: lengths differ, no weight above 0.
WeightedMean weigh(std::span<const std::optional<double>> values, std::span<const double> weights);

}  // namespace health
