// The entries of a usage log: writing them, and walking through them. Layout: usage_log.hpp.
#pragma once

#include <array>
#include <cstring>

#include "core/base/byte_reader.hpp"
#include "usage_log.hpp"

namespace health {

inline constexpr std::uint32_t short_codes =
    60;                                      // codes that share a byte with the days since the previous event
inline constexpr std::int64_t any_days = 3;  // instead of days: they follow
inline constexpr std::uint8_t entry_coded = 251;
inline constexpr std::uint8_t entry_inline = 252;
inline constexpr std::uint8_t entry_define = 253;
inline constexpr std::uint8_t entry_ledger = 254;
inline constexpr std::size_t ledger_overhead = 5;

inline std::uint8_t* put_string(std::uint8_t* to, std::string_view text) {
  to = put_varint(to, text.size());
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

inline std::uint8_t* put_ledger(std::uint8_t* to, Bytes usage) {
  *to++ = entry_ledger;
  const auto size = static_cast<std::uint32_t>(usage.size());
  std::memcpy(to, &size, sizeof(size));
  std::memcpy(to + sizeof(size), usage.data(), usage.size());
  return to + sizeof(size) + usage.size();
}

// Walks over the events and ledgers of a part of a log, taking in definitions on the way. Error XX001 for
// entries that do not fit.
class LogCursor {
 public:
  LogCursor(const LogHeader& header, const std::uint8_t* memory, std::size_t from, std::size_t to)
      : bytes_(Bytes(memory + from, memory + to)),
        kind_(static_cast<UserKind>(header.kind)),
        first_user_(header.first_user) {}

  // Goes on with the staged entries behind the last of the log.
  void then_staged(const LogHeader& header, const std::uint8_t* memory) {
    staged_ = Bytes(memory + sizeof(LogHeader), header.staged);
  }

  // Moves to the next event or ledger; false at the end.
  bool next() {
    for (;;) {
      if (bytes_.at_end()) {
        if (staged_.empty()) return false;
        bytes_ = ByteReader<Reject>(staged_);
        staged_ = {};
      }
      const std::uint8_t entry = bytes_.byte();
      if (entry == entry_ledger) {
        const std::string_view ledger = bytes_.string(bytes_.word());
        ledger_ = Bytes(reinterpret_cast<const std::uint8_t*>(ledger.data()), ledger.size());
        return true;
      }
      if (entry == entry_define) {
        const std::uint8_t code = bytes_.byte();
        if (code >= names_.size()) corrupted();
        names_[code] = {bytes_.string(), 0};
        continue;
      }
      if (entry < short_codes * 4) {
        code_ = entry / 4;
        event_.name = names_[code_].name;
        read_event(entry % 4);
      } else if (entry == entry_inline) {
        code_ = entry_inline;
        event_.name = bytes_.string();
        read_event(any_days);
      } else {
        if (entry != entry_coded) corrupted();
        code_ = bytes_.byte();
        if (code_ >= names_.size()) corrupted();
        event_.name = names_[code_].name;
        read_event(any_days);
      }
      ledger_ = {};
      return true;
    }
  }

  bool is_ledger() const { return ledger_.data() != nullptr; }
  Bytes ledger() const { return ledger_; }
  const LoggedEvent& event() const { return event_; }
  // A note of the reader's about the event's name, 0 until it is set; nullptr for a name without code.
  std::uint32_t* note() { return code_ == entry_inline ? nullptr : &names_[code_].note; }

 private:
  [[noreturn]] static void corrupted() {
    throw Error(sqlstate::data_corrupted, "invalid value of type health.usage_state",
                "Values of this type live inside of aggregates only; store health.usage instead.");
  }
  struct Reject {
    [[noreturn]] static void reject(ByteFault) { corrupted(); }
  };
  void read_event(std::int64_t days) {
    event_.has_amount = false;
    if (days == any_days) {
      const std::uint64_t when = bytes_.number();
      days = unzigzag(when >> 1);
      event_.has_amount = (when & 1) != 0;
    }
    last_day_ += days;
    if (last_day_ < min_day || last_day_ > max_day || event_.name.empty()) corrupted();
    event_.kind = kind_;
    event_.day = static_cast<Day>(last_day_);
    if (kind_ == UserKind::bigint) {
      event_.user.number = static_cast<std::int64_t>(static_cast<std::uint64_t>(bytes_.signed_number()) +
                                                     static_cast<std::uint64_t>(first_user_));
    } else {
      event_.user.bytes = kind_ == UserKind::uuid ? bytes_.string(16) : bytes_.string();
    }
    event_.amount = event_.has_amount ? bytes_.signed_number() : 0;
  }

  ByteReader<Reject> bytes_;
  Bytes staged_;
  UserKind kind_;
  std::int64_t first_user_;
  std::int64_t last_day_ = 0;
  std::uint8_t code_ = 0;
  LoggedEvent event_;
  Bytes ledger_;
  struct Name {
    std::string_view name;
    std::uint32_t note = 0;
  };
  std::array<Name, EventCodes::capacity> names_{};
};

}  // namespace health
