// The least value of a smooth function of a few variables, each between bounds: Newton's method, kept inside.
#pragma once

#include "core/stats/eigen.hpp"

namespace health {

// A function of a point, twice differentiable between the bounds. What is not finite is worse than anything.
class Objective {
 public:
  Objective() = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;
  virtual ~Objective() = default;

  virtual double value(const Vector& x) const = 0;
  // The value; fills the gradient and the (symmetric) matrix of second derivatives.
  virtual double expand(const Vector& x, Vector& gradient, Matrix& curvature) const = 0;
};

struct MinimizeOptions {
  Vector low;  // infinities: no bound
  Vector high;
  Vector scale;  // of each gradient, as large as it can reasonably be: what 0 is measured by
  double tolerance = 1e-10;
  double longest_step = 1e300;  // of one variable in one round
  int most_rounds = 200;
};

struct Minimum {
  Vector x;
  double value = 0;
  // The largest |gradient| / scale that does not push against a bound: 0 at a point that fulfils the
  // conditions of Karush, Kuhn and Tucker.
  double stationarity = 0;
  int rounds = 0;
  bool converged = false;
};

// Starts from `start` moved between the bounds. Two-metric projection: variables at a bound that the gradient
// pushes against stay, the others take a Newton step, with more on the diagonal where the function is not
// convex, and halved until the function falls enough. Always ends; `converged` says how. Polls for cancel.
// Source: Bertsekas, SIAM J. Control and Optimization 20 (1982), 221-246.
Minimum minimize(const Objective& objective, const Vector& start, const MinimizeOptions& options);

}  // namespace health
