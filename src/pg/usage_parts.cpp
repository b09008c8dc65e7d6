// slice(), without_users(): parts of a ledger.
#include "core/ledger/usage_parts.hpp"

#include <cstring>

#include "guard.hpp"
#include "local_day.hpp"
#include "metric_options.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/date.h"
}

using namespace health::pg;

namespace {

// An end of a range of days; NULL is open. -infinity and infinity, the smallest and the largest integer, lie
// beyond every day of a ledger.
std::optional<health::Day> range_end(FunctionCallInfo fcinfo, int i) {
  if (PG_ARGISNULL(i)) return std::nullopt;
  return PG_GETARG_DATEADT(i);
}

Datum as_result(const std::optional<health::UsageBytes>& part) {
  return part ? make_varlena(*part) : Datum{0};
}

}  // namespace

// slice(usage, from_day, until_day)
HEALTH_FUNCTION(health_slice) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const std::optional<health::Day> from = range_end(fcinfo, 1);
  const std::optional<health::Day> until = range_end(fcinfo, 2);
  const Datum part = guarded([&] { return as_result(health::slice_usage(usage, from, until)); });
  return part == 0 ? PG_GETARG_DATUM(0) : part;
}

namespace {

// The users of the last call, in fn_mcxt, and the array that they came from.
struct UserSetCache {
  const health::UserSet* users;
  char* bytes;
  std::size_t size;
};

// The users of argument 1, which is the same array call after call, as a rule. May ereport.
const health::UserSet& user_set(FunctionCallInfo fcinfo) {
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(1);
  const std::size_t size = VARSIZE(array);
  MemoryContext keep = fcinfo->flinfo->fn_mcxt;
  auto* cache = static_cast<UserSetCache*>(fcinfo->flinfo->fn_extra);
  if (cache == nullptr)
    fcinfo->flinfo->fn_extra = cache =
        static_cast<UserSetCache*>(MemoryContextAllocZero(keep, sizeof(UserSetCache)));
  if (cache->users != nullptr && cache->size == size && std::memcmp(cache->bytes, array, size) == 0)
    return *cache->users;
  const TextList texts = text_list_argument(fcinfo, 1, "user_ids");
  const health::UserSet* old = cache->users;
  cache->users = nullptr;
  guarded([&] { delete old; });
  if (cache->bytes != nullptr) pfree(cache->bytes);
  cache->bytes = nullptr;
  cache->bytes = static_cast<char*>(MemoryContextAlloc(keep, size));
  std::memcpy(cache->bytes, array, size);
  cache->size = size;
  cache->users = guarded([&] {
    const MemoryContextScope in(keep);
    return static_cast<const health::UserSet*>(
        new health::UserSet({texts.items, static_cast<std::size_t>(texts.count)}));
  });
  return *cache->users;
}

}  // namespace

// without_users(usage, user_ids)
HEALTH_FUNCTION(health_without_users) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::UserSet& users = user_set(fcinfo);
  const Datum rest = guarded([&] { return as_result(health::usage_without_users(usage, users)); });
  return rest == 0 ? PG_GETARG_DATUM(0) : rest;
}
