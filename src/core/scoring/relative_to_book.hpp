// What the whole book did, beside a change of one account: it is told, and it gates advice, and moves no
// score. docs/reference/scoring.md, "Relative to the book".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/metrics/metrics.hpp"
#include "model.hpp"

namespace health {

struct Score;

// What the book did, the median of each signal over its accounts; an entry per signal of the model, nothing
// where it is not known. Empty: not known of any.
using BookChanges = std::vector<std::optional<double>>;

// Whether a metric is the change of a ratio, so that 1 + value can be divided by that of the book.
constexpr bool can_be_relative(const MetricInfo& metric) {
  return metric.style == NumberStyle::change && metric.basis == ShrinkBasis::events;
}

// What is left of a change when that of the book is taken out of it: (1 + change) / (1 + book) - 1. In steps
// of 10^-12: what the binary form of decimals costs decides nothing. Where all of the book stopped, 0 for an
// account that stopped as well, else infinite.
double change_against_book(double change, double book);

// What the book did, where the signal is held against it and measured something on the day of the score.
std::optional<double> book_change_of(const Model& model, std::size_t signal, const Score& score);

// Whether a step is one for the change against the book as well: by its condition, else by the score that
// this change would have. Where that is unknown, it is.
bool fits_against_book(const Signal& signal, const NextStep& step, double against_book, bool strong);

// "the whole book is down 17 %", and of an account that went another way: ", against it down 52 %". Empty
// when the book moved too little to explain anything.
std::string describe_book(double change, double book);

}  // namespace health
