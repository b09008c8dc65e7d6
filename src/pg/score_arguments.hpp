// What the scoring functions take: a model, kept from call to call, and the state of an account as plain
// memory.
#pragma once

#include <algorithm>
#include <vector>

#include "core/document/model.hpp"
#include "core/metrics/metrics.hpp"
#include "core/metrics/volume.hpp"
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

// inputs and observed of earlier dates: the first row is of `step` days before, and so on.
struct PastArguments {
  TextInputs inputs;
  DateInputs observed;
  std::int64_t step;      // days between rows
  const bool* in_filter;  // of as_of, and of each row; null: true
  const bool* repeated;   // likewise, whether the account source had it more than once; null: as at as_of
  int days;
};

// A value of health.score_override.
struct OverrideArgument {
  OverrideKind kind;
  double value;
  Day from;
  bool expires_by_itself, was_ended;
  Day expires, ended;
  std::string_view owner, reason;
};

// A value of health.account_state.
struct AccountState {
  std::span<const Bytes> parts;  // ledgers that add up to the account's
  Day as_of;
  bool has_account_start;
  Day account_start;
  bool has_account_end;
  Day account_end;
  bool has_ledger_start;
  Day ledger_start;
  bool repeated;
  bool has_seats;
  double seats;
  InputArguments now;
  PastArguments past;
  std::span<const OverrideArgument> overrides;
  std::span<const Outage> outages;

  // The day that a date is scored as of: while tracking was broken, the first broken day.
  Day seen_on(Day day) const { return health::seen_as_of(day, outages); }
  // Whether the account source had the account so many days before as_of; after it, as at as_of.
  bool has_account(std::int64_t days_before) const {
    const std::int64_t at = past_row(days_before);
    return at >= past.days || past.in_filter[at];
  }
  bool has_one(std::int64_t days_before) const {
    return has_account(days_before) && !is_repeated(days_before);
  }
  // Whether it had the account more than once then.
  bool is_repeated(std::int64_t days_before) const {
    const std::int64_t at = past_row(days_before);
    return repeated || (at < past.days && past.repeated[at]);
  }

 private:
  std::int64_t past_row(std::int64_t days_before) const {
    return std::max<std::int64_t>(days_before, 0) / past.step;
  }
};

// These may ereport, naming the argument.
const Model* model_argument(FunctionCallInfo fcinfo, int i, int slot,
                            const char* name);  // slot 0 or 1 of the function's cache
// A model with its flags.
const FlaggedModel* flagged_model_argument(FunctionCallInfo fcinfo, int i, const char* name);
bool same_model_arguments(
    FunctionCallInfo fcinfo);  // the models in slots 0 and 1 were read from equal documents
Day day_argument(FunctionCallInfo fcinfo, int i, const char* name);           // not NULL, finite
DateInputs dates_argument(FunctionCallInfo fcinfo, int i, const char* name);  // one dimension, none NULL
// A text[] of one dimension, none NULL; NULL is none.
std::span<const std::string_view> texts_argument(FunctionCallInfo fcinfo, int i, const char* name);
// A health.account_state; the one place that takes it apart. `name` says which, where there are several.
AccountState state_argument(FunctionCallInfo fcinfo, int i, const char* name = nullptr);
// A date[] of first and last days of outages by turns; NULL is none.
std::span<const Outage> outages_argument(FunctionCallInfo fcinfo, int i);
// A health.score_override[]; NULL is none.
std::span<const OverrideArgument> overrides_argument(FunctionCallInfo fcinfo, int i);

// The composite type that the function returns, kept for the next call.
TupleDesc kept_row_type(FunctionCallInfo fcinfo, int columns);
// The composite type of the last column of that type, or of argument i.
TupleDesc kept_column_type(FunctionCallInfo fcinfo, int columns);
TupleDesc kept_argument_type(FunctionCallInfo fcinfo, Oid type, int columns);

// These run inside guarded(...).
// Without a day as it is known now.
Ledger decode_account(const Model& model, const AccountState& account,
                      std::optional<Day> known_before = std::nullopt);
// Whether some rows of it became known later than their day.
bool has_late_rows(const AccountState& account);
// The inputs of so many days before as_of, in the order of model.inputs; empty when there are none at all.
// Without past ones, and for dates after as_of, they are those of as_of itself; before the oldest row, those
// of that row. Error 22023 when the numbers differ, also when past_inputs and past_observed differ in their
// rows.
std::vector<ExternalInput> collect_inputs(const Model& model, const AccountState& account,
                                          std::int64_t days_before = 0);
std::vector<Override> collect_overrides(std::span<const OverrideArgument> overrides);
// The score on a day up to as_of, as it was seen then, by a decoded ledger. `inputs` are those of as_of, or
// of the day of the call before; they become those of the day.
Score score_day(const Model& model, const AccountState& account, const Ledger& ledger,
                std::vector<ExternalInput>& inputs, Day day, std::span<const Override> overrides);

}  // namespace health::pg
