// Folds events of many accounts, in any order, into one ledger per account and calendar quarter.
#include "account_fold.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

#include "core/base/civil.hpp"
#include "core/base/radix_sort.hpp"

namespace health {

namespace {

// A word: u32 user, u16 day, u16 event. When these do not fit, or the event is taken away or has an amount:
// u32 event, u16 flags, u16 `many_words`; then the user, the amount and the day.
constexpr std::uint64_t many_words = 0xffff;
constexpr std::size_t words_of_many = 4;
constexpr std::uint64_t flag_minus = 1u << 16;
constexpr std::uint64_t flag_amount = 1u << 17;
constexpr std::int64_t days_of_word = 1 << 16;

constexpr std::size_t first_block = 7;  // words; with the link to the next block one cache line
constexpr std::size_t largest_block = 255;

std::size_t block_words(std::uint32_t block) {
  return std::min(largest_block, ((first_block + 1) << std::min(block, 8u)) - 1);
}

std::uint64_t day_of_word(std::uint64_t word) { return (word >> 16) & 0xffff; }

std::uint64_t hash_account(std::int64_t id) {
  return static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15u >> 32;
}

std::uint64_t distance(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

}  // namespace

AccountFold::AccountFold(UserKind account_kind, UserKind user_kind, std::size_t limit, bool in_one_period)
    : account_kind_(account_kind),
      user_kind_(user_kind),
      limit_(limit),
      in_one_period_(in_one_period),
      account_numbers_(account_kind, 0),
      user_numbers_(user_kind, 0) {}

void AccountFold::start_collecting() {
  blocks_.clear();
  ids_.clear();
  account_slots_ = {};
  account_ids_.clear();
  account_numbers_ = UserNumbers(account_kind_, 0);
  user_numbers_ = UserNumbers(user_kind_, 0);
  names_ = {};
  accounts_.clear();
  has_day_ = false;
  first_day_ = UINT64_MAX;
  last_day_ = 0;
  reading_ = false;
}

void AccountFold::add_block(Account& account) {
  const std::size_t words = block_words(account.blocks);
  auto* const block = reinterpret_cast<std::uint64_t*>(blocks_.take((words + 1) * sizeof(std::uint64_t)));
  if (account.blocks == 0) {
    account.first = block;
  } else {
    *account.end =
        reinterpret_cast<std::uintptr_t>(block);  // the word behind the last of a block is the link
  }
  ++account.blocks;
  account.at = block;
  account.end = block + words;
}

std::size_t AccountFold::memory() const {
  return blocks_.size() + ids_.size() + accounts_.size() * sizeof(Account) +
         (accounts_.size() + user_numbers_.users().size()) * (sizeof(UserId) + 2 * sizeof(std::uint32_t)) +
         user_numbers_.users().size() * sizeof(UserPlace);
}

void AccountFold::add(const UserId& account, const LoggedEvent& event, int sign) {
  check_event(event);
  if (event.kind != user_kind_) common_user_kind(user_kind_, event.kind);
  const auto keep = [this](const UserId& id) { return UserId{id.number, ids_.keep(id.bytes)}; };
  const Pending pending{
      account.number,
      user_kind_ == UserKind::bigint ? event.user.number
                                     : std::int64_t{user_numbers_.number_of(event.user, keep)},
      event.amount,
      event.day,
      names_.number_of(event.name, [this](std::string_view name) { return ids_.keep(name); }),
      sign < 0,
      event.has_amount};
  if (account_kind_ == UserKind::bigint) {
    account_slots_.prefetch(hash_account(account.number));
    pending_[pending_count_++] = pending;
    if (pending_count_ == most_pending) append_pending();
  } else {
    append(account_numbers_.number_of(account, keep), pending);
    if (memory() > limit_) fold_to_run();
  }
}

std::uint32_t AccountFold::account_number(std::int64_t id) {
  AccountSlot& slot =
      account_slots_.find(hash_account(id), [id](const AccountSlot& other) { return other.id == id; });
  if (slot) return slot.number - 1;
  account_ids_.push_back({id, {}});
  const auto number = static_cast<std::uint32_t>(account_ids_.size());
  slot = {id, number};
  account_slots_.note_filled([](const AccountSlot& other) { return hash_account(other.id); });
  return number - 1;
}

void AccountFold::append_pending() {
  std::array<std::uint32_t, most_pending> numbers;
  for (std::size_t i = 0; i < pending_count_; ++i) {
    numbers[i] = account_number(pending_[i].account);
    if (numbers[i] < accounts_.size()) __builtin_prefetch(&accounts_[numbers[i]], 1);
  }
  const std::size_t count = pending_count_;
  pending_count_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (numbers[i] < accounts_.size()) __builtin_prefetch(accounts_[numbers[i]].at, 1);
  }
  for (std::size_t i = 0; i < count; ++i) append(numbers[i], pending_[i]);
  if (memory() > limit_) fold_to_run();
}

void AccountFold::append(std::uint32_t number, const Pending& event) {
  if (number == accounts_.size()) {
    accounts_.emplace_back();
    constexpr std::int64_t half = std::int64_t{1} << 31;
    if (user_kind_ == UserKind::bigint)
      accounts_.back().user_base = std::max(event.user, INT64_MIN + half) - half;
  }
  Account& account = accounts_[number];
  const auto put = [&](std::uint64_t word) {
    if (account.at == account.end) add_block(account);
    *account.at++ = word;
    ++account.words;
  };
  if (!has_day_) {
    has_day_ = true;
    base_day_ = event.day - days_of_word / 2;
  }
  const std::int64_t day = event.day - base_day_;
  const std::uint64_t offset = distance(account.user_base, event.user);
  if (!event.minus && !event.has_amount && event.user >= account.user_base && offset <= UINT32_MAX &&
      day >= 0 && day < days_of_word && event.name < many_words) {
    first_day_ = std::min(first_day_, static_cast<std::uint64_t>(day));
    last_day_ = std::max(last_day_, static_cast<std::uint64_t>(day));
    put(offset << 32 | static_cast<std::uint64_t>(day) << 16 | event.name);
  } else {
    put(std::uint64_t{event.name} << 32 | (event.minus ? flag_minus : 0) |
        (event.has_amount ? flag_amount : 0) | many_words);
    put(static_cast<std::uint64_t>(event.user));
    put(static_cast<std::uint64_t>(event.amount));
    put(static_cast<std::uint64_t>(static_cast<std::int64_t>(event.day)));
  }
}

void AccountFold::fold_to_run() {
  runs_.emplace_back();
  Run& run = runs_.back();
  for (AccountLedger ledger; next_collected(ledger);) {
    const std::string_view usage =
        run.bytes.keep({reinterpret_cast<const char*>(ledger.usage.data()), ledger.usage.size()});
    UserId account = ledger.account;  // of the several ledgers of one account, one has its id
    if (!run.parts.empty() && compare_users(account_kind_, run.parts.back().account, account) == 0) {
      account = run.parts.back().account;
    } else {
      account.bytes = run.bytes.keep(account.bytes);
    }
    run.parts.push_back(
        {account, ledger.period, Bytes(reinterpret_cast<const std::uint8_t*>(usage.data()), usage.size())});
  }
  start_collecting();
}

void AccountFold::start_reading() {
  reading_ = true;
  const auto& ids = accounts();
  account_order_.resize(accounts_.size());
  std::iota(account_order_.begin(), account_order_.end(), 0u);
  std::sort(account_order_.begin(), account_order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return compare_users(account_kind_, ids[a], ids[b]) < 0;
  });
  accounts_read_ = 0;

  const auto& names = names_.names();
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; });
  name_rank_.resize(names.size());
  ranked_names_.clear();
  for (const std::uint32_t i : order) {
    name_rank_[i] = static_cast<std::uint32_t>(ranked_names_.size());
    ranked_names_.push_back(names[i]);
  }
  periods_.clear();
  period_index_.clear();
  for (std::uint64_t day = first_day_; day <= last_day_; ++day) {
    const auto date = static_cast<Day>(base_day_ + static_cast<std::int64_t>(day));
    if (periods_.empty() || date >= period_.until) periods_.push_back(period_start(date));
    period_index_.push_back(static_cast<std::uint32_t>(periods_.size() - 1));
  }
  name_seen_.assign(names.size(), 0);
  name_index_.resize(names.size());
  ledgers_ = 0;
  user_places_.assign(user_numbers_.users().size(), {});
  cells_.clear();
  cells_written_ = 0;
  writer_ = std::make_unique<UsageWriter>(user_kind_, EventNames(), 0);
}

bool AccountFold::next_collected(AccountLedger& ledger) {
  if (!reading_) start_reading();
  for (;;) {
    while (cells_written_ == cells_.size()) {
      if (accounts_read_ == account_order_.size()) return false;
      if (accounts_read_ % 64 == 0) poll_cancel();
      read_account(account_order_[accounts_read_++]);
    }
    write_period(ledger);
    ledger.account = accounts()[account_order_[accounts_read_ - 1]];
    return true;
  }
}

Day AccountFold::period_start(Day day) {
  if (!period_.contains(day)) period_ = in_one_period_ ? all_days : period_of(day);
  return period_.from;
}

void AccountFold::gather_words(const Account& account) {
  words_.clear();
  words_.reserve(account.words);
  const std::uint64_t* block = account.first;
  for (std::uint32_t i = 0; i < account.blocks; ++i) {
    const std::size_t size = block_words(i);
    const std::size_t used = std::min(size, account.words - words_.size());
    words_.insert(words_.end(), block, block + used);
    if (i + 1 < account.blocks) block = reinterpret_cast<const std::uint64_t*>(block[size]);
  }
}

// Puts the users' places among the account's users, which ascend as their ids do, for their numbers.
void AccountFold::rank_users() {
  const auto turn = static_cast<std::uint32_t>(accounts_read_);
  users_.clear();
  const auto each_user = [&](auto&& change) {
    for (std::size_t i = 0; i < words_.size();) {
      std::uint64_t& word = words_[i];
      if ((word & many_words) != many_words) {
        word = change(static_cast<std::uint32_t>(word >> 32)) << 32 | (word & UINT32_MAX);
        ++i;
      } else {
        words_[i + 1] = change(static_cast<std::uint32_t>(words_[i + 1]));
        i += words_of_many;
      }
    }
  };
  each_user([&](std::uint32_t number) {
    UserPlace& place = user_places_[number];
    if (place.account != turn) {
      place.account = turn;
      users_.push_back(number);
    }
    return std::uint64_t{number};
  });
  const auto& ids = user_numbers_.users();
  std::sort(users_.begin(), users_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return compare_users(user_kind_, ids[a], ids[b]) < 0; });
  for (std::uint32_t i = 0; i < users_.size(); ++i) user_places_[users_[i]].place = i;
  each_user([&](std::uint32_t number) { return std::uint64_t{user_places_[number].place}; });
}

UserId AccountFold::user_of(std::int64_t user) const {
  if (user_kind_ == UserKind::bigint) return {user, {}};
  return user_numbers_.users()[users_[static_cast<std::size_t>(user)]];
}

void AccountFold::read_account(std::uint32_t number) {
  account_ = accounts_[number];
  gather_words(account_);
  if (user_kind_ != UserKind::bigint) rank_users();
  cells_.clear();
  cells_written_ = 0;
  if (!sort_single_words()) sort_all_words();
}

// The usual case: every event is one word. They are sorted by one integer each. False when it is not so.
bool AccountFold::sort_single_words() {
  std::uint64_t low = UINT64_MAX;
  std::uint64_t high = 0;
  std::uint64_t first_day = UINT16_MAX;
  std::uint64_t last_day = 0;
  for (const std::uint64_t word : words_) {
    if ((word & many_words) == many_words) return false;
    low = std::min(low, word);
    high = std::max(high, word);
    first_day = std::min(first_day, day_of_word(word));
    last_day = std::max(last_day, day_of_word(word));
  }
  const std::uint64_t first_user = low >> 32;
  const std::uint64_t first_period = period_index_[first_day - first_day_];
  const auto width = [](std::uint64_t largest) { return static_cast<unsigned>(std::bit_width(largest)); };
  const unsigned day_shift = width(ranked_names_.size() - 1);
  const unsigned user_shift = day_shift + width(last_day - first_day);
  const unsigned period_shift = user_shift + width((high >> 32) - first_user);
  const unsigned key_bits = period_shift + width(period_index_[last_day - first_day_] - first_period);
  if (key_bits >= 64) return false;
  keys_.resize(words_.size());
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const std::uint64_t word = words_[i];
    const std::uint64_t day = day_of_word(word);
    keys_[i] = (period_index_[day - first_day_] - first_period) << period_shift |
               ((word >> 32) - first_user) << user_shift | (day - first_day) << day_shift |
               name_rank_[word & many_words];
  }
  radix_sort(keys_, std::uint64_t{1} << key_bits, other_keys_);
  const auto part = [](std::uint64_t key, unsigned shift, unsigned end) {
    return (key >> shift) & ((std::uint64_t{1} << (end - shift)) - 1);
  };
  for (std::size_t i = 0; i < keys_.size();) {
    const std::uint64_t key = keys_[i];
    const std::size_t from = i;
    while (i < keys_.size() && keys_[i] == key) ++i;
    UserCell& cell = cells_.emplace_back();
    cell.user =
        account_.user_base + static_cast<std::int64_t>(first_user + part(key, user_shift, period_shift));
    cell.period = periods_[first_period + part(key, period_shift, key_bits)];
    cell.cell.day =
        static_cast<Day>(base_day_ + static_cast<std::int64_t>(first_day + part(key, day_shift, user_shift)));
    cell.cell.event = static_cast<std::uint32_t>(part(key, 0, day_shift));
    cell.cell.count = static_cast<std::int64_t>(i - from);
  }
  return true;
}

void AccountFold::sort_all_words() {
  for (std::size_t i = 0; i < words_.size();) {
    const std::uint64_t word = words_[i];
    UserCell& cell = cells_.emplace_back();
    if ((word & many_words) != many_words) {
      cell.user = account_.user_base + static_cast<std::int64_t>(word >> 32);
      cell.cell = {static_cast<Day>(base_day_ + static_cast<std::int64_t>(day_of_word(word))),
                   name_rank_[word & many_words], 1, 0, 0};
      ++i;
    } else {
      cell.user = static_cast<std::int64_t>(words_[i + 1]);
      const bool has_amount = (word & flag_amount) != 0;
      cell.cell = {static_cast<Day>(static_cast<std::int64_t>(words_[i + 3])), name_rank_[word >> 32], 1,
                   has_amount ? 1 : 0, has_amount ? static_cast<std::int64_t>(words_[i + 2]) : 0};
      const Cell minus = negate_cell(cell.cell);
      if ((word & flag_minus) != 0) cell.cell = minus;
      i += words_of_many;
    }
    cell.period = period_start(cell.cell.day);
  }
  const auto place = [](const UserCell& cell) {
    return std::tie(cell.period, cell.user, cell.cell.day, cell.cell.event);
  };
  std::sort(cells_.begin(), cells_.end(),
            [&](const UserCell& a, const UserCell& b) { return place(a) < place(b); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cells_.size();) {
    UserCell sum = cells_[i];
    for (++i; i < cells_.size() && place(cells_[i]) == place(sum); ++i) add_cell(sum.cell, cells_[i].cell);
    if (sum.cell.count != 0 || sum.cell.amount_count != 0 || sum.cell.amount != 0) cells_[kept++] = sum;
  }
  cells_.resize(kept);
}

// Writes the cells of the next period. None is empty, so that names and first day are exact.
void AccountFold::write_period(AccountLedger& ledger) {
  ledger.period = cells_[cells_written_].period;
  Day first_day = max_day;
  std::size_t end = cells_written_;
  ++ledgers_;
  used_.clear();
  for (; end < cells_.size() && cells_[end].period == ledger.period; ++end) {
    const Cell& cell = cells_[end].cell;
    first_day = std::min(first_day, cell.day);
    if (name_seen_[cell.event] != ledgers_) {
      name_seen_[cell.event] = ledgers_;
      used_.push_back(cell.event);
    }
  }
  std::sort(used_.begin(), used_.end());
  event_names_.clear();
  for (std::uint32_t i = 0; i < used_.size(); ++i) {
    name_index_[used_[i]] = i;
    event_names_.push_back(ranked_names_[used_[i]]);
  }
  writer_->restart(event_names_, first_day);
  while (cells_written_ < end) {
    const std::int64_t user = cells_[cells_written_].user;
    writer_->begin_user(user_of(user));
    for (; cells_written_ < end && cells_[cells_written_].user == user; ++cells_written_) {
      Cell& cell = cells_[cells_written_].cell;
      cell.event = name_index_[cell.event];
      writer_->add(cell);
    }
    writer_->end_user();
  }
  writer_->take(usage_);
  ledger.usage = usage_;
}

bool AccountFold::next(AccountLedger& ledger) {
  if (pending_count_ > 0) append_pending();
  if (runs_.empty()) return next_collected(ledger);
  if (!accounts_.empty()) fold_to_run();
  const auto precedes = [this](const Run::Part& a, const Run::Part& b) {
    const int order = compare_users(account_kind_, a.account, b.account);
    return order != 0 ? order < 0 : a.period < b.period;
  };
  for (;;) {
    const Run::Part* first = nullptr;
    for (const Run& run : runs_) {
      if (run.at < run.parts.size() && (first == nullptr || precedes(run.parts[run.at], *first)))
        first = &run.parts[run.at];
    }
    if (first == nullptr) return false;
    const Run::Part part = *first;
    ledger.account = part.account;
    ledger.period = part.period;
    usage_ = empty_usage();
    std::size_t parts = 0;
    for (Run& run : runs_) {
      if (run.at == run.parts.size() || precedes(part, run.parts[run.at])) continue;
      const Bytes more = run.parts[run.at++].usage;
      if (parts++ == 0) {
        usage_.assign(more.begin(), more.end());
      } else {
        usage_ = add_usage(usage_, more);
      }
    }
    ledger.usage = usage_;
    if (usage_ != empty_usage()) return true;
  }
}

}  // namespace health
