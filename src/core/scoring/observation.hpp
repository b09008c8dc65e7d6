// What was to be seen of an account on a day, and whether anybody was active in the days after it: one
// observation of a backtest. docs/reference/backtest.md.
#pragma once

#include "score.hpp"

namespace health {

struct Observation {
  Score score;
  std::optional<Day> last_active;  // before as_of; nothing: never
  double events = 0;               // in the window of the model
  bool active_after = false;       // in [as_of + gap, as_of + gap + horizon)
};

// Nothing of it but active_after depends on days from as_of on. gap and horizon in days.
Observation observe_account(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                            Day as_of, int gap, int horizon);

}  // namespace health
