// What customers answer in surveys: NPS, CSAT and CES. Which of a person's answers count is the caller's
// matter.
#pragma once

#include <cstdint>

#include "core/base/exact.hpp"
#include "core/base/value.hpp"

namespace health {

enum class OpinionScale : std::uint8_t {
  nps,   // whole answers 0..10: 100 x (promoters, 9 and 10 - detractors, 0 to 6) / answers
  csat,  // whole answers 1..5: 100 x (answers 4 and 5) / answers, the top two boxes
  ces    // any scale: the mean, in units of the answers; whether more is better is the survey's wording
};

// What answers come to, on one scale: each adds points, and the figure is their mean.
struct Opinions {
  std::int64_t answers = 0;
  Exact points = 0;  // NPS: 1, 0, -1; CSAT: 1, 0; CES: the answer in units of 10^-6

  // Error 22023 for an answer that is not on the scale: it names both.
  void add(OpinionScale scale, double answer);
  void add(const Opinions& other) {
    answers += other.answers;
    points += other.points;
  }
  // NPS -100..100, CSAT 0..100, CES as answered; unknown without an answer (no_data).
  Value figure(OpinionScale scale) const;
};

}  // namespace health
