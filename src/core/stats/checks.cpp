// Checks of numbers, and the words of their errors.
#include "checks.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "core/base/error.hpp"

namespace health {

namespace {

std::string place_in(const char* what, std::size_t index) {
  return std::string(what) + "[" + std::to_string(index + 1) + "]";
}

constexpr std::size_t numbers_between_polls = 1 << 16;

}  // namespace

void refuse_number(const char* what, double number, const char* hint) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number);
  throw Error(sqlstate::invalid_parameter_value,
              std::string(what) + " " + std::string(text, end.ptr) + " is not allowed", hint);
}

void check_numbers(std::span<const double> numbers, const char* what, Allow allow) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i % numbers_between_polls == 0) poll_cancel();
    const double x = numbers[i];
    if (std::isfinite(x) && (allow != Allow::not_negative || x >= 0)) continue;
    if (allow == Allow::infinite && !std::isnan(x)) continue;
    refuse_number(place_in(what, i).c_str(), x,
                  allow == Allow::infinite
                      ? "Leave out what is unknown."
                      : (allow == Allow::finite ? "Numbers are finite; leave out what is unknown."
                                                : "Numbers are finite and not below 0."));
  }
}

void check_probabilities(std::span<const double> numbers, const char* what) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i % numbers_between_polls == 0) poll_cancel();
    if (!(numbers[i] >= 0 && numbers[i] <= 1))
      refuse_number(place_in(what, i).c_str(), numbers[i], "Probabilities are from 0 to 1.");
  }
}

void check_outcomes(Outcomes outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] > 1) refuse_number(place_in("outcomes", i).c_str(), outcomes[i], "An outcome is 0 or 1.");
  }
}

void check_length(std::size_t given, std::size_t wanted, const char* what) {
  if (given == wanted) return;
  throw Error(sqlstate::invalid_parameter_value,
              std::to_string(given) + " " + what + " for " + std::to_string(wanted) + " observations",
              "Give one for each observation.");
}

}  // namespace health
