// Scores as rows of their SQL types.
#include "score_rows.hpp"

#include "core/scoring/phrase.hpp"
#include "core/scoring/phrase_format.hpp"

namespace health::pg {

namespace {

void write_signal(RowWriter& rows, const Model& model, std::size_t i, const Score& score) {
  const Signal& signal = model.signals[i];
  const Reading& reading = score.readings[i];
  const SignalScore& weighed = score.tree.signals[i];
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
                   : !signal.is_group() && reading.raw.known() ? show_raw(signal, reading)
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
    rows.add_or_null(unknown_name(reading.score.unknown));
  }
  rows.add(describe_signal(model, i, score));
}

}  // namespace

RowBlock summary_row(const Model& model, const ScoreSummary& summary) {
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

RowBlock signal_rows(const Model& model, const Score& score) {
  constexpr int signal_score_columns = 12;
  RowWriter rows(model.signals.size() + 1, signal_score_columns);
  for (std::size_t i = 0; i < model.signals.size(); ++i) write_signal(rows, model, i, score);
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
  rows.add(describe_score(model, score));
  return rows.finish();
}

}  // namespace health::pg
