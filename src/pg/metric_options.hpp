// The options that the SQL functions on metrics take, unpacked into plain memory.
#pragma once

#include <algorithm>
#include <limits>

#include "core/base/day.hpp"
#include "core/metrics/metrics.hpp"
#include "guard.hpp"
#include "pg/metric_columns.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace health::pg {

// A text[] argument; `given` is false for NULL.
struct TextList {
  std::string_view* items;
  int count;
  bool given;
};

struct MetricOptions {
  const EventCatalog* catalog;  // null: every event qualifies. Owned by the function's cache
  int window_days;
  TextList events;
  bool by_value;
  int top_k;
  std::string_view user;
  std::string_view actor;
  bool has_account_start;
  Day account_start;
  bool has_seats;
  double seats;
  int onboarding_days;
  int onboarding_events;
  int onboarding_window;
  int inactive_after_days;
  TextList features;
  bool has_daily_cap;
  double daily_cap;
  bool has_parameters;
  std::span<const double> parameters;
};

// Sets the start of an account to a date. -infinity: since ever, as without one; infinity: on no day yet.
inline void set_start(MetricSettings& settings, Day date) {
  if (date != std::numeric_limits<Day>::min()) settings.account_start = std::min(date, max_day);
}

// Reads arguments from `first` on: the options that the function takes, in order. NULL means the default. May
// ereport; parses the catalog, and keeps it for the next call.
MetricOptions read_options(FunctionCallInfo fcinfo, int first, std::span<const MetricOption> taken);

// A text[] argument without NULLs. May ereport, naming it.
TextList text_list_argument(FunctionCallInfo fcinfo, int i, const char* name);

// The row type that the function is called for, blessed and kept for the next call. May ereport.
TupleDesc result_row_type(FunctionCallInfo fcinfo, int columns);

// The following run inside guarded(...).
MetricSettings settings_from(const MetricOptions& options);
MetricRequest request_from(const MetricOptions& options, MetricId id);
Ledger decode_ledger(Bytes usage, const MetricOptions& options);

}  // namespace health::pg
