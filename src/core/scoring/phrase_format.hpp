// Numbers and names the way a sentence for people shows them. Rounding here is for display only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/day.hpp"

namespace health {

// Whole numbers in full, else 0, 1 or 2 decimals for numbers from 100, from 10 and below: "1234", "42.5",
// "0.15".
std::string show_number(double number);
// "0.15" -> "15 %"; below 10 % with one decimal where there is one. With `sign`: "+15 %", "-4.2 %".
std::string show_percent(double ratio, bool sign = false);
// Points of a score with sign and one decimal: "+0.3", "-8.1", "0.0".
std::string show_points(double points);
// A score without decimals, or with one: "78", "78.4".
std::string show_score(double score, int decimals = 0);
// "1 user", "3 users".
std::string count_of(std::int64_t count, std::string_view one, std::string_view many);
// A label inside a sentence: "Active users" -> "active users"; "NPS" and "ARR growth" stay.
std::string in_sentence(std::string_view label);
// "May", or "May 2024" when it is another year than that of `as_of`.
std::string month_of(Day day, Day as_of);
// "12 May", or "12 May 2024" likewise.
std::string day_in_sentence(Day day, Day as_of);

}  // namespace health
