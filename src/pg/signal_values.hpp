// health_internal.signal_values: the readings of an account's signals as one value of arrays.
#pragma once

#include "core/scoring/score.hpp"
#include "guard.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace health::pg {

inline constexpr int signal_values_columns = 6;

// Its arrays, each with an element per signal in the order of the model; plain memory.
struct SignalArrays {
  Datum* values[signal_values_columns];
  bool* nulls[signal_values_columns];
  int count;
};

// These run inside guarded(...).
SignalArrays keep_readings(const Model& model, std::span<const Reading> readings);
// Error 22023 when there are not as many elements as signals.
std::vector<Reading> restore_readings(const Model& model, const SignalArrays& arrays);

// These may ereport.
Datum make_signal_values(const SignalArrays& arrays, TupleDesc type);
SignalArrays open_signal_values(Datum datum, TupleDesc type);

}  // namespace health::pg
