// Memory in large pieces.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace health {

// Memory in large pieces that is only ever freed as a whole.
class Slabs {
 public:
  explicit Slabs(std::size_t largest = std::size_t{1} << 20) : largest_(largest) {}

  // Aligned to 8 bytes.
  std::uint8_t* take(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (size > static_cast<std::size_t>(end_ - at_)) more(size);
    std::uint8_t* const taken = at_;
    at_ += size;
    return taken;
  }
  std::string_view keep(std::string_view bytes) {
    if (bytes.empty()) return {};
    auto* const copy = take(bytes.size());
    std::memcpy(copy, bytes.data(), bytes.size());
    return {reinterpret_cast<const char*>(copy), bytes.size()};
  }
  std::size_t size() const { return size_; }
  void clear() {
    slabs_.clear();
    at_ = end_ = nullptr;
    size_ = 0;
  }

 private:
  void more(std::size_t size);

  std::vector<std::unique_ptr<std::uint8_t[]>> slabs_;
  std::uint8_t* at_ = nullptr;
  std::uint8_t* end_ = nullptr;
  std::size_t largest_;  // of one slab
  std::size_t size_ = 0;
};

}  // namespace health
