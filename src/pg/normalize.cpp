// normalize() and nearest_name().
#include "core/document/model.hpp"

#include "core/document/nearest_name.hpp"

#include "cached_document.hpp"
#include "guard.hpp"
#include "metric_options.hpp"

using namespace health::pg;

namespace {

const health::Normalizer& normalizer_argument(FunctionCallInfo fcinfo, int i) {
  using Cache = CachedDocument<health::Normalizer>;
  auto* cache = static_cast<Cache*>(fcinfo->flinfo->fn_extra);
  if (cache == nullptr) {
    cache = static_cast<Cache*>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Cache)));
    fcinfo->flinfo->fn_extra = cache;
  }
  return *cached_document(fcinfo, i, *cache, health::parse_normalizer);
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
