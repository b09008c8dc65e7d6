// The transition state of usage_agg and rollup: a compact log of what came in, folded into a canonical ledger
// at the end.
//
// A group of an aggregate is touched once per event, at random among thousands of groups, so one event must
// touch little: the header and the few entries behind it that are not in the log yet (two neighbouring cache
// lines). An event costs two to four bytes; nothing is looked up in the group itself. The state is one flat
// run of bytes with spare capacity, self-contained (it may travel to another process), and grows by a factor.
//
//   header (48 bytes), staging area (80 bytes), log
//   The newest entries are in the staging area; when it is full they are moved to the end of the log, as they
//   are. Entries:
//     event   u8 4 * code + days, user: code < 60, no amount, 0 to 2 days after the previous entry's day
//             u8 4 * code + 3, when, user, [zigzag(amount)]
//     coded   u8 251, u8 code, when, user, [zigzag(amount)]
//     inline  u8 252, varint length, name, when, user, [zigzag(amount)]
//     define  u8 253, u8 code, varint length, name: what `code` means from here on
//     ledger  u8 254, u32 length, a canonical ledger
//     when: varint 2 * zigzag(day - previous day) + has amount
//     user: bigint zigzag(user - first user of the log); uuid 16 bytes; text varint length, bytes
//   Entries up to `folded` are ledgers only, each at least twice as large as the next; behind it everything
//   goes. A full log is first folded, and grows only when that did not make enough room, so that its size
//   follows the cells, not the events.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/ledger/usage_writer.hpp"
#include "event.hpp"

namespace health {

// Event names known to this process, as small codes, so that an event can be logged without looking into its
// group. The table is only a shorthand: the log defines every code that it uses.
class EventCodes {
 public:
  static constexpr std::uint32_t capacity = 128;
  static constexpr std::uint32_t no_code = 128;  // the table is full: the name goes into the log

  // The code of a name, taken on when it is new.
  std::uint32_t code_of(std::string_view name) noexcept;
  // Names the present meaning of the codes: logs of another epoch (or process) must define theirs anew.
  std::uint32_t epoch() const { return epoch_; }
  // `seed` should be unlike that of any other process.
  void start(std::uint32_t seed) noexcept;

 private:
  static constexpr std::size_t longest = 64;  // longer names are never taken on
  static constexpr std::size_t buckets = 1024;
  struct Entry {
    std::uint8_t size;
    char name[longest];
  };
  std::uint32_t epoch_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t misses_ = 0;
  std::array<std::uint8_t, buckets> codes_{};  // code + 1, 0 is empty (128 codes: fits)
  std::array<Entry, capacity> entries_{};
};

struct LogHeader {
  std::uint32_t reserved;  // PostgreSQL's length word
  std::uint8_t version;
  std::uint8_t kind;  // UserKind
  std::uint8_t has_first_user;
  std::uint8_t staged;       // bytes in the staging area
  std::uint32_t used;        // bytes up to the end of the log, header and staging area included
  std::uint32_t folded;      // up to here ledgers only
  std::int32_t last_day;     // of the newest event
  std::uint32_t epoch;       // of the codes in `defined`
  std::int64_t first_user;   // bigint users are logged as differences to it
  std::uint64_t defined[2];  // bit per code: defined in this log (in this epoch)
};
inline constexpr std::size_t staging_bytes = 80;
inline constexpr std::size_t log_start = sizeof(LogHeader) + staging_bytes;
static_assert(log_start == 128);

inline constexpr std::size_t smallest_log = log_start;  // bytes of a new state
inline constexpr std::uint8_t log_version = 1;

// How a full log is to go on: with `capacity` bytes of memory and, if it was folded, these ledgers in place
// of its entries.
struct LogPlan {
  std::size_t capacity = 0;
  bool folded = false;
  std::vector<UsageBytes> ledgers;  // largest first
};

// A log inside memory that the host owns; `capacity` bytes, header included. Nothing here allocates but fold
// and plan_room.
class UsageLog {
 public:
  // Starts an empty log.
  static void start(std::uint8_t* memory);

  // Looks at a log that start() once made. Error XX001 when the header does not fit the memory.
  UsageLog(std::uint8_t* memory, std::size_t capacity);

  // Appends one event if there is room; false if not. Error 42804 when the user's type is not that of the
  // log, 22008 for a day out of range.
  bool append(const LoggedEvent& event, EventCodes& codes);
  // Appends a ledger (its bytes must be valid) if there is room; false if not.
  bool append_ledger(Bytes usage);

  // Plans room for `more` further bytes, folding the log where that is worth it; changes nothing. Error 54000
  // past the size of one value.
  LogPlan plan_room(std::size_t more) const;
  // Carries out a plan, in place or into other memory of plan.capacity bytes.
  void carry_out(const LogPlan& plan, std::uint8_t* memory) const;

  // The ledger of everything in the log; the log stays as it is.
  UsageBytes fold() const;

  UserKind kind() const { return static_cast<UserKind>(header_->kind); }
  // Bytes that append(event) needs at most.
  static std::size_t bytes_for(const LoggedEvent& event) {
    return event.name.size() + event.user.bytes.size() + 48;
  }

 private:
  void adopt_kind(UserKind kind);
  // Moves the staged entries to the log if there is room.
  bool flush();

  LogHeader* header_;
  std::uint8_t* memory_;
  std::size_t capacity_;
};

}  // namespace health
