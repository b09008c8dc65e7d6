// Puts drivers into words.
#include "phrase_drivers.hpp"

#include "core/metrics/drivers.hpp"
#include "phrase.hpp"
#include "phrase_format.hpp"
#include "phrase_metric.hpp"

namespace health {

namespace {

std::string list_drivers(const std::vector<Driver>& drivers, double unit) {
  std::string words;
  for (const Driver& driver : drivers) {
    const std::string change = show_number(to_double(driver.change) * unit);
    words += (words.empty() ? "" : ", ") + driver.name + " " + (driver.change > 0 ? "+" : "") + change;
  }
  return words;
}

Day measured_at(const Reading& reading, Day as_of) {
  return reading.carried && reading.observed ? *reading.observed : as_of;
}

}  // namespace

std::string describe_drivers(const Model& model, std::size_t index, const Score& from, const Score& to,
                             const Ledger& ledger) {
  const Signal& signal = model.signals[index];
  if (signal.source != SignalSource::metric) return {};
  const Reading &earlier = from.readings[index], &later = to.readings[index];
  const auto drivers = find_drivers(ledger, model.catalog, signal.metric, measured_at(earlier, from.as_of),
                                    measured_at(later, to.as_of));
  if (!drivers) return {};
  std::string words = in_sentence(signal.label);
  if (metric_info(signal.metric.id).style == NumberStyle::change && later.raw.known()) {
    // The season of a baseline, or a median far from the mean: what went the other way explains nothing.
    if ((drivers->change > 0) != (later.raw.number > 0)) return {};
    words = describe_metric(signal, later.raw.number, later.whole, model.settings);
  } else if (earlier.raw.known() && later.raw.known()) {
    words += " " + show_raw(signal, earlier) + " -> " + show_raw(signal, later);
  }
  std::string parts;
  for (const auto* kind : {&drivers->events, &drivers->features, &drivers->people}) {
    const std::string listed = list_drivers(*kind, drivers->unit);
    if (!listed.empty()) parts += (parts.empty() ? ": " : "; ") + listed;
  }
  return words + parts;
}

}  // namespace health
