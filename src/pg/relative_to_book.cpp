// relative_signals(), account_signals() and next_step_in_book(): what the whole book did, beside the changes
// of an account.
#include "relative_to_book.hpp"

#include "core/scoring/score_summary.hpp"
#include "score_arguments.hpp"
#include "signal_values.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
}

namespace health::pg {

BookArgument book_argument(FunctionCallInfo fcinfo, int i) {
  BookArgument book{};
  if (PG_ARGISNULL(i)) return book;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                    &book.values, &book.nulls, &book.count);
  return book;
}

BookChanges collect_book(const Model& model, const BookArgument& book) {
  BookChanges changes;
  if (book.count == 0) return changes;
  if (static_cast<std::size_t>(book.count) != model.signals.size())
    throw Error(sqlstate::invalid_parameter_value,
                "the changes of the book are of " + std::to_string(book.count) +
                    " signals, but the model has " + std::to_string(model.signals.size()),
                "Give the document that they were measured with.");
  for (int i = 0; i < book.count; ++i)
    changes.push_back(book.nulls[i] ? std::nullopt : std::optional(DatumGetFloat8(book.values[i])));
  return changes;
}

}  // namespace health::pg

using namespace health::pg;

// relative_signals(model): of each signal whether it is held against the book.
HEALTH_FUNCTION(health_relative_signals) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  Datum* relative = guarded([&] {
    auto* values = allocate_array<Datum>(model->signals.size() + 1);
    for (std::size_t i = 0; i < model->signals.size(); ++i)
      values[i] = BoolGetDatum(model->signals[i].relative_to_book);
    return values;
  });
  return PointerGetDatum(construct_array(relative, static_cast<int>(model->signals.size()), BOOLOID,
                                         sizeof(bool), true, TYPALIGN_CHAR));
}

// account_signals(model, account)
HEALTH_FUNCTION(health_account_signals) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const TupleDesc row_type = kept_row_type(fcinfo, signal_values_columns);
  const SignalArrays signals = guarded_in_scratch([&] {
    const health::Ledger ledger = decode_account(*model, account);
    return keep_readings(
        *model, health::score_account(*model, ledger, collect_inputs(*model, account), account.as_of));
  });
  return make_signal_values(signals, row_type);
}

// next_step_in_book(model, as_of, signals, overrides, change_28d, book)
HEALTH_FUNCTION(health_next_step_in_book) {
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const health::Day as_of = day_argument(fcinfo, 1, "as_of");
  if (PG_ARGISNULL(2)) PG_RETURN_NULL();
  HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(2);
  const SignalArrays arrays =
      open_signal_values(HeapTupleHeaderGetDatum(header),
                         kept_argument_type(fcinfo, HeapTupleHeaderGetTypeId(header), signal_values_columns));
  const auto overrides = overrides_argument(fcinfo, 3);
  const bool has_change = !PG_ARGISNULL(4);
  const double change_28d = has_change ? PG_GETARG_FLOAT8(4) : 0;
  const BookArgument book = book_argument(fcinfo, 5);
  const Datum step = guarded_in_scratch([&] {
    health::Score score = restore_score(*model, arrays, as_of, collect_overrides(overrides));
    score.book = collect_book(*model, book);
    const std::string text =
        health::choose_next_step(*model, score, has_change ? std::optional(change_28d) : std::nullopt);
    return text.empty() ? Datum{0} : make_text(text);
  });
  if (step == 0) PG_RETURN_NULL();
  return step;
}
