// The text form of a ledger: readable, lossless, and accepted back in any order.
//
//   bigint{42:2025-01-03/comment_left*2,2025-01-04/video_viewed=1.5;43:2025-01-04/video_viewed*3=4.5#2}
//   kind { user : day / event [* count] [= sum of amounts [# number of amounts]] , ... ; ... }
// Count is 1 where it is left out, the number of amounts is the count. Users and events are quoted ("...", a
// quote doubled) unless they consist of letters, digits, "_", "$", ".", "-" and bytes beyond ASCII. Empty: {}
#pragma once

#include <string>

#include "usage_writer.hpp"

namespace health {

std::string usage_to_text(Bytes usage);

// Error 22P02 with the place of the fault; 22003 for numbers out of range. Users and cells may come in any
// order and repeat: they add up.
UsageBytes usage_from_text(std::string_view text);

// "1.5" for 1500000: exact, without needless zeros.
std::string micro_to_text(Exact amount);

}  // namespace health
