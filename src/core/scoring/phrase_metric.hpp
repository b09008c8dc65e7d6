// A built-in metric's value in plain words.
#pragma once

#include <string>

#include "model.hpp"

namespace health {

// The finding behind a known value: "3 of 12 users active in 28 days", "events down 15 % in 4 weeks".
std::string describe_metric(const Signal& signal, double value, const Ledger& ledger, Day as_of);

}  // namespace health
