// What an event is: amounts, and what is said of those that are none.
#include "event.hpp"

#include <cmath>

#include "core/base/exact.hpp"

namespace health {

void reject_event(const LoggedEvent& event) {
  if (event.name.empty())
    throw Error(sqlstate::invalid_parameter_value, "an event has an empty name",
                "Filter such events out, or name them.");
  throw Error(sqlstate::datetime_field_overflow, "the day of an event is out of range");
}

bool to_micro(double amount, std::int64_t& micro_units) noexcept {
  const double scaled = std::nearbyint(amount * static_cast<double>(micro));
  if (!(scaled >= -9223372036854774784.0 && scaled <= 9223372036854774784.0)) return false;
  micro_units = static_cast<std::int64_t>(scaled);
  return true;
}

std::int64_t amount_to_micro(double amount) {
  std::int64_t micro_units = 0;
  if (!to_micro(amount, micro_units)) {
    throw Error(
        sqlstate::numeric_value_out_of_range,
        std::isnan(amount) ? "an amount is NaN" : "an amount is out of range",
        "Amounts are finite numbers up to 9,223,372,036,854 in either direction; NULL stands for no amount.");
  }
  return micro_units;
}

}  // namespace health
