// is_marker(): which names of a ledger are no activity.
#include "core/ledger/markers.hpp"

#include "guard.hpp"

using namespace health::pg;

HEALTH_FUNCTION(health_is_marker) { return BoolGetDatum(health::is_marker(text_argument(fcinfo, 0))); }
