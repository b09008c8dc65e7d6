// What of a ledger was known on a day.
#include "known_at.hpp"

#include <algorithm>

#include "markers.hpp"
#include "usage_algebra.hpp"

namespace health {

namespace {

struct KnownName {
  std::int64_t late;
  std::uint32_t event;  // index into the names of the result
};

// Adds up the cells of one day that have the same event now, and writes them.
void write_day(UsageWriter& writer, std::vector<Cell>& cells) {
  std::sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.event < b.event; });
  for (std::size_t i = 0; i < cells.size();) {
    Cell sum = cells[i];
    for (++i; i < cells.size() && cells[i].event == sum.event; ++i) add_cell(sum, cells[i]);
    writer.add(sum);
  }
  cells.clear();
}

}  // namespace

bool has_late_rows(const UsageReader& head) {
  // Names ascend.
  for (std::uint32_t i = 0; i < head.event_count() && head.event_name(i) < "$0"; ++i)
    if (split_late(head.event_name(i)).days > 0) return true;
  return false;
}

std::optional<UsageBytes> usage_known_before(Bytes usage, std::optional<Day> before) {
  const UsageReader head(usage);
  if (!has_late_rows(head)) return std::nullopt;
  std::vector<LateEvent> own;
  EventNames names;
  for (std::uint32_t i = 0; i < head.event_count(); ++i) {
    own.push_back(split_late(head.event_name(i)));
    names.push_back(own.back().event);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<KnownName> known;
  for (const LateEvent& name : own) {
    const auto place = std::lower_bound(names.begin(), names.end(), name.event);
    known.push_back({name.days, static_cast<std::uint32_t>(place - names.begin())});
  }
  return write_usage(head.user_kind(), names, head.first_day(), [&](UsageWriter& writer) {
    UsageReader reader(usage);
    std::vector<Cell> day;
    while (reader.next_user()) {
      writer.begin_user(reader.user());
      for (Cell cell; reader.next_cell(cell);) {
        if (!day.empty() && day.front().day != cell.day) write_day(writer, day);
        const KnownName& name = known[cell.event];
        if (before && name.late > 0 && cell.day + name.late >= *before) continue;
        cell.event = name.event;
        day.push_back(cell);
      }
      write_day(writer, day);
      writer.end_user();
    }
  });
}

}  // namespace health
