// The one place where a weight is applied: a weighted mean over the known values, exact and independent of
// order.
#pragma once

#include <array>
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

  std::span<const double> parts() const { return {more_.empty() ? few_.data() : more_.data(), size_}; }

 private:
  // As many parts as sums of scores and weights ever have, in practice, lie in the object itself.
  static constexpr std::size_t few = 5;

  double* own_parts() { return more_.empty() ? few_.data() : more_.data(); }
  void append(double part);

  std::size_t size_ = 0;
  std::array<double, few> few_;  // ascending magnitude, none 0
  std::vector<double> more_;     // instead, once there are more
};

// sum(w x s) / sum(w). Without checks: values are finite, weights finite and >= 0.
class WeightedSum {
 public:
  void add(double value, double weight) {
    weighted_.add_product(value, weight);
    weights_.add(weight);
  }
  void add(const WeightedSum& other) {
    weighted_.add(other.weighted_);
    weights_.add(other.weights_);
  }
  // Nothing when the values weigh nothing. Error 22003 out of the range of doubles.
  std::optional<double> mean() const;

  const ExactSum& weighted() const { return weighted_; }
  const ExactSum& weights() const { return weights_; }
  static WeightedSum restore(ExactSum weighted, ExactSum weights);

 private:
  ExactSum weighted_, weights_;
};

// The mean of the known values, and data coverage = known weights / all weights.
// docs/reference/scoring.md, "The weighted mean".
class WeightedMean {
 public:
  // Counts a value: a known one if it is finite. Error 22023 unless the weight is finite and >= 0.
  void add(double value, double weight);
  // Counts an unknown value: its weight lowers the coverage.
  void add_unknown(double weight);
  void merge(const WeightedMean& other);

  // Unknown (nothing) when the known values weigh nothing.
  std::optional<double> mean() const { return known_.mean(); }
  // 0..1; nothing when all weights together are 0.
  std::optional<double> coverage() const;
  // Sum of the weights of known values, and of all.
  double known_weight() const { return known_.weights().value(); }
  double total_weight() const { return total_.value(); }

  // The three sums, for storing: weighted, known, total.
  const ExactSum& weighted_sum() const { return known_.weighted(); }
  const ExactSum& known_sum() const { return known_.weights(); }
  const ExactSum& total_sum() const { return total_; }
  static WeightedMean restore(ExactSum weighted, ExactSum known, ExactSum total);

 private:
  WeightedSum known_;
  ExactSum total_;
};

// Throws Error 22023 naming `what` unless the weight is finite and >= 0.
void check_weight(double weight, const char* what = "weight");

// The mean of paired values (nothing or not finite: unknown) and weights. Errors 22023: lengths differ, no
// weight above 0.
WeightedMean weigh(std::span<const std::optional<double>> values, std::span<const double> weights);

}  // namespace health
