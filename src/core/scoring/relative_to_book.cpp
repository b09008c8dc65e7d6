// A change of one account against that of the whole book.
#include "relative_to_book.hpp"

#include <cmath>

#include "phrase_format.hpp"
#include "score.hpp"

namespace health {

namespace {

constexpr double worth_a_word = 0.05;

std::string show_change(double change) {
  return (change < 0 ? "down " : "up ") + show_percent(std::fabs(change));
}

}  // namespace

double change_against_book(double change, double book) {
  if (change == book) return 0;
  constexpr double steps = 1e12;
  return std::round(((1 + change) / (1 + book) - 1) * steps) / steps;
}

std::optional<double> book_change_of(const Model& model, std::size_t signal, const Score& score) {
  if (!model.signals[signal].relative_to_book || signal >= score.book.size()) return std::nullopt;
  const Reading& reading = score.readings[signal];
  return reading.raw.known() && !reading.carried ? score.book[signal] : std::nullopt;
}

bool fits_against_book(const Signal& signal, const NextStep& step, double against_book, bool strong) {
  if (step.has_condition()) return step.fits(against_book);
  const Value score = normalize(signal.normalize, against_book);
  if (!score.known()) return !std::isinf(against_book) || strong;
  return strong ? score.number >= very_good_score : score.number < good_score;
}

std::string describe_book(double change, double book) {
  if (std::fabs(book) < worth_a_word) return {};
  std::string words = "the whole book is " + show_change(book);
  const double against_book = change_against_book(change, book);
  if (std::isfinite(against_book) && std::fabs(against_book) >= worth_a_word)
    words += ", against it " + show_change(against_book);
  return words;
}

}  // namespace health
