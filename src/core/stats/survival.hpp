// How long it takes, when for some it has not happened yet: Kaplan and Meier.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/checks.hpp"
#include "core/stats/wilson.hpp"

namespace health {

// What happens at one time, and the share for whom it has not happened after it.
struct SurvivalStep {
  double time = 0;
  std::int64_t at_risk = 0;   // just before: neither happened nor censored
  std::int64_t events = 0;    // it happened
  std::int64_t censored = 0;  // were seen no longer, at risk until then
  double survival = 1;        // 0..1
  Value standard_error;       // Greenwood's; unknown (zero_denominator) once nobody is left
  // 95 %, from log(-log survival), so that it stays within 0..1. Unknown before the first event (no_data) and
  // once nobody is left (zero_denominator).
  Interval interval;
};

struct Survival {
  std::vector<SurvivalStep> steps;  // one for each time at which something happens, ascending
  // The first time at which it has happened to half: survival <= 0.5. Unknown: no observation (no_data), not
  // yet reached (insufficient_history).
  Value median;
  // 95 %, by Brookmeyer and Crowley: the first times at which the lower and the upper end of the interval are
  // <= 0.5. The high end is unknown (insufficient_history) when observation ends before.
  Interval median_interval;
};

// Kaplan and Meier's estimate of time until an event: `times` from the start to the event (1) or to the end
// of observation (0, censored). Censored at the time of an event counts as at risk then. Errors 22023:
// lengths differ, a time that is not finite or below 0, an event that is not 0 or 1. Sources: Kaplan and
// Meier, JASA 53 (1958), 457-481; Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data
// (1980), 1.3 (the interval); Brookmeyer and Crowley, Biometrics 38 (1982), 29-41.
Survival estimate_survival(std::span<const double> times, Outcomes events);

// The first time at which it has happened to `share` of them (0..1; a half: the median), with its interval as
// that of the median. Unknown as the median is. Error 22023: a share outside 0..1.
struct SurvivalQuantile {
  Value time;
  Interval interval;
};
SurvivalQuantile find_quantile(const Survival& survival, double share);

// The share for whom it has not happened at `time`. 1 before the first step.
double survival_at(const Survival& survival, double time);

}  // namespace health
