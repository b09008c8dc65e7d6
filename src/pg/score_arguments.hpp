// What the scoring functions take: a model, kept from call to call, and the state of an account as plain
// memory.
#pragma once

#include <vector>

#include "core/document/model.hpp"
#include "core/metrics/metrics.hpp"
#include "core/scoring/score.hpp"
#include "guard.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace health::pg {

// A text[] or date[]: rows of `count` values, one after the other. `given` is false for NULL.
template <class Value>
struct InputArray {
  const Value* values;
  const bool* nulls;
  int count;
  int rows;
  bool given;
  const char* name;  // for messages
};
using TextInputs = InputArray<std::string_view>;
using DateInputs = InputArray<Day>;

// inputs, observed and segments of one date.
struct InputArguments {
  TextInputs inputs;
  DateInputs observed;
  TextInputs segments;
};

// inputs and observed of earlier dates: the first row is of the day before, and so on.
struct PastArguments {
  TextInputs inputs;
  DateInputs observed;
};

// A value of health.account_state.
struct AccountState {
  std::span<const Bytes> parts;  // ledgers that add up to the account's
  Day as_of;
  bool has_account_start;
  Day account_start;
  bool repeated;
  bool has_seats;
  double seats;
  InputArguments now;
  PastArguments past;
};

// These may ereport, naming the argument.
const Model* model_argument(FunctionCallInfo fcinfo, int i, int slot,
                            const char* name);  // slot 0 or 1 of the function's cache
bool same_model_arguments(
    FunctionCallInfo fcinfo);  // the models in slots 0 and 1 were read from equal documents
Day day_argument(FunctionCallInfo fcinfo, int i, const char* name);           // not NULL, finite
DateInputs dates_argument(FunctionCallInfo fcinfo, int i, const char* name);  // one dimension, none NULL
// A health.account_state; the one place that takes it apart. `name` says which, where there are several.
AccountState state_argument(FunctionCallInfo fcinfo, int i, const char* name = nullptr);

// The composite type that the function returns, kept for the next call.
TupleDesc kept_row_type(FunctionCallInfo fcinfo, int columns);
// The composite type of the last column of that type, or of argument i.
TupleDesc kept_column_type(FunctionCallInfo fcinfo, int columns);
TupleDesc kept_argument_type(FunctionCallInfo fcinfo, Oid type, int columns);

// These run inside guarded(...).
Ledger decode_account(const Model& model, const AccountState& account);
// The inputs of so many days before as_of, in the order of model.inputs; empty when there are none at all.
// Without past ones, and for dates after as_of, they are those of as_of itself; before the oldest row, those
// of that row. Error 22023 when the numbers differ, also when past_inputs and past_observed differ in their
// rows.
std::vector<ExternalInput> collect_inputs(const Model& model, const AccountState& account,
                                          std::int64_t days_before = 0);

}  // namespace health::pg
