// The border between PostgreSQL's C and the core's C++: how every entry point is written.
//
//   HEALTH_FUNCTION(health_usage_add) {
//     const health::Bytes a = bytes_argument(fcinfo, 0);
//     const health::Bytes b = bytes_argument(fcinfo, 1);
//     return guarded([&] { return make_varlena(health::add_usage(a, b)); });
//   }
//
// Unpacking arguments may ereport: only trivially destructible locals live there. The lambda is C++ and calls
// nothing of PostgreSQL but what this header has for it; what it throws is raised once its frame is gone.
//
// An exception never reaches PostgreSQL's C code, and an ereport never jumps over a live C++ object. Inside
// guarded(...) memory comes from operator new, which allocates from CurrentMemoryContext in its no-OOM form
// (memory.cpp), and results leave through make_*. Core headers come first in every file of the bridge: they
// refuse to be included behind postgres.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/ledger/usage.hpp"

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
}

// Declares an entry point. Its C name is health_ + the SQL name, and, where several SQL functions have one
// name, what tells them apart: health_without_user_text, health_is_event_date.
#define HEALTH_FUNCTION(name)               \
  extern "C" {                              \
  PG_FUNCTION_INFO_V1(name);                \
  PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
  }                                         \
  Datum name(PG_FUNCTION_ARGS)

namespace health::pg {

// What a core exception says, in plain memory that outlives the C++ frame.
struct Failure {
  char sqlstate[6];
  bool cancelled;
  char message[1024];
  char detail[512];
  char hint[1024];
};

// Fills `failure` from the exception in flight; to be called inside a catch block.
void describe_exception(Failure& failure) noexcept;

// Raises it as an ereport(ERROR).
[[noreturn]] void raise_failure(const Failure& failure);

// Runs `body` behind the one barrier and returns what it returns; raises whatever it throws once it has been
// left.
template <class Body>
auto guarded(Body&& body) -> std::invoke_result_t<Body> {
  using Result = std::invoke_result_t<Body>;
  Failure failure;
  if constexpr (std::is_void_v<Result>) {
    try {
      body();
      return;
    } catch (...) {
      describe_exception(failure);
    }
    raise_failure(failure);
  } else {
    static_assert(std::is_trivially_destructible_v<Result>, "what leaves the barrier must be plain memory");
    try {
      return body();
    } catch (...) {
      describe_exception(failure);
    }
    raise_failure(failure);
  }
}

// Allocations in this scope (operator new included) come from `context`: for what is kept in fn_extra, use
// fcinfo->flinfo->fn_mcxt.
class MemoryContextScope {
 public:
  explicit MemoryContextScope(MemoryContext context) : previous_(MemoryContextSwitchTo(context)) {}
  ~MemoryContextScope() { MemoryContextSwitchTo(previous_); }
  MemoryContextScope(const MemoryContextScope&) = delete;
  MemoryContextScope& operator=(const MemoryContextScope&) = delete;

 private:
  MemoryContext previous_;
};

// While it lives, operator new takes from one piece of memory that is kept for the life of the session and
// starts anew with each scope: for bodies that make many small objects, all of which die with them. What is
// too much for the piece comes from CurrentMemoryContext as ever.
class ScratchScope {
 public:
  ScratchScope();
  ~ScratchScope();
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;
};

// guarded(...) in a ScratchScope.
template <class Body>
auto guarded_in_scratch(Body&& body) -> std::invoke_result_t<Body> {
  return guarded([&] {
    const ScratchScope scratch;
    return body();
  });
}

// The payload of a varlena argument, detoasted if need be. May ereport.
inline Bytes bytes_of(Datum datum) {
  struct varlena* value = PG_DETOAST_DATUM_PACKED(datum);
  return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(value)), VARSIZE_ANY_EXHDR(value)};
}
inline Bytes bytes_argument(FunctionCallInfo fcinfo, int i) { return bytes_of(PG_GETARG_DATUM(i)); }
inline std::string_view text_of(Datum datum) {
  const Bytes bytes = bytes_of(datum);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::string_view text_argument(FunctionCallInfo fcinfo, int i) { return text_of(PG_GETARG_DATUM(i)); }

// What the transition function of an aggregate returns for a row that does not count.
inline Datum unchanged_state(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(0)) fcinfo->isnull = true;
  return PG_ARGISNULL(0) ? Datum{0} : PG_GETARG_DATUM(0);
}

// Memory from CurrentMemoryContext in its no-OOM form; throws std::bad_alloc. For results that leave
// guarded().
void* allocate(std::size_t size);

template <class T>
T* allocate_array(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  if (count > (MaxAllocHugeSize - alignof(T)) / sizeof(T)) throw std::bad_alloc();
  // 128 bits want more than what memory of PostgreSQL is aligned to.
  constexpr std::size_t room = alignof(T) > MAXIMUM_ALIGNOF ? alignof(T) - 1 : 0;
  const auto start = reinterpret_cast<std::uintptr_t>(allocate(count * sizeof(T) + room));
  return reinterpret_cast<T*>((start + room) & ~std::uintptr_t{room});
}

// A varlena (bytea, text, health.usage ...) with these bytes. Error 54000 past 1 GB.
Datum make_varlena(std::span<const std::uint8_t> bytes);
inline Datum make_text(std::string_view text) {
  return make_varlena({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}
// A C string with these bytes.
char* make_cstring(std::string_view text);

}  // namespace health::pg
