// One observation of a backtest.
#include "observation.hpp"

#include <algorithm>

namespace health {

Observation observe_account(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                            Day as_of, int gap, int horizon) {
  Observation seen;
  seen.score = score_account(model, ledger, inputs, as_of);
  MetricRequest events;
  events.id = MetricId::events;
  seen.last_active = last_event(ledger, events, as_of);
  const Value count = evaluate(ledger, events, as_of);
  if (count.known()) seen.events = count.number;
  const Day from = days_before(as_of, -std::int64_t{gap});
  const auto after = ledger.activity({from, days_before(from, -std::int64_t{horizon})});
  seen.active_after = std::any_of(after.begin(), after.end(), [&ledger](const Ledger::Activity& piece) {
    const auto& event = ledger.events()[piece.event];
    return event.qualifies && ledger.is_by(event, ledger.settings().actor);
  });
  return seen;
}

}  // namespace health
