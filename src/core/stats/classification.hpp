// How good risks are at picking out what happens, and probabilities at saying how often.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/checks.hpp"
#include "core/stats/wilson.hpp"

namespace health {

// Everywhere here: a high risk means that the outcome is likely. Errors 22023: NaN, lengths differ, an
// outcome that is not 0 or 1, a probability outside 0..1.

// Average precision, the area under the precision-recall curve: the sum over distinct risks, from the highest
// down, of (recall - recall before) x precision, as scikit-learn defines it, without interpolation. 0..1; a
// risk that ranks nothing has the base rate. Risks may be infinite. Unknown: no observation (no_data), no
// positive (zero_denominator).
Value measure_average_precision(std::span<const double> risks, Outcomes outcomes);

// Of the k highest risks: what share has the outcome, what share of all with the outcome they are, and how
// much more often it happens among them than among all.
struct TopK {
  std::int64_t k = 0;  // as asked, or all there are
  Value precision;
  Value recall;  // unknown when nobody has the outcome (zero_denominator)
  Value lift;    // precision / base rate; unknown with recall
};

// Where risks are tied at the border, the places left are filled by chance: expected values, so that the
// order of the rows does not matter. Error 22023 as well: k below 1. Unknown: no observation (no_data).
TopK measure_top_k(std::span<const double> risks, Outcomes outcomes, std::int64_t k);

// The Brier score, mean (p - y)^2: 0 is perfect, the base rate for everybody gives b(1 - b). Source: Brier,
// Monthly Weather Review 78 (1950), 1-3. Unknown: no observation (no_data).
Value measure_brier(std::span<const double> probabilities, Outcomes outcomes);

// 1 - Brier / (b(1 - b)): 1 is perfect, 0 no better than saying the base rate b of these outcomes to
// everybody, below 0 worse. Unknown: one class only (zero_denominator), no observation (no_data).
Value measure_brier_skill(std::span<const double> probabilities, Outcomes outcomes);

// Mean of -log(probability of what happened), natural. Probabilities are kept 2^-52 away from 0 and 1, as
// scikit-learn does, so that one wrong certainty is expensive (36), not infinite. Unknown: no observation
// (no_data).
Value measure_log_loss(std::span<const double> probabilities, Outcomes outcomes);

// Observations of much the same probability, and how often the outcome came.
struct CalibrationBin {
  std::int64_t count = 0;
  std::int64_t events = 0;
  double mean_probability = 0;
  double observed_rate = 0;
  Interval interval;  // Wilson's, 95 %, of the observed rate
};

// Observations by quantiles of their probability (10: deciles), lowest first. Equal probabilities stay
// together, in the bin in which the middle of their ranks lies; bins that nobody falls into are left out.
// Error 22023 as well: bins below 1.
std::vector<CalibrationBin> measure_calibration(std::span<const double> probabilities, Outcomes outcomes,
                                                std::int64_t bins = 10);

}  // namespace health
