// Memory in large pieces.
#include "slabs.hpp"

#include <sys/mman.h>

#include <algorithm>

namespace health {

namespace {

// Has the system back the memory with huge pages, as far as it has them to give: hundreds of page faults less
// for each.
void ask_for_huge_pages([[maybe_unused]] std::uint8_t* begin, [[maybe_unused]] std::uint8_t* end) {
#ifdef MADV_HUGEPAGE
  constexpr std::uintptr_t page = std::uintptr_t{2} << 20;
  const std::uintptr_t first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) & ~(page - 1);
  const std::uintptr_t last = reinterpret_cast<std::uintptr_t>(end) & ~(page - 1);
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace

void Slabs::more(std::size_t size) {
  constexpr std::size_t smallest = std::size_t{8} << 10;
  constexpr std::size_t much = std::size_t{512} << 10;
  const std::size_t slab = std::max(size, size_ < much ? std::max(size_, smallest) : largest_);
  slabs_.emplace_back(new std::uint8_t[slab]);
  at_ = slabs_.back().get();
  end_ = at_ + slab;
  size_ += slab;
  ask_for_huge_pages(at_, end_);
}

}  // namespace health
