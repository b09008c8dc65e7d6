// The pulse of very many accounts whose ledgers come in chunks of a quarter, in any order.
#include "pulse_book.hpp"

#include "pulse_sums.hpp"

namespace health {

using namespace pulse;

namespace {

constexpr Day longest_quarter = 92;

}  // namespace

struct PulseBook::Account {
  explicit Account(const UserId& account) : id(account) {}

  UserId id;
  Sums sums;
  std::uint8_t* list = nullptr;  // of the users of the last 28 days
  std::size_t list_size = 0;
  std::size_t list_room = 0;
  UserKind kind = UserKind::none;
  bool has_chunk = false;
  bool has_chunks = false;   // more than one
  bool is_negative = false;  // the only chunk has negative counts
  bool has_older = false;
  bool is_left = false;  // for the second reading
};

PulseBook::PulseBook(UserKind account_kind, const PulseQuestion& question, std::uint32_t share,
                     std::uint32_t shares)
    : account_kind_(account_kind),
      question_(question),
      share_(share),
      shares_(shares),
      numbers_(account_kind, 0),
      part_(std::make_unique<Part>()) {}

PulseBook::~PulseBook() = default;

bool PulseBook::is_in_share(const UserId& account) const {
  if (shares_ == 1) return true;
  const std::uint64_t hash = account_kind_ == UserKind::bigint
                                 ? static_cast<std::uint64_t>(account.number) * 0x9e3779b97f4a7c15U
                                 : std::hash<std::string_view>{}(account.bytes);
  return (hash >> 40) % shares_ == share_;
}

// Chunks of an account mostly follow each other.
PulseBook::Account& PulseBook::find(const UserId& account) {
  if (present_ != nullptr && compare_users(account_kind_, present_->id, account) == 0) return *present_;
  const std::uint32_t number = numbers_.number_of(account, [&](UserId id) {
    id.bytes = memory_.keep(id.bytes);
    return id;
  });
  if (number == accounts_.size())
    accounts_.push_back(new (memory_.take(sizeof(Account))) Account(numbers_.users()[number]));
  present_ = accounts_[number];
  return *present_;
}

PulseBook::Account* PulseBook::wants(const UserId& account, Day period) {
  if (!is_in_share(account)) return nullptr;
  const std::int64_t first_seen = std::int64_t{question_.as_of} - 7 * weeks_seen;
  const bool is_older = std::int64_t{period} + longest_quarter <= first_seen;
  if (again_ && !is_older) return nullptr;
  Account& present = find(account);
  if (again_) return present.is_left ? &present : nullptr;
  present.has_older |= is_older;
  return !is_older && period < question_.as_of ? &present : nullptr;
}

void PulseBook::add(Account& account, Bytes usage) {
  Part& part = *part_;
  part.open(usage, question_.as_of, kept_table(usage));
  Counts counts;
  if (again_) {  // an older one
    part.count_users(counts, false, [](Exact) {});
    account.sums.add_old(counts);
    return;
  }
  const UserKind kind = common_user_kind(account.kind, part.kind());
  ListReader list(account.kind, {account.list, account.list_size});
  account.kind = kind;
  ListWriter writer(kind, list_);
  merge_part(part, kind, list, writer, counts);
  merge_rest(list, writer);
  account.sums.add(counts);
  keep_list(account, writer.finish(account.sums));
  account.has_chunks = account.has_chunk;
  account.has_chunk = true;
  account.is_negative = counts.has_negative && !account.has_chunks;
  if (account.is_negative) {
    std::uint8_t* const copy = memory_.take(usage.size());
    std::memcpy(copy, usage.data(), usage.size());
    negative_chunks_.push_back({&account, {copy, usage.size()}});
  }
}

// A list that grows takes at least twice the room it had, so that no more is left behind than is in use.
void PulseBook::keep_list(Account& account, Bytes list) {
  if (list.size() > account.list_room) {
    const std::size_t room = std::max(list.size(), 2 * account.list_room);
    account.list = memory_.take(room);
    account.list_room = room;
  }
  if (!list.empty()) std::memcpy(account.list, list.data(), list.size());
  account.list_size = list.size();
}

void PulseBook::reject_negative_chunk(const Account& account) const {
  for (const NegativeChunk& chunk : negative_chunks_)
    if (chunk.account == &account) reject_negative(&chunk.usage);
  reject_negative(nullptr);
}

bool PulseBook::next(AccountPulse& result) {
  for (; at_ < accounts_.size(); ++at_) {
    Account& account = *accounts_[at_];
    if (again_ && !account.is_left) continue;
    if (account.is_negative) reject_negative_chunk(account);
    // A quarter's sum has no negative counts, so that a positive one proves the age by itself.
    const bool has_history = account.sums.has_history(question_);
    if (!again_ && account.has_older && !has_history && !question_.account_start) {
      account.is_left = true;
      ++left_;
      continue;
    }
    result.account = account.id;
    result.pulse = account.sums.conclude(has_history);
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
