// Projected Newton steps with backtracking.
#include "minimize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.hpp"

namespace health {

namespace {

// A point with what is known of the function there.
struct Place {
  Vector x;
  double value = 0;
  Vector gradient;
  Matrix curvature;
};

class Search {
 public:
  Search(const Objective& objective, const MinimizeOptions& options)
      : objective_(objective), options_(options) {}

  Minimum run(const Vector& start) {
    Minimum result;
    here_.x = clip(start);
    look();
    for (; result.rounds < options_.most_rounds; ++result.rounds) {
      poll_cancel();
      if (!std::isfinite(here_.value) || stationarity() <= options_.tolerance || !step()) break;
    }
    result.stationarity = stationarity();
    // Where rounding ends the search a little early, it is still there for every purpose.
    result.converged =
        std::isfinite(here_.value) && result.stationarity <= std::sqrt(options_.tolerance) / 10;
    result.value = here_.value;
    result.x = here_.x;
    return result;
  }

 private:
  Vector clip(const Vector& x) const { return x.cwiseMax(options_.low).cwiseMin(options_.high); }

  void look() {
    here_.gradient.setZero(here_.x.size());
    here_.curvature.setZero(here_.x.size(), here_.x.size());
    here_.value = objective_.expand(here_.x, here_.gradient, here_.curvature);
  }

  // Whether the variable is within `margin` of a bound that the gradient pushes against.
  bool is_held(Eigen::Index j, double margin) const {
    const double g = here_.gradient[j];
    return (g > 0 && here_.x[j] <= options_.low[j] + margin) ||
           (g < 0 && here_.x[j] >= options_.high[j] - margin);
  }

  double stationarity() const {
    double largest = 0;
    for (Eigen::Index j = 0; j < here_.x.size(); ++j) {
      const double g = std::fabs(here_.gradient[j]);
      // No number is never small.
      if (!is_held(j, 0) && !(g / options_.scale[j] <= largest)) largest = g / options_.scale[j];
    }
    return largest;
  }

  // How near its bound each variable is held: variables must not zigzag towards a bound, but only far from
  // the end. In lengths of 1 / sqrt(curvature), so that units do not matter.
  Vector margins() const {
    const Vector lengths = here_.curvature.diagonal().unaryExpr(
        [](double curvature) { return curvature > 0 ? std::min(1.0, 1 / std::sqrt(curvature)) : 0.0; });
    double squares = 0;
    const Vector ahead = clip(here_.x - here_.gradient.cwiseProduct(lengths.cwiseAbs2())) - here_.x;
    for (Eigen::Index j = 0; j < ahead.size(); ++j) {
      if (lengths[j] > 0) squares += std::pow(ahead[j] / lengths[j], 2);
    }
    return std::min(1e-3, std::sqrt(squares)) * lengths;
  }

  Vector direction() const {
    const Eigen::Index size = here_.x.size();
    const Vector margin = margins();
    std::vector<Eigen::Index> free;
    Vector d = Vector::Zero(size);
    for (Eigen::Index j = 0; j < size; ++j) {
      if (!is_held(j, margin[j])) {
        free.push_back(j);
      } else {
        // By itself, to the bound at most.
        const double own = -here_.gradient[j] / std::max(here_.curvature(j, j), 1e-300);
        d[j] = std::clamp(here_.x[j] + own, options_.low[j], options_.high[j]) - here_.x[j];
      }
    }
    const auto count = static_cast<Eigen::Index>(free.size());
    if (count == 0) return d;
    Matrix part(count, count);
    Vector slope(count);
    for (Eigen::Index i = 0; i < count; ++i) {
      slope[i] = here_.gradient[free[static_cast<std::size_t>(i)]];
      for (Eigen::Index j = 0; j < count; ++j)
        part(i, j) = here_.curvature(free[static_cast<std::size_t>(i)], free[static_cast<std::size_t>(j)]);
    }
    const Vector newton = solve(part, slope);
    for (Eigen::Index i = 0; i < count; ++i) d[free[static_cast<std::size_t>(i)]] = newton[i];
    return d;
  }

  // -(part + more x identity)^-1 slope with the least `more` that makes it go down; steepest descent at last.
  static Vector solve(const Matrix& part, const Vector& slope) {
    const double size = std::max(part.diagonal().cwiseAbs().maxCoeff(), 1e-300);
    for (double more = 0; more<1e8; more = more> 0 ? more * 10 : 1e-10) {
      Matrix raised = part;
      raised.diagonal().array() += more * size;
      const Eigen::LLT<Matrix> factors(raised);
      if (factors.info() != Eigen::Success) continue;
      Vector d = -factors.solve(slope);
      if (d.allFinite() && d.dot(slope) < 0) return d;
    }
    return -slope / size;
  }

  // False when no step lowers the function.
  bool step() {
    Vector d = direction();
    if (!d.allFinite()) return false;
    const double longest = d.cwiseAbs().maxCoeff();
    if (longest > options_.longest_step) d *= options_.longest_step / longest;
    const double before = here_.value;
    if (-here_.gradient.dot(d) < 1e-12 * std::fabs(before)) return step_in_noise(clip(here_.x + d));
    double length = 1;
    for (int halvings = 0; halvings < 60; ++halvings, length /= 2) {
      const Vector tried = clip(here_.x + length * d);
      const double promised = here_.gradient.dot(tried - here_.x);
      const double value = objective_.value(tried);
      if (!(value < before + 1e-4 * std::min(0.0, promised))) continue;
      here_.x = tried;
      look();
      return true;
    }
    return false;
  }

  // So near the end that the function cannot tell better from worse, for rounding, the gradient does: a step
  // is taken while it halves the gradient.
  bool step_in_noise(const Vector& whole) {
    const Place before = here_;
    const double stationarity_before = stationarity();
    here_.x = whole;
    look();
    if (std::isfinite(here_.value) && stationarity() <= stationarity_before / 2) return true;
    here_ = before;
    return false;
  }

  const Objective& objective_;
  const MinimizeOptions& options_;
  Place here_;
};

}  // namespace

Minimum minimize(const Objective& objective, const Vector& start, const MinimizeOptions& options) {
  return Search(objective, options).run(start);
}

}  // namespace health
