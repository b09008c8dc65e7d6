// Picks the one thing to say and the one thing to do about an account.
#include "score_summary.hpp"

#include <cmath>

#include "phrase.hpp"
#include "phrase_format.hpp"

namespace health {

namespace {

constexpr double worth_a_reason = 1;  // points

// The largest part that is about a signal, or a variant, and goes the way of the whole change, if that is
// worth telling: a reason that contradicts the change beside it would explain nothing.
const ChangePart* find_main_part(const ScoreChange& change) {
  const ChangePart* main = nullptr;
  if (std::fabs(change.total) < worth_a_reason) return main;
  for (const ChangePart& part : change.parts) {
    if (part.step == ChangeStep::override || std::fabs(part.points) < worth_a_reason) continue;
    if ((part.points > 0) != (change.total > 0)) continue;
    if (main == nullptr || std::fabs(part.points) > std::fabs(main->points)) main = &part;
  }
  return main;
}

void explain_summary(const Model& model, const Score& before, ScoreSummary& summary) {
  const Score& now = summary.now;
  if (!now.score) {
    summary.main_reason = "unknown: " + now.unknown_reason;
    return;
  }
  std::optional<ScoreChange> change;
  if (before.score) change = decompose_change(model, before, now, now);
  summary.next_step = choose_next_step(model, now, summary.change_28d);
  if (now.overridden_by) {
    summary.main_reason = describe_override(*now.overridden_by, now.as_of);
    return;
  }
  if (now.state.is_idle(now.as_of) || now.state.kind == CustomerStateKind::tracking_suspect) {
    summary.main_reason = describe_customer_state(now.state, now.as_of);
    return;
  }
  if (change) {
    if (const ChangePart* main = find_main_part(*change)) {
      summary.main_reason = describe_part(model, *main, before, now);
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
}

}  // namespace

std::string choose_next_step(const Model& model, const Score& score, std::optional<double> change_28d) {
  if (!score.score) return {};
  if (score.state.is_idle(score.as_of)) return model.silence_step;
  // What the signals say may be about the feed, and not about the customer.
  if (score.state.kind == CustomerStateKind::tracking_suspect) return {};
  const std::vector<Loss> losses = rank_losses(model, score);
  for (const Loss& loss : losses) {
    if (loss.points < worth_a_reason) break;
    const std::string_view text = find_next_step(model, loss.signal, score, false);
    if (!text.empty()) return std::string(text);
  }
  const bool fell = change_28d && *change_28d <= -worth_a_reason;
  if (fell || *score.score < good_score) return {};
  for (auto loss = losses.rbegin(); loss != losses.rend(); ++loss) {
    const std::string_view text = find_next_step(model, loss->signal, score, true);
    if (!text.empty()) return std::string(text);
  }
  return {};
}

ScoreSummary summarize_score(const Model& model, const Ledger& ledger, const SummaryInputs& inputs,
                             Day as_of) {
  ScoreSummary summary;
  summary.now = score_account(model, ledger, inputs.now, as_of, inputs.overrides);
  Score week_ago, month_ago;
  if (inputs.in_filter_week_ago)
    week_ago = score_account(model, ledger, inputs.week_ago,
                             seen_as_of(days_before(as_of, 7), inputs.outages), inputs.overrides);
  if (inputs.in_filter_month_ago)
    month_ago = score_account(model, ledger, inputs.month_ago,
                              seen_as_of(days_before(as_of, 28), inputs.outages), inputs.overrides);
  if (summary.now.score && week_ago.score) summary.change_7d = *summary.now.score - *week_ago.score;
  if (summary.now.score && month_ago.score) summary.change_28d = *summary.now.score - *month_ago.score;
  explain_summary(model, month_ago, summary);
  if (const auto top = top_user(ledger, MetricRequest(), as_of))
    summary.without_top_user = score_without(model, summary.now, ledger, *top, inputs.now, inputs.overrides);
  return summary;
}

}  // namespace health
