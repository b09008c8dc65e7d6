// score_account, score_signals, score_details, score_series, score_without_user: an account's score from one
// decode of its ledger.
#include "core/scoring/score.hpp"

#include "core/scoring/score_summary.hpp"
#include "metric_row.hpp"
#include "score_arguments.hpp"
#include "score_rows.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/array.h"
}

using namespace health::pg;

namespace {

constexpr int series_columns = 5;
enum DetailColumn { scored_column, measured_column, signals_column, detail_columns };

// model, usage, as_of, account_start, seats, inputs, observed, segments: what all but score_series take, in
// this order.
struct ScoreArguments {
  const health::Model* model;
  health::Day as_of;
  AccountArguments account;
  InputArguments inputs;
};

ScoreArguments score_arguments(FunctionCallInfo fcinfo, const AccountArguments& account) {
  return {model_argument(fcinfo, 0, 0, "model"),
          day_argument(fcinfo, 2, "as_of"),
          account,
          {text_inputs_argument(fcinfo, 5, "inputs"), date_inputs_argument(fcinfo, 6, "observed"),
           text_inputs_argument(fcinfo, 7, "segments")}};
}

ScoreArguments score_arguments(FunctionCallInfo fcinfo) {
  return score_arguments(fcinfo, account_arguments(fcinfo, 1, 3, 4));
}

health::ScoreSummary summarize(const health::Ledger& ledger, const ScoreArguments& arguments,
                               const PastArguments& past) {
  const health::Model& model = *arguments.model;
  const auto now = collect_inputs(model, arguments.inputs);
  const auto week_ago = collect_inputs_before(model, arguments.inputs, past, 7);
  const auto month_ago = collect_inputs_before(model, arguments.inputs, past, 28);
  return health::summarize_score(model, ledger, {now, week_ago, month_ago}, arguments.as_of);
}

}  // namespace

HEALTH_FUNCTION(health_score_account) {
  const ScoreArguments arguments = score_arguments(fcinfo);
  const PastArguments past = past_arguments(fcinfo, 8);
  const TupleDesc row_type = kept_row_type(fcinfo, account_score_columns);
  const RowBlock row = guarded([&] {
    const health::Ledger ledger = decode_account(*arguments.model, arguments.account);
    return summary_row(*arguments.model, summarize(ledger, arguments, past));
  });
  return HeapTupleGetDatum(heap_form_tuple(row_type, row.values, row.nulls));
}

namespace {

// Rows as an array of their composite type. May ereport.
Datum row_array(const RowBlock& rows, TupleDesc row_type) {
  auto* items = static_cast<Datum*>(palloc(sizeof(Datum) * rows.rows));
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const std::size_t at = row * static_cast<std::size_t>(rows.columns);
    items[row] = HeapTupleGetDatum(heap_form_tuple(row_type, rows.values + at, rows.nulls + at));
  }
  return PointerGetDatum(
      construct_array(items, static_cast<int>(rows.rows), row_type->tdtypeid, -1, false, TYPALIGN_DOUBLE));
}

}  // namespace

// The arguments of score_account, but for the usage in parts.
HEALTH_FUNCTION(health_score_details) {
  const ScoreArguments arguments = score_arguments(fcinfo, account_parts_arguments(fcinfo, 1, 3, 4));
  const PastArguments past = past_arguments(fcinfo, 8);
  const TupleDesc row_type = kept_row_type(fcinfo, detail_columns);
  const TupleDesc scored_type = kept_column_type(fcinfo, scored_column, account_score_columns);
  const TupleDesc measured_type = kept_column_type(fcinfo, measured_column, metric_row_columns);
  const TupleDesc signal_type = kept_column_type(fcinfo, signals_column, signal_score_columns);
  struct Details {
    RowBlock scored;
    MetricRow measured;
    RowBlock signals;
  };
  const Details details = guarded([&] {
    const health::Model& model = *arguments.model;
    const health::Ledger ledger = decode_account(model, arguments.account);
    const health::ScoreSummary summary = summarize(ledger, arguments, past);
    return Details{summary_row(model, summary), evaluate_metrics(ledger, arguments.as_of),
                   signal_rows(model, summary.now, ledger)};
  });
  Datum metrics[metric_row_columns];
  bool metric_nulls[metric_row_columns];
  put_metrics(details.measured, metrics, metric_nulls);
  Datum values[] = {
      HeapTupleGetDatum(heap_form_tuple(scored_type, details.scored.values, details.scored.nulls)),
      HeapTupleGetDatum(heap_form_tuple(measured_type, metrics, metric_nulls)),
      row_array(details.signals, signal_type)};
  bool nulls[] = {false, false, false};
  return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

HEALTH_FUNCTION(health_score_signals) {
  InitMaterializedSRF(fcinfo, 0);
  const ScoreArguments arguments = score_arguments(fcinfo);
  const RowBlock rows = guarded([&] {
    const health::Ledger ledger = decode_account(*arguments.model, arguments.account);
    const auto inputs = collect_inputs(*arguments.model, arguments.inputs);
    return signal_rows(*arguments.model,
                       health::score_account(*arguments.model, ledger, inputs, arguments.as_of), ledger);
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}

HEALTH_FUNCTION(health_score_without_user) {
  const ScoreArguments arguments = score_arguments(fcinfo);
  if (PG_ARGISNULL(8)) PG_RETURN_NULL();
  const std::string_view user = text_argument(fcinfo, 8);
  struct Result {
    bool known;
    double score;
  };
  const Result result = guarded([&] {
    const health::Ledger ledger = decode_account(*arguments.model, arguments.account);
    const auto inputs = collect_inputs(*arguments.model, arguments.inputs);
    const auto index = ledger.find_user(user);
    const health::Score score =
        index ? health::score_account(*arguments.model, ledger.without_user(*index), inputs, arguments.as_of)
              : health::score_account(*arguments.model, ledger, inputs, arguments.as_of);
    return Result{score.score.has_value(), score.score.value_or(0)};
  });
  if (!result.known) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(result.score);
}

// score_series(model, usage, account_start, seats, inputs, observed, segments, from_date, to_date, step,
// past_inputs, past_observed)
HEALTH_FUNCTION(health_score_series) {
  InitMaterializedSRF(fcinfo, 0);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountArguments account = account_arguments(fcinfo, 1, 2, 3);
  const InputArguments arguments{text_inputs_argument(fcinfo, 4, "inputs"),
                                 date_inputs_argument(fcinfo, 5, "observed"),
                                 text_inputs_argument(fcinfo, 6, "segments")};
  const health::Day from = day_argument(fcinfo, 7, "from_date");
  const health::Day to = day_argument(fcinfo, 8, "to_date");
  const int32 step = PG_ARGISNULL(9) ? 1 : PG_GETARG_INT32(9);
  const PastArguments past = past_arguments(fcinfo, 10);
  const RowBlock rows = guarded([&] {
    const std::int64_t count = series_length(from, to, step);
    const health::Ledger ledger = decode_account(*model, account);
    auto inputs = collect_inputs(*model, arguments);
    RowWriter writer(static_cast<std::size_t>(count), series_columns);
    for (std::int64_t day = from; day <= to; day += step) {
      health::poll_cancel();
      if (past.inputs.given) inputs = collect_inputs_before(*model, arguments, past, to - day);
      const health::Score score =
          health::score_account(*model, ledger, inputs, static_cast<health::Day>(day));
      writer.add_date(static_cast<health::Day>(day));
      writer.add(score.score);
      writer.add_or_null(score.band(*model));
      writer.add(score.tree.coverage);
      writer.add_or_null(score.unknown_reason);
    }
    return writer.finish();
  });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
