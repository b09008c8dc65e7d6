// features(), feature_usage(), feature_days(): which features of the product an account uses.
#include "core/metrics/features.hpp"

#include <algorithm>

#include "metric_values.hpp"
#include "number_arrays.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

namespace {

// Plain memory.
struct Datums {
  const Datum* values;
  int count;
};

Datum bigint_array(const Datums& numbers) {
  return PointerGetDatum(construct_array(const_cast<Datum*>(numbers.values), numbers.count, INT8OID,
                                         sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

}  // namespace

// features(model)
HEALTH_FUNCTION(health_features) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const Datums names = guarded([&] {
    const auto features = health::entitled_features(model->catalog, model->settings);
    auto* datums = allocate_array<Datum>(features.size() + 1);
    std::transform(features.begin(), features.end(), datums,
                   [](const std::string& name) { return make_text(name); });
    return Datums{datums, static_cast<int>(features.size())};
  });
  return PointerGetDatum(
      construct_array(const_cast<Datum*>(names.values), names.count, TEXTOID, -1, false, TYPALIGN_INT));
}

// feature_usage(model, account)
HEALTH_FUNCTION(health_feature_usage) {
  constexpr int columns = 6;
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const RowBlock rows = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    const auto names = health::entitled_features(model->catalog, model->settings);
    RowWriter writer(names.size(), columns);
    const int days = ledger.settings().window_days;
    if (!ledger.is_in_book(account.as_of)) return writer.finish();
    const bool known = !account.repeated && !ledger.begins_after(health::days_before(account.as_of, days));
    const auto uses = health::measure_features(ledger, account.as_of, days);
    for (std::size_t i = 0; i < names.size(); ++i) {
      writer.add(names[i]);
      writer.add(known);
      writer.add_bigint(to_bigint(health::to_double(uses[i].events)));
      writer.add_bigint(uses[i].users);
      writer.add(health::from_micro(uses[i].points));
      uses[i].first_day ? writer.add_date(*uses[i].first_day) : writer.add_null();
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// feature_days(model, account, dates, weights, days)
HEALTH_FUNCTION(health_feature_days) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const DateInputs dates = dates_argument(fcinfo, 2, "dates");
  const auto weights = numbers_argument<std::int64_t>(fcinfo, 3, "weights");
  const int32 days_before = PG_GETARG_INT32(4);
  if (static_cast<std::size_t>(dates.count) != weights.size())
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("dates and weights differ in number")));
  const Datums numbers = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    std::vector<health::WeightedDay> days;
    for (int i = 0; i < dates.count; ++i) {
      const health::Day seen_on = account.seen_on(dates.values[i]);
      if (account.has_account(std::int64_t{account.as_of} - seen_on))
        days.push_back({seen_on, weights[static_cast<std::size_t>(i)]});
    }
    const health::FeatureDays counted = health::count_feature_days(ledger, days, days_before);
    auto* datums = allocate_array<Datum>(counted.used.size() + 2);
    datums[0] = Int64GetDatum(counted.days);
    datums[1] = Int64GetDatum(counted.unknown);
    std::transform(counted.used.begin(), counted.used.end(), datums + 2,
                   [](std::int64_t used) { return Int64GetDatum(used); });
    return Datums{datums, static_cast<int>(counted.used.size()) + 2};
  });
  return bigint_array(numbers);
}
