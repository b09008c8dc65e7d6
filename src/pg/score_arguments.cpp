// Unpacking of models, ledgers and inputs.
#include "score_arguments.hpp"

#include <cstring>

#include "core/usage_format.hpp"

#include "cached_document.hpp"
#include "local_day.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
}

namespace health::pg {

namespace {

// What a call site keeps between calls, in fn_mcxt.
struct ScoreCache {
  CachedDocument<Model> models[2];
  TupleDesc row_type;
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

// The elements of a one-dimensional array argument.
struct Elements {
  Datum* values;
  bool* nulls;
  int count;
};

Elements array_elements(FunctionCallInfo fcinfo, int i, const char* name, Oid type, int16 length,
                        bool by_value) {
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(i);
  if (ARR_NDIM(array) > 1) {
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("%s must have one dimension, not %d", name, ARR_NDIM(array))));
  }
  Elements elements{};
  deconstruct_array(array, type, length, by_value, TYPALIGN_INT, &elements.values, &elements.nulls,
                    &elements.count);
  return elements;
}

template <class Inputs>
void check_count(const Model& model, const Inputs& inputs, const char* name) {
  if (!inputs.given || static_cast<std::size_t>(inputs.count) == model.inputs.size()) return;
  throw Error(sqlstate::invalid_parameter_value,
              "the model takes " + std::to_string(model.inputs.size()) + " inputs, but " + name + " has " +
                  std::to_string(inputs.count),
              "health.model_inputs(model) lists them in order; NULL stands for an unknown one.");
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
  if (PG_ARGISNULL(i)) return {};
  const Elements elements = array_elements(fcinfo, i, name, TEXTOID, -1, false);
  auto* values = static_cast<std::string_view*>(
      palloc(sizeof(std::string_view) * static_cast<std::size_t>(elements.count + 1)));
  for (int at = 0; at < elements.count; ++at) {
    values[at] = elements.nulls[at] ? std::string_view() : text_of(elements.values[at]);
  }
  return {values, elements.nulls, elements.count, true};
}

DateInputs date_inputs_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) return {};
  const Elements elements = array_elements(fcinfo, i, name, DATEOID, sizeof(DateADT), true);
  auto* values = static_cast<Day*>(palloc(sizeof(Day) * static_cast<std::size_t>(elements.count + 1)));
  for (int at = 0; at < elements.count; ++at) {
    values[at] = elements.nulls[at] ? 0 : finite_day(DatumGetDateADT(elements.values[at]), name);
  }
  return {values, elements.nulls, elements.count, true};
}

AccountArguments account_arguments(FunctionCallInfo fcinfo, int usage, int account_start, int seats) {
  static constexpr std::uint8_t empty_usage[] = {usage_version, 0};
  AccountArguments account{};
  account.usage = PG_ARGISNULL(usage) ? Bytes(empty_usage) : bytes_argument(fcinfo, usage);
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

TupleDesc kept_row_type(FunctionCallInfo fcinfo, int columns) {
  ScoreCache& cache = score_cache(fcinfo);
  if (cache.row_type == nullptr) {
    TupleDesc found = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &found) != TYPEFUNC_COMPOSITE || found->natts != columns) {
      ereport(
          ERROR,
          (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the function returns a row of %d columns", columns),
           errhint("ALTER EXTENSION account_health UPDATE brings the types up to the library's version.")));
    }
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    cache.row_type = BlessTupleDesc(CreateTupleDescCopy(found));
    MemoryContextSwitchTo(caller);
  }
  return cache.row_type;
}

Ledger decode_account(const Model& model, const AccountArguments& account) {
  MetricSettings settings = model.settings;
  if (account.has_account_start) settings.account_start = account.account_start;
  if (account.has_seats) settings.seats = account.seats;
  return Ledger::decode(UsageReader(account.usage), model.catalog, settings);
}

std::vector<ExternalInput> collect_inputs(const Model& model, const InputArguments& arguments) {
  const auto& [inputs, observed, segments] = arguments;
  check_count(model, inputs, "inputs");
  check_count(model, observed, "observed");
  check_count(model, segments, "segments");
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

}  // namespace health::pg
