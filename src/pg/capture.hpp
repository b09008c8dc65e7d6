// Change capture, as far as other parts ask about it.
#pragma once

#include "guard.hpp"

namespace health::pg {

// True when this very transaction has captured changes of the source, in memory or written.
bool has_pending_changes(int32 source);

}  // namespace health::pg
