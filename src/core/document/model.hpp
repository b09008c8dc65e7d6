// JSON text to what it means: models, catalogs of events, normalisers, bands (docs/reference/model.md).
#pragma once

#include <string_view>
#include <vector>

#include "core/scoring/model.hpp"
#include "problem.hpp"

namespace health {

// Reads a list of bands, [{"name": "good", "from": 50}, {"name": "bad"}]. Throws Error 22023 with the path of
// the first problem.
std::vector<Band> parse_bands(std::string_view json);

// Reads what scoring needs of a document; tables and columns are not looked at. Throws Error 22023 with the
// path of the first problem.
Model parse_model(std::string_view json);

// Everything that is wrong with the shape of a complete document, sources included; empty when it is fine.
// Errors only when the text is no JSON document at all (see parse_json).
std::vector<Problem> find_model_problems(std::string_view json);

// Reads a normaliser from its JSON: {"kind": "linear", "worst": 7, "best": 30}. Throws Error 22023 with the
// path of the first problem.
Normalizer parse_normalizer(std::string_view json);

// Reads `{"video_created": {"role": "create" | ["create", "activate"], "value": 10, "feature": "record"},
// ...}`, the model document's `catalog`; an event's body may be `{}`: value 1, no role. Unlisted events are
// ignored unless the object is empty or has the key "*": {}. Throws Error 22023 that names the path
// (catalog.video_created.value).
EventCatalog parse_catalog(std::string_view json);

}  // namespace health
