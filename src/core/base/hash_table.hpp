// A hash table of small slots: what is looked up lies elsewhere, the caller says whether it is the same.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace health {

// The slot that holds an item of this hash, or the empty one where it belongs: slots are tried one after the
// other. `slots` is a power of two of them, one at least empty; an empty slot is false.
template <class Slots, class Holds>
auto& find_slot(Slots& slots, std::uint64_t hash, Holds&& holds) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  while (slots[at] && !holds(slots[at])) at = (at + 1) & mask;
  return slots[at];
}

// Slots that grow in number. A slot is plain memory; made of {} it is empty, which is false.
template <class Slot>
class HashTable {
 public:
  template <class Holds>
  Slot& find(std::uint64_t hash, Holds&& holds) {
    return find_slot(slots_, hash, holds);
  }
  // To be called when an empty slot was filled; `hash_of(slot)` is what it was looked for by. The slots move.
  template <class HashOf>
  void note_filled(HashOf&& hash_of) {
    if (2 * ++filled_ <= slots_.size()) return;
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(4 * slots_.size()));
    for (const Slot& slot : old)
      if (slot) find_slot(slots_, hash_of(slot), [](const Slot&) { return false; }) = slot;
  }
  // Has the slot fetched into the caches that find() will look at first.
  void prefetch(std::uint64_t hash) const {
    __builtin_prefetch(&slots_[static_cast<std::size_t>(hash) & (slots_.size() - 1)]);
  }

 private:
  std::vector<Slot> slots_ = std::vector<Slot>(64);
  std::size_t filled_ = 0;
};

}  // namespace health
