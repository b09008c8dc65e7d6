// What was to be seen of an account on a day, and whether anybody was active in the days after it: one
// observation of a backtest. docs/reference/backtest.md.
#pragma once

#include "score.hpp"

namespace health {

struct Observation {
  Score score;
  bool in_book = false;            // a customer at as_of
  std::optional<Day> last_active;  // before as_of; nothing: never
  double events = 0;               // in the window of the model
  bool active_after = false;       // in [as_of + gap, as_of + gap + horizon)
};

// By what was known of the account before as_of, and of active_after by what is known now: nothing else of it
// depends on days from as_of on. The score is as of seen_on, an earlier day while tracking was broken. gap
// and horizon in days.
Observation observe_account(const Model& model, const Ledger& known, const Ledger& now,
                            std::span<const ExternalInput> inputs, Day as_of, Day seen_on, int gap,
                            int horizon);

}  // namespace health
