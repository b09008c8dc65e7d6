// How much of a total hangs on few users.
#include "concentration.hpp"

#include <algorithm>
#include <functional>

#include "core/base/error.hpp"

namespace health {

namespace {

// Sorts by size, largest first, and returns the sum.
Exact rank_contributions(std::vector<Exact>& contributions) {
  Exact total = 0;
  for (const Exact x : contributions) {
    if (x < 0)
      throw Error(sqlstate::invalid_parameter_value, "a user's contribution is negative",
                  "Shares exist of non-negative contributions only.");
    total += x;
  }
  std::sort(contributions.begin(), contributions.end(), std::greater<>());
  return total;
}

Value share_of_first(const std::vector<Exact>& ranked, Exact total, std::int64_t k) {
  if (total == 0) return Value::none(Unknown::zero_denominator);
  Exact top = 0;
  for (std::size_t i = 0; i < ranked.size() && static_cast<std::int64_t>(i) < k; ++i) top += ranked[i];
  return Value::of(to_double(top) / to_double(total));
}

// Sets hhi, effective_users and hhi_normalized from the sum of squares and the square of the total, both in
// one unit.
template <class Number>
void set_hhi(Concentration& result, Number squares, Number total_squared) {
  const auto users = static_cast<Number>(result.users);
  const auto as_double = [](Number number) { return static_cast<double>(number); };
  result.hhi = Value::of(as_double(squares) / as_double(total_squared));
  result.effective_users = Value::of(as_double(total_squared) / as_double(squares));
  // (HHI - 1/n) / (1 - 1/n), multiplied by n: even shares give exactly 0.
  result.hhi_normalized = result.users == 1
                              ? Value::none(Unknown::not_applicable)
                              : Value::of(std::max(0.0, as_double(users * squares - total_squared) /
                                                            as_double((users - 1) * total_squared)));
}

}  // namespace

Concentration measure_concentration(std::vector<Exact> contributions) {
  Concentration result;
  result.users = static_cast<std::int64_t>(contributions.size());
  result.total = rank_contributions(contributions);
  const Exact total = result.total;
  if (total == 0) {
    const Value nothing = Value::none(Unknown::zero_denominator);
    result.top1 = result.top2 = result.top3 = result.hhi = result.effective_users = result.hhi_normalized =
        result.gini = result.absence_factor = nothing;
    return result;
  }
  result.top1 = share_of_first(contributions, total, 1);
  result.top2 = share_of_first(contributions, total, 2);
  result.top3 = share_of_first(contributions, total, 3);

  // Squares fit exactly for every total up to 10^15 of a million users; beyond, doubles in ranked order still
  // do not depend on arrival.
  const double bound = to_double(total) * to_double(total) * static_cast<double>(result.users);
  if (bound < 1e37) {
    Exact squares = 0;
    for (const Exact x : contributions) squares += x * x;
    set_hhi<Exact>(result, squares, total * total);
  } else {
    double squares = 0;
    for (const Exact x : contributions)
      squares += to_double(x) / to_double(total) * (to_double(x) / to_double(total));
    set_hhi<double>(result, squares, 1.0);
  }

  // Gini = (2 sum(i x_i) - (n + 1) T) / (n T), i counting from the smallest. In the same way.
  const Exact users = result.users;
  const bool exact = to_double(total) * static_cast<double>(result.users) < 1e37;
  Exact weighted = 0;
  double share = 0;  // of the total, weighted
  Exact reached = 0;
  std::int64_t absent = 0;
  for (std::size_t i = 0; i < contributions.size(); ++i) {
    const Exact place = users - static_cast<Exact>(i);
    if (exact)
      weighted += place * contributions[i];
    else
      share += to_double(place) * (to_double(contributions[i]) / to_double(total));
    if (2 * reached < total) {
      reached += contributions[i];
      ++absent;
    }
  }
  result.gini = Value::of(exact ? to_double(2 * weighted - (users + 1) * total) / to_double(users * total)
                                : (2 * share - to_double(users + 1)) / to_double(users));
  result.absence_factor = Value::of(static_cast<double>(absent));
  return result;
}

Value top_share(std::vector<Exact> contributions, std::int64_t k) {
  const Exact total = rank_contributions(contributions);
  return share_of_first(contributions, total, k);
}

}  // namespace health
