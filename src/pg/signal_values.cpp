// health_internal.signal_values between arrays and readings.
#include "signal_values.hpp"

#include "core/scoring/signal_values.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
}

namespace health::pg {

namespace {

enum Column {
  raw_column,
  text_column,
  normalized_column,
  reason_column,
  whole_column,
  observed_column,
  counted_column,
  basis_column,
  state_column,
  since_column
};

struct ElementType {
  Oid type;
  int16 length;
  bool by_value;
  char alignment;
};
constexpr ElementType element_types[signal_arrays] = {
    {FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
    {TEXTOID, -1, false, TYPALIGN_INT},
    {FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
    {CHAROID, sizeof(char), true, TYPALIGN_CHAR},
    {FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
    {DATEOID, sizeof(DateADT), true, TYPALIGN_INT},
    {FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
    {FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}};

}  // namespace

SignalArrays keep_readings(const Model& model, const Score& score) {
  const std::span<const Reading> readings = score.readings;
  SignalArrays arrays{};
  arrays.state = state_code(score.state);
  arrays.has_since = score.state.since.has_value();
  arrays.since = score.state.since.value_or(0);
  const std::size_t count = readings.size();
  arrays.count = static_cast<int>(count);
  for (int column = 0; column < signal_arrays; ++column) {
    arrays.values[column] = allocate_array<Datum>(count + 1);
    arrays.nulls[column] = allocate_array<bool>(count + 1);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const SignalValue value = keep_reading(model.signals[i], readings[i]);
    const auto put = [&](Column column, bool known, Datum datum) {
      arrays.nulls[column][i] = !known;
      arrays.values[column][i] = datum;
    };
    put(raw_column, value.raw.has_value(), Float8GetDatum(value.raw.value_or(0)));
    put(text_column, !value.text.empty(), value.text.empty() ? Datum{0} : make_text(value.text));
    put(normalized_column, value.normalized.has_value(), Float8GetDatum(value.normalized.value_or(0)));
    put(reason_column, value.reason != '\0', CharGetDatum(value.reason));
    put(whole_column, value.whole.has_value(), Float8GetDatum(value.whole.value_or(0)));
    put(observed_column, value.observed.has_value(), DateADTGetDatum(value.observed.value_or(0)));
    put(counted_column, value.counted.has_value(), Float8GetDatum(value.counted.value_or(0)));
    put(basis_column, value.basis.has_value(), Float8GetDatum(value.basis.value_or(0)));
  }
  return arrays;
}

Score restore_score(const Model& model, const SignalArrays& arrays, Day as_of,
                    std::span<const Override> overrides) {
  if (static_cast<std::size_t>(arrays.count) != model.signals.size()) {
    throw Error(sqlstate::invalid_parameter_value,
                "the values are of " + std::to_string(arrays.count) + " signals, but the model has " +
                    std::to_string(model.signals.size()),
                "Give the document that they were scored with.");
  }
  std::vector<Reading> readings;
  readings.reserve(model.signals.size());
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const auto known = [&](Column column) {
      return arrays.nulls[column] != nullptr && !arrays.nulls[column][i];
    };
    SignalValue value;
    if (known(raw_column)) value.raw = DatumGetFloat8(arrays.values[raw_column][i]);
    if (known(text_column)) {
      const auto* text =
          reinterpret_cast<const struct varlena*>(DatumGetPointer(arrays.values[text_column][i]));
      value.text.assign(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
    }
    if (known(normalized_column)) value.normalized = DatumGetFloat8(arrays.values[normalized_column][i]);
    if (known(reason_column)) value.reason = DatumGetChar(arrays.values[reason_column][i]);
    if (known(whole_column)) value.whole = DatumGetFloat8(arrays.values[whole_column][i]);
    if (known(observed_column)) value.observed = DatumGetDateADT(arrays.values[observed_column][i]);
    if (known(counted_column)) value.counted = DatumGetFloat8(arrays.values[counted_column][i]);
    if (known(basis_column)) value.basis = DatumGetFloat8(arrays.values[basis_column][i]);
    readings.push_back(restore_reading(model.signals[i], value));
  }
  const auto since = arrays.has_since ? std::optional(arrays.since) : std::nullopt;
  return score_readings(model, std::move(readings), as_of, state_of_code(arrays.state, since), overrides);
}

Datum make_signal_values(const SignalArrays& arrays, TupleDesc type) {
  Datum values[signal_values_columns];
  bool nulls[signal_values_columns];
  int dimensions[] = {arrays.count};
  int lower_bounds[] = {1};
  values[state_column] = CharGetDatum(arrays.state);
  nulls[state_column] = false;
  values[since_column] = DateADTGetDatum(arrays.since);
  nulls[since_column] = !arrays.has_since;
  for (int column = 0; column < signal_arrays; ++column) {
    bool empty = true;
    for (int i = 0; i < arrays.count && empty; ++i) empty = arrays.nulls[column][i];
    nulls[column] = empty && column != raw_column;  // one array tells how many signals there are
    values[column] = 0;
    if (nulls[column]) continue;
    const ElementType& element = element_types[column];
    values[column] = PointerGetDatum(construct_md_array(arrays.values[column], arrays.nulls[column], 1,
                                                        dimensions, lower_bounds, element.type,
                                                        element.length, element.by_value, element.alignment));
  }
  return HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
}

SignalArrays open_signal_values(Datum datum, TupleDesc type) {
  HeapTupleHeader header = DatumGetHeapTupleHeader(datum);
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  Datum values[signal_values_columns];
  bool nulls[signal_values_columns];
  heap_deform_tuple(&tuple, type, values, nulls);
  SignalArrays arrays{};
  arrays.state = nulls[state_column] ? state_code({}) : DatumGetChar(values[state_column]);
  arrays.has_since = !nulls[since_column];
  if (arrays.has_since) arrays.since = DatumGetDateADT(values[since_column]);
  for (int column = 0; column < signal_arrays; ++column) {
    if (nulls[column]) continue;
    const ElementType& element = element_types[column];
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(values[column]), element.type, element.length, element.by_value,
                      element.alignment, &arrays.values[column], &arrays.nulls[column], &count);
    if (column == raw_column) {
      arrays.count = count;
    } else if (count != arrays.count) {
      ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                      errmsg("the arrays of the signals' values are not of one length")));
    }
  }
  return arrays;
}

}  // namespace health::pg
