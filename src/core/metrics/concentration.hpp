// How much of a total hangs on few users: top shares, HHI, Gini, absence factor.
// docs/reference/metrics.md, "Concentration".
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/exact.hpp"
#include "core/base/value.hpp"

namespace health {

// Concentration of the contributions of `users` users that sum to `total`. Unless total > 0, all values are
// unknown (zero_denominator).
struct Concentration {
  std::int64_t users = 0;
  Exact total = 0;
  Value top1;  // share of the largest contribution: power-user dependency
  Value top2;
  Value top3;
  Value hhi;              // sum of the squared shares: 1/users..1
  Value effective_users;  // 1 / hhi
  Value hhi_normalized;   // 0..1; one user: unknown (not_applicable)
  Value gini;             // 0 for one user, so never to be shown alone
  Value absence_factor;   // fewest users that reach half of the total
};

// `contributions` of distinct users in any order and any unit. Throws Error 22023 on a negative one. Sums are
// exact integers, so equal contributions give equal results in every order.
Concentration measure_concentration(std::vector<Exact> contributions);

// Share of the `k` largest (k >= 0). Throws Error 22023 on a negative contribution.
Value top_share(std::vector<Exact> contributions, std::int64_t k);

}  // namespace health
