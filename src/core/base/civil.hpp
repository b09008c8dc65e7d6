// Calendar dates of the proleptic Gregorian calendar from and to day numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "day.hpp"

namespace health {

// ISO 8601: "2025-01-03"; years before 0 and past 9999 with a sign, "-0044-03-15", "+12025-01-01".
std::string day_text(Day day);

// Reads what day_text writes. Nothing for other text, impossible dates and days out of range.
std::optional<Day> parse_day(std::string_view text);

// The first day of the calendar quarter that a day is in; of the oldest quarter the first that there is.
Day period_start(Day day);

}  // namespace health
