// The options that the SQL functions on metrics take.
#include "metric_options.hpp"
#include "core/document/model.hpp"

#include "cached_document.hpp"
#include "local_day.hpp"
#include "number_arrays.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
}

namespace health::pg {

namespace {

// What a call site keeps between calls, in fn_mcxt.
struct CallCache {
  CachedDocument<EventCatalog> catalog;
  TupleDesc row_type;
};

CallCache& call_cache(FunctionCallInfo fcinfo) {
  auto* cache = static_cast<CallCache*>(fcinfo->flinfo->fn_extra);
  if (cache == nullptr) {
    cache = static_cast<CallCache*>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallCache)));
    fcinfo->flinfo->fn_extra = cache;
  }
  return *cache;
}

}  // namespace

TextList text_list_argument(FunctionCallInfo fcinfo, int i, const char* name) {
  if (PG_ARGISNULL(i)) return {nullptr, 0, false};
  Datum* elements = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
  auto* items =
      static_cast<std::string_view*>(palloc(sizeof(std::string_view) * static_cast<std::size_t>(count + 1)));
  for (int at = 0; at < count; ++at) {
    if (nulls[at])
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", name)));
    items[at] = text_of(elements[at]);
  }
  return {items, count, true};
}

MetricOptions read_options(FunctionCallInfo fcinfo, int first, std::span<const MetricOption> taken) {
  const MetricSettings defaults;
  MetricOptions options{};
  options.window_days = defaults.window_days;
  options.onboarding_days = defaults.onboarding_days;
  options.onboarding_events = defaults.onboarding_events;
  options.onboarding_window = defaults.onboarding_window;
  options.inactive_after_days = defaults.inactive_after_days;
  options.top_k = default_top_k;
  int i = first - 1;
  for (const MetricOption option : taken) {
    if (PG_ARGISNULL(++i)) continue;
    switch (option) {
      case MetricOption::catalog:
        options.catalog = cached_document(fcinfo, i, call_cache(fcinfo).catalog, parse_catalog);
        break;
      case MetricOption::window_days:
        options.window_days = PG_GETARG_INT32(i);
        break;
      case MetricOption::events:
        options.events = text_list_argument(fcinfo, i, "events");
        break;
      case MetricOption::by_value:
        options.by_value = PG_GETARG_BOOL(i);
        break;
      case MetricOption::top_k:
        options.top_k = PG_GETARG_INT32(i);
        break;
      case MetricOption::user_id:
        options.user = text_argument(fcinfo, i);
        break;
      case MetricOption::account_start:
        options.has_account_start = true;
        options.account_start = PG_GETARG_DATEADT(i);
        break;
      case MetricOption::seats:
        options.has_seats = true;
        options.seats = PG_GETARG_FLOAT8(i);
        break;
      case MetricOption::onboarding_days:
        options.onboarding_days = PG_GETARG_INT32(i);
        break;
      case MetricOption::onboarding_events:
        options.onboarding_events = PG_GETARG_INT32(i);
        break;
      case MetricOption::onboarding_window:
        options.onboarding_window = PG_GETARG_INT32(i);
        break;
      case MetricOption::features:
        options.features = text_list_argument(fcinfo, i, "features");
        break;
      case MetricOption::daily_cap:
        options.has_daily_cap = true;
        options.daily_cap = PG_GETARG_FLOAT8(i);
        break;
      case MetricOption::actor:
        options.actor = text_argument(fcinfo, i);
        break;
      case MetricOption::inactive_after_days:
        options.inactive_after_days = PG_GETARG_INT32(i);
        break;
      case MetricOption::parameters:
        options.has_parameters = true;
        options.parameters = numbers_argument<double>(fcinfo, i, "parameters");
        break;
      case MetricOption::weeks:  // weekly() alone takes it, and reads it itself
        break;
    }
  }
  return options;
}

TupleDesc result_row_type(FunctionCallInfo fcinfo, int columns) {
  CallCache& cache = call_cache(fcinfo);
  if (cache.row_type == nullptr) {
    TupleDesc found = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &found) != TYPEFUNC_COMPOSITE)
      ereport(ERROR,
              (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the function must be called for a row")));
    if (found->natts != columns)
      ereport(
          ERROR,
          (errcode(ERRCODE_DATATYPE_MISMATCH),
           errmsg("the row type has %d columns, not %d", found->natts, columns),
           errhint("ALTER EXTENSION account_health UPDATE brings the types up to the library's version.")));
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    cache.row_type = BlessTupleDesc(CreateTupleDescCopy(found));
    MemoryContextSwitchTo(caller);
  }
  return cache.row_type;
}

MetricSettings settings_from(const MetricOptions& options) {
  MetricSettings settings;
  settings.window_days = options.window_days;
  if (options.has_account_start) set_start(settings, options.account_start);
  if (options.has_seats) settings.seats = options.seats;
  settings.onboarding_days = options.onboarding_days;
  settings.onboarding_events = options.onboarding_events;
  settings.onboarding_window = options.onboarding_window;
  settings.inactive_after_days = options.inactive_after_days;
  if (!options.actor.empty()) settings.actor = options.actor;
  if (options.features.given)
    settings.features.emplace(options.features.items, options.features.items + options.features.count);
  if (options.has_daily_cap) settings.daily_cap = options.daily_cap;
  if (options.has_parameters) settings.bgbb = bgbb_parameters(options.parameters);
  return settings;
}

MetricRequest request_from(const MetricOptions& options, MetricId id) {
  MetricRequest request;
  request.id = id;
  request.events.assign(options.events.items, options.events.items + options.events.count);
  request.by_value = options.by_value;
  request.top_k = options.top_k;
  request.user = options.user;
  if (options.has_parameters) request.bgbb = bgbb_parameters(options.parameters);
  return request;
}

Ledger decode_ledger(Bytes usage, const MetricOptions& options) {
  const EventCatalog everything;
  return Ledger::decode(usage, options.catalog != nullptr ? *options.catalog : everything,
                        settings_from(options));
}

}  // namespace health::pg
