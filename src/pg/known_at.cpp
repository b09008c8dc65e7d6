// known_before(): what of a ledger was known on a day.
#include "core/ledger/known_at.hpp"

#include "guard.hpp"
#include "score_arguments.hpp"

using namespace health::pg;

HEALTH_FUNCTION(health_known_before) {
  const health::Bytes usage = bytes_argument(fcinfo, 0);
  const health::Day day = day_argument(fcinfo, 1, "day");
  const Datum known = guarded([&] {
    const auto rest = health::usage_known_before(usage, day);
    return rest ? make_varlena(*rest) : Datum{0};
  });
  return known == 0 ? PG_GETARG_DATUM(0) : known;
}
