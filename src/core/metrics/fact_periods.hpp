// The facts of an account as periods: when each began, and when it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics.hpp"

namespace health {

// Facts of one kind that began and ended on the same days.
struct FactPeriod {
  std::string_view kind;  // of the ledger; empty for none
  Day began = 0;
  std::optional<Day> ended;  // nothing: it has no end
  std::int64_t count = 0;

  bool operator==(const FactPeriod&) const = default;
};

// All of one fact, whatever the day, by kind, then days; without an end last. Ends without a start are
// left out.
std::vector<FactPeriod> list_fact_periods(const Ledger& ledger, std::string_view fact);

}  // namespace health
