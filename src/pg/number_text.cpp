// number_text(): a floating-point number as text, the same in every session.
#include "guard.hpp"

#include <cmath>

extern "C" {
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/float.h"
}

using namespace health::pg;

namespace {

// Integers up to here are written in full, as those of other types are.
constexpr double largest_in_full = 1e22;

bool text_of_whole(double value, char* text, std::size_t size) {
  if (!(std::fabs(value) <= largest_in_full) || std::trunc(value) != value) return false;
  snprintf(text, size, "%.0f", value + 0.0);  // no minus before a zero
  return true;
}

const char* text_of_special(double value) {
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

}  // namespace

// number_text(float8)
HEALTH_FUNCTION(health_number_text_float8) {
  const double value = PG_GETARG_FLOAT8(0);
  char text[DOUBLE_SHORTEST_DECIMAL_LEN + 8];
  if (!std::isfinite(value)) PG_RETURN_TEXT_P(cstring_to_text(text_of_special(value)));
  if (!text_of_whole(value, text, sizeof text)) double_to_shortest_decimal_buf(value, text);
  PG_RETURN_TEXT_P(cstring_to_text(text));
}

// number_text(float4)
HEALTH_FUNCTION(health_number_text_float4) {
  const float value = PG_GETARG_FLOAT4(0);
  char text[DOUBLE_SHORTEST_DECIMAL_LEN + 8];
  if (!std::isfinite(value)) PG_RETURN_TEXT_P(cstring_to_text(text_of_special(value)));
  if (!text_of_whole(value, text, sizeof text)) float_to_shortest_decimal_buf(value, text);
  PG_RETURN_TEXT_P(cstring_to_text(text));
}
