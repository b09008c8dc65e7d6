// Limits and constants of the ledger's format, shared by reader and writer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace health {

inline constexpr std::uint8_t usage_version = 1;
inline constexpr std::uint64_t max_event_names = 65535;           // distinct event names of one ledger
inline constexpr std::int64_t max_count = std::int64_t{1} << 60;  // of one cell, so that meta fits a varint
inline constexpr std::size_t max_usage_bytes =
    (std::size_t{1} << 30) - 64;  // PostgreSQL's limit of one value, with room for its header
inline constexpr std::size_t max_text_bytes = (std::size_t{1} << 30) - 65536;  // of the text form

}  // namespace health
