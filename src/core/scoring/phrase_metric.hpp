// A built-in metric's value in plain words.
#pragma once

#include <optional>
#include <string>

#include "model.hpp"

namespace health {

// The one number besides the value that a metric's words tell: what a share is a share of (users, active
// users, features, weeks), or the licensed seats. Nothing for metrics whose words need none, and when it is
// not known.
std::optional<double> whole_of(const Signal& signal, const Ledger& ledger, Day as_of);

// The value as people read this metric: "58 %", "-15 %", "3.4".
std::string show_metric(MetricId id, double value);

// The finding behind a known value: "3 of 12 users active in 28 days", "events down 15 % in 4 weeks".
// `settings` are the model's.
std::string describe_metric(const Signal& signal, double value, std::optional<double> whole,
                            const MetricSettings& settings);

}  // namespace health
