// What of a ledger was known on a day: rows that became known later than their day have that in their names
// (markers.hpp).
#pragma once

#include <optional>

#include "usage.hpp"
#include "usage_writer.hpp"

namespace health {

// Whether any of its rows became known later than its day.
bool has_late_rows(const UsageReader& head);

// The ledger of the rows that were known before a day, or of all of them, every event by its own name: what
// it would be if nobody had said when rows became known. Nothing when no name says so: its bytes are the
// result.
std::optional<UsageBytes> usage_known_before(Bytes usage, std::optional<Day> before = std::nullopt);

}  // namespace health
