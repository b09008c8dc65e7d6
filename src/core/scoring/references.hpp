// What a version of a model keeps of the book that it was made in: what each account adds to it.
// docs/reference/scoring.md, "Small accounts".
#pragma once

#include <vector>

#include "score.hpp"

namespace health {

// What one account says of one signal.
struct Sighting {
  Value raw;                         // as measured, without shrinking
  double basis = 0;                  // what it is shrunk by: shrink_basis()
  std::optional<BgbbHistory> weeks;  // what cadence_recency is fitted to
  bool seen = true;  // whether the account ever had what the signal is about: its events, roles or features
};

// One for each signal of the model; of groups nothing. Errors as of read_signals().
std::vector<Sighting> sight_signals(const Model& model, const Ledger& ledger,
                                    std::span<const ExternalInput> inputs, Day as_of);

}  // namespace health
