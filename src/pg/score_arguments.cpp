// Unpacking of models, ledgers and inputs.
#include "score_arguments.hpp"

#include <algorithm>
#include <cstring>

#include "cached_document.hpp"
#include "local_day.hpp"

extern "C" {
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
  TupleDesc row_type;
  TupleDesc column_types[most_row_columns];
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

// The elements of an array argument with so many dimensions; an empty array has any number of them.
struct Elements {
  Datum* values;
  bool* nulls;
  int total;
  int count;  // in a row
  int rows;
};

Elements array_elements(FunctionCallInfo fcinfo, int i, const char* name, int dimensions, Oid type,
                        int16 length, bool by_value) {
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(i);
  if (ARR_NDIM(array) != dimensions && ARR_NDIM(array) > 0) {
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    dimensions == 1 ? errmsg("%s must have one dimension, not %d", name, ARR_NDIM(array))
                                    : errmsg("%s must have two dimensions, not %d", name, ARR_NDIM(array))));
  }
  Elements elements{};
  deconstruct_array(array, type, length, by_value, TYPALIGN_INT, &elements.values, &elements.nulls,
                    &elements.total);
  elements.rows = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[0] : 1;
  elements.count = elements.total / elements.rows;
  return elements;
}

TextInputs read_texts(FunctionCallInfo fcinfo, int i, const char* name, int dimensions) {
  if (PG_ARGISNULL(i)) return {};
  const Elements elements = array_elements(fcinfo, i, name, dimensions, TEXTOID, -1, false);
  auto* values = static_cast<std::string_view*>(
      palloc(sizeof(std::string_view) * static_cast<std::size_t>(elements.total + 1)));
  for (int at = 0; at < elements.total; ++at) {
    values[at] = elements.nulls[at] ? std::string_view() : text_of(elements.values[at]);
  }
  return {values, elements.nulls, elements.count, elements.rows, true, name};
}

DateInputs read_dates(FunctionCallInfo fcinfo, int i, const char* name, int dimensions) {
  if (PG_ARGISNULL(i)) return {};
  const Elements elements = array_elements(fcinfo, i, name, dimensions, DATEOID, sizeof(DateADT), true);
  auto* values = static_cast<Day*>(palloc(sizeof(Day) * static_cast<std::size_t>(elements.total + 1)));
  for (int at = 0; at < elements.total; ++at) {
    values[at] = elements.nulls[at] ? 0 : finite_day(DatumGetDateADT(elements.values[at]), name);
  }
  return {values, elements.nulls, elements.count, elements.rows, true, name};
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

bool same_model_arguments(FunctionCallInfo fcinfo) {
  const auto& [first, second] = score_cache(fcinfo).models;
  return first.size == second.size && std::memcmp(first.bytes, second.bytes, first.size) == 0;
}

Day day_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) reject_null(name);
  return finite_day(PG_GETARG_DATEADT(i), name);
}

TextInputs text_inputs_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  return read_texts(fcinfo, i, name, 1);
}

DateInputs date_inputs_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  return read_dates(fcinfo, i, name, 1);
}

PastArguments past_arguments(FunctionCallInfo fcinfo, int i) {
  PastArguments past{read_texts(fcinfo, i, "past_inputs", 2), read_dates(fcinfo, i + 1, "past_observed", 2)};
  // An empty array says no more than NULL.
  past.inputs.given = past.inputs.given && past.inputs.count > 0;
  past.observed.given = past.observed.given && past.observed.count > 0;
  return past;
}

namespace {

AccountArguments account_of(FunctionCallInfo fcinfo, std::span<const Bytes> parts, int account_start,
                            int seats) {
  AccountArguments account{};
  account.parts = parts;
  if (!PG_ARGISNULL(account_start)) {
    account.has_account_start = true;
    account.account_start = finite_day(PG_GETARG_DATEADT(account_start), "account_start");
  }
  if (!PG_ARGISNULL(seats)) {
    account.has_seats = true;
    account.seats = PG_GETARG_FLOAT8(seats);
  }
  return account;
}

}  // namespace

AccountArguments account_arguments(FunctionCallInfo fcinfo, int usage, int account_start, int seats) {
  if (PG_ARGISNULL(usage)) return account_of(fcinfo, {}, account_start, seats);
  auto* part = static_cast<Bytes*>(palloc(sizeof(Bytes)));
  *part = bytes_argument(fcinfo, usage);
  return account_of(fcinfo, {part, 1}, account_start, seats);
}

AccountArguments account_parts_arguments(FunctionCallInfo fcinfo, int parts, int account_start, int seats) {
  if (PG_ARGISNULL(parts)) return account_of(fcinfo, {}, account_start, seats);
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(parts);
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
  return account_of(fcinfo, {usages, known}, account_start, seats);
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

TupleDesc kept_column_type(FunctionCallInfo fcinfo, int i, int columns) {
  ScoreCache& cache = score_cache(fcinfo);
  if (cache.column_types[i] == nullptr) {
    const Oid type = TupleDescAttr(cache.row_type, i)->atttypid;
    const Oid element = get_element_type(type);
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    TupleDesc found = lookup_rowtype_tupdesc_copy(OidIsValid(element) ? element : type, -1);
    MemoryContextSwitchTo(caller);
    check_columns(found, columns);
    cache.column_types[i] = found;
  }
  return cache.column_types[i];
}

Ledger decode_account(const Model& model, const AccountArguments& account) {
  MetricSettings settings = model.settings;
  if (account.has_account_start) settings.account_start = account.account_start;
  if (account.has_seats) settings.seats = account.seats;
  return Ledger::decode(account.parts, model.catalog, settings);
}

std::vector<ExternalInput> collect_inputs(const Model& model, const InputArguments& arguments) {
  const auto& [inputs, observed, segments] = arguments;
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

std::vector<ExternalInput> collect_inputs_before(const Model& model, const InputArguments& arguments,
                                                 const PastArguments& past, std::int64_t days) {
  if (days == 0 || !past.inputs.given) return collect_inputs(model, arguments);
  if (past.observed.given && past.observed.rows != past.inputs.rows) {
    throw Error(sqlstate::invalid_parameter_value,
                "past_inputs has " + std::to_string(past.inputs.rows) + " rows, but past_observed has " +
                    std::to_string(past.observed.rows),
                "Row n of both is of n days before.");
  }
  return collect_inputs(
      model, {take_row(past.inputs, days - 1), take_row(past.observed, days - 1), arguments.segments});
}

}  // namespace health::pg
