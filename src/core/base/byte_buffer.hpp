// A growing run of bytes with the appends that the ledger's format needs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "varint.hpp"

namespace health {

class ByteBuffer {
 public:
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }

  void append_byte(std::uint8_t byte) {
    room(1);
    bytes_[size_++] = byte;
  }
  void append_varint(std::uint64_t value) {
    room(max_varint_bytes);
    size_ = static_cast<std::size_t>(put_short_varint(bytes_.data() + size_, value) - bytes_.data());
  }
  void append_signed(std::int64_t value) { append_varint(zigzag(value)); }
  void append_wide(Exact value) {
    room(max_wide_varint_bytes);
    size_ =
        static_cast<std::size_t>(put_wide_varint(bytes_.data() + size_, zigzag_wide(value)) - bytes_.data());
  }
  void append_bytes(const void* from, std::size_t size) {
    if (size == 0) return;
    room(size);
    std::memcpy(bytes_.data() + size_, from, size);
    size_ += size;
  }
  void append_string(std::string_view text) {
    append_varint(text.size());
    append_bytes(text.data(), text.size());
  }

 private:
  void room(std::size_t more) {
    if (size_ + more > bytes_.size()) bytes_.resize(std::max(size_ + more, bytes_.size() * 2));
  }
  std::vector<std::uint8_t> bytes_;
  std::size_t size_ = 0;
};

}  // namespace health
