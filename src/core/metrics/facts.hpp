// Measures of facts: dated things that are no usage, such as tickets, answers, subscriptions and trainings.
// docs/reference/facts.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics.hpp"

namespace health {

enum class FactMeasure : std::uint8_t {
  count,
  sum,
  mean,
  change,
  open,
  open_sum,
  days_since,
  days_left,
  mean_days,
  latest,
  nps,
  csat,
  ces,
  share
};

// What a source must have for a measure of its facts to make sense.
enum class FactNeed : std::uint8_t { nothing, value, until, value_until, opinion, kind };

struct FactMeasureInfo {
  FactMeasure id;
  std::string_view name;
  FactNeed need;
  bool windowed;  // looks at the facts of a window
  NumberStyle style;
};

inline constexpr FactMeasureInfo fact_measures[] = {
    {FactMeasure::count, "count", FactNeed::nothing, true, NumberStyle::number},
    {FactMeasure::sum, "sum", FactNeed::value, true, NumberStyle::number},
    {FactMeasure::mean, "mean", FactNeed::value, true, NumberStyle::number},
    {FactMeasure::change, "change", FactNeed::nothing, true, NumberStyle::change},
    {FactMeasure::open, "open", FactNeed::until, false, NumberStyle::number},
    {FactMeasure::open_sum, "open_sum", FactNeed::value_until, false, NumberStyle::number},
    {FactMeasure::days_since, "days_since", FactNeed::nothing, false, NumberStyle::number},
    {FactMeasure::days_left, "days_left", FactNeed::until, false, NumberStyle::number},
    {FactMeasure::mean_days, "mean_days", FactNeed::until, true, NumberStyle::number},
    {FactMeasure::latest, "latest", FactNeed::value, false, NumberStyle::number},
    {FactMeasure::nps, "nps", FactNeed::opinion, false, NumberStyle::number},
    {FactMeasure::csat, "csat", FactNeed::opinion, false, NumberStyle::number},
    {FactMeasure::ces, "ces", FactNeed::opinion, false, NumberStyle::number},
    {FactMeasure::share, "share", FactNeed::kind, true, NumberStyle::share},
};

constexpr const FactMeasureInfo& fact_measure_info(FactMeasure measure) {
  return fact_measures[static_cast<std::size_t>(measure)];
}
std::optional<FactMeasure> fact_measure_by_name(std::string_view name);

inline constexpr int default_valid_days = 180;

struct FactRequest {
  std::string fact;
  FactMeasure measure = FactMeasure::count;
  int window_days = 0;                  // 0: the settings'
  int valid_days = default_valid_days;  // of latest, nps, csat and ces
  std::vector<std::string> kinds;       // of these kinds only; empty: of all
  std::string currency;                 // in this one only; empty: in any, as long as it is one
  bool by_value = false;                // change: of the sums instead of the counts
  bool operator==(const FactRequest&) const = default;
};

// The measure at as_of: of facts that began before it, and of none of its future but the ends that days_left
// asks for. Amounts of several currencies are never added: not_applicable.
Value evaluate_fact(const Ledger& ledger, const FactRequest& request, Day as_of);

// Whether the account ever had one before as_of.
bool has_fact(const Ledger& ledger, std::string_view fact, Day as_of);

}  // namespace health
