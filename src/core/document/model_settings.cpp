// The settings of metrics in a model document: windows, onboarding, features, the daily cap.
#include <algorithm>
#include <utility>

#include "model_document.hpp"
#include "nearest_name.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr NumberRange days_range{1, 3660, false, true};

}  // namespace

void read_settings(DocumentReader& reader, const json& document, Model& model) {
  MetricSettings& settings = model.settings;
  settings.window_days = static_cast<int>(
      reader.read_number(document, "", "window_days", days_range).value_or(settings.window_days));
  if (auto actor = reader.read_string(document, "", "actor")) settings.actor = std::move(*actor);
  settings.minimum_age_days = static_cast<int>(
      reader.read_number(document, "", "minimum_age_days", {0, 3660, false, true}).value_or(0));
  settings.inactive_after_days =
      static_cast<int>(reader.read_number(document, "", "inactive_after_days", days_range)
                           .value_or(settings.inactive_after_days));
  if (const json* onboarding = reader.find(document, "", "onboarding")) {
    constexpr std::string_view keys[] = {"days", "events", "window_days"};
    if (reader.check_object(*onboarding, "onboarding", keys)) {
      const auto read = [&](const char* key, NumberRange range, int otherwise) {
        return static_cast<int>(
            reader.read_number(*onboarding, "onboarding", key, range).value_or(otherwise));
      };
      settings.onboarding_days = read("days", days_range, settings.onboarding_days);
      settings.onboarding_events = read("events", {1, 1000000, false, true}, settings.onboarding_events);
      settings.onboarding_window = read("window_days", days_range, settings.onboarding_window);
    }
  }
  settings.daily_cap = reader.read_number(document, "", "daily_cap", {0, 1e12, true});
  settings.features = reader.read_names(document, "", "features");
  if (!settings.features || model.catalog.count_unlisted) return;
  const std::vector<std::string_view> known(model.catalog.features.begin(), model.catalog.features.end());
  const json& features = document["features"];
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (!features[i].is_string()) continue;
    const auto& feature = features[i].get_ref<const std::string&>();
    if (std::find(known.begin(), known.end(), feature) == known.end()) {
      reader.report(path_to_index("features", i),
                    "no event of the catalog has the feature \"" + feature + "\"",
                    suggest_name(feature, known));
    }
  }
}

}  // namespace health
