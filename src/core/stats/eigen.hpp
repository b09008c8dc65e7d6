// The one place that includes Eigen, and how it is used here: its assertions throw, since nothing may abort a
// database server, and it starts no threads.
//
// Vectors and matrices of Eigen hold memory of malloc, not of the module's operator new; they free it when an
// exception passes, as cancelling does. What a function takes and gives back are spans and std::vector.
#pragma once

#include <stdexcept>

#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE
#define eigen_assert(condition)                                                          \
  do {                                                                                   \
    if (!(condition)) throw std::logic_error("linear algebra was misused: " #condition); \
  } while (false)

// Under /usr/include where Debian has it: warnings in it are not about this project.
#if __has_include(<eigen3/Eigen/Core>)
#include <eigen3/Eigen/Cholesky>
#include <eigen3/Eigen/Core>
#else
#include <Eigen/Cholesky>
#include <Eigen/Core>
#endif

namespace health {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

}  // namespace health
