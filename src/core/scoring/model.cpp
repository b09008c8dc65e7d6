// Names of a model's parts, and bands.
#include "model.hpp"

#include <algorithm>

namespace health {

std::string_view source_name(SignalSource source) {
  switch (source) {
    case SignalSource::group:
      return "group";
    case SignalSource::metric:
      return "metric";
    case SignalSource::fact:
      return "fact";
    case SignalSource::column:
      return "column";
    case SignalSource::expression:
      return "expression";
    case SignalSource::query:
      return "query";
    case SignalSource::pulse:
      return "pulse";
    case SignalSource::variant:
      return "variant";
  }
  return "";
}

bool Model::reads_usage() const {
  return std::any_of(signals.begin(), signals.end(),
                     [](const Signal& signal) { return signal.source == SignalSource::metric; });
}

bool Model::takes_out(int variant, std::size_t signal) const {
  if (variant < 0) return false;
  for (int at = static_cast<int>(signal); at >= 0; at = signals[static_cast<std::size_t>(at)].parent) {
    const auto i = static_cast<std::size_t>(at);
    if (weight(i, variant) == 0 && signals[i].weight > 0) return true;
  }
  return false;
}

int Model::find_variant(std::string_view name) const {
  const auto found = std::find_if(variants.begin(), variants.end(),
                                  [name](const Variant& variant) { return variant.name == name; });
  return found == variants.end() ? -1 : static_cast<int>(found - variants.begin());
}

std::vector<Band> default_bands() {
  return {{"healthy", 80},
          {"stable", 60},
          {"at_risk", 40},
          {"critical", -std::numeric_limits<double>::infinity()}};
}

const Band& find_band(std::span<const Band> bands, double score) {
  constexpr double binary_noise = 1e-11;
  for (const Band& band : bands) {
    if (score + binary_noise >= band.from) return band;
  }
  return bands.back();
}

}  // namespace health
