// operator new and delete of this module: the core's memory is PostgreSQL's, so that a query's end frees
// whatever an error left behind. They are local to the module (exports.map); nobody else's new is touched.
#include <cstdint>
#include <new>

#include "guard.hpp"

namespace {

// One piece for the session: see ScratchScope.
struct Scratch {
  std::uint8_t* begin;
  std::uint8_t* end;
  std::uint8_t* at;
  bool in_use;
} scratch;
constexpr std::size_t scratch_size = std::size_t{512} << 10;

std::size_t whole_blocks(std::size_t size) { return (size + 15) & ~std::size_t{15}; }

bool is_scratch(const void* memory) { return memory >= scratch.begin && memory < scratch.end; }

// operator new promises 16 bytes of alignment, palloc gives 8: the true start of each block is kept in the
// word before it.
constexpr std::size_t alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

void* allocate_aligned(std::size_t size, std::size_t align) {
  if (size > MaxAllocHugeSize - align - sizeof(void*)) throw std::bad_alloc();
  const auto start = reinterpret_cast<std::uintptr_t>(health::pg::allocate(size + align + sizeof(void*)));
  const std::uintptr_t aligned = (start + sizeof(void*) + align - 1) & ~(align - 1);
  reinterpret_cast<std::uintptr_t*>(aligned)[-1] = start;
  return reinterpret_cast<void*>(aligned);
}

void* take(std::size_t size) {
  if (scratch.in_use && size <= static_cast<std::size_t>(scratch.end - scratch.at)) {
    std::uint8_t* const taken = scratch.at;
    scratch.at += whole_blocks(size);
    return taken;
  }
  return allocate_aligned(size, alignment);
}

void release(void* memory) noexcept {
  if (memory != nullptr && !is_scratch(memory))
    pfree(reinterpret_cast<void*>(static_cast<std::uintptr_t*>(memory)[-1]));
}

// What was taken last can be taken again.
void release(void* memory, std::size_t size) noexcept {
  if (is_scratch(memory) && static_cast<std::uint8_t*>(memory) + whole_blocks(size) == scratch.at)
    scratch.at = static_cast<std::uint8_t*>(memory);
  else
    release(memory);
}

}  // namespace

namespace health::pg {

ScratchScope::ScratchScope() {
  if (scratch.begin == nullptr) {
    void* const memory = MemoryContextAllocExtended(TopMemoryContext, scratch_size, MCXT_ALLOC_NO_OOM);
    if (memory == nullptr) throw std::bad_alloc();
    scratch.begin = reinterpret_cast<std::uint8_t*>(whole_blocks(reinterpret_cast<std::uintptr_t>(memory)));
    scratch.end = scratch.begin + scratch_size - 32;
  }
  scratch.at = scratch.begin;
  scratch.in_use = true;
}

ScratchScope::~ScratchScope() { scratch.in_use = false; }

}  // namespace health::pg

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void* operator new(std::size_t size, std::align_val_t align) {
  return allocate_aligned(size, std::max(alignment, static_cast<std::size_t>(align)));
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return allocate_aligned(size, std::max(alignment, static_cast<std::size_t>(align)));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t size) noexcept { release(memory, size); }
void operator delete[](void* memory, std::size_t size) noexcept { release(memory, size); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
