// What flags measure beside metrics and facts, and the words for it.
#include <algorithm>
#include <cmath>

#include "core/metrics/feed_stop.hpp"
#include "core/metrics/trend.hpp"
#include "flags.hpp"
#include "phrase_fact.hpp"
#include "phrase_format.hpp"
#include "phrase_metric.hpp"

namespace health {

namespace {

constexpr int peak_weeks = 12, least_peak_weeks = 5;
constexpr int usual_windows = 4;
constexpr int score_days = 28;

int window_of(const FlagCondition& condition, const Ledger& ledger) {
  return condition.window_days > 0 ? condition.window_days : ledger.settings().window_days;
}

Value days_from(std::optional<Day> day, Day as_of) {
  return day ? Value::of(static_cast<double>(std::int64_t{as_of} - *day)) : Value::none(Unknown::no_data);
}

// Events or facts in a window that ends at as_of.
Value count_in(const Ledger& ledger, const FlagSource& source, int window_days, Day as_of) {
  if (source.is_fact) {
    FactRequest request = source.fact;
    request.measure = FactMeasure::count;
    request.window_days = window_days;
    return evaluate_fact(ledger, request, as_of);
  }
  MetricRequest request = source.metric;
  request.id = MetricId::events;
  request.window_days = window_days;
  return evaluate(ledger, request, as_of);
}

// Since the last one; where there never was one, since the account began.
Value days_without(const Ledger& ledger, const FlagSource& source, Day as_of) {
  const auto& start = ledger.settings().account_start;
  if (source.is_fact) {
    FactRequest request = source.fact;
    request.measure = FactMeasure::days_since;
    const Value since = evaluate_fact(ledger, request, as_of);
    return since.known() ? since : days_from(start, as_of);
  }
  if (const auto last = last_event(ledger, source.metric, as_of)) return days_from(last, as_of);
  return ledger.begins_after(min_day) ? Value::none(Unknown::before_ledger) : days_from(start, as_of);
}

// The window against the mean of the four before it, which is taken for one at least.
Value times_usual(const Ledger& ledger, const FlagSource& source, int window, Day as_of) {
  double before = 0;
  for (int i = 1; i <= usual_windows; ++i) {
    const Value count = count_in(ledger, source, window, days_before(as_of, std::int64_t{i} * window));
    if (!count.known()) return count;
    before += count.number;
  }
  const Value now = count_in(ledger, source, window, as_of);
  if (!now.known()) return now;
  return Value::of(usual_windows * now.number / std::max<double>(before, usual_windows));
}

Value measure_imbalance(const Ledger& ledger, const FlagCondition& condition, Day as_of) {
  const int window = window_of(condition, ledger);
  const Value received = count_in(ledger, condition.source, window, as_of);
  const Value given = count_in(ledger, condition.other, window, as_of);
  if (!received.known()) return received;
  if (!given.known()) return given;
  const double whole = received.number + given.number;
  return whole == 0 ? Value::none(Unknown::zero_denominator)
                    : Value::of((received.number - given.number) / whole);
}

// The last week against the busiest of the eleven before it.
Value measure_peak(const Ledger& ledger, const FlagSource& source, Day as_of) {
  const auto start = ledger.age_start(as_of);
  const std::int64_t age = start ? whole_weeks(*start, as_of) : peak_weeks;
  if (age < least_peak_weeks) return Value::none(Unknown::insufficient_history);
  const auto weeks = weekly(ledger, source.metric, as_of,
                            static_cast<int>(std::min<std::int64_t>(age, std::int64_t{peak_weeks})));
  const double most = *std::max_element(weeks.begin(), weeks.end() - 1);
  if (most == 0) return Value::none(weeks.back() == 0 ? Unknown::nobody_active : Unknown::zero_denominator);
  return Value::of(weeks.back() / most);
}

// Running amounts per active user, against those of a window ago.
Value revenue_per_user_change(const Ledger& ledger, const FlagCondition& condition, Day as_of) {
  const int window = window_of(condition, ledger);
  FactRequest revenue = condition.source.fact;
  revenue.measure = FactMeasure::open_sum;
  MetricRequest users;
  users.id = MetricId::active_users;
  Exact amounts[2], people[2];
  for (const int i : {0, 1}) {
    const Day day = i == 0 ? as_of : days_before(as_of, window);
    if (!ledger.is_in_book(day)) return Value::none(Unknown::insufficient_history);
    const Value amount = evaluate_fact(ledger, revenue, day);
    if (!amount.known()) return amount;
    const Value active = evaluate(ledger, users, day);
    if (!active.known()) return active;
    if (active.number == 0 || std::fabs(amount.number) > 9e12) return Value::none(Unknown::zero_denominator);
    amounts[i] = to_micro(amount.number);
    people[i] = std::llround(active.number);
  }
  if (amounts[1] <= 0) return Value::none(Unknown::zero_denominator);
  return relative_change(amounts[0] * people[1], amounts[1] * people[0]);
}

MetricRequest in_its_window(const FlagCondition& condition, const Ledger& ledger) {
  MetricRequest request = condition.source.metric;
  request.window_days = window_of(condition, ledger);
  return request;
}

Value power_user_quiet_days(const Ledger& ledger, const FlagCondition& condition, Day as_of) {
  MetricRequest request = in_its_window(condition, ledger);
  const auto user = top_user(ledger, request, as_of);
  if (!user) return Value::none(Unknown::nobody_active);
  request.id = MetricId::recency_days;
  request.user = ledger.user_text(*user);
  return evaluate(ledger, request, as_of);
}

// What part was done by the one who did most and belongs to the account no more; 0 while that one does.
Value power_user_left(const Ledger& ledger, const FlagCondition& condition, Day as_of) {
  if (!ledger.has_roster()) return Value::none(Unknown::not_applicable);
  MetricRequest request = in_its_window(condition, ledger);
  const auto user = top_user(ledger, request, as_of);
  if (!user) return Value::none(Unknown::nobody_active);
  if (ledger.is_member(*user, as_of)) return Value::of(0);
  request.id = MetricId::power_user_dependency;
  return evaluate(ledger, request, as_of);
}

// The age of an account in which nobody reached an activation event yet, or did anything where the catalog
// has none.
Value stalled_days(const Ledger& ledger, Day as_of) {
  const auto& start = ledger.settings().account_start;
  MetricRequest request;
  if ((ledger.catalog_roles() & activate) != 0) request.roles = activate;
  if (first_event(ledger, request, as_of)) return Value::none(Unknown::not_applicable);
  return ledger.begins_after(min_day) ? Value::none(Unknown::before_ledger) : days_from(start, as_of);
}

// What the binary form of decimal weights costs is rounded away, so that 80 is at least 80.
double rounded(double score) { return std::round(score * 1e9) / 1e9; }

Value measure_score(const FlagAccount& account, Day as_of, bool as_change) {
  const auto now = account.score(as_of);
  if (!now) return Value::none(Unknown::no_data);
  if (!as_change) return Value::of(rounded(*now));
  const Day then = days_before(as_of, score_days);
  const auto before = account.ledger.is_in_book(then) ? account.score(then) : std::nullopt;
  return before ? Value::of(rounded(*now - *before)) : Value::none(Unknown::insufficient_history);
}

Value measure(const FlagAccount& account, const FlagCondition& condition, Day as_of) {
  const Ledger& ledger = account.ledger;
  switch (*condition.measure) {
    case FlagMeasure::days_without:
      return days_without(ledger, condition.source, as_of);
    case FlagMeasure::first_use_days:
      return days_from(first_event(ledger, condition.source.metric, as_of), as_of);
    case FlagMeasure::times_usual:
      return times_usual(ledger, condition.source, window_of(condition, ledger), as_of);
    case FlagMeasure::imbalance:
      return measure_imbalance(ledger, condition, as_of);
    case FlagMeasure::peak:
      return measure_peak(ledger, condition.source, as_of);
    case FlagMeasure::revenue_per_user_change:
      return revenue_per_user_change(ledger, condition, as_of);
    case FlagMeasure::power_user_quiet_days:
      return power_user_quiet_days(ledger, condition, as_of);
    case FlagMeasure::power_user_left:
      return power_user_left(ledger, condition, as_of);
    case FlagMeasure::age_days:
      return days_from(ledger.age_start(as_of), as_of);
    case FlagMeasure::stalled_days:
      return stalled_days(ledger, as_of);
    case FlagMeasure::days_to_end: {
      const auto& end = ledger.settings().account_end;
      return end && *end < max_day ? Value::of(static_cast<double>(std::int64_t{*end} - as_of))
                                   : Value::none(Unknown::no_data);
    }
    case FlagMeasure::feed_stopped_days:
      return days_from(find_feed_stop(ledger, as_of), as_of);
    case FlagMeasure::score:
      return measure_score(account, as_of, false);
    case FlagMeasure::score_change:
      return measure_score(account, as_of, true);
    case FlagMeasure::departments:
      return count_departments(ledger, account.people, in_its_window(condition, ledger), as_of);
    case FlagMeasure::departments_change:
      return change_of_departments(ledger, account.people, in_its_window(condition, ledger), as_of);
    case FlagMeasure::main_contact_silent_days:
      return main_contact_silent_days(ledger, account.people, condition.source.metric, condition, as_of);
  }
  return Value::none(Unknown::not_applicable);
}

std::string words_of(const FlagSource& source) {
  if (source.is_fact) return words_of_fact(source.fact);
  std::string words;
  for (const std::string& event : source.metric.events) words += (words.empty() ? "" : ", ") + event;
  return words.empty() ? "events" : words;
}

std::string describe_measure(const FlagAccount& account, const FlagCondition& condition, double value,
                             Day as_of) {
  const MetricSettings& settings = account.model.settings;
  const auto days = [](double count) { return count_of(std::llround(count), "day", "days"); };
  const int window_days = condition.window_days > 0 ? condition.window_days : settings.window_days;
  const std::string window = " in " + days(window_days);
  const std::string source = words_of(condition.source);
  switch (*condition.measure) {
    case FlagMeasure::days_without:
      return "no " + source + " for " + days(value);
    case FlagMeasure::first_use_days:
      return source + " for the first time " + days(value) + " ago";
    case FlagMeasure::times_usual:
      return show_number(value) + " times as many " + source + " as usual" + window;
    case FlagMeasure::imbalance:
      return "of " + source + " and " + words_of(condition.other) + window + " a balance of " +
             show_number(value);
    case FlagMeasure::peak:
      return "the last week had " + show_percent(value) + " of the busiest of the weeks before";
    case FlagMeasure::revenue_per_user_change:
      return source + " per active user " + show_percent(value, true) + window;
    case FlagMeasure::power_user_quiet_days:
      return "the most active user was last seen " + days(value) + " ago";
    case FlagMeasure::power_user_left:
      return "who did " + show_percent(value) + " of everything" + window + " is no user any more";
    case FlagMeasure::age_days:
      return "a customer for " + days(value);
    case FlagMeasure::stalled_days:
      return "not activated " + days(value) + " after the start";
    case FlagMeasure::days_to_end:
      return "contract ends in " + days(value);
    case FlagMeasure::feed_stopped_days:
      return "all its events stopped at once " + days(value) + " ago";
    case FlagMeasure::score:
      return "score " + show_score(value);
    case FlagMeasure::score_change:
      return "score " + show_points(value) + " in 28 days";
    case FlagMeasure::departments:
      return describe_departments(account.ledger, account.people, in_its_window(condition, account.ledger),
                                  value, as_of) +
             window;
    case FlagMeasure::departments_change: {
      const auto change = std::llround(value);
      return count_of(std::abs(change), "department", "departments") + (change < 0 ? " fewer" : " more") +
             " than in the " + days(window_days) + " before";
    }
    case FlagMeasure::main_contact_silent_days:
      return describe_main_contacts(account.ledger, account.people, value, as_of);
  }
  return {};
}

}  // namespace

Value measure_condition(const FlagAccount& account, const FlagCondition& condition, Day as_of) {
  if (condition.measure) return measure(account, condition, as_of);
  return condition.source.is_fact ? evaluate_fact(account.ledger, condition.source.fact, as_of)
                                  : evaluate(account.ledger, condition.source.metric, as_of);
}

std::string describe_condition(const FlagAccount& account, const FlagCondition& condition, double value,
                               Day as_of) {
  const MetricSettings& settings = account.model.settings;
  if (condition.measure) return describe_measure(account, condition, value, as_of);
  if (condition.source.is_fact) return describe_fact(condition.source.fact, value, settings);
  Signal signal;
  signal.source = SignalSource::metric;
  signal.metric = condition.source.metric;
  signal.label = metric_info(signal.metric.id).name;
  std::replace(signal.label.begin(), signal.label.end(), '_', ' ');
  return describe_metric(signal, value, whole_of(signal, account.ledger, as_of), settings);
}

}  // namespace health
