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
// variants: model_variants.cpp; needs model.signals, to which it adds the one that says which variant counts.
void read_variants(DocumentReader& reader, const nlohmann::json& document, Model& model);
// What a signal or a flag asks of the ledger: model_requests.cpp. The value is an object with "metric" or
// "fact", at its path; of a fact the subject is all but how it is measured.
void read_metric_request(DocumentReader& reader, const nlohmann::json& value, const std::string& path,
                         const Model& model, MetricRequest& request);
void read_fact_subject(DocumentReader& reader, const nlohmann::json& value, const std::string& path,
                       FactRequest& fact);
void read_fact_request(DocumentReader& reader, const nlohmann::json& value, const std::string& path,
                       FactRequest& fact);
// at_most, at_least, below, above.
void read_limits(DocumentReader& reader, const nlohmann::json& value, const std::string& path,
                 Limits& limits);
std::vector<Band> read_bands(DocumentReader& reader, const nlohmann::json& bands, const std::string& path);
// accounts, users, events, time_zone, as_of: what the compiler of models turns into SQL.
void check_sources(DocumentReader& reader, const nlohmann::json& document);
// Whether the fact sources have what the signals ask of them: model_facts.cpp.
void check_facts(DocumentReader& reader, const nlohmann::json& document, const Model& model);
// Whether they have what one question asks, of whoever `asks` at its path.
void check_fact_request(DocumentReader& reader, const nlohmann::json& document, const FactRequest& request,
                        const std::string& path);
// flags, checked with what they need of the sources: model_flags.cpp.
void check_flags(DocumentReader& reader, const nlohmann::json& document, const Model& model);
// segments: groups of accounts. Scoring does not read them.
void check_segments(DocumentReader& reader, const nlohmann::json& document);

}  // namespace health
