// JSON text to what it means: models, catalogs of events, normalisers, bands (docs/reference/model.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/scoring/flags.hpp"
#include "core/scoring/model.hpp"
#include "problem.hpp"

namespace health {

// Reads a list of bands, [{"name": "good", "from": 50}, {"name": "bad"}]. Throws Error 22023 with the path of
// the first problem.
std::vector<Band> parse_bands(std::string_view json);

// Reads what scoring needs of a document; tables and columns are not looked at. Throws Error 22023 with the
// path of the first problem.
Model parse_model(std::string_view json);

// A model with its flags, spelled out.
struct FlaggedModel {
  Model model;
  std::vector<Flag> flags;
};
// Reads what flags need, of a document whose flags are spelled out. Errors as of parse_model().
FlaggedModel parse_flagged_model(std::string_view json);

// A flag of a document: with all that it says, as JSON; or empty, and what it lacks.
struct FlagText {
  std::string name, flag, lacks;
};
// The flags that a complete document has: ready-made ones spelled out, those that are off left out. Errors as
// of parse_model().
std::vector<FlagText> spell_out_flags(std::string_view json);

// Everything that is wrong with the shape of a complete document, sources included; empty when it is fine.
// Errors only when the text is no JSON document at all (see parse_json).
std::vector<Problem> find_model_problems(std::string_view json);

// Reads a normaliser from its JSON: {"kind": "linear", "worst": 7, "best": 30}. Throws Error 22023 with the
// path of the first problem.
Normalizer parse_normalizer(std::string_view json);

// Reads a catalog that stands by itself, as metrics() takes it: what `catalog` is in a model document, with
// two differences that suit numbers asked for by hand: a value may be anything from 0 to max_event_value (in
// a model 1 to 10), and the key "*": {} has events outside the catalog count, as an empty one does (in a
// model "unlisted_events"). Throws Error 22023 with the path of the first problem.
EventCatalog parse_catalog(std::string_view json);

}  // namespace health
