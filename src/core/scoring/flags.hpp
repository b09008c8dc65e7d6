// Flags: rules with a threshold about one account, such as a renewal within 30 days or a spike of tickets.
// docs/reference/flags.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flag_people.hpp"
#include "limits.hpp"
#include "model.hpp"

namespace health {

enum class FlagKind : std::uint8_t { churn, expansion, onboarding, data };

// "churn", "expansion", ...
std::string_view flag_kind_name(FlagKind kind);
std::optional<FlagKind> flag_kind_by_name(std::string_view name);

// What flags measure beside metrics and facts.
enum class FlagMeasure : std::uint8_t {
  days_without,
  first_use_days,
  times_usual,
  imbalance,
  peak,
  revenue_per_user_change,
  power_user_quiet_days,
  power_user_left,
  age_days,
  stalled_days,
  days_to_end,
  feed_stopped_days,
  score,
  score_change,
  departments,
  departments_change,
  main_contact_silent_days
};

// What a measure is about.
enum class FlagSubject : std::uint8_t {
  account,  // the account as a whole
  usage,    // events: all, or some
  facts,    // a fact
  either,   // events or a fact
  two       // two of them, "received" and "given"
};

struct FlagMeasureInfo {
  FlagMeasure id;
  std::string_view name;
  FlagSubject subject;
  bool windowed;
  NumberStyle style;
};

inline constexpr FlagMeasureInfo flag_measures[] = {
    {FlagMeasure::days_without, "days_without", FlagSubject::either, false, NumberStyle::number},
    {FlagMeasure::first_use_days, "first_use_days", FlagSubject::usage, false, NumberStyle::number},
    {FlagMeasure::times_usual, "times_usual", FlagSubject::either, true, NumberStyle::number},
    {FlagMeasure::imbalance, "imbalance", FlagSubject::two, true, NumberStyle::number},
    {FlagMeasure::peak, "peak", FlagSubject::usage, false, NumberStyle::number},
    {FlagMeasure::revenue_per_user_change, "revenue_per_user_change", FlagSubject::facts, true,
     NumberStyle::change},
    {FlagMeasure::power_user_quiet_days, "power_user_quiet_days", FlagSubject::usage, true,
     NumberStyle::number},
    {FlagMeasure::power_user_left, "power_user_left", FlagSubject::usage, true, NumberStyle::share},
    {FlagMeasure::age_days, "age_days", FlagSubject::account, false, NumberStyle::number},
    {FlagMeasure::stalled_days, "stalled_days", FlagSubject::account, false, NumberStyle::number},
    {FlagMeasure::days_to_end, "days_to_end", FlagSubject::account, false, NumberStyle::number},
    {FlagMeasure::feed_stopped_days, "feed_stopped_days", FlagSubject::account, false, NumberStyle::number},
    {FlagMeasure::score, "score", FlagSubject::account, false, NumberStyle::number},
    {FlagMeasure::score_change, "score_change", FlagSubject::account, false, NumberStyle::number},
    {FlagMeasure::departments, "departments", FlagSubject::usage, true, NumberStyle::number},
    {FlagMeasure::departments_change, "departments_change", FlagSubject::usage, true, NumberStyle::number},
    {FlagMeasure::main_contact_silent_days, "main_contact_silent_days", FlagSubject::usage, false,
     NumberStyle::number},
};

constexpr const FlagMeasureInfo& flag_measure_info(FlagMeasure measure) {
  return flag_measures[static_cast<std::size_t>(measure)];
}
std::optional<FlagMeasure> flag_measure_by_name(std::string_view name);

// Some events or facts of an account.
struct FlagSource {
  bool is_fact = false;
  MetricRequest metric;  // of events: which, and whose
  FactRequest fact;
  bool operator==(const FlagSource&) const = default;
};

// A measure and the values that it is about.
struct FlagCondition : Limits {
  std::optional<FlagMeasure> measure;  // nothing: the metric or the fact of the source
  FlagSource source, other;            // imbalance: received and given
  int window_days = 0;                 // of a measure; 0: the settings'
  bool operator==(const FlagCondition&) const = default;
};

struct Flag {
  std::string name;
  FlagKind kind = FlagKind::churn;
  std::vector<FlagCondition> conditions;  // all of which hold; the first is what the flag shows
  std::string sentence;                   // with blanks: {finding}, {and}, {value}, {threshold}
  std::string next_step;
  bool operator==(const Flag&) const = default;
};

// Days are looked back so far for the day since when a flag is up.
inline constexpr int flag_memory_days = 28;

// An account of which flags are told. The score as of a day is asked for by flags about scores alone.
struct FlagAccount {
  const Model& model;
  const Ledger& ledger;
  std::function<std::optional<double>(Day)> score;
  FlagPeople people{};  // for flags about them
};

// The value of a condition as of a day, as measured. Unknown ones meet no limit.
Value measure_condition(const FlagAccount& account, const FlagCondition& condition, Day as_of);
// "tickets up 120 % in 28 days".
std::string describe_condition(const FlagAccount& account, const FlagCondition& condition, double value,
                               Day as_of);

// A flag that is up.
struct RaisedFlag {
  const Flag* flag = nullptr;
  Day since = 0;  // the first day of the unbroken run of days on which it is up, at most flag_memory_days ago
  double value = 0;
  double threshold = 0;
  std::string sentence;
};

// The flags that are up as of a day, in their order. `seen_on` is the day that a day is judged by (an earlier
// one while tracking was broken); nothing: the account was not there. Prospects and former customers have
// none; an account that is onboarding has those about onboarding and data alone.
std::vector<RaisedFlag> raise_flags(const FlagAccount& account, const std::vector<Flag>& flags, Day as_of,
                                    const std::function<std::optional<Day>(Day)>& seen_on);

}  // namespace health
