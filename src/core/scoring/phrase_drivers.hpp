// The events, features and people behind a change of a signal, in words.
#pragma once

#include <string>

#include "score.hpp"

namespace health {

// "events down 40 % in 4 weeks: comment_left -120, video_created -30; ann -90, bob -45". Empty for what is no
// count or course of activity, or did not change. The ledger is that of both scores.
std::string describe_drivers(const Model& model, std::size_t signal, const Score& from, const Score& to,
                             const Ledger& ledger);

}  // namespace health
