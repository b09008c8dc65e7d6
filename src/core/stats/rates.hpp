// Rates of bands, how sure they are, and whether they are in order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/wilson.hpp"

namespace health {

// How many there are, and how many of them had the outcome.
struct RateCount {
  std::int64_t events = 0;
  std::int64_t count = 0;
};

struct Rate {
  Value rate;         // 0..1; unknown when there are none (zero_denominator)
  Interval interval;  // Wilson's, 95 %
};

// Error 22023 unless 0 <= events <= count.
Rate measure_rate(const RateCount& band);

// P(at least as many of the events fall to `first`) when both have the same rate: Fisher's exact test, one
// sided, given how many events there are together. 0..1; 1 when either is empty. It is exact however small
// the bands are, where the two-proportion z test is not, and on the safe side. Errors 22023: as above; 54000:
// more than 2^31 - 1 together.
double test_higher_rate(const RateCount& first, const RateCount& second);

// How many times as often something happens in one group as in another, and by how much more often.
struct RateComparison {
  Value ratio;  // rate of `first` over that of `second`; unknown when either is empty or nothing happens in
                // `second`
  Interval ratio_interval;       // 95 %; unknown with an empty group, and where all rates are 0 or all are 1
  bool is_adjusted = false;      // whether a half was added to each group, since one of them has no event
  Value difference;              // of the rates, -1..1
  Interval difference_interval;  // 95 %
};

// The ratio by the logarithm (Katz et al., Biometrics 34 (1978), 469-474), with a half added to events and
// counts where a group has no event (Walter, Biometrika 62 (1975), 371-374); the difference by Wilson's
// intervals (method 10 of Newcombe, Statistics in Medicine 17 (1998), 873-890). Errors as measure_rate().
RateComparison compare_rates(const RateCount& first, const RateCount& second);

// Two bands that are neighbours (but for empty ones between them), of which the first has the higher rate.
struct RateInversion {
  std::size_t first = 0;  // places in the sequence, from 0
  std::size_t second = 0;
  double p_value = 1;           // of the pair alone
  double adjusted_p_value = 1;  // over all pairs of neighbours
};

// Where rates that should rise from band to band fall, significantly: one-sided exact tests of neighbours at
// `level` together, by Holm's correction over all pairs of neighbours, whether they are in order or not
// (Holm, Scandinavian J. Statistics 6 (1979), 65-70). Give the bands from the best (healthy) to the worst.
// Falls that chance explains are not named. The tests take observations for independent: count each account
// once. Errors 22023: as above, a level outside 0..1.
std::vector<RateInversion> find_inversions(std::span<const RateCount> bands, double level = 0.05);

}  // namespace health
