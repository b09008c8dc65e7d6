// One SQL function per metric, and what belongs to single metrics: weekly(), top_user(), top_users(),
// first_event(), last_event().
#include "core/metrics/metrics.hpp"

#include "guard.hpp"
#include "local_day.hpp"
#include "metric_options.hpp"
#include "metric_values.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
}

using health::MetricId;
using namespace health::pg;

namespace {

// Of first_event, last_event and, after the number of weeks, weekly.
constexpr MetricOption event_options[] = {MetricOption::catalog, MetricOption::events, MetricOption::actor};

// metric(usage, as_of, the options that it takes): the metric, NULL when it is unknown.
Datum read_metric(FunctionCallInfo fcinfo, MetricId id, std::initializer_list<MetricOption> taken) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, taken);
  const health::Value value = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    return health::evaluate(ledger, request_from(options, id), as_of);
  });
  Datum datum;
  put_value(id, value, datum, fcinfo->isnull);
  return datum;
}

// A day of the record, NULL when there is none.
template <class Choose>
Datum read_day(FunctionCallInfo fcinfo, Choose&& choose) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, event_options);
  const std::optional<health::Day> day = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    return choose(ledger, request_from(options, MetricId::events), as_of);
  });
  if (!day) PG_RETURN_NULL();
  PG_RETURN_DATEADT(*day);
}

}  // namespace

#define METRIC_FUNCTION(metric, ...)                             \
  HEALTH_FUNCTION(health_##metric) {                             \
    using enum MetricOption;                                     \
    return read_metric(fcinfo, MetricId::metric, {__VA_ARGS__}); \
  }
#include "pg/metric_functions.inc"

HEALTH_FUNCTION(health_first_event) {
  return read_day(fcinfo, [](const health::Ledger& ledger, const health::MetricRequest& request,
                             health::Day as_of) { return health::first_event(ledger, request, as_of); });
}

HEALTH_FUNCTION(health_last_event) {
  return read_day(fcinfo, [](const health::Ledger& ledger, const health::MetricRequest& request,
                             health::Day as_of) { return health::last_event(ledger, request, as_of); });
}

// weekly(usage, as_of, weeks, catalog, events, actor): events of the last weeks, oldest first.
HEALTH_FUNCTION(health_weekly) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const int32 weeks = PG_GETARG_INT32(2);
  const MetricOptions options = read_options(fcinfo, 3, event_options);
  const Datum* sums = guarded([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    const auto found = health::weekly(ledger, request_from(options, MetricId::events), as_of, weeks);
    auto* datums = allocate_array<Datum>(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) datums[i] = Int64GetDatum(to_bigint(found[i]));
    return static_cast<const Datum*>(datums);
  });
  PG_RETURN_ARRAYTYPE_P(construct_array(const_cast<Datum*>(sums), weeks, INT8OID, sizeof(int64),
                                        FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// top_user(usage, as_of, catalog, window_days, events, by_value, daily_cap): the id of the largest
// contributor.
HEALTH_FUNCTION(health_top_user) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const MetricOptions options = read_options(fcinfo, 2, concentration_options);
  const Datum user = guarded([&] {
    const health::Ledger ledger = decode_ledger(usage, options);
    const auto top = health::top_user(ledger, request_from(options, MetricId::power_user_dependency), as_of);
    return top ? make_text(ledger.user_text(*top)) : Datum{0};
  });
  if (user == 0) PG_RETURN_NULL();
  return user;
}

namespace {

struct RankedUser {
  Datum user;
  double contribution;
  double share;
  bool share_unknown;  // nobody contributed anything
};

struct RankedUsers {
  RankedUser* users;
  std::size_t count;
};

RankedUsers rank_top_users(health::Bytes usage, health::Day as_of, int32 limit,
                           const MetricOptions& options) {
  if (limit < 0)
    throw health::Error(health::sqlstate::invalid_parameter_value,
                        "top_users must not be asked for a negative number of users");
  const health::Ledger ledger = decode_ledger(usage, options);
  const auto ranked =
      health::contributions(ledger, request_from(options, MetricId::power_user_dependency), as_of);
  health::Exact total = 0;
  for (const auto& one : ranked) total += one.amount;
  RankedUsers result{allocate_array<RankedUser>(ranked.size() + 1), 0};
  for (const auto& one : ranked) {
    if (result.count == static_cast<std::size_t>(limit)) break;
    const double contribution =
        options.by_value ? health::from_micro(one.amount) : health::to_double(one.amount);
    const double share = total == 0 ? 0 : health::to_double(one.amount) / health::to_double(total);
    result.users[result.count++] = {make_text(ledger.user_text(one.user)), contribution, share, total == 0};
  }
  return result;
}

}  // namespace

// top_users(usage, as_of, top_k, catalog, window_days, events, by_value, daily_cap): users with their shares,
// largest first.
HEALTH_FUNCTION(health_top_users) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2)) return Datum{0};
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day as_of = finite_day(PG_GETARG_DATEADT(1), "as_of");
  const int32 limit = PG_GETARG_INT32(2);
  const MetricOptions options = read_options(fcinfo, 3, concentration_options);
  const RankedUsers ranked = guarded([&] { return rank_top_users(usage, as_of, limit, options); });
  for (std::size_t i = 0; i < ranked.count; ++i) {
    const RankedUser& row = ranked.users[i];
    Datum values[] = {row.user, Float8GetDatum(row.contribution), Float8GetDatum(row.share)};
    bool nulls[] = {false, false, row.share_unknown};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    CHECK_FOR_INTERRUPTS();
  }
  return Datum{0};
}
