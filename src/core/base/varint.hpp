// Variable-length integers (unsigned LEB128) and the zigzag map of signed to unsigned.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "exact.hpp"

namespace health {

inline constexpr std::size_t max_varint_bytes = 10;
inline constexpr std::size_t max_wide_varint_bytes = 19;  // of 128 bits

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// The same of 128 bits; numbers that fit 64 come to the same.
constexpr UnsignedExact zigzag_wide(Exact value) {
  return (static_cast<UnsignedExact>(value) << 1) ^ static_cast<UnsignedExact>(value >> 127);
}

constexpr Exact unzigzag_wide(UnsignedExact value) {
  return static_cast<Exact>(value >> 1) ^ -static_cast<Exact>(value & 1);
}

// Writes value at `to`, which must have room for max_varint_bytes; returns the end.
inline std::uint8_t* put_varint(std::uint8_t* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<std::uint8_t>(value) | 0x80;
    value >>= 7;
  }
  *to++ = static_cast<std::uint8_t>(value);
  return to;
}

// The same of 128 bits; `to` must have room for max_wide_varint_bytes.
inline std::uint8_t* put_wide_varint(std::uint8_t* to, UnsignedExact value) {
  while (value > UINT64_MAX) {
    *to++ = static_cast<std::uint8_t>(value) | 0x80;
    value >>= 7;
  }
  return put_varint(to, static_cast<std::uint64_t>(value));
}

// The same for numbers of mostly one or two bytes, which are written without a branch between them.
inline std::uint8_t* put_short_varint(std::uint8_t* to, std::uint64_t value) {
  if (value >= 1 << 14) return put_varint(to, value);
  const std::uint64_t high = value >> 7;
  const std::uint64_t more = high != 0 ? 1 : 0;
  to[0] = static_cast<std::uint8_t>((value & 0x7f) | more << 7);
  to[1] = static_cast<std::uint8_t>(high);
  return to + 1 + more;
}

// Reads one varint from [at, end) and moves `at` behind it. False when it is cut off, longer than 64 bits or
// has a needless last byte.
inline bool get_varint(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t& value) {
  if (at < end && *at < 0x80) {
    value = *at++;
    return true;
  }
  std::uint64_t result = 0;
  for (unsigned shift = 0; at < end; shift += 7) {
    const std::uint8_t byte = *at++;
    if (shift == 63 && byte > 1) return false;
    result |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = result;
      return byte != 0 || shift == 0;
    }
    if (shift == 63) return false;
  }
  return false;
}

// As get_varint, of 128 bits: mostly far fewer.
inline bool get_wide_varint(const std::uint8_t*& at, const std::uint8_t* end, UnsignedExact& value) {
  std::uint64_t low = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (at == end) return false;
    const std::uint8_t byte = *at++;
    low |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = low;
      return byte != 0 || shift == 0;
    }
  }
  UnsignedExact result = low;
  for (unsigned shift = 63; at < end; shift += 7) {
    const std::uint8_t byte = *at++;
    if (shift == 126 && byte > 3) return false;
    result |= static_cast<UnsignedExact>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = result;
      return byte != 0;
    }
  }
  return false;
}

// A varint of one or two bytes, read without a branch between them; size 0 when it is no such.
struct ShortVarint {
  std::uint64_t value;
  std::uint64_t size;
};
inline ShortVarint look_at_varint(const std::uint8_t* at, const std::uint8_t* end) {
  if (end - at < 2) return {0, 0};
  const std::uint64_t low = at[0];
  const std::uint64_t high = at[1];
  const std::uint64_t less = high - 1;
  if ((low & (high | less) & 0x80) != 0) return {0, 0};  // a third byte, or a second one of 0
  const std::uint64_t more = low >> 7;
  return {low + ((less << 7) & (std::uint64_t{0} - more)), 1 + more};
}

// As get_varint, for numbers of mostly one or two bytes.
inline bool get_short_varint(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t& value) {
  const ShortVarint number = look_at_varint(at, end);
  if (number.size == 0) return get_varint(at, end, value);
  at += number.size;
  value = number.value;
  return true;
}

}  // namespace health
