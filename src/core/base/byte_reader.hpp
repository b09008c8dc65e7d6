// Reads numbers and strings from bytes, never beyond their end.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "varint.hpp"

namespace health {

// What can be wrong with bytes that are read.
enum class ByteFault : std::uint8_t { number, string };  // cut off or overlong; cut off

// `Reject` is what to do then: a type with a static function [[noreturn]] reject(ByteFault), which throws.
template <class Reject>
class ByteReader {
 public:
  ByteReader() = default;
  explicit ByteReader(std::span<const std::uint8_t> bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const std::uint8_t* position() const { return at_; }

  std::uint8_t byte() {
    if (at_ == end_) Reject::reject(ByteFault::number);
    return *at_++;
  }
  // An unsigned varint.
  std::uint64_t number() {
    std::uint64_t value = 0;
    if (!get_varint(at_, end_, value)) Reject::reject(ByteFault::number);
    return value;
  }
  // The same, faster for numbers of mostly one or two bytes.
  std::uint64_t short_number() {
    std::uint64_t value = 0;
    if (!get_short_varint(at_, end_, value)) Reject::reject(ByteFault::number);
    return value;
  }
  // A zigzag varint.
  std::int64_t signed_number() { return unzigzag(number()); }
  // The same of 128 bits.
  Exact wide_number() {
    UnsignedExact value = 0;
    if (!get_wide_varint(at_, end_, value)) Reject::reject(ByteFault::number);
    return unzigzag_wide(value);
  }
  // Four bytes, as memory holds them.
  std::uint32_t word() {
    std::uint32_t value = 0;
    if (left() < sizeof value) Reject::reject(ByteFault::number);
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  // So many bytes, where they lie.
  std::string_view string(std::uint64_t size) {
    if (size > left()) Reject::reject(ByteFault::string);
    const std::string_view bytes(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }
  // A string behind its length.
  std::string_view string() { return string(number()); }

 private:
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

}  // namespace health
