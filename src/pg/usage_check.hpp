// Bytes that come from outside as a ledger.
#pragma once

#include "guard.hpp"

namespace health::pg {

// Error 22P03 unless the bytes are one canonical ledger whose names and ids are text of the server's
// encoding, without NUL. Runs inside guarded(...).
void check_usage(Bytes usage);

}  // namespace health::pg
