// Scores as rows of their SQL types.
#pragma once

#include "core/scoring/score_summary.hpp"
#include "row_block.hpp"

namespace health::pg {

inline constexpr int account_score_columns = 13;

// The following run inside guarded(...).

// A row of health.account_score.
RowBlock summary_row(const Model& model, const ScoreSummary& summary);
// Rows of health.signal_score: every signal, an override that has effect, then the score.
RowBlock signal_rows(const Model& model, const Score& score);

}  // namespace health::pg
