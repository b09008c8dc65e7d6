// Reading facts out of ledgers, and putting them in the order of days.
#include "ledger_facts.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/user_id.hpp"

namespace health {

std::optional<std::uint32_t> LedgerFacts::number_of(std::string_view fact) const {
  const auto found = std::find(facts_.begin(), facts_.end(), fact);
  if (found == facts_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - facts_.begin());
}

std::span<const LedgerFacts::Cell> LedgerFacts::of(std::string_view fact) const {
  const auto number = number_of(fact);
  if (!number) return {};
  const std::size_t begin = *number == 0 ? 0 : fact_ends_[*number - 1];
  return std::span(cells_).subspan(begin, fact_ends_[*number] - begin);
}

std::optional<std::uint32_t> FactCollector::add_name(std::string_view name) {
  const auto parts = split_fact(name);
  if (!parts) return std::nullopt;
  auto number = facts_.number_of(parts->fact);
  if (!number) {
    number = static_cast<std::uint32_t>(facts_.facts_.size());
    facts_.facts_.emplace_back(parts->fact);
  }
  auto& kind = facts_.names_.emplace_back(LedgerFacts::Kind{
      parts->entry, *number, std::string(parts->currency), std::string(parts->kind), 0, std::nullopt});
  const char* const end = parts->detail.data() + parts->detail.size();
  if (parts->entry == FactEntry::end) {
    std::from_chars(parts->detail.data(), end, kind.days);
  } else if (!parts->detail.empty()) {
    double value = 0;
    std::from_chars(parts->detail.data(), end, value);
    kind.value = to_micro(value);
  }
  return static_cast<std::uint32_t>(facts_.names_.size() - 1);
}

void FactCollector::add(const LedgerFacts::Cell& entry) {
  facts_.people_ = std::max<std::size_t>(facts_.people_, std::size_t{entry.person} + 1);
  facts_.cells_.push_back(entry);
}

bool FactCollector::read(std::span<const Bytes> ledgers) {
  struct Part {
    explicit Part(Bytes ledger) : reader(ledger) {}

    UsageReader reader;
    std::vector<std::optional<std::uint32_t>> names;
    bool has_user = false;
  };
  std::vector<Part> parts;
  parts.reserve(ledgers.size());
  std::uint64_t cells = 0;
  std::size_t names = 0;
  UserKind kind = UserKind::none;
  for (const Bytes& ledger : ledgers) {
    Part& part = parts.emplace_back(ledger);
    kind = common_user_kind(kind, part.reader.user_kind());
    cells += part.reader.cell_count();
    names += part.reader.event_count();
  }
  facts_.cells_.reserve(cells);
  facts_.names_.reserve(names);
  for (Part& part : parts) {
    part.names.reserve(part.reader.event_count());
    for (std::uint32_t i = 0; i < part.reader.event_count(); ++i)
      part.names.push_back(add_name(part.reader.event_name(i)));
    part.has_user = part.reader.next_user();
  }
  std::vector<Part*> here;  // are at the person whose turn it is
  for (std::uint32_t person = 0;; ++person) {
    here.clear();
    for (Part& part : parts) {
      if (!part.has_user) continue;
      const int order =
          here.empty() ? 0 : compare_users(kind, part.reader.user(), here.front()->reader.user());
      if (order < 0) here.clear();
      if (order <= 0) here.push_back(&part);
    }
    if (here.empty()) return true;
    if (person % 4096 == 0) poll_cancel();
    for (Part* part : here) {
      for (Cell cell; part->reader.next_cell(cell);) {
        if (cell.count < 0) return false;
        const auto name = part->names[cell.event];
        if (name && cell.count > 0)
          add({cell.day, person, *name, cell.count, cell.amount_count, cell.amount});
      }
      part->has_user = part->reader.next_user();
    }
  }
}

LedgerFacts FactCollector::finish() {
  auto& cells = facts_.cells_;
  const auto& names = facts_.names_;
  // By a number each: what is sorted is small.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i)
    order[i] = {std::uint64_t{names[cells[i].name].fact} << 32 |
                    static_cast<std::uint64_t>(std::int64_t{cells[i].day} - min_day),
                static_cast<std::uint32_t>(i)};
  if (!std::is_sorted(order.begin(), order.end())) {
    std::sort(order.begin(), order.end());
    std::vector<LedgerFacts::Cell> sorted;
    sorted.reserve(cells.size());
    for (const auto& place : order) sorted.push_back(cells[place.second]);
    cells = std::move(sorted);
  }
  facts_.fact_ends_.assign(facts_.facts_.size(), 0);
  for (const auto& cell : cells) ++facts_.fact_ends_[names[cell.name].fact];
  for (std::size_t i = 1; i < facts_.fact_ends_.size(); ++i) facts_.fact_ends_[i] += facts_.fact_ends_[i - 1];
  return std::move(facts_);
}

bool holds_facts_alone(const UsageReader& head) {
  // Names ascend.
  return head.event_count() > 0 && is_fact(head.event_name(0)) &&
         is_fact(head.event_name(head.event_count() - 1));
}

}  // namespace health
