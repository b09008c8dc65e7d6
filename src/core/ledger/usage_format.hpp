// Limits and constants of the ledger's format, shared by reader and writer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/exact.hpp"

namespace health {

inline constexpr std::uint8_t usage_version = 1;
inline constexpr std::uint64_t max_event_names = 1 << 24;         // distinct event names of one ledger
inline constexpr std::int64_t max_count = std::int64_t{1} << 60;  // of one cell, so that meta fits a varint
// Micro units of one cell: 10^22. A billion events of the largest amount stay below, and what is added up of
// all cells of a value stays within 128 bits.
inline constexpr Exact max_amount = static_cast<Exact>(10000000000000000) * 1000000000000;
inline constexpr std::size_t max_usage_bytes =
    (std::size_t{1} << 30) - 64;  // PostgreSQL's limit of one value, with room for its header
inline constexpr std::size_t max_text_bytes = (std::size_t{1} << 30) - 65536;  // of the text form

}  // namespace health
