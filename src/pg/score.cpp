// score_account, score_signals, score_series, score_without_user: an account's score from one decode of its
// ledger.
#include "core/score.hpp"

#include "core/phrase.hpp"
#include "core/phrase_format.hpp"
#include "core/score_summary.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

using namespace health::pg;

namespace {

constexpr int account_score_columns = 9;
constexpr int signal_score_columns = 12;
constexpr int series_columns = 5;

// model, usage, as_of, account_start, seats, inputs, observed, segments: what all but score_series take, in
// this order.
struct ScoreArguments {
  const health::Model* model;
  health::Day as_of;
  AccountArguments account;
  InputArguments inputs;
};

ScoreArguments score_arguments(FunctionCallInfo fcinfo) {
  return {model_argument(fcinfo, 0, 0, "model"),
          day_argument(fcinfo, 2, "as_of"),
          account_arguments(fcinfo, 1, 3, 4),
          {text_inputs_argument(fcinfo, 5, "inputs"), date_inputs_argument(fcinfo, 6, "observed"),
           text_inputs_argument(fcinfo, 7, "segments")}};
}

RowBlock summary_row(const health::Model& model, const health::ScoreSummary& summary) {
  RowWriter row(1, account_score_columns);
  row.add(summary.now.score);
  row.add_or_null(summary.now.band(model));
  row.add(summary.now.tree.coverage);
  row.add_or_null(summary.now.unknown_reason);
  row.add(summary.change_7d);
  row.add(summary.change_28d);
  row.add(summary.main_reason);
  row.add_or_null(summary.next_step);
  row.add(summary.without_top_user);
  return row.finish();
}

void write_signal(RowWriter& rows, const health::Model& model, std::size_t i, const health::Score& score,
                  const health::Ledger& ledger) {
  const health::Signal& signal = model.signals[i];
  const health::Reading& reading = score.readings[i];
  const health::SignalScore& weighed = score.tree.signals[i];
  const bool category = signal.normalize.takes_categories();
  rows.add(static_cast<int>(i) + 1);
  rows.add(signal.name);
  if (signal.parent < 0) {
    rows.add_null();
  } else {
    rows.add(model.signals[static_cast<std::size_t>(signal.parent)].name);
  }
  rows.add(signal.label);
  rows.add(signal.level);
  if (!signal.is_group() && !category && reading.raw.known()) {
    rows.add(reading.raw.number);
  } else {
    rows.add_null();
  }
  rows.add_or_null(!reading.text.empty()                       ? reading.text
                   : !signal.is_group() && reading.raw.known() ? health::show_raw(signal, reading)
                                                               : std::string());
  if (weighed.counts) {
    rows.add(weighed.score);
  } else {
    rows.add_null();
  }
  rows.add(weighed.weight);
  if (weighed.counts) {
    rows.add(weighed.points);
  } else {
    rows.add_null();
  }
  if (signal.is_group()) {
    rows.add_or_null(weighed.counts ? "" : "no_data");
  } else {
    rows.add_or_null(health::unknown_name(reading.score.unknown));
  }
  rows.add(health::describe_signal(model, i, score, ledger));
}

RowBlock signal_rows(const health::Model& model, const health::Score& score, const health::Ledger& ledger) {
  RowWriter rows(model.signals.size() + 1, signal_score_columns);
  for (std::size_t i = 0; i < model.signals.size(); ++i) write_signal(rows, model, i, score, ledger);
  rows.add(static_cast<int>(model.signals.size()) + 1);
  rows.add(std::string_view("score"));
  rows.add_null();
  rows.add(std::string_view("score"));
  rows.add(0);
  rows.add(score.score);
  rows.add_or_null(score.band(model));
  rows.add(score.score);
  rows.add(1.0);
  rows.add(score.score);
  rows.add_or_null(score.unknown_reason);
  rows.add(health::describe_score(model, score, ledger));
  return rows.finish();
}

}  // namespace

HEALTH_FUNCTION(health_score_account) {
  const ScoreArguments arguments = score_arguments(fcinfo);
  const PastArguments past = past_arguments(fcinfo, 8);
  const TupleDesc row_type = kept_row_type(fcinfo, account_score_columns);
  const RowBlock row = guarded([&] {
    const health::Model& model = *arguments.model;
    const health::Ledger ledger = decode_account(model, arguments.account);
    const auto now = collect_inputs(model, arguments.inputs);
    const auto week_ago = collect_inputs_before(model, arguments.inputs, past, 7);
    const auto month_ago = collect_inputs_before(model, arguments.inputs, past, 28);
    return summary_row(model,
                       health::summarize_score(model, ledger, {now, week_ago, month_ago}, arguments.as_of));
  });
  return HeapTupleGetDatum(heap_form_tuple(row_type, row.values, row.nulls));
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
