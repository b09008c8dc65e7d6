// Folds events of many accounts, in any order, into one ledger per account and calendar quarter, or one per
// account.
//
// An event is appended to its account's chain of blocks as one word of 8 bytes (user, day, event), or four
// when that does not hold it. At the end the accounts are taken one by one: sorted, added up, written.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/base/hash_table.hpp"
#include "core/base/slabs.hpp"
#include "core/ledger/name_numbers.hpp"
#include "core/ledger/user_numbers.hpp"
#include "usage_log.hpp"

namespace health {

// What an AccountFold gives, valid until the next is asked for.
struct AccountLedger {
  UserId account;
  Day period = 0;  // its first day
  Bytes usage;     // never the empty ledger
};

class AccountFold {
 public:
  static constexpr std::size_t usual_limit = std::size_t{192} << 20;

  // Events are held back up to `limit` bytes of memory; then they are folded into ledgers, which are added up
  // at the end. In one period, the one from min_day on, are all days of an account.
  AccountFold(UserKind account_kind, UserKind user_kind, std::size_t limit = usual_limit,
              bool in_one_period = false);

  // Adds an event, or with sign -1 takes it away. Errors: 42804 for another kind of user than was said, 22008
  // for a day out of range, 22023 for an empty name.
  void add(const UserId& account, const LoggedEvent& event, int sign = 1);
  // The next ledger, ascending by account and period; false at the end. Nothing can be added any more once it
  // was called. Errors as for add_usage.
  bool next(AccountLedger& ledger);

 private:
  struct alignas(64) Account {   // one cache line
    std::int64_t user_base = 0;  // bigint users of single words are offsets to it
    std::uint64_t* at = nullptr;
    std::uint64_t* end = nullptr;
    std::uint64_t* first = nullptr;  // the chain of blocks
    std::uint32_t blocks = 0;
    std::uint32_t words = 0;
  };
  // An event while an account is folded; `user` ascends as the ids do.
  struct UserCell {
    Cell cell;  // `event` is the rank of the name
    std::int64_t user;
    Day period;
  };
  // Ledgers of one time that memory was full, ascending.
  struct Run {
    struct Part {
      UserId account;
      Day period;
      Bytes usage;
    };
    std::vector<Part> parts;
    std::size_t at = 0;
    Slabs bytes;
  };
  // An event between add() and its account's chain.
  struct Pending {
    std::int64_t account;  // bigint accounts: the id
    std::int64_t user;
    std::int64_t amount;
    Day day;
    std::uint32_t name;
    bool minus;
    bool has_amount;
  };
  // bigint accounts: id to number.
  struct AccountSlot {
    std::int64_t id;
    std::uint32_t number;  // + 1

    explicit operator bool() const { return number != 0; }
  };
  // Per number of a user: whether the present account has it, and its place among the account's users.
  struct UserPlace {
    std::uint32_t account = 0;  // the number of the account's turn
    std::uint32_t place = 0;
  };

  void start_collecting();
  void append(std::uint32_t account, const Pending& event);
  void append_pending();
  std::uint32_t account_number(std::int64_t id);
  void add_block(Account& account);
  std::size_t memory() const;
  void fold_to_run();
  // The next ledger of the events in memory.
  bool next_collected(AccountLedger& ledger);
  void start_reading();
  void read_account(std::uint32_t number);
  void gather_words(const Account& account);
  void rank_users();
  bool sort_single_words();
  void sort_all_words();
  void write_period(AccountLedger& ledger);
  const std::vector<UserId>& accounts() const {
    return account_kind_ == UserKind::bigint ? account_ids_ : account_numbers_.users();
  }
  UserId user_of(std::int64_t user) const;
  Day period_start(Day day);

  UserKind account_kind_;
  UserKind user_kind_;
  std::size_t limit_;
  bool in_one_period_;

  Slabs blocks_;
  Slabs ids_;
  // The accounts: bigint ids are looked up in a table of their own, and some time after they were seen, so
  // that what is looked at has come from memory meanwhile.
  static constexpr std::size_t most_pending = 32;
  std::array<Pending, most_pending> pending_;
  std::size_t pending_count_ = 0;
  HashTable<AccountSlot> account_slots_;
  std::vector<UserId> account_ids_;  // of bigint accounts
  UserNumbers account_numbers_;      // of uuid and text accounts
  UserNumbers user_numbers_;         // of uuid and text users
  NameNumbers names_;
  std::vector<Account> accounts_;
  bool has_day_ = false;
  std::int64_t base_day_ = 0;  // days of single words are offsets to it
  std::uint64_t first_day_ = UINT64_MAX;
  std::uint64_t last_day_ = 0;

  std::vector<Run> runs_;

  bool reading_ = false;
  std::vector<std::uint32_t> account_order_;
  std::size_t accounts_read_ = 0;
  std::vector<std::string_view> ranked_names_;
  std::vector<std::uint32_t> name_rank_;
  std::vector<UserPlace> user_places_;
  std::vector<Day> periods_;                 // of single words, without gaps
  std::vector<std::uint32_t> period_index_;  // by day since first_day_
  // Of the present account:
  Account account_;
  std::vector<std::uint32_t> users_;  // numbers, ascending by id
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint64_t> other_keys_;
  std::vector<UserCell> cells_;
  std::size_t cells_written_ = 0;
  // Of the present ledger:
  std::vector<std::uint32_t> name_seen_;   // by rank: number of the ledger in which it was seen last
  std::vector<std::uint32_t> name_index_;  // by rank: index in that ledger
  std::vector<std::uint32_t> used_;
  std::uint32_t ledgers_ = 0;
  EventNames event_names_;
  std::unique_ptr<UsageWriter> writer_;
  UsageBytes usage_;
  Window period_;  // the last that was asked for
};

}  // namespace health
