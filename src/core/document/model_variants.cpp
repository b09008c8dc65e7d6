// The variants of a model document: other weights for the accounts of which a condition is true.
#include <algorithm>

#include "model_document.hpp"
#include "nearest_name.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr std::string_view signal_name = "variant";

class VariantReader {
 public:
  VariantReader(DocumentReader& reader, Model& model) : reader_(reader), model_(model) {}

  void read(const json& value, const std::string& path) {
    constexpr std::string_view keys[] = {"name", "when", "weights"};
    if (!reader_.check_object(value, path, keys)) return;
    Variant variant;
    variant.name = read_name(value, path);
    when_.push_back(reader_.read_string(value, path, "when", true, condition_hint).value_or(""));
    for (const Signal& signal : model_.signals) variant.weights.push_back(signal.weight);
    if (const json* weights = reader_.find(value, path, "weights", true, weights_hint))
      read_weights(*weights, path_to_key(path, "weights"), variant);
    model_.variants.push_back(std::move(variant));
  }

  // What decides is an input like any other, and as well known on other days.
  void add_signal() {
    Signal signal;
    signal.path = "variants";
    signal.name = signal.label = signal_name;
    signal.weight = 0;
    signal.source = SignalSource::variant;
    signal.input = static_cast<int>(model_.inputs.size());
    for (std::size_t i = 0; i < when_.size(); ++i)
      signal.source_text += (i == 0 ? "" : "; ") + model_.variants[i].name + ": " + when_[i];
    model_.inputs.push_back(static_cast<int>(model_.signals.size()));
    model_.signals.push_back(std::move(signal));
    for (Variant& variant : model_.variants) variant.weights.push_back(0);
  }

 private:
  static constexpr const char* condition_hint =
      "an SQL condition over the columns of the account; the first variant whose condition is true counts";
  static constexpr const char* weights_hint =
      "the weights that signals have in it, such as {\"usage\": 3, \"renewal\": 0}";

  std::string read_name(const json& value, const std::string& path) {
    auto name = reader_.read_string(value, path, "name", true, "a short name: what the column variant has");
    if (!name) return {};
    const std::string at = path_to_key(path, "name");
    if (name->size() > 63) reader_.report(at, "is longer than 63 bytes", "choose a shorter one");
    if (model_.find_variant(*name) >= 0)
      reader_.report(at, "\"" + *name + "\" is already the name of another variant");
    return std::move(*name);
  }

  void read_weights(const json& weights, const std::string& path, Variant& variant) {
    if (!weights.is_object()) {
      reader_.report(path, "must be an object, not " + show_value(weights), weights_hint);
      return;
    }
    bool sound = true;
    for (const auto& [name, value] : weights.items()) {
      if (value.is_null()) continue;
      const std::string at = path_to_key(path, name);
      const int signal = find_signal(name);
      const auto weight = reader_.number_at(value, at, {0, 1e9});
      if (signal < 0) reader_.report(at, "there is no signal \"" + name + "\"", suggest_signal(name));
      if (signal >= 0 && weight) variant.weights[static_cast<std::size_t>(signal)] = *weight;
      sound = sound && signal >= 0 && weight;
    }
    if (sound) check_levels(path, variant);
  }

  int find_signal(std::string_view name) const {
    const auto found = std::find_if(model_.signals.begin(), model_.signals.end(),
                                    [name](const Signal& signal) { return signal.name == name; });
    return found == model_.signals.end() ? -1 : static_cast<int>(found - model_.signals.begin());
  }

  std::string suggest_signal(const std::string& name) const {
    const std::string last = name.substr(name.rfind('.') + 1);
    if (find_signal(last) >= 0)
      return "signals are called by their name, whatever group they are in: \"" + last + "\"";
    std::vector<std::string_view> names;
    for (const Signal& signal : model_.signals) names.push_back(signal.name);
    return suggest_name(name, names);
  }

  // As of a list of signals: siblings need some weight. Where the model has none that is told already.
  void check_levels(const std::string& path, const Variant& variant) {
    const std::size_t count = model_.signals.size();  // the place of the top
    std::vector<double> own(count + 1), heaviest(count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const int parent = model_.signals[i].parent;
      const std::size_t level = parent < 0 ? count : static_cast<std::size_t>(parent);
      own[level] = std::max(own[level], model_.signals[i].weight);
      heaviest[level] = std::max(heaviest[level], variant.weights[i]);
    }
    for (std::size_t level = 0; level <= count; ++level) {
      if (heaviest[level] > 0 || own[level] == 0) continue;
      if (level == count)
        reader_.report(path, "all weights are 0", "at least one of the signals needs a weight above 0");
      else
        reader_.report(path, "all weights in \"" + model_.signals[level].name + "\" are 0",
                       "take the group itself out: give it the weight 0");
    }
  }

  DocumentReader& reader_;
  Model& model_;
  std::vector<std::string> when_;
};

// The column of that name is taken.
void check_names(DocumentReader& reader, const json& document, const Model& model) {
  for (const Signal& signal : model.signals) {
    if (signal.name == signal_name)
      reader.report(path_to_key(signal.path, "name"),
                    "\"variant\" is what a model with variants calls the one that counts",
                    "choose another name");
  }
  const json* accounts = reader.find(document, "", "accounts");
  if (accounts == nullptr || !accounts->is_object()) return;
  const json* columns = reader.find(*accounts, "accounts", "columns");
  if (columns != nullptr && columns->is_object() && columns->contains(signal_name))
    reader.report("accounts.columns.variant",
                  "the name \"variant\" is taken by a column of every score view of a model with variants",
                  "call it \"account_variant\", for example");
}

}  // namespace

void read_variants(DocumentReader& reader, const json& document, Model& model) {
  const json* variants = reader.find(document, "", "variants");
  if (variants == nullptr) return;
  if (!variants->is_array() || variants->empty()) {
    reader.report(
        "variants",
        variants->is_array() ? "must not be empty" : "must be an array, not " + show_value(*variants),
        "write [{\"name\": \"enterprise\", \"when\": \"plan = 'enterprise'\", \"weights\": {\"usage\": 3}}]");
    return;
  }
  check_names(reader, document, model);
  VariantReader reads(reader, model);
  for (std::size_t i = 0; i < variants->size(); ++i) reads.read((*variants)[i], path_to_index("variants", i));
  if (reader.problems().empty()) reads.add_signal();
}

}  // namespace health
