// operator new and delete of this module: the core's memory is PostgreSQL's, so that a query's end frees
// whatever an error left behind. They are local to the module (exports.map); nobody else's new is touched.
#include <cstdint>
#include <new>

#include "guard.hpp"

namespace {

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

void release(void* memory) noexcept {
  if (memory != nullptr) pfree(reinterpret_cast<void*>(static_cast<std::uintptr_t*>(memory)[-1]));
}

}  // namespace

void* operator new(std::size_t size) { return allocate_aligned(size, alignment); }
void* operator new[](std::size_t size) { return allocate_aligned(size, alignment); }
void* operator new(std::size_t size, std::align_val_t align) {
  return allocate_aligned(size, std::max(alignment, static_cast<std::size_t>(align)));
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return allocate_aligned(size, std::max(alignment, static_cast<std::size_t>(align)));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
