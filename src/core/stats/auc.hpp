// AUC, the area under the ROC curve: whether a score ranks what happened above what did not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/checks.hpp"
#include "core/stats/wilson.hpp"

namespace health {

// P(score of one with the outcome > score of one without) + half the ties, and how sure that is.
struct Auc {
  Value auc;             // 0..1
  Value standard_error;  // unknown when one of the classes comes from a single cluster
  Interval interval;     // 95 %, within 0..1; unknown with the standard error
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
  std::int64_t clusters = 0;  // observations, where no clusters were given
};

// The AUC alone, in O(n log n) and exact up to one rounding. A high score means that the outcome is likely:
// give risks, not health. Scores may be infinite, since only their order counts. Unknown: no observation
// (no_data), one class only (zero_denominator). Errors 22023: NaN, lengths differ, an outcome that is not 0
// or 1. Source: the Mann-Whitney form, Bamber, J. Math. Psychology 12 (1975), 387-415.
Value measure_auc(std::span<const double> scores, Outcomes outcomes);

// The AUC with its standard error and 95 % interval. `clusters` names the unit (account) of each observation,
// in any numbers; none: each is its own.
//
// The standard error is that of DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988), 837-845, with
// clusters that of Obuchowski, Biometrics 53 (1997), 567-578, which is the same, factors n/(n-1) included,
// when every cluster has one observation. The interval is auc -+ 1.96 standard errors, cut to 0..1. An AUC of
// exactly 0 or 1 has the standard error 0, which says nothing about how sure it is: its interval is Wilson's
// of none or all out of as many as the smaller class has clusters (no fewer independent comparisons exist;
// the variance of an AUC is at most that of a share of so many, Birnbaum and Klose 1957).
// Unknowns and errors as above.
Auc estimate_auc(std::span<const double> scores, Outcomes outcomes,
                 std::span<const std::int64_t> clusters = {});

// Two scores on the same observations.
struct AucComparison {
  Auc first;
  Auc second;
  Value difference;      // first - second
  Value standard_error;  // of the difference, the scores being correlated
  Interval interval;     // 95 %, within -1..1
  Value z;               // difference / standard error; unknown when that is 0 (zero_denominator)
  Value p_value;         // two-sided, of "no difference"; unknown with z
};

// Compares the AUCs of two scores by the paired test of DeLong et al. 1988, with clusters that of Obuchowski
// 1997. Where the standard error of a difference is 0, the interval is the difference if that is 0 and
// unknown otherwise. Unknowns and errors as above.
AucComparison compare_auc(std::span<const double> first, std::span<const double> second, Outcomes outcomes,
                          std::span<const std::int64_t> clusters = {});

// The first score beside each of the others: `others` are as many scores, one after the other, as go into
// its length. Everything is put in order once. Error 22023 besides: the length is no multiple.
std::vector<AucComparison> compare_auc_with_each(std::span<const double> first,
                                                 std::span<const double> others, Outcomes outcomes,
                                                 std::span<const std::int64_t> clusters = {});

}  // namespace health
