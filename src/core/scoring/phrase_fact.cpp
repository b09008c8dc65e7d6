// One phrase per measure.
#include "phrase_fact.hpp"

#include <cmath>

#include "phrase_format.hpp"

namespace health {

namespace {

std::string kinds_of(const FactRequest& request) {
  std::string kinds;
  for (const std::string& kind : request.kinds) kinds += (kinds.empty() ? "" : ", ") + kind;
  return kinds;
}

}  // namespace

std::string words_of_fact(const FactRequest& request) {
  std::string words = in_sentence(request.fact);
  for (char& letter : words)
    if (letter == '_') letter = ' ';
  const std::string kinds = kinds_of(request);
  return kinds.empty() ? words : words + " (" + kinds + ")";
}

namespace {

// "3 tickets", "1 ticket", "no tickets".
std::string count_facts(const FactRequest& request, double value) {
  FactRequest counted = request;
  std::string& name = counted.fact;
  if (value == 1 && name.size() > 2 && name.ends_with('s') && !name.ends_with("ss")) name.pop_back();
  return (value == 0 ? "no" : show_number(value)) + " " + words_of_fact(counted);
}

}  // namespace

std::string show_fact(const FactRequest& request, double value) {
  switch (fact_measure_info(request.measure).style) {
    case NumberStyle::share:
      return show_percent(value);
    case NumberStyle::change:
      return show_percent(value, true);
    case NumberStyle::number:
      break;
  }
  return show_number(value);
}

std::string describe_fact(const FactRequest& request, double value, const MetricSettings& settings) {
  const std::string facts = words_of_fact(request);
  const std::string number = show_number(value);
  const std::string money = request.currency.empty() ? number : number + " " + request.currency;
  const auto days = [](double count) { return count_of(std::llround(count), "day", "days"); };
  const int window_days = request.window_days > 0 ? request.window_days : settings.window_days;
  const std::string window = " in " + days(window_days);
  switch (request.measure) {
    case FactMeasure::count:
      return count_facts(request, value) + window;
    case FactMeasure::sum:
      return facts + " of " + money + window;
    case FactMeasure::mean:
      return facts + " of " + money + " on average" + window;
    case FactMeasure::change:
      if (value == 0) return "as many " + facts + " as in the " + days(window_days) + " before";
      return facts + (value < 0 ? " down " : " up ") + show_percent(std::fabs(value)) + window;
    case FactMeasure::open:
      return count_facts(request, value) + " open";
    case FactMeasure::open_sum:
      return facts + " of " + money + " running";
    case FactMeasure::days_since:
      return days(value) + " since the latest " + facts;
    case FactMeasure::days_left:
      if (value < 0) return facts + " ended " + days(-value) + " ago";
      return facts + (value == 0 ? " end today" : " end in " + days(value));
    case FactMeasure::mean_days:
      return facts + " took " + number + " days on average" + window;
    case FactMeasure::latest:
      return "latest " + facts + " " + number + " on average";
    case FactMeasure::nps:
      return "NPS " + number + " of " + facts;
    case FactMeasure::csat:
      return number + " % satisfied in " + facts;
    case FactMeasure::ces:
      return "effort score " + number + " of " + facts;
    case FactMeasure::share:
      break;
  }
  FactRequest all = request;
  all.kinds.clear();
  return show_percent(value) + " of " + words_of_fact(all) + window + " are " + kinds_of(request);
}

}  // namespace health
