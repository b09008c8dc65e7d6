// Events by day and name, summed up over many ledgers. Markers, and what others than people did, are left
// out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ledger/usage.hpp"

namespace health {

class VolumeTally {
 public:
  void add(Bytes usage);

  struct Count {
    std::string_view event;  // valid while the tally is
    Day day;
    std::int64_t events;
  };
  std::vector<Count> counts() const;

 private:
  struct DayOfEvent {
    std::uint32_t event;
    Day day;
    bool operator==(const DayOfEvent&) const = default;
  };
  struct Hash {
    std::size_t operator()(const DayOfEvent& key) const {
      return std::hash<std::uint64_t>()(std::uint64_t{key.event} << 32 | static_cast<std::uint32_t>(key.day));
    }
  };

  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<DayOfEvent, std::int64_t, Hash> events_;
};

}  // namespace health
