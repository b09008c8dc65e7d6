// What an account adds to the frozen book of a model.
#include "references.hpp"

#include <algorithm>

namespace health {

namespace {

bool uses_a_feature(const Ledger& ledger, Day as_of) {
  const auto events = ledger.events();
  return std::any_of(events.begin(), events.end(), [as_of](const Ledger::Event& event) {
    return event.feature >= 0 && event.first_day < as_of;
  });
}

bool has_what_it_is_about(const Signal& signal, const Ledger& ledger, Day as_of) {
  if (signal.metric.id == MetricId::breadth) return uses_a_feature(ledger, as_of);
  MetricRequest request = signal.metric;
  if (request.events.empty() && request.roles == 0) request.roles = metric_info(request.id).roles;
  // Of roles that no event of the catalog plays the question does not arise.
  if (request.events.empty() && request.roles != 0 && (ledger.catalog_roles() & request.roles) == 0)
    return true;
  return first_event(ledger, request, as_of).has_value();
}

}  // namespace

std::vector<Sighting> sight_signals(const Model& model, const Ledger& ledger,
                                    std::span<const ExternalInput> inputs, Day as_of) {
  const std::vector<Reading> readings = read_signals(model, ledger, inputs, as_of);
  std::vector<Sighting> sightings(readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const Signal& signal = model.signals[i];
    if (signal.is_group()) continue;
    sightings[i].raw = readings[i].raw;
    if (signal.source == SignalSource::fact) sightings[i].seen = has_fact(ledger, signal.fact.fact, as_of);
    if (signal.source != SignalSource::metric) continue;
    sightings[i].seen = has_what_it_is_about(signal, ledger, as_of);
    if (metric_info(signal.metric.id).fitted) sightings[i].weeks = active_weeks(ledger, signal.metric, as_of);
    if (signal.shrink > 0) sightings[i].basis = shrink_basis(ledger, signal.metric, as_of);
  }
  return sightings;
}

}  // namespace health
