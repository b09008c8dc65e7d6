// The border between PostgreSQL's C and the core's C++: errors, cancellation, results.
#include <cstring>
#include <new>
#include <stdexcept>

#include "guard.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "miscadmin.h"

PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

namespace health::pg {

namespace {

void copy_text(char* to, std::size_t capacity, std::string_view text) noexcept {
  const std::size_t size = std::min(capacity - 1, text.size());
  std::memcpy(to, text.data(), size);
  to[size] = '\0';
}

void fill(Failure& failure, const char* sqlstate, std::string_view message, std::string_view detail = {},
          std::string_view hint = {}) noexcept {
  copy_text(failure.sqlstate, sizeof failure.sqlstate, sqlstate);
  copy_text(failure.message, sizeof failure.message, message);
  copy_text(failure.detail, sizeof failure.detail, detail);
  copy_text(failure.hint, sizeof failure.hint, hint);
}

bool statement_is_cancelled() noexcept { return InterruptPending && (QueryCancelPending || ProcDiePending); }

// A text that was cut at its capacity may end inside a character.
const char* whole_characters(const char* text, std::size_t capacity) {
  const auto size = static_cast<int>(std::strlen(text));
  if (static_cast<std::size_t>(size) + 1 < capacity) return text;
  return pnstrdup(text, static_cast<Size>(pg_mbcliplen(text, size, size - 1)));
}

}  // namespace

void describe_exception(Failure& failure) noexcept {
  failure.cancelled = false;
  try {
    throw;
  } catch (const Error& error) {
    fill(failure, error.sqlstate(), error.what(), error.detail(), error.hint());
  } catch (const Cancelled&) {
    fill(failure, "57014", "canceling statement due to user request");
    failure.cancelled = true;
  } catch (const std::bad_alloc&) {
    fill(failure, "53200", "out of memory", "Failed while account_health computed a value.");
  } catch (const std::length_error&) {
    fill(failure, "54000", "a value is too large");
  } catch (const std::exception& error) {
    fill(failure, "XX000", error.what());
  } catch (...) {
    fill(failure, "XX000", "unknown error in account_health");
  }
}

void raise_failure(const Failure& failure) {
  if (failure.cancelled) CHECK_FOR_INTERRUPTS();  // says why: user request, statement timeout, shutdown
  const char* s = failure.sqlstate;
  ereport(
      ERROR,
      (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])),
       errmsg("%s", whole_characters(failure.message, sizeof failure.message)),
       failure.detail[0] != '\0' ? errdetail("%s", whole_characters(failure.detail, sizeof failure.detail))
                                 : 0,
       failure.hint[0] != '\0' ? errhint("%s", whole_characters(failure.hint, sizeof failure.hint)) : 0));
  pg_unreachable();
}

void* allocate(std::size_t size) {
  if (!AllocHugeSizeIsValid(size)) throw std::bad_alloc();
  // Without MCXT_ALLOC_NO_OOM a failure would jump out of here; with it and a valid size the call only ever
  // returns.
  void* memory = MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

Datum make_varlena(std::span<const std::uint8_t> bytes) {
  if (!AllocSizeIsValid(bytes.size() + VARHDRSZ)) {
    throw Error(sqlstate::program_limit_exceeded, "a value would exceed 1 GB");
  }
  auto* value = static_cast<struct varlena*>(allocate(bytes.size() + VARHDRSZ));
  SET_VARSIZE(value, bytes.size() + VARHDRSZ);
  if (!bytes.empty()) std::memcpy(VARDATA(value), bytes.data(), bytes.size());
  return PointerGetDatum(value);
}

char* make_cstring(std::string_view text) {
  if (!AllocSizeIsValid(text.size() + 1))
    throw Error(sqlstate::program_limit_exceeded, "a text would exceed 1 GB");
  auto* copy = static_cast<char*>(allocate(text.size() + 1));
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace health::pg

extern "C" void _PG_init(void) { health::cancel_requested = health::pg::statement_is_cancelled; }
