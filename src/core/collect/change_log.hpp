// Changes of a tracked table: a codec of small self-contained pieces, written row by row.
//
// A change says that a row version at a block of the table came (plus) or went (minus), and which event it
// was. Pieces (version 1) begin with u8 version, u8 account kind + 4 * user kind, and go on with entries:
//     event   u8 4 * code + 2 * minus + has amount (code < 58), account, user, [zigzag(amount)]
//     coded   u8 232 + 2 * minus + has amount, u8 code, account, user, [zigzag(amount)]
//     inline  u8 236 + 2 * minus + has amount, varint length, name, account, user, [zigzag(amount)]
//     bad     u8 240 + minus: a row that cannot be read as an event
//     block   u8 242, zigzag(block - previous block): where the entries from here on are
//     day     u8 243, zigzag(day - previous day): when
//     define  u8 244, u8 code, varint length, name: what `code` means from here on
//     account, user: bigint zigzag(id - previous id); uuid 16 bytes; text varint 0 for the previous id, else
//     length + 1, bytes
// Blocks, days and ids start at 0 and the empty text. Integers are unsigned LEB128 varints.
#pragma once

#include "core/base/byte_reader.hpp"
#include "usage_log.hpp"

namespace health {

inline constexpr std::size_t piece_bytes = 8000;  // of a piece that holds more than one entry, at most
inline constexpr std::uint8_t change_version = 1;

// One change. Of a bad row only block, minus and the kinds count.
struct Change {
  std::uint32_t block = 0;
  bool minus = false;
  bool bad = false;
  UserKind account_kind = UserKind::none;
  UserId account;
  LoggedEvent event;
};

// Where a log stands: all that its next entry hangs on. Plain memory.
struct ChangeMark {
  std::uint64_t start;  // offset of the present piece in the log
  std::uint64_t used;   // end of its last entry; start = used: no piece has begun
  std::int64_t account;
  std::int64_t user;
  std::uint64_t account_at;  // of the previous text ids: offset in the log, and size
  std::uint64_t account_size;
  std::uint64_t user_at;
  std::uint64_t user_size;
  std::uint64_t defined[2];  // bit per code: defined in this piece (in this epoch)
  std::uint32_t epoch;       // of the codes in `defined`
  std::uint32_t block;
  Day day;
  std::uint8_t kinds;
};

// Pieces one behind the other in memory that the host owns and that starts at a multiple of 8 bytes. Every
// piece starts at such a multiple, too, with a word for the host's length of the value, so that it need not
// be copied to be stored. Plain memory; nothing here allocates or throws.
struct ChangeLog {
  std::uint8_t* memory = nullptr;
  std::size_t capacity = 0;
  std::size_t largest_piece = piece_bytes;
  ChangeMark at{};

  // Appends a change; false when the memory has no room for room_for(change) bytes.
  bool append(const Change& change, EventCodes& codes) noexcept;
  // Ends the present piece, so that all pieces can be read.
  void close() noexcept;
  // The piece at an offset (0, then what `next` was set to) of a closed log; empty at the end.
  Bytes piece(std::size_t offset, std::size_t& next) const noexcept;

  // Bytes that a change needs at most, and with the beginning of a piece.
  static std::size_t bytes_for(const Change& change) noexcept;
  static std::size_t room_for(const Change& change) noexcept { return bytes_for(change) + 24; }

 private:
  void begin_piece(std::uint8_t kinds) noexcept;
};

inline constexpr std::size_t piece_word = 4;  // bytes ahead of a piece in a log, for the host

// Reads a piece change by change. Error 22P03 for bytes that no log wrote.
class ChangeCursor {
 public:
  explicit ChangeCursor(Bytes piece);

  // Moves to the next change; false at the end.
  bool next();
  const Change& change() const { return change_; }
  // Bytes of the piece up to the end of the present change.
  std::size_t position() const { return static_cast<std::size_t>(bytes_.position() - start_); }
  // Checks every name and text id that is read; null: any bytes will do.
  bool (*is_text)(std::string_view) = nullptr;

 private:
  struct Reject {
    [[noreturn]] static void reject(ByteFault fault);
  };
  std::string_view read_text(std::uint64_t size);
  std::string_view& name_of_code();
  void read_id(UserKind kind, UserId& id);
  void read_event(bool minus, bool has_amount);

  const std::uint8_t* start_;
  ByteReader<Reject> bytes_;
  std::int64_t block_ = 0;
  std::int64_t day_ = 0;
  Change change_;
  std::array<std::string_view, EventCodes::capacity> names_{};
};

// How many changes a piece has. Error 22P03 as above.
std::int64_t count_changes(Bytes piece);

// The piece without the changes whose blocks lie in one of these half-open ranges (from, to, from, to ...);
// empty when none is left, the same bytes when all are. Errors: 22P03 as above, 22023 for an odd number of
// bounds.
UsageBytes drop_blocks(Bytes piece, std::span<const std::int64_t> ranges);

// Copies the changes behind the first `skip` bytes of a piece to a log with room for them (twice the size of
// the piece and 256 bytes always suffice).
void copy_changes(Bytes piece, std::size_t skip, ChangeLog& to, EventCodes& codes);

}  // namespace health
