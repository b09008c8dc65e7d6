// Picks the one thing to say and the one thing to do about an account.
#include "score_summary.hpp"

#include <cmath>

#include "phrase.hpp"
#include "phrase_format.hpp"

namespace health {

namespace {

constexpr double worth_a_reason = 1;  // points
constexpr double worth_a_remedy = 5;
constexpr double good_score = 60;
constexpr double very_good_score = 80;

// The text of the signal, else of the nearest group above it that has one.
std::string find_step(const Model& model, int signal, bool high) {
  for (; signal >= 0; signal = model.signals[static_cast<std::size_t>(signal)].parent) {
    const Signal& at = model.signals[static_cast<std::size_t>(signal)];
    const std::string& text = high ? at.step_high : at.step_low;
    if (!text.empty()) return text;
  }
  return {};
}

// The largest part that is about a signal and goes the way of the whole change, if that is worth telling: a
// reason that contradicts the change beside it would explain nothing.
const ChangePart* find_main_part(const ScoreChange& change) {
  const ChangePart* main = nullptr;
  if (std::fabs(change.total) < worth_a_reason) return main;
  for (const ChangePart& part : change.parts) {
    if (part.signal < 0 || std::fabs(part.points) < worth_a_reason) continue;
    if ((part.points > 0) != (change.total > 0)) continue;
    if (main == nullptr || std::fabs(part.points) > std::fabs(main->points)) main = &part;
  }
  return main;
}

// The most costly weak signal that has advice, else the strongest that has: not after a fall, when praise
// would be out of place.
std::string choose_step(const Model& model, const Score& score, bool fell) {
  const std::vector<Loss> losses = rank_losses(model, score);
  for (const Loss& loss : losses) {
    if (loss.points < worth_a_reason || score.tree.signals[loss.signal].score >= very_good_score) continue;
    std::string text = find_step(model, static_cast<int>(loss.signal), false);
    if (!text.empty()) return text;
  }
  if (fell) return {};
  for (auto loss = losses.rbegin(); loss != losses.rend(); ++loss) {
    if (score.tree.signals[loss->signal].score < very_good_score) continue;
    std::string text = find_step(model, static_cast<int>(loss->signal), true);
    if (!text.empty()) return text;
  }
  return {};
}

// The score at an earlier date; unknown before the given start of the account, whatever its plan and contract
// would have scored then.
Score score_earlier(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                    Day then) {
  if (const auto start = ledger.settings().account_start; start && then < *start) return {};
  return score_account(model, ledger, inputs, then);
}

void explain_summary(const Model& model, const Score& before, ScoreSummary& summary) {
  const Score& now = summary.now;
  if (!now.score) {
    summary.main_reason = "unknown: " + now.unknown_reason;
    return;
  }
  if (before.score) {
    const ScoreChange change = decompose_change(model, before, now, now);
    if (const ChangePart* main = find_main_part(change)) {
      summary.main_reason = describe_part(model, *main, before, now);
      const SignalScore& signal = now.tree.signals[static_cast<std::size_t>(main->signal)];
      // Praise, or an offer, is for what is strong in an account that is well; a signal that is weak or fell
      // far gets its remedy, a little dip in a strong one none.
      const bool strong = signal.counts && signal.score >= good_score;
      if (main->points <= -worth_a_remedy || !strong) {
        summary.next_step = find_step(model, main->signal, false);
      } else if (main->points > 0 && signal.score >= very_good_score && *now.score >= good_score) {
        summary.next_step = find_step(model, main->signal, true);
      }
      if (summary.next_step.empty()) summary.next_step = choose_step(model, now, main->points < 0);
      return;
    }
  }
  const std::vector<Loss> losses = rank_losses(model, now);
  if (losses.empty() || losses.front().points < 0.05) {
    summary.main_reason = "all known signals at their best";
  } else {
    const Loss& loss = losses.front();
    summary.main_reason =
        describe_signal(model, loss.signal, now) + " (costs " + show_score(loss.points, 1) + " points)";
  }
  summary.next_step = choose_step(model, now, false);
}

}  // namespace

ScoreSummary summarize_score(const Model& model, const Ledger& ledger, const SummaryInputs& inputs,
                             Day as_of) {
  ScoreSummary summary;
  summary.now = score_account(model, ledger, inputs.now, as_of);
  const Score week_ago = score_earlier(model, ledger, inputs.week_ago, days_before(as_of, 7));
  const Score month_ago = score_earlier(model, ledger, inputs.month_ago, days_before(as_of, 28));
  if (summary.now.score && week_ago.score) summary.change_7d = *summary.now.score - *week_ago.score;
  if (summary.now.score && month_ago.score) summary.change_28d = *summary.now.score - *month_ago.score;
  explain_summary(model, month_ago, summary);
  if (const auto top = top_user(ledger, MetricRequest(), as_of)) {
    summary.without_top_user = score_account(model, ledger.without_user(*top), inputs.now, as_of).score;
  }
  return summary;
}

}  // namespace health
