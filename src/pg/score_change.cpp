// score_change(): why a score moved between two dates, in rows that add up and a sentence.
#include "core/scoring/decompose.hpp"

#include "core/scoring/phrase.hpp"
#include "core/scoring/phrase_drivers.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "funcapi.h"
}

using namespace health::pg;

namespace {

constexpr int change_row_columns = 11;

// score_change(model_from, model_to, before, after, override_from, override_to). Usage, start, seats and
// segments are those of the account now, after the change.
struct ChangeArguments {
  const health::Model* before;
  const health::Model* after;
  AccountState earlier, later;
  bool has_override_from, has_override_to;
  double override_from, override_to;
};

ChangeArguments change_arguments(FunctionCallInfo fcinfo) {
  ChangeArguments a{};
  a.before = model_argument(fcinfo, 0, 0, "model_from");
  a.after = model_argument(fcinfo, 1, 1, "model_to");
  if (same_model_arguments(fcinfo)) a.after = a.before;
  a.earlier = state_argument(fcinfo, 2, "before");
  a.later = state_argument(fcinfo, 3, "after");
  a.earlier.now.segments.given = false;
  a.has_override_from = !PG_ARGISNULL(4);
  a.has_override_to = !PG_ARGISNULL(5);
  if (a.has_override_from) a.override_from = PG_GETARG_FLOAT8(4);
  if (a.has_override_to) a.override_to = PG_GETARG_FLOAT8(5);
  return a;
}

// The two ends of a change and the later one by the earlier model, whose ledger is given.
struct Ends {
  health::Score from, to, to_by_old_model;
};

Ends score_ends(const ChangeArguments& a, const health::Ledger& ledger) {
  auto earlier = collect_inputs(*a.before, a.earlier);
  const auto later = collect_inputs(*a.after, a.later);
  health::take_segments(*a.before, earlier, *a.after, later);
  // Overrides are of the account, not of a day: those of either end are all that there are.
  const auto made_before = collect_overrides(a.earlier.overrides),
             made = collect_overrides(a.later.overrides);
  Ends ends;
  ends.from = health::score_account(*a.before, ledger, earlier, a.earlier.as_of, made_before);
  if (a.before == a.after) {
    ends.to = health::score_account(*a.after, ledger, later, a.later.as_of, made);
    ends.to_by_old_model = ends.to;
  } else {
    ends.to = health::score_account(*a.after, decode_account(*a.after, a.later), later, a.later.as_of, made);
    ends.to_by_old_model = health::score_account(
        *a.before, ledger, health::inputs_for_earlier_model(*a.before, earlier, *a.after, later),
        a.later.as_of, made);
  }
  return ends;
}

void add_raw(RowWriter& rows, const health::Signal& signal, const health::Reading& reading) {
  if (reading.raw.known() || !reading.text.empty()) {
    rows.add(health::show_raw(signal, reading));
  } else {
    rows.add_null();
  }
}

void add_score(RowWriter& rows, const health::Standing& standing) {
  if (standing.counts) {
    rows.add(standing.score);
  } else {
    rows.add_null();
  }
}

RowBlock change_rows(const ChangeArguments& a) {
  const health::Ledger ledger = decode_account(*a.before, a.later);
  const Ends ends = score_ends(a, ledger);
  const auto optional = [](bool given, double number) {
    return given ? std::optional<double>(number) : std::nullopt;
  };
  const health::ScoreChange change = health::decompose_change(
      *a.before, ends.from, ends.to_by_old_model, ends.to, optional(a.has_override_from, a.override_from),
      optional(a.has_override_to, a.override_to));
  RowWriter rows(change.parts.size() + 1, change_row_columns);
  int position = 0;
  for (const health::ChangePart& part : change.parts) {
    rows.add(++position);
    rows.add(health::change_step_name(part.step));
    if (part.signal < 0) {
      for (int column = 0; column < 6; ++column) rows.add_null();
    } else {
      const auto i = static_cast<std::size_t>(part.signal);
      const health::Signal& signal = a.before->signals[i];
      rows.add(signal.name);
      rows.add(signal.label);
      add_raw(rows, signal, ends.from.readings[i]);
      add_raw(rows, signal, ends.to_by_old_model.readings[i]);
      add_score(rows, ends.from.standings[i]);
      add_score(rows, ends.to_by_old_model.standings[i]);
    }
    rows.add(part.points);
    rows.add(health::describe_part(*a.before, part, ends.from, ends.to_by_old_model));
    rows.add_or_null(part.step == health::ChangeStep::values
                         ? health::describe_drivers(*a.before, static_cast<std::size_t>(part.signal),
                                                    ends.from, ends.to_by_old_model, ledger)
                         : std::string());
  }
  rows.add(++position);
  rows.add(std::string_view("total"));
  for (int column = 0; column < 4; ++column) rows.add_null();
  rows.add(change.from);
  rows.add(change.to);
  rows.add(change.unknown_reason.empty() ? std::optional<double>(change.total) : std::nullopt);
  rows.add(health::describe_change(*a.before, change, ends.from, ends.to_by_old_model));
  rows.add_null();
  return rows.finish();
}

}  // namespace

HEALTH_FUNCTION(health_score_change) {
  InitMaterializedSRF(fcinfo, 0);
  const ChangeArguments arguments = change_arguments(fcinfo);
  const RowBlock rows = guarded_in_scratch([&] { return change_rows(arguments); });
  store_rows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), rows);
  return Datum{0};
}
