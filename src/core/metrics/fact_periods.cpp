// Starts and ends of facts, paired.
#include "fact_periods.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace health {

std::vector<FactPeriod> list_fact_periods(const Ledger& ledger, std::string_view fact) {
  using Began = std::pair<std::string_view, std::int64_t>;
  std::map<Began, std::int64_t> left;  // starts that no end was seen of
  std::map<std::pair<Began, std::int64_t>, std::int64_t> ends;
  const auto names = ledger.facts().names();
  for (const LedgerFacts::Cell& cell : ledger.facts().of(fact)) {
    const LedgerFacts::Kind& name = names[cell.name];
    if (name.entry == FactEntry::end)
      ends[{{name.kind, cell.day - name.days}, cell.day}] += cell.count;
    else
      left[{name.kind, cell.day}] += cell.count;
  }
  std::vector<FactPeriod> periods;
  for (const auto& [end, count] : ends) {
    const auto& [began, day] = end;
    const auto starts = left.find(began);
    if (starts == left.end()) continue;
    const std::int64_t ended = std::min(count, starts->second);
    starts->second -= ended;
    if (ended > 0)
      periods.push_back({began.first, static_cast<Day>(began.second), static_cast<Day>(day), ended});
  }
  for (const auto& [began, count] : left)
    if (count > 0) periods.push_back({began.first, static_cast<Day>(began.second), std::nullopt, count});
  std::stable_sort(periods.begin(), periods.end(), [](const FactPeriod& a, const FactPeriod& b) {
    return std::pair(a.kind, a.began) < std::pair(b.kind, b.began);
  });
  return periods;
}

}  // namespace health
