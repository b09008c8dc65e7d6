// observe_dates(): the observations of an account for a backtest.
#include "core/scoring/observation.hpp"

#include <algorithm>
#include <limits>

#include "score_arguments.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
}

using namespace health::pg;

namespace {

constexpr int observation_columns = 10;

// Of one day. Plain memory; texts are 0 for none.
struct Observed {
  health::Day day;
  bool in_book, known, active_after, after_is_known;
  double score, recency, events;
  Datum band, state, reason;
  Datum* normalized;
  bool* unknown;
};
struct ObservedDays {
  Observed* days;
  int count;
};

// Whether tracking was broken on a day of the horizon: that nobody was seen in it says nothing then.
bool touches_outage(std::span<const health::Outage> outages, health::Day day, int gap, int horizon) {
  const std::int64_t from = std::int64_t{day} + gap;
  return std::any_of(outages.begin(), outages.end(), [&](const health::Outage& outage) {
    return outage.last >= from && outage.first < from + horizon;
  });
}

Datum text_or_none(std::string_view text) { return text.empty() ? Datum{0} : make_text(text); }

Observed keep_observation(const health::Model& model, const health::Observation& seen, health::Day day,
                          bool touches) {
  const health::Score& score = seen.score;
  const std::size_t signals = model.signals.size();
  Observed one{day,
               seen.in_book,
               score.score.has_value(),
               seen.active_after,
               seen.active_after || !touches,
               score.score.value_or(0),
               seen.last_active ? static_cast<double>(std::int64_t{day} - *seen.last_active)
                                : std::numeric_limits<double>::infinity(),
               seen.events,
               text_or_none(score.band(model)),
               text_or_none(customer_state_name(score.state.kind)),
               text_or_none(score.unknown_reason),
               allocate_array<Datum>(signals + 1),
               allocate_array<bool>(signals + 1)};
  for (std::size_t i = 0; i < signals; ++i) {
    const bool counts =
        model.signals[i].is_group() ? score.tree.signals[i].counts : score.readings[i].known();
    one.unknown[i] = !counts;
    one.normalized[i] = Float8GetDatum(counts ? score.tree.signals[i].score : 0);
  }
  return one;
}

}  // namespace

// observe_dates(model, account, dates, gap, horizon, outages)
HEALTH_FUNCTION(health_observe_dates) {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const DateInputs dates = dates_argument(fcinfo, 2, "dates");
  const int gap = PG_GETARG_INT32(3);
  const int horizon = PG_GETARG_INT32(4);
  const auto outages = outages_argument(fcinfo, 5);
  const ObservedDays observed = guarded_in_scratch([&] {
    ObservedDays kept{allocate_array<Observed>(static_cast<std::size_t>(dates.count) + 1), 0};
    const health::Ledger now = decode_account(*model, account);
    const bool has_late = has_late_rows(account);
    for (int at = 0; at < dates.count; ++at) {
      health::poll_cancel();
      const health::Day day = dates.values[at];
      const health::Day seen_on = account.seen_on(day);
      const std::int64_t before = std::int64_t{account.as_of} - seen_on;
      if (!account.has_account(before)) continue;
      const auto inputs = collect_inputs(*model, account, before);
      std::optional<health::Ledger> known;
      if (has_late) known = decode_account(*model, account, day);
      const health::Observation seen =
          health::observe_account(*model, known ? *known : now, now, inputs, day, seen_on, gap, horizon);
      kept.days[kept.count++] =
          keep_observation(*model, seen, day, touches_outage(outages, day, gap, horizon));
    }
    return kept;
  });
  int dimensions[] = {static_cast<int>(model->signals.size())};
  int lower_bounds[] = {1};
  for (int at = 0; at < observed.count; ++at) {
    const Observed& one = observed.days[at];
    Datum values[observation_columns] = {
        DateADTGetDatum(one.day),
        BoolGetDatum(one.in_book),
        Float8GetDatum(one.score),
        one.band,
        one.state,
        one.reason,
        Float8GetDatum(one.recency),
        Float8GetDatum(one.events),
        BoolGetDatum(one.active_after),
        PointerGetDatum(construct_md_array(one.normalized, one.unknown, 1, dimensions, lower_bounds,
                                           FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
    bool nulls[observation_columns] = {};
    nulls[2] = !one.known;
    nulls[8] = !one.after_is_known;
    nulls[3] = one.band == 0;
    nulls[4] = one.state == 0;
    nulls[5] = one.reason == 0;
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return Datum{0};
}
