// Calendar dates of the proleptic Gregorian calendar from and to day numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "calendar.hpp"

namespace health {

// ISO 8601: "2025-01-03"; years before 0 and past 9999 with a sign, "-0044-03-15", "+12025-01-01".
std::string day_text(Day day);

// Reads what day_text writes. Nothing for other text, impossible dates and days out of range.
std::optional<Day> parse_day(std::string_view text);

// The period that a day is in, [first day, first day of the next): a calendar quarter, of the oldest the days
// that there are.
Window period_of(Day day);
inline Day period_start(Day day) { return period_of(day).from; }
// The one period of what is not cut into quarters.
inline constexpr Window all_days{min_day, max_day + 1};

// The first day of the month that a day is in, of the oldest month the first that there is.
Day month_start(Day day);

}  // namespace health
