// The parts of a model document, each read and checked by itself.
#pragma once

#include "core/scoring/model.hpp"
#include "document_reader.hpp"

namespace health {

// Each reports what is wrong to the reader; what it returns or fills is then not to be used.

// catalog, unlisted_events: catalog.cpp, which parse_catalog() shares.
void read_catalog(DocumentReader& reader, const nlohmann::json& document, EventCatalog& catalog);
// window_days, onboarding, features, daily_cap. Features are checked against the catalog unless unlisted
// events count.
void read_settings(DocumentReader& reader, const nlohmann::json& document, Model& model);
// signals, to any depth; needs model.catalog.
void read_signals(DocumentReader& reader, const nlohmann::json& document, Model& model);
std::vector<Band> read_bands(DocumentReader& reader, const nlohmann::json& bands, const std::string& path);
// accounts, users, events, time_zone, as_of: what the compiler of models turns into SQL.
void check_sources(DocumentReader& reader, const nlohmann::json& document);

}  // namespace health
