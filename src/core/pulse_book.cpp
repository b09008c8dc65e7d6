// The pulse of very many accounts whose ledgers come in chunks of a quarter, in any order.
#include "pulse_book.hpp"

#include "pulse_walk.hpp"

namespace health {

namespace {

constexpr Day longest_quarter = 92;

}  // namespace

PulseBook::PulseBook(UserKind account_kind, const PulseQuestion& question, std::uint32_t share,
                     std::uint32_t shares)
    : account_kind_(account_kind),
      question_(question),
      share_(share),
      shares_(shares),
      numbers_(account_kind, 0) {}

bool PulseBook::is_in_share(const UserId& account) const {
  if (shares_ == 1) return true;
  const std::uint64_t hash = account_kind_ == UserKind::bigint
                                 ? static_cast<std::uint64_t>(account.number) * 0x9e3779b97f4a7c15U
                                 : std::hash<std::string_view>{}(account.bytes);
  return (hash >> 40) % shares_ == share_;
}

// Chunks of an account mostly follow each other.
void PulseBook::find(const UserId& account) {
  if (present_ < accounts_.size() && compare_users(account_kind_, numbers_.users()[present_], account) == 0)
    return;
  present_ = numbers_.number_of(account, [&](UserId id) {
    id.bytes = memory_.keep(id.bytes);
    return id;
  });
  if (present_ == accounts_.size()) accounts_.emplace_back();
}

bool PulseBook::wants(const UserId& account, Day period) {
  if (!is_in_share(account)) return false;
  const std::int64_t first_seen = std::int64_t{question_.as_of} - 7 * pulse::weeks_seen;
  is_older_ = std::int64_t{period} + longest_quarter <= first_seen;
  if (again_ && !is_older_) return false;
  find(account);
  Account& present = accounts_[present_];
  if (again_) return present.is_left;
  present.has_older |= is_older_;
  return !is_older_ && period < question_.as_of;
}

void PulseBook::add(Bytes usage) {
  Account& present = accounts_[present_];
  if (is_older_) {
    pulse::count_old(usage, question_.as_of, present.old_events, present.old_joined);
    return;
  }
  std::uint8_t* const copy = memory_.take(sizeof(Chunk) + usage.size());
  present.chunks = new (copy) Chunk{present.chunks, usage.size()};
  std::memcpy(copy + sizeof(Chunk), usage.data(), usage.size());
}

bool PulseBook::next(AccountPulse& result) {
  for (; at_ < accounts_.size(); ++at_) {
    Account& account = accounts_[at_];
    if (again_ && !account.is_left) continue;
    parts_.clear();
    for (const Chunk* chunk = account.chunks; chunk != nullptr; chunk = chunk->next)
      parts_.emplace_back(reinterpret_cast<const std::uint8_t*>(chunk + 1), chunk->size);
    pulse::Walked walked = pulse::walk(parts_, question_.as_of);
    walked.old_events += account.old_events;
    walked.old_joined += account.old_joined;
    // A quarter's sum has no negative counts, so that a positive one proves the age by itself.
    const bool has_history = walked.has_history(question_);
    if (!again_ && account.has_older && !has_history && !question_.account_start) {
      account.is_left = true;
      ++left_;
      continue;
    }
    result.account = numbers_.users()[at_];
    result.pulse = pulse::conclude(walked.users, walked.weeks, has_history);
    ++at_;
    return true;
  }
  return false;
}

bool PulseBook::start_again() {
  if (again_ || left_ == 0) return false;
  again_ = true;
  at_ = 0;
  return true;
}

}  // namespace health
