// The pulse of very many accounts whose ledgers come in chunks of a quarter, in any order.
#pragma once

#include <memory>
#include <vector>

#include "core/base/slabs.hpp"
#include "core/ledger/user_numbers.hpp"
#include "pulse.hpp"

namespace health {

namespace pulse {
class Part;
}

struct AccountPulse {
  UserId account;  // valid as long as the book
  Pulse pulse;
};

// Every chunk is shown to the book, which reads those that the 56 days touch and keeps little of them: sums,
// and the users of the last 28 days. Of older ones it takes down that they are there; they are read only for
// accounts whose age hangs on them, and for those every chunk is shown once more:
//
//   for every chunk: if (auto* wanted = book.wants(account, period)) book.add(*wanted, usage);
//   while (book.next(result)) ...
//   if (book.start_again()) the same once more, for the accounts that are left
class PulseBook {
 public:
  // Accounts are dealt out to so many shares, of which the book takes one: that bounds its memory.
  PulseBook(UserKind account_kind, const PulseQuestion& question, std::uint32_t share = 0,
            std::uint32_t shares = 1);
  ~PulseBook();

  struct Account;
  // What the bytes of a chunk are to be added to, events of this account, of days in the quarter that begins
  // on `period`; null when they are not needed. Valid as long as the book.
  Account* wants(const UserId& account, Day period);
  // The bytes are not needed any more afterwards. Errors: 22P03 and 42804 as for take_pulse; 22003 when a
  // number of events leaves the range of bigint.
  void add(Account& account, Bytes usage);

  // The next account, in the order of their first chunks; false at the end. Errors: 22023 as for take_pulse.
  bool next(AccountPulse& result);
  // True when accounts are left that need their older chunks.
  bool start_again();

 private:
  // The only chunk of an account so far, when it has negative counts.
  struct NegativeChunk {
    const Account* account;
    Bytes usage;
  };

  bool is_in_share(const UserId& account) const;
  Account& find(const UserId& account);
  void keep_list(Account& account, Bytes list);
  [[noreturn]] void reject_negative_chunk(const Account& account) const;

  UserKind account_kind_;
  PulseQuestion question_;
  std::uint32_t share_;
  std::uint32_t shares_;
  Slabs memory_{std::size_t{8} << 20};
  UserNumbers numbers_;
  std::vector<Account*> accounts_;
  Account* present_ = nullptr;  // of the chunk that was asked about last
  std::size_t at_ = 0;
  std::size_t left_ = 0;
  bool again_ = false;
  std::unique_ptr<pulse::Part> part_;  // that is read
  std::vector<std::uint8_t> list_;     // that is written
  std::vector<NegativeChunk> negative_chunks_;
};

}  // namespace health
