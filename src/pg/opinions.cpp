// Aggregates nps, csat and ces: what customers answer in surveys.
#include "core/portfolio/opinions.hpp"

#include "guard.hpp"
#include "metric_values.hpp"
#include "number_state.hpp"

using health::Opinions;
using health::OpinionScale;
using namespace health::pg;

namespace {

// The state: the points, a wide sum, and the answers.
constexpr int opinion_numbers = 3;

Opinions read_opinions(Datum state) {
  const int64* numbers = state_numbers(state, opinion_numbers, "nps");
  if (!is_summable(numbers) || numbers[2] < 0 || numbers[2] >= int64{1} << 56)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this is no state of the aggregate nps")));
  return {numbers[2], exact_of(numbers)};
}

Datum write_opinions(FunctionCallInfo fcinfo, const Opinions& opinions) {
  ArrayType* state = writable_state(fcinfo, opinion_numbers);
  put_exact(opinions.points, numbers_of(state));
  numbers_of(state)[2] = opinions.answers;
  return PointerGetDatum(state);
}

// (state, answer): NULL is no answer.
Datum add_answer(FunctionCallInfo fcinfo, OpinionScale scale) {
  if (PG_ARGISNULL(1)) return unchanged_state(fcinfo);
  Opinions opinions = PG_ARGISNULL(0) ? Opinions() : read_opinions(PG_GETARG_DATUM(0));
  guarded([&] { opinions.add(scale, PG_GETARG_FLOAT8(1)); });
  return write_opinions(fcinfo, opinions);
}

Datum opinion_figure(FunctionCallInfo fcinfo, OpinionScale scale) {
  return float8_or_null(fcinfo, read_opinions(PG_GETARG_DATUM(0)).figure(scale));
}

}  // namespace

HEALTH_FUNCTION(health_nps_add) { return add_answer(fcinfo, OpinionScale::nps); }
HEALTH_FUNCTION(health_csat_add) { return add_answer(fcinfo, OpinionScale::csat); }
HEALTH_FUNCTION(health_ces_add) { return add_answer(fcinfo, OpinionScale::ces); }

// Strict: the server passes a lone state on as it is.
HEALTH_FUNCTION(health_opinions_combine) {
  Opinions opinions = read_opinions(PG_GETARG_DATUM(0));
  opinions.add(read_opinions(PG_GETARG_DATUM(1)));
  return write_opinions(fcinfo, opinions);
}

HEALTH_FUNCTION(health_nps_result) { return opinion_figure(fcinfo, OpinionScale::nps); }
HEALTH_FUNCTION(health_csat_result) { return opinion_figure(fcinfo, OpinionScale::csat); }
HEALTH_FUNCTION(health_ces_result) { return opinion_figure(fcinfo, OpinionScale::ces); }
