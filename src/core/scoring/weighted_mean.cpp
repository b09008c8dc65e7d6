// Exact sums by error-free transformations, and the weighted mean on top of them.
#include "weighted_mean.hpp"

#include <cmath>
#include <utility>

namespace health {

namespace {

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  std::string text = std::to_string(number);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void ExactSum::add(double number) {
  double* const parts = own_parts();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    // Without a look at which is larger (D. Knuth): branches that go either way cost more than sums.
    const double part = parts[i];
    const double high = number + part;
    const double of_part = high - number;
    const double low = (number - (high - of_part)) + (part - of_part);
    parts[kept] = low;
    kept += low != 0;
    number = high;
  }
  if (!std::isfinite(number)) {
    throw Error(sqlstate::numeric_value_out_of_range, "sum of weights or weighted values is out of range");
  }
  size_ = kept;
  if (number == 0) return;
  if (kept < few && more_.empty())
    few_[size_++] = number;
  else
    append(number);
}

void ExactSum::append(double part) {
  if (more_.empty() && size_ == few) more_.assign(few_.begin(), few_.end());
  if (more_.empty()) {
    few_[size_] = part;
  } else {
    more_.resize(size_);
    more_.push_back(part);
  }
  ++size_;
}

void ExactSum::add_product(double a, double b) {
  const double product = a * b;
  if (product != 0) add(product);
  const double rest = std::fma(a, b, -product);
  if (rest != 0) add(rest);
}

void ExactSum::add(const ExactSum& other) {
  if (&other == this) return add(ExactSum(other));
  for (const double part : other.parts()) add(part);
}

double ExactSum::value() const {
  const auto own = parts();
  std::size_t n = own.size();
  if (n == 0) return 0;
  double high = own[--n];
  double low = 0;
  while (n > 0) {
    const double before = high;
    const double part = own[--n];
    high = before + part;
    low = part - (high - before);
    if (low != 0) break;
  }
  // Half-way cases round by the sign of what is left.
  if (n > 0 && ((low < 0 && own[n - 1] < 0) || (low > 0 && own[n - 1] > 0))) {
    const double twice = low * 2;
    const double rounded = high + twice;
    if (twice == rounded - high) high = rounded;
  }
  return high;
}

void check_weight(double weight, const char* what) {
  if (std::isfinite(weight) && weight >= 0) return;
  throw Error(sqlstate::invalid_parameter_value,
              std::string(what) + " " + number_text(weight) + " is not allowed",
              "Weights are finite and not negative; at least one must be above 0.");
}

void WeightedMean::add(double value, double weight) {
  if (!std::isfinite(value)) return add_unknown(weight);
  check_weight(weight);
  known_.add(value, weight);
  total_.add(weight);
}

void WeightedMean::add_unknown(double weight) {
  check_weight(weight);
  total_.add(weight);
}

void WeightedMean::merge(const WeightedMean& other) {
  known_.add(other.known_);
  total_.add(other.total_);
}

std::optional<double> WeightedSum::mean() const {
  const double weight = weights_.value();
  if (!(weight > 0)) return std::nullopt;
  // Both sums are rounded once; one correction by the exact remainder makes up for it, so that the mean of
  // equal values is that value.
  const double mean = weighted_.value() / weight;
  if (!std::isfinite(mean))
    throw Error(sqlstate::numeric_value_out_of_range, "weighted mean is out of range");
  ExactSum remainder = weighted_;
  for (const double part : weights_.parts()) remainder.add_product(-mean, part);
  return mean + remainder.value() / weight;
}

WeightedSum WeightedSum::restore(ExactSum weighted, ExactSum weights) {
  WeightedSum sum;
  sum.weighted_ = std::move(weighted);
  sum.weights_ = std::move(weights);
  return sum;
}

std::optional<double> WeightedMean::coverage() const {
  const double weight = total_.value();
  if (!(weight > 0)) return std::nullopt;
  return known_weight() / weight;
}

WeightedMean WeightedMean::restore(ExactSum weighted, ExactSum known, ExactSum total) {
  WeightedMean mean;
  mean.known_ = WeightedSum::restore(std::move(weighted), std::move(known));
  mean.total_ = std::move(total);
  return mean;
}

WeightedMean weigh(std::span<const std::optional<double>> values, std::span<const double> weights) {
  if (values.size() != weights.size()) {
    throw Error(sqlstate::invalid_parameter_value,
                std::to_string(values.size()) + " values but " + std::to_string(weights.size()) + " weights",
                "Give one weight for each value; NULL is an unknown value.");
  }
  WeightedMean mean;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((i & 8191) == 8191) poll_cancel();
    if (!std::isfinite(weights[i]) || weights[i] < 0)
      check_weight(weights[i], ("weights[" + std::to_string(i + 1) + "]").c_str());
    if (values[i]) {
      mean.add(*values[i], weights[i]);
    } else {
      mean.add_unknown(weights[i]);
    }
  }
  if (!values.empty() && !(mean.total_weight() > 0)) {
    throw Error(sqlstate::invalid_parameter_value, "all weights are 0",
                "At least one weight must be above 0.");
  }
  return mean;
}

}  // namespace health
