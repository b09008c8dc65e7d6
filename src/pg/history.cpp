// score_months and history_rows: the history of an account between days and rows of a month.
#include <algorithm>
#include <cstring>

#include "core/base/civil.hpp"
#include "row_block.hpp"
#include "score_arguments.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

using namespace health::pg;

namespace {

// health_internal.history_span
enum SpanColumn {
  from_day_column,
  version_column,
  coverage_column,
  reason_column,
  start_column,
  seats_column,
  inputs_column,
  observed_column,
  end_column,
  state_column,
  span_columns
};

constexpr int month_columns = 4;  // month, days, scores, spans
constexpr int days_in_month = 31;

// A day of a series: its score, and what a span says of it. Plain memory.
struct ScoredDay {
  health::Day day;
  bool known;
  double score;
  double coverage;
  Datum reason;   // text; 0 for none
  Datum state;    // likewise
  int input_row;  // of the account's past inputs; 0: those of as_of itself
};
struct ScoredDays {
  ScoredDay* days;
  int count;
};

// 1 to 31.
int16 day_of_month(health::Day day) { return static_cast<int16>(day - health::month_start(day) + 1); }

// Row n of an array of past inputs, row 0 being those of the present.
template <class Value>
struct InputRow {
  const Value* values;
  const bool* nulls;
  int count;
  bool given;
};
template <class Value>
InputRow<Value> input_row(const InputArray<Value>& now, const InputArray<Value>& past, int n) {
  if (n < 1 || !past.given) return {now.values, now.nulls, now.count, now.given};
  const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(n - 1) * past.count;
  return {past.values + at, past.nulls + at, past.count, true};
}
template <class Value>
bool operator==(const InputRow<Value>& a, const InputRow<Value>& b) {
  if (a.given != b.given || a.count != b.count) return false;
  for (int i = 0; i < a.count; ++i)
    if (a.nulls[i] != b.nulls[i] || (!a.nulls[i] && a.values[i] != b.values[i])) return false;
  return true;
}

Datum datum_of(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}
Datum datum_of(health::Day day) { return DateADTGetDatum(day); }

template <class Value>
Datum make_array(const InputRow<Value>& row, Oid type, int16 length, bool by_value) {
  auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (static_cast<std::size_t>(row.count) + 1)));
  auto* nulls = static_cast<bool*>(palloc((static_cast<std::size_t>(row.count) + 1)));
  for (int i = 0; i < row.count; ++i) {
    nulls[i] = row.nulls[i];
    values[i] = nulls[i] ? Datum{0} : datum_of(row.values[i]);
  }
  int dimensions[] = {row.count};
  int lower_bounds[] = {1};
  return PointerGetDatum(
      construct_md_array(values, nulls, 1, dimensions, lower_bounds, type, length, by_value, TYPALIGN_INT));
}

bool same_text(Datum a, Datum b) {
  if (a == 0 || b == 0) return a == b;
  const auto* left = reinterpret_cast<const struct varlena*>(DatumGetPointer(a));
  const auto* right = reinterpret_cast<const struct varlena*>(DatumGetPointer(b));
  return std::string_view(VARDATA_ANY(left), VARSIZE_ANY_EXHDR(left)) ==
         std::string_view(VARDATA_ANY(right), VARSIZE_ANY_EXHDR(right));
}

bool spans_agree(const AccountState& account, const ScoredDay& a, const ScoredDay& b) {
  return a.coverage == b.coverage && same_text(a.reason, b.reason) && same_text(a.state, b.state) &&
         (a.input_row == b.input_row ||
          (input_row(account.now.inputs, account.past.inputs, a.input_row) ==
               input_row(account.now.inputs, account.past.inputs, b.input_row) &&
           input_row(account.now.observed, account.past.observed, a.input_row) ==
               input_row(account.now.observed, account.past.observed, b.input_row)));
}

Datum make_span(TupleDesc type, const AccountState& account, int version, const ScoredDay& day) {
  const auto inputs = input_row(account.now.inputs, account.past.inputs, day.input_row);
  const auto observed = input_row(account.now.observed, account.past.observed, day.input_row);
  Datum values[span_columns] = {};
  bool nulls[span_columns] = {};
  values[from_day_column] = Int16GetDatum(day_of_month(day.day));
  values[version_column] = Int32GetDatum(version);
  values[coverage_column] = Float8GetDatum(day.coverage);
  values[reason_column] = day.reason;
  nulls[reason_column] = day.reason == 0;
  values[start_column] = DateADTGetDatum(account.account_start);
  nulls[start_column] = !account.has_account_start;
  values[seats_column] = Float8GetDatum(account.seats);
  nulls[seats_column] = !account.has_seats;
  // Most models have none: that takes no room.
  nulls[inputs_column] = inputs.count == 0;
  if (inputs.count > 0) values[inputs_column] = make_array(inputs, TEXTOID, -1, false);
  nulls[observed_column] = observed.count == 0;
  if (observed.count > 0) values[observed_column] = make_array(observed, DATEOID, sizeof(DateADT), true);
  values[end_column] = DateADTGetDatum(account.account_end);
  nulls[end_column] = !account.has_account_end;
  values[state_column] = day.state;
  nulls[state_column] = day.state == 0;
  return HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
}

ScoredDays score_days(const health::Model& model, const AccountState& account, health::Day from,
                      health::Day to, int step) {
  const std::int64_t count = series_length(from, to, step);
  const health::Ledger ledger = decode_account(model, account);
  auto inputs = collect_inputs(model, account);
  const auto overrides = collect_overrides(account.overrides);
  ScoredDays scored = {allocate_array<ScoredDay>(static_cast<std::size_t>(count) + 1), 0};
  for (std::int64_t day = from; day <= to; day += step) {
    health::poll_cancel();
    const std::int64_t before = account.as_of - account.seen_on(static_cast<health::Day>(day));
    if (!account.has_account(before)) continue;
    const health::Score score =
        score_day(model, account, ledger, inputs, static_cast<health::Day>(day), overrides);
    ScoredDay& one = scored.days[scored.count++];
    one.day = static_cast<health::Day>(day);
    one.known = score.score.has_value();
    one.score = score.score.value_or(0);
    one.coverage = score.tree.coverage;
    const auto text = [](std::string_view words) { return words.empty() ? Datum{0} : make_text(words); };
    one.reason = text(score.unknown_reason);
    one.state = text(customer_state_name(score.state.kind));
    one.input_row =
        static_cast<int>(std::clamp<std::int64_t>(before / account.past.step, 0, account.past.inputs.rows));
  }
  return scored;
}

TupleDesc span_type(TupleDesc row) {
  const Oid type = get_element_type(TupleDescAttr(row, month_columns - 1)->atttypid);
  TupleDesc span = lookup_rowtype_tupdesc_copy(type, -1);
  if (span->natts != span_columns) elog(ERROR, "a span of the history has %d columns", span->natts);
  return span;
}

}  // namespace

// spans_agree(a, b): whether all but from_day is the same, byte by byte as far as they lie the same way.
HEALTH_FUNCTION(health_spans_agree) {
  HeapTupleHeader a = PG_GETARG_HEAPTUPLEHEADER(0);
  HeapTupleHeader b = PG_GETARG_HEAPTUPLEHEADER(1);
  HeapTupleData tuples[2] = {};
  tuples[0].t_data = a;
  tuples[1].t_data = b;
  for (HeapTupleData& tuple : tuples) tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
  const std::size_t from = a->t_hoff + sizeof(int16);
  if (tuples[0].t_len == tuples[1].t_len && a->t_hoff == b->t_hoff &&
      std::memcmp(a->t_bits, b->t_bits, a->t_hoff - offsetof(HeapTupleHeaderData, t_bits)) == 0 &&
      std::memcmp(reinterpret_cast<char*>(a) + from, reinterpret_cast<char*>(b) + from,
                  tuples[0].t_len - from) == 0)
    PG_RETURN_BOOL(true);
  const TupleDesc type = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(a), -1);
  Datum values[2][span_columns] = {};
  bool nulls[2][span_columns] = {};
  for (int i = 0; i < 2; ++i) heap_deform_tuple(&tuples[i], type, values[i], nulls[i]);
  bool agree = true;
  for (int at = from_day_column + 1; at < span_columns && agree; ++at) {
    const auto* column = TupleDescAttr(type, at);
    agree = nulls[0][at] == nulls[1][at] &&
            (nulls[0][at] || datum_image_eq(values[0][at], values[1][at], column->attbyval, column->attlen));
  }
  ReleaseTupleDesc(type);
  PG_RETURN_BOOL(agree);
}

// score_months(model, account, version, from_date, to_date, step)
HEALTH_FUNCTION(health_score_months) {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const TupleDesc type = span_type(result->setDesc);
  const health::Model* model = model_argument(fcinfo, 0, 0, "model");
  const AccountState account = state_argument(fcinfo, 1);
  const int32 version = PG_GETARG_INT32(2);
  const health::Day from = day_argument(fcinfo, 3, "from_date");
  const health::Day to = day_argument(fcinfo, 4, "to_date");
  const int32 step = PG_GETARG_INT32(5);
  const ScoredDays scored = guarded_in_scratch([&] { return score_days(*model, account, from, to, step); });

  for (int at = 0; at < scored.count;) {
    const health::Day month = health::month_start(scored.days[at].day);
    Datum days[days_in_month];
    Datum scores[days_in_month];
    Datum spans[days_in_month];
    bool unknown[days_in_month];
    int count = 0;
    int span_count = 0;
    for (; at < scored.count && health::month_start(scored.days[at].day) == month; ++at, ++count) {
      const ScoredDay& day = scored.days[at];
      days[count] = Int16GetDatum(day_of_month(day.day));
      scores[count] = Float8GetDatum(day.score);
      unknown[count] = !day.known;
      if (count == 0 || !spans_agree(account, scored.days[at - 1], day))
        spans[span_count++] = make_span(type, account, version, day);
    }
    int dimensions[] = {count};
    int lower_bounds[] = {1};
    Datum values[month_columns] = {
        DateADTGetDatum(month),
        PointerGetDatum(construct_array(days, count, INT2OID, sizeof(int16), true, TYPALIGN_SHORT)),
        PointerGetDatum(construct_md_array(scores, unknown, 1, dimensions, lower_bounds, FLOAT8OID,
                                           sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
        PointerGetDatum(construct_array(spans, span_count, type->tdtypeid, -1, false, TYPALIGN_DOUBLE))};
    bool nulls[month_columns] = {};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return Datum{0};
}

// history_rows(month, days, scores, spans)
HEALTH_FUNCTION(health_history_rows) {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const health::Day month = PG_GETARG_DATEADT(0);
  ArrayType* const span_array = PG_GETARG_ARRAYTYPE_P(3);
  Datum* days = nullptr;
  Datum* scores = nullptr;
  Datum* spans = nullptr;
  bool* unknown = nullptr;
  int count = 0;
  int score_count = 0;
  int span_count = 0;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT2OID, sizeof(int16), true, TYPALIGN_SHORT, &days, nullptr,
                    &count);
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                    &scores, &unknown, &score_count);
  deconstruct_array(span_array, ARR_ELEMTYPE(span_array), -1, false, TYPALIGN_DOUBLE, &spans, nullptr,
                    &span_count);
  if (count != score_count)
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("a month of the history has %d days, but %d scores", count, score_count)));
  const TupleDesc type = lookup_rowtype_tupdesc(ARR_ELEMTYPE(span_array), -1);
  Datum span[span_columns] = {};
  bool span_nulls[span_columns] = {};
  int next = 0;
  const auto from_day = [&](int at) {
    HeapTupleHeader header = DatumGetHeapTupleHeader(spans[at]);
    bool null = false;
    return DatumGetInt16(GetAttributeByNum(header, from_day_column + 1, &null));
  };
  for (int at = 0; at < count; ++at) {
    while (next < span_count && from_day(next) <= DatumGetInt16(days[at])) {
      HeapTupleHeader header = DatumGetHeapTupleHeader(spans[next++]);
      HeapTupleData tuple{};
      tuple.t_len = HeapTupleHeaderGetDatumLength(header);
      tuple.t_data = header;
      heap_deform_tuple(&tuple, type, span, span_nulls);
    }
    if (next == 0) continue;  // a day that no span is about
    Datum values[] = {DateADTGetDatum(month + DatumGetInt16(days[at]) - 1),
                      span[version_column],
                      scores[at],
                      span[coverage_column],
                      span[reason_column],
                      span[state_column]};
    bool nulls[] = {false,
                    span_nulls[version_column],
                    unknown[at],
                    span_nulls[coverage_column],
                    span_nulls[reason_column],
                    span_nulls[state_column]};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  ReleaseTupleDesc(type);
  return Datum{0};
}
