// Reads the sum of ledgers of different times, as the chunks of an account are: each user's cells of one
// after those of the other.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "usage.hpp"
#include "usage_algebra.hpp"

namespace health {

// The sum of ledgers, read like one of them (UsageReader), as long as every user's cells of the ledgers that
// begin later come later, and none is negative, which another one might make up for: fails() tells when that
// does not hold, and what was read is then to be thrown away. Errors: 42804 ledgers with users of different
// types; those of UsageReader.
class PartsInTurn {
 public:
  explicit PartsInTurn(std::span<const Bytes> ledgers) {
    parts_.reserve(ledgers.size());
    for (const Bytes& ledger : ledgers) {
      const UsageReader& reader = parts_.emplace_back(ledger).reader;
      if (reader.user_kind() == UserKind::none) {
        parts_.pop_back();
        continue;
      }
      kind_ = common_user_kind(kind_, reader.user_kind());
      cells_ += reader.cell_count();
    }
    merge_names();
    for (Part& part : parts_) turn_.push_back(&part);
    std::sort(turn_.begin(), turn_.end(),
              [](const Part* a, const Part* b) { return a->reader.first_day() < b->reader.first_day(); });
    for (Part& part : parts_) part.has_user = part.reader.next_user();
  }
  PartsInTurn(const PartsInTurn&) = delete;
  PartsInTurn& operator=(const PartsInTurn&) = delete;

  UserKind user_kind() const { return kind_; }
  std::uint64_t cell_count() const { return cells_; }  // of all ledgers
  std::uint32_t event_count() const { return static_cast<std::uint32_t>(names_.size()); }
  std::string_view event_name(std::uint32_t event) const { return names_[event]; }

  bool next_user() {
    for (Part* part : here_) part->has_user = part->reader.next_user();
    here_.clear();
    for (Part* part : turn_) {
      if (!part->has_user) continue;
      const int order =
          here_.empty() ? 0 : compare_users(kind_, part->reader.user(), here_[0]->reader.user());
      if (order < 0) here_.clear();
      if (order <= 0) here_.push_back(part);
    }
    at_ = 0;
    key_ = 0;
    return !here_.empty();
  }
  const UserId& user() const { return here_.front()->reader.user(); }
  bool next_cell(Cell& cell) {
    while (at_ < here_.size() && !here_[at_]->reader.next_cell(cell)) ++at_;
    if (at_ == here_.size()) return false;
    cell.event = here_[at_]->events[cell.event];
    const std::uint64_t key =
        (static_cast<std::uint64_t>(static_cast<std::int64_t>(cell.day) - min_day) << 32 | cell.event) + 1;
    fails_ |= key <= key_ || cell.count < 0;
    key_ = key;
    return true;
  }

  bool fails() const { return fails_; }

 private:
  struct Part {
    explicit Part(Bytes ledger) : reader(ledger) {}

    UsageReader reader;
    std::vector<std::uint32_t> events;  // own event number -> that of the sum
    bool has_user = false;
  };

  void merge_names() {
    std::size_t most = 0;
    for (const Part& part : parts_) most += part.reader.event_count();
    names_.reserve(most);
    std::vector<std::uint32_t> next(parts_.size());
    for (Part& part : parts_) part.events.resize(part.reader.event_count());
    while (true) {
      std::string_view first;
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        if (next[i] == parts_[i].events.size()) continue;
        const std::string_view name = parts_[i].reader.event_name(next[i]);
        if (first.empty() || name < first) first = name;
      }
      if (first.empty()) return;
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        if (next[i] == parts_[i].events.size() || parts_[i].reader.event_name(next[i]) != first) continue;
        parts_[i].events[next[i]++] = static_cast<std::uint32_t>(names_.size());
      }
      names_.push_back(first);
      if ((names_.size() & 0xfff) == 0) poll_cancel();
    }
  }

  UserKind kind_ = UserKind::none;
  std::uint64_t cells_ = 0;
  std::vector<Part> parts_;
  std::vector<Part*> turn_;  // by their first day
  std::vector<std::string_view> names_;
  std::vector<Part*> here_;  // are at the present user, in turn
  std::size_t at_ = 0;       // the one of them whose cells are read
  std::uint64_t key_ = 0;    // of the last cell, by which a user's cells ascend; 0 before the first
  bool fails_ = false;
};

}  // namespace health
