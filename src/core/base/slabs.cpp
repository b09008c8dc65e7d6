// Memory in large pieces.
#include "slabs.hpp"

#include <algorithm>

namespace health {

void Slabs::more(std::size_t size) {
  constexpr std::size_t smallest = std::size_t{8} << 10;
  constexpr std::size_t much = std::size_t{512} << 10;
  const std::size_t slab = std::max(size, size_ < much ? std::max(size_, smallest) : largest_);
  slabs_.emplace_back(new std::uint8_t[slab]);
  at_ = slabs_.back().get();
  end_ = at_ + slab;
  size_ += slab;
}

}  // namespace health
