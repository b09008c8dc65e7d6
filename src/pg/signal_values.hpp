// health_internal.signal_values: the readings of an account's signals as one value of arrays.
#pragma once

#include "core/scoring/score.hpp"
#include "guard.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace health::pg {

inline constexpr int signal_arrays = 8;
inline constexpr int signal_values_columns = signal_arrays + 2;  // and the customer's state

// Its arrays, each with an element per signal in the order of the model; plain memory.
struct SignalArrays {
  Datum* values[signal_arrays];
  bool* nulls[signal_arrays];
  int count;
  char state;
  bool has_since;
  Day since;
};

// These run inside guarded(...).
SignalArrays keep_readings(const Model& model, const Score& score);
// Error 22023 when there are not as many elements as signals.
Score restore_score(const Model& model, const SignalArrays& arrays, Day as_of,
                    std::span<const Override> overrides);

// These may ereport.
Datum make_signal_values(const SignalArrays& arrays, TupleDesc type);
SignalArrays open_signal_values(Datum datum, TupleDesc type);

}  // namespace health::pg
