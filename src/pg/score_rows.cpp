// Scores as rows of their SQL types.
#include "score_rows.hpp"

#include "core/scoring/phrase.hpp"
#include "core/scoring/phrase_format.hpp"

namespace health::pg {

namespace {

constexpr int signal_score_columns = 16;

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
    rows.add_or_null(unknown_name(reading.known() && reading.nobody_active() ? Unknown::nobody_active
                                                                             : reading.score.unknown));
  }
  rows.add(describe_signal(model, i, score));
  const std::string_view remedy = find_next_step(model, i, score, false);
  rows.add_or_null(remedy.empty() ? find_next_step(model, i, score, true) : remedy);
  rows.add(reading.counted);
  rows.add(reading.counted ? std::optional<double>(reading.basis) : std::nullopt);
  rows.add(signal.relative_to_book && i < score.book.size() ? score.book[i] : std::nullopt);
}

// What it adds to the points of the signals, so that all of them add up to the score.
void write_override(RowWriter& rows, const Model& model, const Score& score) {
  const Override& made = *score.overridden_by;
  rows.add(static_cast<int>(model.shown_signals()) + 1);
  rows.add(std::string_view("override"));
  rows.add_null();
  rows.add(std::string_view("override"));
  rows.add(1);
  rows.add(made.value);
  rows.add(std::string(override_kind_name(made.kind)) + " " + show_number(made.value));
  rows.add_null();
  rows.add(0.0);
  rows.add(score.override_points());
  rows.add_null();
  rows.add(describe_override(made, score.as_of));
  for (int column = 0; column < 4; ++column) rows.add_null();
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
  row.add(summary.now.state.in_book());
  row.add_or_null(customer_state_name(summary.now.state.kind));
  row.add_or_null(describe_customer_state(summary.now.state, summary.now.as_of));
  row.add_or_null(summary.now.overridden_by ? describe_override(*summary.now.overridden_by, summary.now.as_of)
                                            : std::string());
  return row.finish();
}

RowBlock signal_rows(const Model& model, const Score& score) {
  RowWriter rows(model.signals.size() + 2, signal_score_columns);
  for (std::size_t i = 0; i < model.shown_signals(); ++i) write_signal(rows, model, i, score);
  if (score.overridden_by) write_override(rows, model, score);
  rows.add(static_cast<int>(model.shown_signals()) + (score.overridden_by ? 2 : 1));
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
  rows.add_or_null(score.state.is_idle(score.as_of) ? model.silence_step : std::string());
  for (int column = 0; column < 3; ++column) rows.add_null();
  return rows.finish();
}

}  // namespace health::pg
