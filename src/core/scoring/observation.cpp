// One observation of a backtest.
#include "observation.hpp"

#include <algorithm>

namespace health {

Observation observe_account(const Model& model, const Ledger& known, const Ledger& now,
                            std::span<const ExternalInput> inputs, Day as_of, Day seen_on, int gap,
                            int horizon) {
  Observation seen;
  seen.score = score_account(model, known, inputs, seen_on);
  seen.in_book = seen.score.state.in_book() && now.is_in_book(as_of);
  MetricRequest events;
  events.id = MetricId::events;
  seen.last_active = last_event(known, events, as_of);
  const Value count = evaluate(known, events, as_of);
  if (count.known()) seen.events = count.number;
  const Day from = days_before(as_of, -std::int64_t{gap});
  const auto after = now.activity({from, days_before(from, -std::int64_t{horizon})});
  seen.active_after = std::any_of(after.begin(), after.end(), [&now](const Ledger::Activity& piece) {
    const auto& event = now.events()[piece.event];
    return event.qualifies && now.is_by(event, now.settings().actor);
  });
  return seen;
}

}  // namespace health
