// Reads the sum of several ledgers without building it.
#include "usage_sum.hpp"

#include <algorithm>

namespace health {

namespace {

// Adds names to others; both ascend.
void add_names(const UsageReader& head, std::vector<std::string_view>& names) {
  std::vector<std::string_view> both;
  both.reserve(names.size() + head.event_count());
  auto name = names.begin();
  for (std::uint32_t i = 0; i < head.event_count(); ++i) {
    const std::string_view own = head.event_name(i);
    int order = -1;
    while (name != names.end() && (order = name->compare(own)) < 0) both.push_back(*name++);
    if (name != names.end() && order == 0) ++name;
    both.push_back(own);
  }
  both.insert(both.end(), name, names.end());
  names.swap(both);
}

}  // namespace

UsageSum::Side::Side(const UsageReader& reader, const std::vector<std::string_view>& names, std::int64_t sign)
    : reader_(reader), sign_(sign) {
  events_.reserve(reader_.event_count());
  auto found = names.begin();
  for (std::uint32_t i = 0; i < reader_.event_count(); ++i) {
    while (*found != reader_.event_name(i)) ++found;
    events_.push_back(static_cast<std::uint32_t>(found - names.begin()));
  }
  next_user();
}

UsageSum::UsageSum(std::span<const Bytes> ledgers, std::int64_t last_sign) {
  heads_.reserve(ledgers.size());
  for (const Bytes& ledger : ledgers) {
    poll_cancel();
    const UsageReader head(ledger);
    if (head.user_kind() == UserKind::none) continue;
    kind_ = common_user_kind(kind_, head.user_kind());
    first_day_ = std::min(first_day_, head.first_day());
    cells_ += head.cell_count();
    add_names(head, names_);
    heads_.push_back({head, &ledger == &ledgers.back() ? last_sign : 1});
  }
}

void UsageSum::rewind() {
  sides_.clear();
  sides_.reserve(heads_.size());
  open_.clear();
  here_.clear();
  with_cells_.clear();
  at_ = 0;
  saw_negative_ = false;
  for (const Head& head : heads_) {
    Side& side = sides_.emplace_back(head.reader, names_, head.sign);
    if (side.has_user()) open_.push_back(&side);
  }
}

bool UsageSum::next_user() {
  for (Side* side : here_) {
    side->next_user();
    saw_negative_ |= side->is_negative();
  }
  std::erase_if(open_, [](const Side* side) { return !side->has_user(); });
  here_.clear();
  for (Side* side : open_) {
    const int order = here_.empty() ? 0 : compare_users(kind_, side->user(), here_[0]->user());
    if (order < 0) here_.clear();
    if (order <= 0) here_.push_back(side);
  }
  const auto less = [](const Side* a, const Side* b) { return a->key() < b->key(); };
  for (Side* side : here_) side->next_cell();
  with_cells_ = here_;
  at_ = 0;
  if (!std::is_sorted(with_cells_.begin(), with_cells_.end(), less))
    std::sort(with_cells_.begin(), with_cells_.end(), less);
  next_ = with_cells_.size() > 1 ? with_cells_[1]->key() : UINT64_MAX;
  return !here_.empty();
}

void UsageSum::sum_equal(Cell& cell) {
  const std::uint64_t key = with_cells_[at_]->key();
  cell = with_cells_[at_]->cell();
  std::size_t equal = 1;
  for (; at_ + equal < with_cells_.size() && with_cells_[at_ + equal]->key() == key; ++equal) {
    add_cell(cell, with_cells_[at_ + equal]->cell());
  }
  for (std::size_t i = 0; i < equal; ++i) with_cells_[at_ + i]->next_cell();
  put_back(equal);
}

void UsageSum::put_back(std::size_t moved) {
  for (std::size_t i = at_ + moved; i-- > at_;) {
    Side* const side = with_cells_[i];
    if (side->has_cell()) {
      std::size_t to = i;
      for (; to + 1 < with_cells_.size() && with_cells_[to + 1]->key() < side->key(); ++to)
        with_cells_[to] = with_cells_[to + 1];
      with_cells_[to] = side;
    } else {
      for (std::size_t to = i; to > at_; --to) with_cells_[to] = with_cells_[to - 1];
      ++at_;
      ++i;  // the one before has moved here
    }
  }
  next_ = at_ + 1 < with_cells_.size() ? with_cells_[at_ + 1]->key() : UINT64_MAX;
}

}  // namespace health
