// Calendar dates of the proleptic Gregorian calendar from and to day numbers.
#include "civil.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace health {

namespace {

// Days and years beyond std::chrono::year (32767) are mapped by whole cycles of 400 years, each 146,097 days.
constexpr std::int64_t cycle_days = 146097;
constexpr std::int64_t cycle_years = 400;
constexpr std::int64_t epoch_2000 = 10957;  // days from 1970-01-01 to 2000-01-01

// The run of `length` months, counted from January, that a day is in.
Window months_around(Day day, unsigned length) {
  const std::int64_t days = static_cast<std::int64_t>(day) + epoch_2000;
  const std::int64_t cycles = days / cycle_days;
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{days - cycles * cycle_days}}};
  const unsigned month = (static_cast<unsigned>(date.month()) - 1) / length * length + 1;
  const std::chrono::year_month_day first{date.year(), std::chrono::month{month}, std::chrono::day{1}};
  const auto as_day = [&](const std::chrono::year_month_day& when) {
    return std::chrono::sys_days{when}.time_since_epoch().count() + cycles * cycle_days - epoch_2000;
  };
  // Behind the last of all days there is room for more in a Day.
  return {static_cast<Day>(std::max<std::int64_t>(as_day(first), min_day)),
          static_cast<Day>(as_day(first + std::chrono::months{length}))};
}

}  // namespace

std::string day_text(Day day) {
  std::int64_t days = static_cast<std::int64_t>(day) + epoch_2000;
  std::int64_t cycles = days / cycle_days;
  days -= cycles * cycle_days;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const std::int64_t year = static_cast<int>(date.year()) + cycles * cycle_years;
  char text[32];
  const char* format = year >= 0 && year <= 9999 ? "%04lld-%02u-%02u"
                       : year < 0                ? "-%04lld-%02u-%02u"
                                                 : "+%04lld-%02u-%02u";
  const int size = std::snprintf(text, sizeof text, format, static_cast<long long>(year < 0 ? -year : year),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return std::string(text, static_cast<std::size_t>(size));
}

std::optional<Day> parse_day(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.size() < 10 || text.size() > 13) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return std::nullopt;
    return value;
  };
  const std::string_view rest = text.substr(text.size() - 6);
  const auto year = number(text.substr(0, text.size() - 6));
  const auto month = number(rest.substr(1, 2));
  const auto day = number(rest.substr(4, 2));
  if (!year || !month || !day || rest[0] != '-' || rest[3] != '-') return std::nullopt;
  const std::int64_t full_year = negative ? -*year : *year;
  const std::int64_t cycles = full_year / cycle_years;
  const std::chrono::year_month_day date{
      std::chrono::year{static_cast<int>(full_year - cycles * cycle_years)},
      std::chrono::month{static_cast<unsigned>(*month)}, std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days =
      std::chrono::sys_days{date}.time_since_epoch().count() + cycles * cycle_days - epoch_2000;
  if (days < min_day || days > max_day) return std::nullopt;
  return static_cast<Day>(days);
}

Window period_of(Day day) { return months_around(day, 3); }

Day month_start(Day day) { return months_around(day, 1).from; }

}  // namespace health
