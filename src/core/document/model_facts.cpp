// Fact sources and the signals about them.
#include <algorithm>

#include "model_document.hpp"
#include "nearest_name.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view scales[] = {"nps", "csat", "ces"};

bool has_field(const json& source, const char* field) {
  const auto found = source.find(field);
  return found != source.end() && !found->is_null();
}

void check_scale(DocumentReader& reader, const json& source, const std::string& path) {
  const auto scale = source.find("scale");
  if (scale == source.end() || !scale->is_string()) return;
  const auto& name = scale->get_ref<const std::string&>();
  if (std::find(std::begin(scales), std::end(scales), name) == std::end(scales))
    reader.report(path_to_key(path, "scale"), "unknown scale \"" + name + "\"",
                  "nps: 0 to 10, csat: 1 to 5, ces: any numbers");
  if (!has_field(source, "value"))
    reader.report(path_to_key(path, "value"), "is missing, but the answers have a scale",
                  "name the column with the answers as \"value\"");
}

// What a measure needs of its source and does not find there; nothing when it has all.
std::string missing_for(FactMeasure measure, const json& source) {
  const FactNeed need = fact_measure_info(measure).need;
  const bool wants_value =
      need == FactNeed::value || need == FactNeed::value_until || need == FactNeed::opinion;
  const bool wants_until = need == FactNeed::until || need == FactNeed::value_until;
  if (wants_value && !has_field(source, "value")) return "value";
  if (wants_until && !has_field(source, "until")) return "until";
  if (need == FactNeed::kind && !has_field(source, "kind")) return "kind";
  return "";
}

json facts_of(const json& document) {
  const auto found = document.find("facts");
  return found != document.end() && found->is_object() ? *found : json::object();
}

// Which fact is the recurring revenue.
void check_revenue(DocumentReader& reader, const json& document) {
  const json* revenue = reader.find(document, "", "revenue");
  if (revenue == nullptr) return;
  constexpr std::string_view keys[] = {"fact"};
  if (!reader.check_object(*revenue, "revenue", keys)) return;
  const auto fact = reader.read_string(*revenue, "revenue", "fact", true, "the name of a fact source");
  if (!fact) return;
  FactRequest request;
  request.fact = *fact;
  request.measure = FactMeasure::open_sum;
  check_fact_request(reader, document, request, "revenue");
}

}  // namespace

void check_fact_request(DocumentReader& reader, const json& document, const FactRequest& request,
                        const std::string& path) {
  const json facts = facts_of(document);
  std::vector<std::string_view> names;
  for (const auto& [name, source] : facts.items()) names.push_back(name);
  const std::string at = path_to_key(path, "fact");
  const auto source = facts.find(request.fact);
  if (source == facts.end() || !source->is_object()) {
    const auto nearest = nearest_name(request.fact, names);
    return reader.report(at, "there is no fact source \"" + request.fact + "\"",
                         nearest ? "did you mean \"" + std::string(*nearest) + "\"?"
                                 : "say where they are in \"facts\": {\"" + request.fact +
                                       "\": {\"table\": ..., \"account\": ..., \"at\": ...}}");
  }
  const std::string source_path = path_to_key("facts", request.fact);
  const std::string measure(fact_measure_info(request.measure).name);
  if (const std::string lacks = missing_for(request.measure, *source); !lacks.empty())
    reader.report(path_to_key(source_path, lacks), "is missing, but " + path + " measures " + measure,
                  "name its column");
  if (fact_measure_info(request.measure).need == FactNeed::opinion) {
    const auto scale = source->find("scale");
    if (scale == source->end() || *scale != measure)
      reader.report(path_to_key(source_path, "scale"),
                    "is not \"" + measure + "\", but " + path + " measures it",
                    "write \"scale\": \"" + measure + "\"");
  }
  if (!request.kinds.empty() && !has_field(*source, "kind"))
    reader.report(path_to_key(source_path, "kind"), "is missing, but " + path + " is about some kinds",
                  "name its column");
  if (!request.currency.empty() && !has_field(*source, "currency"))
    reader.report(path_to_key(source_path, "currency"), "is missing, but " + path + " is about one currency",
                  "name its column");
}

void check_facts(DocumentReader& reader, const json& document, const Model& model) {
  const json facts = facts_of(document);
  for (const auto& [name, source] : facts.items())
    if (source.is_object()) check_scale(reader, source, path_to_key("facts", name));
  check_revenue(reader, document);
  for (const Signal& signal : model.signals)
    if (signal.source == SignalSource::fact && !signal.fact.fact.empty())
      check_fact_request(reader, document, signal.fact, signal.path);
}

}  // namespace health
