// The JSON form of a normaliser.
#pragma once

#include "core/scoring/normalize.hpp"
#include "document_reader.hpp"

namespace health {

// Reads a normaliser; what is wrong is reported to the reader under `path`, and the result is then not to be
// used.
Normalizer read_normalizer(DocumentReader& reader, const nlohmann::json& value, const std::string& path);

// Throws the first problem as Error 22023 `<what>: <path>: <problem>`; the number of the others goes into the
// detail.
void throw_first_problem(const std::vector<Problem>& problems, std::string_view what);

}  // namespace health
