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
