// The BG/BB model of activity in periods (weeks): whoever is there is active or not by chance, and leaves
// some time for good without telling. Source of it all: Fader, Hardie and Shang, Customer-base analysis in a
// discrete-time noncontractual setting, Marketing Science 29 (2010), 1086-1108.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace health {

// What is known of an account after its first active period, which is period 0 and not counted.
struct BgbbHistory {
  std::int64_t active = 0;    // x: periods with activity
  std::int64_t last = 0;      // t_x: the last of them, from 1; 0 without
  std::int64_t periods = 0;   // n: all that have passed
  std::int64_t accounts = 1;  // how many have this history
};

// The probability of being active differs between accounts as Beta(alpha, beta), that of leaving at the start
// of a period as Beta(gamma, delta).
struct BgbbParameters {
  double alpha = 0;
  double beta = 0;
  double gamma = 0;
  double delta = 0;
  bool operator==(const BgbbParameters&) const = default;
};

// The parameters from a list: alpha, beta, gamma, delta. Errors 22023: not four, not finite and above 0.
BgbbParameters bgbb_parameters(std::span<const double> list);

// log P(history) of one account, natural: their equation (4). O(n - t_x) and a table of n. Errors 22023: a
// history that cannot be (x <= t_x <= n, 0 only together, n up to 100,000), parameters that are not finite
// and above 0.
double bgbb_log_likelihood(const BgbbParameters& parameters, const BgbbHistory& history);

// The sum over all accounts. Errors as above, and for a number of accounts below 0.
double bgbb_log_likelihood(const BgbbParameters& parameters, std::span<const BgbbHistory> histories);

// P(active at least once in the next `next` periods) of an account with this history:
// 1 - L(x, t_x, n + next) / L(x, t_x, n). O(n - t_x + next), without tables. Errors as above, and 22023 for
// `next` below 0.
double bgbb_probability_active(const BgbbParameters& parameters, const BgbbHistory& history,
                               std::int64_t next);

struct BgbbFit {
  std::optional<BgbbParameters> parameters;
  std::string_view reason;  // in words, why there are none
  double log_likelihood = 0;
  std::int64_t accounts = 0;  // with at least one period
  // A parameter is at the end of what is searched, 0.0001 to 10,000: the accounts hardly differ, or nobody
  // leaves, so that larger or smaller ones would say the same.
  bool at_limit = false;
};

// The parameters of maximum likelihood, by Newton's method in their logarithms (minimize.hpp) from a few
// fixed starts. None, with the reason: fewer than 10 accounts, nobody with three periods, all always active,
// none ever active. Deterministic; the order of the histories does not matter. Polls for cancel. Errors 22023
// as above.
BgbbFit fit_bgbb(std::span<const BgbbHistory> histories);

}  // namespace health
