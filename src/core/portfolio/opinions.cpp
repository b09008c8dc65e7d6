// NPS (Reichheld, Harvard Business Review 81(12), 2003), CSAT's top two boxes, CES (Dixon, Freeman and Toman,
// Harvard Business Review 88(7), 2010).
#include "opinions.hpp"

#include <cmath>

#include "core/stats/checks.hpp"

namespace health {

namespace {

constexpr double ces_limit = 1e6;

bool is_whole_from_to(double answer, double low, double high) {
  return answer >= low && answer <= high && answer == std::floor(answer);
}

std::int64_t answer_points(OpinionScale scale, double answer) {
  switch (scale) {
    case OpinionScale::nps:
      if (!is_whole_from_to(answer, 0, 10))
        refuse_number("NPS answer", answer, "Answers are whole numbers from 0 to 10; leave others out.");
      return answer >= 9 ? 1 : (answer <= 6 ? -1 : 0);
    case OpinionScale::csat:
      if (!is_whole_from_to(answer, 1, 5))
        refuse_number("CSAT answer", answer, "Answers are whole numbers from 1 to 5; leave others out.");
      return answer >= 4 ? 1 : 0;
    case OpinionScale::ces:
      break;
  }
  if (!(std::fabs(answer) <= ces_limit))
    refuse_number("CES answer", answer, "Answers are numbers of the survey's scale; leave others out.");
  return to_micro(answer);
}

}  // namespace

void Opinions::add(OpinionScale scale, double answer) {
  points += answer_points(scale, answer);
  ++answers;
}

Value Opinions::figure(OpinionScale scale) const {
  if (answers == 0) return Value::none(Unknown::no_data);
  if (scale == OpinionScale::ces) return Value::of(to_double(points) / to_double(Exact{answers} * micro));
  return Value::of(to_double(100 * points) / static_cast<double>(answers));
}

}  // namespace health
