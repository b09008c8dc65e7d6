// A jsonb argument in parsed form, kept from call to call: documents are constant for a whole query, as a
// rule.
#pragma once

#include <cstring>

#include "guard.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace health::pg {

// What was parsed, and the jsonb that it was parsed from. Plain memory: lives in fn_extra, starts as zeros.
template <class Document>
struct CachedDocument {
  const Document* document;
  char* bytes;
  std::size_t size;
};

// The document of argument i: the cached one when the argument is the same as in the call before, else
// parse(json) in its place. May ereport, with what parse throws too; the cache is then empty.
template <class Document, class Parse>
const Document* cached_document(FunctionCallInfo fcinfo, int i, CachedDocument<Document>& cache,
                                Parse&& parse) {
  Jsonb* jsonb = PG_GETARG_JSONB_P(i);
  const std::size_t size = VARSIZE(jsonb);
  if (cache.document != nullptr && cache.size == size && std::memcmp(cache.bytes, jsonb, size) == 0)
    return cache.document;
  const Document* old = cache.document;
  cache.document = nullptr;
  guarded([&] { delete old; });
  if (cache.bytes != nullptr) pfree(cache.bytes);
  cache.bytes = nullptr;

  const char* json = JsonbToCString(nullptr, &jsonb->root, static_cast<int>(size));
  MemoryContext keep = fcinfo->flinfo->fn_mcxt;
  cache.bytes = static_cast<char*>(MemoryContextAlloc(keep, size));
  std::memcpy(cache.bytes, jsonb, size);
  cache.size = size;
  cache.document = guarded([&] {
    const Document parsed = parse(json);  // what parsing needs on the way goes with the call
    const MemoryContextScope in(keep);
    return static_cast<const Document*>(new Document(parsed));
  });
  return cache.document;
}

}  // namespace health::pg
