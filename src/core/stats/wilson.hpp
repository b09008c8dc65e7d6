// The Wilson score interval of a share: honest about small accounts. docs/reference/metrics.md, "Rules that
// hold for all".
#pragma once

#include <cstdint>

#include "core/base/value.hpp"

namespace health {

// Both ends in 0..1, or both unknown.
struct Interval {
  Value low;
  Value high;
};

// The two-sided 95 % interval of `part` out of `whole`. Unknown: whole = 0 (zero_denominator); part > whole,
// where the ratio is no share (not_applicable). Source: Wilson, JASA 22 (1927), 209-212.
Interval wilson_interval(std::int64_t part, std::int64_t whole);

}  // namespace health
