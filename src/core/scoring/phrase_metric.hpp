// A built-in metric's value in plain words.
#pragma once

#include <string>

#include "model.hpp"

namespace health {

// How numbers of a metric read: as a share ("58 %"), a signed change ("-15 %") or a plain number.
enum class NumberStyle { number, share, change };
NumberStyle metric_style(MetricId metric);

// The finding behind a known value: "3 of 12 users active in 28 days", "events down 15 % in 4 weeks".
std::string describe_metric(const Signal& signal, double value, const Ledger& ledger, Day as_of);

}  // namespace health
