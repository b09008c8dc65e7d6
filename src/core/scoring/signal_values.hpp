// The reading of a signal in the few values that are kept of it, from which it can be told again.
#pragma once

#include <optional>
#include <string>

#include "score.hpp"

namespace health {

// What one element of health_internal.signal_values holds.
struct SignalValue {
  std::optional<double> raw;         // as measured
  std::string text;                  // of an external value, where `raw` does not say the same; else empty
  std::optional<double> normalized;  // the score when it is known
  char reason = '\0';                // why it is not, or nobody_active: see reason_code()
  std::optional<double> counted;     // Reading::counted and basis
  std::optional<double> basis;
  std::optional<double> whole;  // Reading::whole
  std::optional<Day> observed;  // where words need it: of what was carried forward, or is not known
};

// The letter for a reason: n no_data, z zero_denominator, y insufficient_history, s source_stale,
// a not_applicable, b bad_value, r repeated_account, i nobody_active, l before_ledger; 0 for none.
char reason_code(Unknown reason);

// The letter of a customer's state: p prospect, e ended, t tracking_suspect, o onboarding, f
// onboarding_stalled, n never_started, s silent, k silent since before the first kept day, a active, u
// unsettled.
char state_code(const CustomerState& state);
CustomerState state_of_code(char code, std::optional<Day> since);

// A reading in values, and back: the same score, and the same words for it. Groups have none.
SignalValue keep_reading(const Signal& signal, const Reading& reading);
Reading restore_reading(const Signal& signal, const SignalValue& value);

}  // namespace health
