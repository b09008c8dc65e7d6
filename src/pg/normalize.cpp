// normalize() and nearest_name().
#include "core/normalize.hpp"

#include <cstring>

#include "core/nearest_name.hpp"
#include "guard.hpp"
#include "metric_options.hpp"

extern "C" {
#include "utils/jsonb.h"
}

using namespace health::pg;

namespace {

// What a call site keeps between calls, in fn_mcxt.
struct NormalizerCache {
  const health::Normalizer* normalizer;
  char* bytes;
  std::size_t size;
};

const health::Normalizer& normalizer_argument(FunctionCallInfo fcinfo, int i) {
  MemoryContext keep = fcinfo->flinfo->fn_mcxt;
  auto* cache = static_cast<NormalizerCache*>(fcinfo->flinfo->fn_extra);
  if (cache == nullptr) {
    cache = static_cast<NormalizerCache*>(MemoryContextAllocZero(keep, sizeof(NormalizerCache)));
    fcinfo->flinfo->fn_extra = cache;
  }
  Jsonb* jsonb = PG_GETARG_JSONB_P(i);
  const std::size_t size = VARSIZE(jsonb);
  if (cache->normalizer != nullptr && cache->size == size && std::memcmp(cache->bytes, jsonb, size) == 0)
    return *cache->normalizer;
  const char* json = JsonbToCString(nullptr, &jsonb->root, static_cast<int>(size));
  const health::Normalizer* normalizer = guarded([&] {
    const health::Normalizer parsed = health::parse_normalizer(json);
    const MemoryContextScope in(keep);
    return new health::Normalizer(parsed);
  });
  const health::Normalizer* old = cache->normalizer;
  cache->normalizer = nullptr;
  guarded([&] { delete old; });
  if (cache->bytes != nullptr) pfree(cache->bytes);
  cache->bytes = nullptr;
  cache->bytes = static_cast<char*>(MemoryContextAlloc(keep, size));
  std::memcpy(cache->bytes, jsonb, size);
  cache->size = size;
  cache->normalizer = normalizer;
  return *normalizer;
}

}  // namespace

HEALTH_FUNCTION(health_normalize) {
  const health::Normalizer& normalizer = normalizer_argument(fcinfo, 1);
  const double value = PG_GETARG_FLOAT8(0);
  const health::Value score = guarded([&] { return health::normalize(normalizer, value); });
  if (!score.known()) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(score.number);
}

HEALTH_FUNCTION(health_normalize_text) {
  const health::Normalizer& normalizer = normalizer_argument(fcinfo, 1);
  const std::string_view value = text_argument(fcinfo, 0);
  const health::Value score = guarded([&] { return health::normalize_text(normalizer, value); });
  if (!score.known()) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(score.number);
}

HEALTH_FUNCTION(health_nearest_name) {
  const std::string_view name = text_argument(fcinfo, 0);
  const TextList candidates = text_list_argument(fcinfo, 1, "candidates");
  const Datum nearest = guarded([&] {
    const auto found =
        health::nearest_name(name, {candidates.items, static_cast<std::size_t>(candidates.count)});
    return found ? make_text(*found) : Datum{0};
  });
  if (nearest == 0) PG_RETURN_NULL();
  return nearest;
}
