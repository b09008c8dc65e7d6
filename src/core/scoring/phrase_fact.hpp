// Words about measures of facts.
#pragma once

#include <string>

#include "core/metrics/facts.hpp"

namespace health {

// What the facts are called: their name, with their kinds: "tickets (bug)".
std::string words_of_fact(const FactRequest& request);
// The value alone: "+20 %", "12".
std::string show_fact(const FactRequest& request, double value);
// "12 tickets in 30 days", "3 tickets open", "subscriptions end in 45 days", ...
std::string describe_fact(const FactRequest& request, double value, const MetricSettings& settings);

}  // namespace health
