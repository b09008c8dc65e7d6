// Readings in values, and back.
#include "signal_values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace health {

namespace {

constexpr std::array<std::pair<Unknown, char>, 9> codes = {{{Unknown::no_data, 'n'},
                                                            {Unknown::zero_denominator, 'z'},
                                                            {Unknown::insufficient_history, 'y'},
                                                            {Unknown::source_stale, 's'},
                                                            {Unknown::not_applicable, 'a'},
                                                            {Unknown::bad_value, 'b'},
                                                            {Unknown::repeated_account, 'r'},
                                                            {Unknown::nobody_active, 'i'},
                                                            {Unknown::before_ledger, 'l'}}};

constexpr std::array<std::pair<CustomerStateKind, char>, 9> state_codes = {
    {{CustomerStateKind::unsettled, 'u'},
     {CustomerStateKind::prospect, 'p'},
     {CustomerStateKind::ended, 'e'},
     {CustomerStateKind::tracking_suspect, 't'},
     {CustomerStateKind::onboarding, 'o'},
     {CustomerStateKind::onboarding_stalled, 'f'},
     {CustomerStateKind::never_started, 'n'},
     {CustomerStateKind::silent, 's'},
     {CustomerStateKind::active, 'a'}}};

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

char state_code(const CustomerState& state) {
  if (state.before_kept) return 'k';
  for (const auto& [kind, letter] : state_codes)
    if (kind == state.kind) return letter;
  return 'u';
}

CustomerState state_of_code(char code, std::optional<Day> since) {
  if (code == 'k') return {CustomerStateKind::silent, since, true};
  for (const auto& [kind, letter] : state_codes)
    if (letter == code) return {kind, since};
  return {CustomerStateKind::unsettled};
}

SignalValue keep_reading(const Signal& signal, const Reading& reading) {
  SignalValue value;
  if (signal.is_group()) return value;
  if (reading.raw.known()) value.raw = reading.raw.number;
  if (!reading.text.empty() && (!value.raw || plain_text(*value.raw) != reading.text))
    value.text = reading.text;
  if (reading.known()) value.normalized = reading.score.number;
  if (reading.known() && reading.nobody_active())
    value.reason = reason_code(Unknown::nobody_active);
  else if (!reading.known())
    value.reason = reason_code(reading.score.unknown);
  value.counted = reading.counted;
  if (reading.counted) value.basis = reading.basis;
  value.whole = reading.whole;
  if (reading.carried || !reading.known() || signal.source == SignalSource::pulse)
    value.observed = reading.observed;
  return value;
}

Reading restore_reading(const Signal& signal, const SignalValue& value) {
  Reading reading;
  if (signal.is_group()) return reading;
  reading.score = value.normalized ? Value::of(*value.normalized) : Value::none(reason_of(value.reason));
  reading.raw = value.raw
                    ? Value::of(*value.raw)
                    : Value::none(value.reason == reason_code(Unknown::nobody_active) ? Unknown::nobody_active
                                                                                      : Unknown::no_data);
  reading.counted = value.counted;
  reading.basis = value.basis.value_or(0);
  reading.text = value.text;
  if (signal.is_external() && value.raw && value.text.empty()) reading.text = plain_text(*value.raw);
  reading.whole = value.whole;
  reading.observed = value.observed;
  reading.carried = !signal.is_external() && value.raw && value.observed;
  return reading;
}

}  // namespace health
