// A ledger used as a plain counter per user: what the one-shot aggregates on users fold their rows into. It
// has one day and up to two event names, so that it adds up, travels and stays small like any other ledger.
#pragma once

#include <vector>

#include "core/base/exact.hpp"
#include "core/base/value.hpp"
#include "core/ledger/usage.hpp"
#include "usage_log.hpp"

namespace health {

// A row of a user: active or not.
LoggedEvent tally_active(UserKind kind, const UserId& user, bool active);
// A row of a user, with or without a weight. Error 22023 for a weight that is negative, NaN or infinite; kept
// to 10^-6.
LoggedEvent tally_row(UserKind kind, const UserId& user);
LoggedEvent tally_weight(UserKind kind, const UserId& user, double weight);

// Distinct users with an active row / distinct users; no users: unknown (no_data).
Value active_share(Bytes tally);
// Of each user the rows (weighted = false) or the weights in micro units.
std::vector<Exact> tally_contributions(Bytes tally, bool weighted);

}  // namespace health
