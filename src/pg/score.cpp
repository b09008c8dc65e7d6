// score_account, score_signals, signal_rows, score_details, score_series, score_without_user, raw_values: an
// account's score from one decode of its ledger.
#include "core/scoring/score.hpp"

#include "core/scoring/score_summary.hpp"
#include "metric_row.hpp"
#include "relative_to_book.hpp"
#include "score_arguments.hpp"
#include "score_rows.hpp"
#include "signal_values.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
}

using namespace health::pg;

namespace {

constexpr int series_columns = 6;
constexpr int detail_columns = account_score_columns + metric_row_columns + 1;

health::ScoreSummary summarize(const health::Model& model, const health::Ledger& ledger,
                               const AccountState& account) {
  const auto days_before = [&](int days) {
    return std::int64_t{account.as_of} - account.seen_on(health::days_before(account.as_of, days));
  };
  const std::int64_t week = days_before(7);
  const std::int64_t month = days_before(28);
  const auto now = collect_inputs(model, account);
  const auto week_ago = collect_inputs(model, account, week);
  const auto month_ago = collect_inputs(model, account, month);
  const auto overrides = collect_overrides(account.overrides);
  return health::summarize_score(
      model, ledger,
      {now, week_ago, month_ago, account.has_one(week), account.has_one(month), overrides, account.outages},
      account.as_of);
}

}  // namespace

HEALTH_FUNCTION(health_score_account) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const TupleDesc row_type = kept_row_type(fcinfo, account_score_columns);
  const RowBlock row = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    return summary_row(*model, summarize(*model, ledger, account));
  });
  return HeapTupleGetDatum(heap_form_tuple(row_type, row.values, row.nulls));
}

// The columns of health.account_score and of health.metrics_record, and the signals.
HEALTH_FUNCTION(health_score_details) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const TupleDesc row_type = kept_row_type(fcinfo, detail_columns);
  const TupleDesc signals_type = kept_column_type(fcinfo, signal_values_columns);
  struct Details {
    RowBlock scored;
    MetricRow measured;
    SignalArrays signals;
  };
  const Details details = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    const health::ScoreSummary summary = summarize(*model, ledger, account);
    return Details{summary_row(*model, summary), evaluate_metrics(ledger, account.as_of),
                   keep_readings(*model, summary.now)};
  });
  Datum values[detail_columns];
  bool nulls[detail_columns];
  std::copy_n(details.scored.values, account_score_columns, values);
  std::copy_n(details.scored.nulls, account_score_columns, nulls);
  put_metrics(details.measured, values + account_score_columns, nulls + account_score_columns);
  values[detail_columns - 1] = make_signal_values(details.signals, signals_type);
  nulls[detail_columns - 1] = false;
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

HEALTH_FUNCTION(health_score_signals) {
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const RowBlock rows = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    return signal_rows(*model, health::score_account(*model, ledger, collect_inputs(*model, account),
                                                     account.as_of, collect_overrides(account.overrides)));
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

// signal_rows(model, as_of, signals, overrides, book)
HEALTH_FUNCTION(health_signal_rows) {
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const health::Day as_of = day_argument(fcinfo, 1, "as_of");
  if (PG_ARGISNULL(2)) return Datum{0};
  HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(2);
  const SignalArrays arrays =
      open_signal_values(HeapTupleHeaderGetDatum(header),
                         kept_argument_type(fcinfo, HeapTupleHeaderGetTypeId(header), signal_values_columns));
  const auto overrides = overrides_argument(fcinfo, 3);
  const BookArgument book = book_argument(fcinfo, 4);
  const RowBlock rows = guarded_in_scratch([&] {
    health::Score score = restore_score(*model, arrays, as_of, collect_overrides(overrides));
    score.book = collect_book(*model, book);
    return signal_rows(*model, score);
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

HEALTH_FUNCTION(health_score_without_user) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  if (PG_ARGISNULL(2)) PG_RETURN_NULL();
  const std::string_view user = text_argument(fcinfo, 2);
  struct Result {
    bool known;
    double score;
  };
  const Result result = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    const auto inputs = collect_inputs(*model, account);
    const auto overrides = collect_overrides(account.overrides);
    const health::Score now = health::score_account(*model, ledger, inputs, account.as_of, overrides);
    const auto index = ledger.find_user(user);
    const auto score =
        index ? health::score_without(*model, now, ledger, *index, inputs, overrides) : now.score;
    return Result{score.has_value(), score.value_or(0)};
  });
  if (!result.known) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(result.score);
}

// raw_values(model, account, dates): an array of a row per date with a column per signal.
HEALTH_FUNCTION(health_raw_values) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const DateInputs dates = dates_argument(fcinfo, 2, "dates");
  struct Values {
    Datum* values;
    bool* nulls;
  };
  const auto columns = model->signals.size();
  const Values raw = guarded_in_scratch([&] {
    const auto rows = static_cast<std::size_t>(dates.count);
    const Values result{allocate_array<Datum>(rows * columns + 1), allocate_array<bool>(rows * columns + 1)};
    const health::Ledger ledger = decode_account(*model, account);
    for (std::size_t row = 0; row < rows; ++row) {
      const health::Day as_of = account.seen_on(dates.values[row]);
      const auto inputs = collect_inputs(*model, account, std::int64_t{account.as_of} - as_of);
      const auto readings = health::read_signals(*model, ledger, inputs, as_of);
      for (std::size_t i = 0; i < columns; ++i) {
        result.nulls[row * columns + i] = model->signals[i].is_group() || !readings[i].raw.known();
        result.values[row * columns + i] = Float8GetDatum(readings[i].raw.number);
      }
    }
    return result;
  });
  int dimensions[] = {dates.count, static_cast<int>(columns)};
  int lower_bounds[] = {1, 1};
  return PointerGetDatum(construct_md_array(raw.values, raw.nulls, 2, dimensions, lower_bounds, FLOAT8OID,
                                            sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// score_series(model, account, from_date, to_date, step)
HEALTH_FUNCTION(health_score_series) {
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const health::Day from = day_argument(fcinfo, 2, "from_date");
  const health::Day to = day_argument(fcinfo, 3, "to_date");
  const int32 step = PG_ARGISNULL(4) ? 1 : PG_GETARG_INT32(4);
  const RowBlock rows = guarded_in_scratch([&] {
    const std::int64_t count = series_length(from, to, step);
    const health::Ledger ledger = decode_account(*model, account);
    auto inputs = collect_inputs(*model, account);
    const auto overrides = collect_overrides(account.overrides);
    RowWriter writer(static_cast<std::size_t>(count), series_columns);
    for (std::int64_t day = from; day <= to; day += step) {
      health::poll_cancel();
      if (!account.has_account(account.as_of - account.seen_on(static_cast<health::Day>(day)))) continue;
      const health::Score score =
          score_day(*model, account, ledger, inputs, static_cast<health::Day>(day), overrides);
      writer.add_date(static_cast<health::Day>(day));
      writer.add(score.score);
      writer.add_or_null(score.band(*model));
      writer.add(score.tree.coverage);
      writer.add_or_null(score.unknown_reason);
      writer.add_or_null(customer_state_name(score.state.kind));
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
