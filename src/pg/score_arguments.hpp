// What the scoring functions take: a model, kept from call to call, and an account's ledger and inputs as
// plain memory.
#pragma once

#include <vector>

#include "core/metrics/metrics.hpp"
#include "core/document/model.hpp"
#include "core/scoring/score.hpp"
#include "guard.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace health::pg {

// A text[] or date[] argument: rows of `count` values, one after the other. `given` is false for NULL.
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

// What belongs to the account.
struct AccountArguments {
  std::span<const Bytes> parts;  // ledgers that add up to the account's
  bool has_account_start;
  Day account_start;
  bool has_seats;
  double seats;
};

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

// These may ereport, naming the argument.
const Model* model_argument(FunctionCallInfo fcinfo, int i, int slot,
                            const char* name);  // slot 0 or 1 of the function's cache
bool same_model_arguments(
    FunctionCallInfo fcinfo);  // the models in slots 0 and 1 were read from equal documents
Day day_argument(FunctionCallInfo fcinfo, int i, const char* name);  // not NULL, finite
TextInputs text_inputs_argument(FunctionCallInfo fcinfo, int i, const char* name);
DateInputs date_inputs_argument(FunctionCallInfo fcinfo, int i, const char* name);
// past_inputs and past_observed, from arguments i and i + 1: two dimensions, or NULL.
PastArguments past_arguments(FunctionCallInfo fcinfo, int i);
// usage (NULL: the empty ledger; an array: its parts), account_start and seats.
AccountArguments account_arguments(FunctionCallInfo fcinfo, int usage, int account_start, int seats);
AccountArguments account_parts_arguments(FunctionCallInfo fcinfo, int parts, int account_start, int seats);
// The composite type that the function returns, kept for the next call.
TupleDesc kept_row_type(FunctionCallInfo fcinfo, int columns);
// The same of column i of that type: a composite type, or an array of one.
inline constexpr int most_row_columns = 3;
TupleDesc kept_column_type(FunctionCallInfo fcinfo, int i, int columns);

// These run inside guarded(...).
Ledger decode_account(const Model& model, const AccountArguments& account);
// The inputs in the order of model.inputs; empty when there are none at all. Error 22023 when the numbers
// differ.
std::vector<ExternalInput> collect_inputs(const Model& model, const InputArguments& arguments);
// The inputs of so many days before. Without past ones they are those of the date itself; before the oldest
// row, those of that row. Error 22023 also when past_inputs and past_observed differ in their rows.
std::vector<ExternalInput> collect_inputs_before(const Model& model, const InputArguments& arguments,
                                                 const PastArguments& past, std::int64_t days);

}  // namespace health::pg
