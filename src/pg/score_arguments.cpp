// Unpacking of models and account states.
#include "score_arguments.hpp"

#include <algorithm>
#include <cstring>

#include "cached_document.hpp"
#include "core/ledger/known_at.hpp"
#include "local_day.hpp"
#include "metric_options.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace health::pg {

namespace {

// What a call site keeps between calls, in fn_mcxt.
struct ScoreCache {
  CachedDocument<Model> models[2];
  CachedDocument<FlaggedModel> flagged;
  TupleDesc row_type;
  TupleDesc column_type;
  TupleDesc argument_type;
  TupleDesc override_type;
};

ScoreCache& score_cache(FunctionCallInfo fcinfo) {
  auto* cache = static_cast<ScoreCache*>(fcinfo->flinfo->fn_extra);
  if (cache == nullptr) {
    cache = static_cast<ScoreCache*>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ScoreCache)));
    fcinfo->flinfo->fn_extra = cache;
  }
  return *cache;
}

[[noreturn]] void reject_null(const char* name) {
  ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", name)));
  pg_unreachable();
}

// The elements of an array with so many dimensions; an empty array has any number of them.
struct Elements {
  Datum* values;
  bool* nulls;
  int total;
  int count;  // in a row
  int rows;
};

Elements array_elements(Datum datum, const char* name, int dimensions, Oid type, int16 length,
                        bool by_value) {
  ArrayType* array = DatumGetArrayTypeP(datum);
  if (ARR_NDIM(array) != dimensions && ARR_NDIM(array) > 0) {
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    dimensions == 1 ? errmsg("%s must have one dimension, not %d", name, ARR_NDIM(array))
                                    : errmsg("%s must have two dimensions, not %d", name, ARR_NDIM(array))));
  }
  Elements elements{};
  deconstruct_array(array, type, length, by_value, type == BOOLOID ? TYPALIGN_CHAR : TYPALIGN_INT,
                    &elements.values, &elements.nulls, &elements.total);
  elements.rows = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[0] : 1;
  elements.count = elements.total / elements.rows;
  return elements;
}

// The columns of health.account_state.
enum StateColumn {
  parts_column,
  as_of_column,
  account_start_column,
  seats_column,
  inputs_column,
  observed_column,
  segments_column,
  past_inputs_column,
  past_observed_column,
  repeated_column,
  account_end_column,
  ledger_start_column,
  past_step_column,
  in_filter_column,
  overrides_column,
  outages_column,
  state_columns
};

// The columns of health.score_override.
enum OverrideColumn {
  kind_column,
  value_column,
  from_column,
  expires_column,
  ended_column,
  owner_column,
  reason_column,
  override_columns
};

// A state while it is taken apart.
struct OpenState {
  const char* owner;  // "before" or "after" where a function takes two, else null
  Datum values[state_columns];
  bool nulls[state_columns];

  const char* name_of(const char* column) const {
    return owner == nullptr ? column : psprintf("%s.%s", owner, column);
  }
};

TextInputs read_texts(const OpenState& state, StateColumn column, const char* plain_name, int dimensions) {
  if (state.nulls[column]) return {};
  const char* name = state.name_of(plain_name);
  const Elements elements = array_elements(state.values[column], name, dimensions, TEXTOID, -1, false);
  auto* values = static_cast<std::string_view*>(
      palloc(sizeof(std::string_view) * static_cast<std::size_t>(elements.total + 1)));
  for (int at = 0; at < elements.total; ++at) {
    values[at] = elements.nulls[at] ? std::string_view() : text_of(elements.values[at]);
  }
  return {values, elements.nulls, elements.count, elements.rows, true, name};
}

// Of days of observation -infinity is since ever, as without a day, and infinity is after every day.
DateInputs read_dates(const OpenState& state, StateColumn column, const char* plain_name, int dimensions,
                      bool finite = false) {
  if (state.nulls[column]) return {};
  const char* name = state.name_of(plain_name);
  const Elements elements =
      array_elements(state.values[column], name, dimensions, DATEOID, sizeof(DateADT), true);
  auto* values = static_cast<Day*>(palloc(sizeof(Day) * static_cast<std::size_t>(elements.total + 1)));
  for (int at = 0; at < elements.total; ++at) {
    const DateADT day = elements.nulls[at] ? 0 : DatumGetDateADT(elements.values[at]);
    if (finite) finite_day(day, name);
    if (DATE_IS_NOBEGIN(day)) elements.nulls[at] = true;
    values[at] = std::min(day, max_day);
  }
  return {values, elements.nulls, elements.count, elements.rows, true, name};
}

std::span<const Bytes> read_parts(const OpenState& state) {
  if (state.nulls[parts_column]) return {};
  ArrayType* array = DatumGetArrayTypeP(state.values[parts_column]);
  int16 length = 0;
  bool by_value = false;
  char alignment = 0;
  get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, &values, &nulls, &count);
  auto* usages = static_cast<Bytes*>(palloc(sizeof(Bytes) * static_cast<std::size_t>(count + 1)));
  std::size_t known = 0;
  for (int at = 0; at < count; ++at)
    if (!nulls[at]) usages[known++] = bytes_of(values[at]);
  return {usages, known};
}

// A day that infinity stands in for is none.
bool has_day(const bool* nulls, const Datum* values, int column, Day& day) {
  if (nulls[column]) return false;
  day = DatumGetDateADT(values[column]);
  return !DATE_IS_NOEND(day);
}

OverrideArgument read_override(HeapTupleHeader header, TupleDesc type, const char* name) {
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  Datum values[override_columns];
  bool nulls[override_columns];
  heap_deform_tuple(&tuple, type, values, nulls);
  for (const int column : {kind_column, value_column, owner_column, reason_column})
    if (nulls[column]) reject_null(psprintf("%s of %s", NameStr(TupleDescAttr(type, column)->attname), name));
  OverrideArgument made{};
  const std::string_view kind = text_of(values[kind_column]);
  const auto known = override_kind_by_name(kind);
  if (!known) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s has the kind \"%.*s\"", name, static_cast<int>(kind.size()), kind.data()),
                    errhint("An override is a score, a cap or a floor.")));
  }
  made.kind = *known;
  made.value = DatumGetFloat8(values[value_column]);
  if (!(made.value >= 0 && made.value <= 100)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a value of %s is not a score from 0 to 100", name)));
  }
  made.from = nulls[from_column] ? min_day : DatumGetDateADT(values[from_column]);
  made.expires_by_itself = has_day(nulls, values, expires_column, made.expires);
  made.was_ended = has_day(nulls, values, ended_column, made.ended);
  made.owner = text_of(values[owner_column]);
  made.reason = text_of(values[reason_column]);
  return made;
}

void check_columns(TupleDesc found, int columns) {
  if (found != nullptr && found->natts == columns) return;
  ereport(ERROR,
          (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the function returns a row of %d columns", columns),
           errhint("ALTER EXTENSION account_health UPDATE brings the types up to the library's version.")));
}

template <class Inputs>
void check_count(const Model& model, const Inputs& inputs) {
  if (!inputs.given || static_cast<std::size_t>(inputs.count) == model.inputs.size()) return;
  throw Error(sqlstate::invalid_parameter_value,
              "the model takes " + std::to_string(model.inputs.size()) + " inputs, but " + inputs.name +
                  " has " + std::to_string(inputs.count),
              "health.model_inputs(model) lists them in order; NULL stands for an unknown one.");
}

template <class Inputs>
Inputs take_row(Inputs inputs, std::int64_t row) {
  if (!inputs.given) return inputs;
  const std::int64_t at = std::min<std::int64_t>(row, inputs.rows - 1) * inputs.count;
  inputs.values += at;
  inputs.nulls += at;
  inputs.rows = 1;
  return inputs;
}

}  // namespace

const Model* model_argument(FunctionCallInfo fcinfo, int i, int slot, const char* name) {
  if (PG_ARGISNULL(i)) reject_null(name);
  return cached_document(fcinfo, i, score_cache(fcinfo).models[slot], parse_model);
}

const FlaggedModel* flagged_model_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) reject_null(name);
  return cached_document(fcinfo, i, score_cache(fcinfo).flagged, parse_flagged_model);
}

bool same_model_arguments(FunctionCallInfo fcinfo) {
  const auto& [first, second] = score_cache(fcinfo).models;
  return first.size == second.size && std::memcmp(first.bytes, second.bytes, first.size) == 0;
}

Day day_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) reject_null(name);
  return finite_day(PG_GETARG_DATEADT(i), name);
}

DateInputs dates_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) reject_null(name);
  OpenState open{};
  open.values[observed_column] = PG_GETARG_DATUM(i);
  const DateInputs dates = read_dates(open, observed_column, name, 1, true);
  for (int at = 0; at < dates.count; ++at)
    if (dates.nulls[at]) reject_null(psprintf("a date of %s", name));
  return dates;
}

std::span<const std::string_view> texts_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) return {};
  const Elements elements = array_elements(PG_GETARG_DATUM(i), name, 1, TEXTOID, -1, false);
  auto* texts = static_cast<std::string_view*>(
      palloc(sizeof(std::string_view) * static_cast<std::size_t>(elements.total + 1)));
  for (int at = 0; at < elements.total; ++at) {
    if (elements.nulls[at]) reject_null(psprintf("an element of %s", name));
    texts[at] = text_of(elements.values[at]);
  }
  return {texts, static_cast<std::size_t>(elements.total)};
}

namespace {

TupleDesc copy_of_type(FunctionCallInfo fcinfo, Oid type, int columns) {
  MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
  TupleDesc found = lookup_rowtype_tupdesc_copy(type, -1);
  MemoryContextSwitchTo(caller);
  check_columns(found, columns);
  return found;
}

TupleDesc kept_override_type(FunctionCallInfo fcinfo, Oid type) {
  ScoreCache& cache = score_cache(fcinfo);
  if (cache.override_type == nullptr || cache.override_type->tdtypeid != type)
    cache.override_type = copy_of_type(fcinfo, type, override_columns);
  return cache.override_type;
}

std::span<const OverrideArgument> read_overrides(FunctionCallInfo fcinfo, Datum datum, const char* name) {
  ArrayType* array = DatumGetArrayTypeP(datum);
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &values, &nulls, &count);
  auto* made =
      static_cast<OverrideArgument*>(palloc(sizeof(OverrideArgument) * static_cast<std::size_t>(count + 1)));
  std::size_t known = 0;
  for (int at = 0; at < count; ++at) {
    if (nulls[at]) continue;
    HeapTupleHeader header = DatumGetHeapTupleHeader(values[at]);
    made[known++] = read_override(header, kept_override_type(fcinfo, HeapTupleHeaderGetTypeId(header)), name);
  }
  return {made, known};
}

}  // namespace

namespace {

std::span<const Outage> read_outages(Datum datum, const char* name) {
  OpenState open{};
  open.values[observed_column] = datum;
  const DateInputs days = read_dates(open, observed_column, name, 1);
  if (days.count % 2 != 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s has %d days", name, days.count),
                    errhint("The first and the last day of an outage stand by turns.")));
  const auto count = static_cast<std::size_t>(days.count / 2);
  auto* outages = static_cast<Outage*>(palloc(sizeof(Outage) * (count + 1)));
  for (std::size_t i = 0; i < count; ++i) {
    if (days.nulls[2 * i] || days.nulls[2 * i + 1]) reject_null(psprintf("a day of %s", name));
    outages[i] = {days.values[2 * i], days.values[2 * i + 1]};
  }
  return {outages, count};
}

}  // namespace

std::span<const Outage> outages_argument(FunctionCallInfo fcinfo, int i) {
  if (PG_ARGISNULL(i)) return {};
  return read_outages(PG_GETARG_DATUM(i), "outages");
}

std::span<const OverrideArgument> overrides_argument(FunctionCallInfo fcinfo, int i) {
  if (PG_ARGISNULL(i)) return {};
  return read_overrides(fcinfo, PG_GETARG_DATUM(i), "overrides");
}

AccountState state_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) reject_null(name == nullptr ? "account" : name);
  HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(i);
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  OpenState open{};
  open.owner = name;
  heap_deform_tuple(&tuple, kept_argument_type(fcinfo, HeapTupleHeaderGetTypeId(header), state_columns),
                    open.values, open.nulls);

  AccountState state{};
  if (open.nulls[as_of_column]) reject_null(open.name_of("as_of"));
  state.as_of = finite_day(DatumGetDateADT(open.values[as_of_column]), open.name_of("as_of"));
  state.parts = read_parts(open);
  if (!open.nulls[account_start_column]) {
    state.has_account_start = true;
    state.account_start = DatumGetDateADT(open.values[account_start_column]);
  }
  // -infinity keeps all days.
  if (!open.nulls[account_end_column]) {
    state.account_end = DatumGetDateADT(open.values[account_end_column]);
    state.has_account_end = !DATE_IS_NOEND(state.account_end);
    state.account_end = std::max(state.account_end, min_day);
  }
  if (!open.nulls[ledger_start_column]) {
    state.ledger_start = DatumGetDateADT(open.values[ledger_start_column]);
    state.has_ledger_start = !DATE_NOT_FINITE(state.ledger_start);
  }
  state.repeated = !open.nulls[repeated_column] && DatumGetBool(open.values[repeated_column]);
  if (!open.nulls[seats_column]) {
    state.has_seats = true;
    state.seats = DatumGetFloat8(open.values[seats_column]);
  }
  state.now = {read_texts(open, inputs_column, "inputs", 1), read_dates(open, observed_column, "observed", 1),
               read_texts(open, segments_column, "segments", 1)};
  state.past.inputs = read_texts(open, past_inputs_column, "past_inputs", 2);
  state.past.observed = read_dates(open, past_observed_column, "past_observed", 2);
  state.past.step = open.nulls[past_step_column] ? 1 : DatumGetInt32(open.values[past_step_column]);
  if (state.past.step < 1)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s must be at least 1", open.name_of("past_step"))));
  if (!open.nulls[in_filter_column]) {
    const Elements days = array_elements(open.values[in_filter_column], open.name_of("in_filter"), 1, BOOLOID,
                                         sizeof(bool), true);
    auto* in_filter = static_cast<bool*>(palloc(static_cast<std::size_t>(days.total) + 1));
    for (int at = 0; at < days.total; ++at) in_filter[at] = days.nulls[at] || DatumGetBool(days.values[at]);
    state.past.in_filter = in_filter;
    state.past.repeated = days.nulls;
    state.past.days = days.total;
  }
  if (!open.nulls[overrides_column])
    state.overrides = read_overrides(fcinfo, open.values[overrides_column], open.name_of("overrides"));
  if (!open.nulls[outages_column])
    state.outages = read_outages(open.values[outages_column], open.name_of("outages"));
  // An empty array says no more than NULL.
  state.past.inputs.given = state.past.inputs.given && state.past.inputs.count > 0;
  state.past.observed.given = state.past.observed.given && state.past.observed.count > 0;
  return state;
}

TupleDesc kept_row_type(FunctionCallInfo fcinfo, int columns) {
  ScoreCache& cache = score_cache(fcinfo);
  if (cache.row_type == nullptr) {
    TupleDesc found = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &found) != TYPEFUNC_COMPOSITE) found = nullptr;
    check_columns(found, columns);
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    cache.row_type = BlessTupleDesc(CreateTupleDescCopy(found));
    MemoryContextSwitchTo(caller);
  }
  return cache.row_type;
}

TupleDesc kept_column_type(FunctionCallInfo fcinfo, int columns) {
  ScoreCache& cache = score_cache(fcinfo);
  if (cache.column_type == nullptr) {
    const Oid type = TupleDescAttr(cache.row_type, cache.row_type->natts - 1)->atttypid;
    cache.column_type = copy_of_type(fcinfo, type, columns);
  }
  return cache.column_type;
}

TupleDesc kept_argument_type(FunctionCallInfo fcinfo, Oid type, int columns) {
  ScoreCache& cache = score_cache(fcinfo);
  if (cache.argument_type == nullptr || cache.argument_type->tdtypeid != type)
    cache.argument_type = copy_of_type(fcinfo, type, columns);
  return cache.argument_type;
}

Ledger decode_account(const Model& model, const AccountState& account, std::optional<Day> known_before) {
  MetricSettings settings = model.settings;
  settings.repeated = account.repeated;
  if (account.has_account_start) set_start(settings, account.account_start);
  if (account.has_account_end) settings.account_end = account.account_end;
  if (account.has_ledger_start) settings.ledger_start = account.ledger_start;
  if (account.has_seats) settings.seats = account.seats;
  return Ledger::decode(account.parts, model.catalog, settings, known_before);
}

bool has_late_rows(const AccountState& account) {
  return std::any_of(account.parts.begin(), account.parts.end(),
                     [](Bytes part) { return health::has_late_rows(health::UsageReader(part)); });
}

std::vector<ExternalInput> collect_inputs(const Model& model, const AccountState& account,
                                          std::int64_t days_before) {
  auto [inputs, observed, segments] = account.now;
  // Of a day between two rows the earlier one: the later one knows more than that day did.
  const std::int64_t row = (days_before + account.past.step - 1) / account.past.step;
  if (row > 0 && account.past.inputs.given) {
    const auto& past = account.past;
    if (past.observed.given && past.observed.rows != past.inputs.rows) {
      throw Error(sqlstate::invalid_parameter_value,
                  "past_inputs has " + std::to_string(past.inputs.rows) + " rows, but past_observed has " +
                      std::to_string(past.observed.rows),
                  "Row n of both is of n days before.");
    }
    inputs = take_row(past.inputs, row - 1);
    observed = take_row(past.observed, row - 1);
  }
  check_count(model, inputs);
  check_count(model, observed);
  check_count(model, segments);
  std::vector<ExternalInput> collected;
  if (!inputs.given && !observed.given && !segments.given) return collected;
  collected.resize(model.inputs.size());
  for (std::size_t i = 0; i < collected.size(); ++i) {
    if (inputs.given && !inputs.nulls[i]) collected[i].value = inputs.values[i];
    if (observed.given && !observed.nulls[i]) collected[i].observed = observed.values[i];
    if (segments.given && !segments.nulls[i]) collected[i].segment = segments.values[i];
  }
  return collected;
}

std::vector<Override> collect_overrides(std::span<const OverrideArgument> overrides) {
  std::vector<Override> collected;
  collected.reserve(overrides.size());
  for (const OverrideArgument& made : overrides) {
    collected.push_back({made.kind, made.value, made.from,
                         made.expires_by_itself ? std::optional(made.expires) : std::nullopt,
                         made.was_ended ? std::optional(made.ended) : std::nullopt, std::string(made.owner),
                         std::string(made.reason)});
  }
  return collected;
}

Score score_day(const Model& model, const AccountState& account, const Ledger& ledger,
                std::vector<ExternalInput>& inputs, Day day, std::span<const Override> overrides) {
  day = account.seen_on(day);
  const std::int64_t before = std::int64_t{account.as_of} - day;
  if (account.is_repeated(before)) return score_repeated(model, ledger, day);
  if (account.past.inputs.given) inputs = collect_inputs(model, account, before);
  return score_account(model, ledger, inputs, day, overrides);
}

}  // namespace health::pg
