// What every statistic asks of its numbers before it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace health {

// Whether each observation had the outcome: 1 or 0.
using Outcomes = std::span<const std::uint8_t>;

// What a span of numbers may hold besides plain numbers.
enum class Allow : std::uint8_t {
  finite,       // nothing
  infinite,     // infinities: only their order is used
  not_negative  // nothing, and none below 0
};

// Error 22023 that names `what` and the first number which is not allowed.
void check_numbers(std::span<const double> numbers, const char* what, Allow allow = Allow::finite);

// Error 22023 unless every number is in 0..1.
void check_probabilities(std::span<const double> numbers, const char* what = "probabilities");

// Error 22023 unless every outcome is 0 or 1.
void check_outcomes(Outcomes outcomes);

// Error 22023 unless there are `wanted` of `what`.
void check_length(std::size_t given, std::size_t wanted, const char* what);

// Error 22023: `what` is `number`, which is not allowed, and what would be.
[[noreturn]] void refuse_number(const char* what, double number, const char* hint);

}  // namespace health
