// Readings in values, and back.
#include "signal_values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace health {

namespace {

constexpr std::array<std::pair<Unknown, char>, 7> codes = {{{Unknown::no_data, 'n'},
                                                            {Unknown::zero_denominator, 'z'},
                                                            {Unknown::insufficient_history, 'y'},
                                                            {Unknown::source_stale, 's'},
                                                            {Unknown::not_applicable, 'a'},
                                                            {Unknown::bad_value, 'b'},
                                                            {Unknown::repeated_account, 'r'}}};

Unknown reason_of(char code) {
  for (const auto& [reason, letter] : codes)
    if (letter == code) return reason;
  return Unknown::no_data;
}

// As PostgreSQL prints most numbers: what need not be kept as text beside the number.
std::string plain_text(double number) {
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::fixed);
  return {text, end.ptr};
}

}  // namespace

char reason_code(Unknown reason) {
  for (const auto& [known, letter] : codes)
    if (known == reason) return letter;
  return '\0';
}

SignalValue keep_reading(const Signal& signal, const Reading& reading) {
  SignalValue value;
  if (signal.is_group()) return value;
  if (reading.raw.known()) value.raw = reading.raw.number;
  if (!value.raw || plain_text(*value.raw) != reading.text) value.text = reading.text;
  if (reading.known())
    value.normalized = reading.score.number;
  else
    value.reason = reason_code(reading.score.unknown);
  value.whole = reading.whole;
  if (reading.carried || !reading.known()) value.observed = reading.observed;
  return value;
}

Reading restore_reading(const Signal& signal, const SignalValue& value) {
  Reading reading;
  if (signal.is_group()) return reading;
  reading.score = value.normalized ? Value::of(*value.normalized) : Value::none(reason_of(value.reason));
  reading.raw = value.raw ? Value::of(*value.raw) : Value::none(Unknown::no_data);
  reading.text = value.text;
  if (signal.is_external() && value.raw && value.text.empty()) reading.text = plain_text(*value.raw);
  reading.whole = value.whole;
  reading.observed = value.observed;
  reading.carried = !signal.is_external() && value.observed.has_value();
  return reading;
}

}  // namespace health
