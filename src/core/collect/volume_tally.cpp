// Ledgers are read to their end, one after the other.
#include "volume_tally.hpp"

#include "core/ledger/markers.hpp"

namespace health {

void VolumeTally::add(Bytes usage) {
  constexpr std::uint32_t left_out = UINT32_MAX;
  UsageReader reader(usage);
  std::vector<std::uint32_t> numbers(reader.event_count(), left_out);
  for (std::uint32_t event = 0; event < reader.event_count(); ++event) {
    const std::string_view name = split_late(reader.event_name(event)).event;
    if (!is_marker(name))
      numbers[event] = numbers_.emplace(name, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }
  Cell cell;
  while (reader.next_user())
    while (reader.next_cell(cell))
      if (numbers[cell.event] != left_out) events_[{numbers[cell.event], cell.day}] += cell.count;
}

std::vector<VolumeTally::Count> VolumeTally::counts() const {
  std::vector<std::string_view> names(numbers_.size());
  for (const auto& [name, number] : numbers_) names[number] = name;
  std::vector<Count> counts;
  counts.reserve(events_.size());
  for (const auto& [key, events] : events_) counts.push_back({names[key.event], key.day, events});
  return counts;
}

}  // namespace health
