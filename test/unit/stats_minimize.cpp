// The search for a minimum between bounds, on functions that are known to be hard.
#include "core/stats/minimize.hpp"

#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

MinimizeOptions unbounded(Eigen::Index size) {
  MinimizeOptions options;
  options.low = Vector::Constant(size, -infinite);
  options.high = Vector::Constant(size, infinite);
  options.scale = Vector::Ones(size);
  return options;
}

// A long bent valley that is not convex (Rosenbrock 1960), least at (1, 1).
class Valley : public Objective {
 public:
  double value(const Vector& x) const override {
    return 100 * std::pow(x[1] - x[0] * x[0], 2) + std::pow(1 - x[0], 2);
  }
  double expand(const Vector& x, Vector& gradient, Matrix& curvature) const override {
    gradient << -400 * x[0] * (x[1] - x[0] * x[0]) - 2 * (1 - x[0]), 200 * (x[1] - x[0] * x[0]);
    curvature << 1200 * x[0] * x[0] - 400 * x[1] + 2, -400 * x[0], -400 * x[0], 200;
    return value(x);
  }
};

// x'Ax / 2 - b'x.
class Quadratic : public Objective {
 public:
  Quadratic(Matrix a, Vector b) : a_(std::move(a)), b_(std::move(b)) {}
  double value(const Vector& x) const override { return x.dot(a_ * x) / 2 - b_.dot(x); }
  double expand(const Vector& x, Vector& gradient, Matrix& curvature) const override {
    gradient = a_ * x - b_;
    curvature = a_;
    return value(x);
  }

 private:
  Matrix a_;
  Vector b_;
};

// Falls for ever; not a number to the left of -5.
class Slope : public Objective {
 public:
  double value(const Vector& x) const override { return x[0] < -5 ? not_a_number : x[0]; }
  double expand(const Vector& x, Vector& gradient, Matrix& curvature) const override {
    gradient << 1;
    curvature << 0;
    return value(x);
  }
};

}  // namespace

TEST_CASE("the bottom of Rosenbrock's valley is found, and the best point of what a bound leaves of it") {
  const Valley valley;
  const Minimum free = minimize(valley, Eigen::Vector2d(-1.2, 1), unbounded(2));
  CHECK(free.converged);
  CHECK(free.x[0] == Approx(1));
  CHECK(free.x[1] == Approx(1));
  MinimizeOptions bounded = unbounded(2);
  bounded.high[0] = .5;
  const Minimum held = minimize(valley, Eigen::Vector2d(-1.2, 1), bounded);
  CHECK(held.converged);
  CHECK(held.x[0] == .5);
  CHECK(held.x[1] == Approx(.25));
}

TEST_CASE("a quadratic between bounds ends where no subset of bounds gives less") {
  Random random(run_seed());
  for (int round = 0; round < 300; ++round) {
    const Eigen::Index size = between(random, 1, 5);
    Matrix root(size, size);
    Vector b(size);
    for (Eigen::Index i = 0; i < size; ++i) {
      b[i] = uniform(random) - .5;
      for (Eigen::Index j = 0; j < size; ++j) root(i, j) = uniform(random) - .5;
    }
    const Matrix a = root * root.transpose() + 1e-3 * Matrix::Identity(size, size);
    const Quadratic quadratic(a, b);
    MinimizeOptions options = unbounded(size);
    options.low.setZero();
    const Minimum found = minimize(quadratic, Vector::Ones(size), options);
    CHECK(found.converged);
    double least = 0;  // at 0
    for (unsigned chosen = 1; chosen < 1U << size; ++chosen) {
      Matrix part = Matrix::Identity(size, size);
      Vector right = Vector::Zero(size);
      for (Eigen::Index i = 0; i < size; ++i) {
        if ((chosen >> i & 1) == 0) continue;
        right[i] = b[i];
        for (Eigen::Index j = 0; j < size; ++j) part(i, j) = (chosen >> j & 1) != 0 ? a(i, j) : 0;
      }
      const Vector x = part.ldlt().solve(right);
      if (x.minCoeff() >= 0) least = std::min(least, quadratic.value(x));
    }
    CHECK(found.value == Approx(least).epsilon(1e-8).margin(1e-12));
  }
}

TEST_CASE("a search that has no end is ended, one that leads to no number stops before it") {
  const Minimum found = minimize(Slope(), Vector::Zero(1), unbounded(1));
  CHECK(!found.converged);
  CHECK(found.x[0] >= -5);
  CHECK(!minimize(Slope(), Vector::Constant(1, -9), unbounded(1)).converged);
  MinimizeOptions bounded = unbounded(1);
  bounded.low[0] = -2;
  CHECK(minimize(Slope(), Vector::Constant(1, 7), bounded).x[0] == -2);
  CHECK(minimize(Slope(), Vector::Constant(1, 7), bounded).converged);
}

TEST_CASE("what misuses Eigen throws, it does not abort") {
  const Vector two = Vector::Ones(2);
  const Vector three = Vector::Ones(3);
  CHECK_THROWS_AS(two.dot(three), std::logic_error);
}
