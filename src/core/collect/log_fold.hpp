// Folds the entries of a usage log into one canonical ledger.
#pragma once

#include "usage_log.hpp"

namespace health {

// The ledger of the entries from byte `from` on, the staged ones included. Errors as for add_usage.
UsageBytes fold_entries(const LogHeader& header, const std::uint8_t* memory, std::size_t from);

}  // namespace health
