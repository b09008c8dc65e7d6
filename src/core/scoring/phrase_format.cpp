// Formatting for sentences, the same in every locale.
#include "phrase_format.hpp"

#include <cmath>
#include <cstdio>

#include "core/base/civil.hpp"

namespace health {

namespace {

std::string with_decimals(double number, int decimals) {
  char text[352];  // the largest double has 309 digits
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  // No "-0".
  std::string_view digits(text);
  if (digits.find_first_not_of("-0.") == std::string_view::npos && digits.front() == '-')
    digits.remove_prefix(1);
  return std::string(digits);
}

std::string strip_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string show_number(double number) {
  const double size = std::fabs(number);
  if (size >= 1e15) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3g", number);
    return text;
  }
  return strip_zeros(with_decimals(number, size >= 100 ? 0 : size >= 10 ? 1 : 2));
}

std::string show_percent(double ratio, bool sign) {
  const double percent = 100 * ratio;
  std::string text = std::fabs(percent) >= 1e15
                         ? show_number(percent)
                         : strip_zeros(with_decimals(percent, std::fabs(percent) < 10 ? 1 : 0));
  if (sign && text.front() != '-' && text != "0") text.insert(text.begin(), '+');
  return text + " %";
}

std::string show_points(double points) {
  std::string text = with_decimals(points, 1);
  if (text.front() != '-' && text != "0.0") text.insert(text.begin(), '+');
  return text;
}

std::string show_score(double score, int decimals) { return with_decimals(score, decimals); }

std::string count_of(std::int64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count).append(" ").append(count == 1 ? one : many);
}

std::string in_sentence(std::string_view label) {
  std::string text(label);
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (text.size() > 1 && is_upper(text[0]) && is_lower(text[1]))
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

std::string month_of(Day day, Day as_of) {
  constexpr std::string_view months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
  const std::string text = day_text(day), now = day_text(as_of);
  const std::size_t year_end = text.find('-', 1);
  const int month = (text[year_end + 1] - '0') * 10 + (text[year_end + 2] - '0');
  std::string words(months[month - 1]);
  const std::string year = text.substr(0, year_end);
  if (year != now.substr(0, now.find('-', 1))) words += " " + year;
  return words;
}

std::string day_in_sentence(Day day, Day as_of) {
  const std::string text = day_text(day);
  const std::string number = text.substr(text.size() - 2);
  return number.substr(number[0] == '0' ? 1 : 0) + " " + month_of(day, as_of);
}

}  // namespace health
