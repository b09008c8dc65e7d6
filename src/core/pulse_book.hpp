// The pulse of very many accounts whose ledgers come in chunks of a quarter, in any order.
#pragma once

#include <vector>

#include "account_fold.hpp"
#include "pulse_state.hpp"
#include "user_numbers.hpp"

namespace health {

struct AccountPulse {
  UserId account;  // valid as long as the book
  Pulse pulse;
};

// Every chunk is shown to the book, which copies those that the 56 days touch. Of older ones it takes down
// that they are there; they are read only for accounts whose age hangs on them, and for those every chunk is
// shown once more:
//
//   for every chunk: if (book.wants(account, period)) book.add(usage);
//   while (book.next(result)) ...
//   if (book.start_again()) the same once more, for the accounts that are left
class PulseBook {
 public:
  // Accounts are dealt out to so many shares, of which the book takes one: that bounds its memory.
  PulseBook(UserKind account_kind, const PulseQuestion& question, std::uint32_t share = 0,
            std::uint32_t shares = 1);

  // Whether the bytes of a chunk are needed: events of this account, of days in the quarter that begins on
  // `period`.
  bool wants(const UserId& account, Day period);
  // The bytes of the chunk that was asked about last.
  void add(Bytes usage);

  // The next account, in the order of their first chunks; false at the end. Errors as for take_pulse.
  bool next(AccountPulse& result);
  // True when accounts are left that need their older chunks.
  bool start_again();

 private:
  struct Chunk {
    const Chunk* next;
    std::size_t size;  // of the bytes, which follow
  };
  struct Account {
    const Chunk* chunks = nullptr;
    bool has_older = false;
    bool is_left = false;  // for the second reading
    Exact old_events = 0;  // of older chunks, in the second reading
    Exact old_joined = 0;
  };

  bool is_in_share(const UserId& account) const;
  void find(const UserId& account);

  UserKind account_kind_;
  PulseQuestion question_;
  std::uint32_t share_;
  std::uint32_t shares_;
  Slabs memory_;
  UserNumbers numbers_;
  std::vector<Account> accounts_;
  std::size_t present_ = 0;  // account and age of the chunk that was asked about last
  bool is_older_ = false;
  std::size_t at_ = 0;
  std::size_t left_ = 0;
  bool again_ = false;
  std::vector<Bytes> parts_;
};

}  // namespace health
