// A model document from top to bottom: keys, bands, coverage; the other parts are in model_*.cpp.
#include "model.hpp"

#include <algorithm>

#include "json_document.hpp"
#include "model_document.hpp"
#include "normalize_document.hpp"
#include "source_kinds.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view document_keys[] = {"preset",
                                              "description",
                                              "time_zone",
                                              "as_of",
                                              "accounts",
                                              "users",
                                              "events",
                                              "catalog",
                                              "unlisted_events",
                                              "window_days",
                                              "onboarding",
                                              "features",
                                              "daily_cap",
                                              "signals",
                                              "bands",
                                              "minimum_coverage",
                                              "history",
                                              "actor",
                                              "minimum_age_days",
                                              "inactive_after_days",
                                              "silence",
                                              "relative_to_book",
                                              "facts",
                                              "revenue",
                                              "segments",
                                              "variants",
                                              "flags",
                                              "volume"};

void check_history(DocumentReader& reader, const json& document) {
  const json* history = reader.find(document, "", "history");
  if (history == nullptr) return;
  constexpr std::string_view keys[] = {"days", "retention_months"};
  if (!reader.check_object(*history, "history", keys)) return;
  reader.read_number(*history, "history", "days", {0, 3660, false, true});
  reader.read_number(*history, "history", "retention_months", {0, 1200, false, true});  // 0: for ever
}

// Models of columns alone need no events.
void check_usage(DocumentReader& reader, const json& document, const Model& model) {
  if (!model.reads_usage() || reader.find(document, "", "events") != nullptr) return;
  const auto reading = std::find_if(model.signals.begin(), model.signals.end(), [](const Signal& signal) {
    return signal.source == SignalSource::metric;
  });
  for (const SourceKind& kind : source_kinds())
    if (kind.name == "events")
      reader.report("events", "is missing, but " + reading->path + " is about usage", kind.example);
}

// What scoring needs.
Model read_model(DocumentReader& reader, const json& document) {
  Model model;
  read_catalog(reader, document, model.catalog);
  read_settings(reader, document, model);
  read_signals(reader, document, model);
  read_variants(reader, document, model);
  const json* bands = reader.find(document, "", "bands");
  model.bands = bands == nullptr ? default_bands() : read_bands(reader, *bands, "bands");
  if (const json* silence = reader.find(document, "", "silence")) {
    constexpr std::string_view keys[] = {"next_step"};
    if (reader.check_object(*silence, "silence", keys))
      model.silence_step = reader.read_string(*silence, "silence", "next_step").value_or("");
  }
  model.minimum_coverage = reader.read_number(document, "", "minimum_coverage", {0, 1}).value_or(0.5);
  return model;
}

}  // namespace

std::vector<Band> read_bands(DocumentReader& reader, const json& value, const std::string& path) {
  std::vector<Band> bands;
  if (!value.is_array() || value.empty()) {
    reader.report(path,
                  "must be an array of bands, not " + (value.is_array() ? "an empty one" : show_value(value)),
                  "write [{\"name\": \"healthy\", \"from\": 80}, {\"name\": \"critical\"}]");
    return bands;
  }
  constexpr std::string_view keys[] = {"name", "from"};
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string at = path_to_index(path, i);
    if (!reader.check_object(value[i], at, keys)) continue;
    Band band;
    const bool last = i + 1 == value.size();
    if (auto name = reader.read_string(value[i], at, "name", true)) {
      for (const Band& other : bands) {
        if (other.name == *name)
          reader.report(path_to_key(at, "name"), "\"" + *name + "\" is already the name of another band");
      }
      band.name = std::move(*name);
    }
    const auto from =
        reader.read_number(value[i], at, "from", {0, 100}, !last, "the lowest score of the band");
    if (last && from && *from > 0) {
      reader.report(path_to_key(at, "from"),
                    "leaves scores below " + show_value(value[i]["from"]) + " without a band",
                    "the last band takes all that is left: leave \"from\" out or add a band");
    }
    if (from && !last) band.from = *from;
    if (from && !bands.empty() && *from >= bands.back().from) {
      reader.report(path_to_key(at, "from"), "is not below the band before",
                    "list bands from the highest to the lowest");
    }
    bands.push_back(std::move(band));
  }
  return bands;
}

std::vector<Band> parse_bands(std::string_view text) {
  DocumentReader reader;
  std::vector<Band> bands = read_bands(reader, parse_json(text), "");
  throw_first_problem(reader.problems(), "invalid bands");
  return bands;
}

Model parse_model(std::string_view text) {
  DocumentReader reader;
  const json document = parse_json(text);
  Model model;
  if (document.is_object()) {
    model = read_model(reader, document);
  } else {
    reader.report("", "must be an object, not " + show_value(document),
                  "a model is a JSON object with \"signals\"");
  }
  throw_first_problem(reader.problems(), "invalid model");
  return model;
}

std::vector<Problem> find_model_problems(std::string_view text) {
  DocumentReader reader;
  const json document = parse_json(text);
  if (!reader.check_object(document, "", document_keys)) return reader.take_problems();
  reader.read_string(document, "", "preset");
  reader.read_string(document, "", "description");
  check_sources(reader, document);
  check_history(reader, document);
  check_segments(reader, document);
  const Model model = read_model(reader, document);
  check_usage(reader, document, model);
  check_facts(reader, document, model);
  check_flags(reader, document, model);
  return reader.take_problems();
}

}  // namespace health
