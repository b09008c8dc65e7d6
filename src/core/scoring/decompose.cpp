// The telescoping sum behind "why did the score move".
#include "decompose.hpp"

#include <cmath>
#include <utility>

#include "core/base/civil.hpp"

namespace health {

namespace {

// Walks from one set of standings to another, by the weights that the first has, and keeps the score of each
// stop.
class Path {
 public:
  Path(const Model& model, const Score& from, const Score& to)
      : model_(model), to_(to), variant_(from.variant), now_(from.standings), tree_(from.tree) {}

  double score() const { return tree_.score.value_or(0); }

  // Signals that count at both ends and are as well known take their new values: weights stay as they are, so
  // each part is its own.
  void move_values(std::vector<ChangePart>& parts) {
    const auto& to = to_.standings;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (!now_[i].counts || !to[i].counts || now_[i].known != to[i].known) continue;
      const double points = tree_.signals[i].weight * (to[i].score - now_[i].score);
      now_[i].score = to[i].score;
      parts.push_back({ChangeStep::values, static_cast<int>(i), points});
    }
    weigh();
  }

  // One signal at a time comes or goes; those that come do so first, so that there is a score at every stop.
  void move_availability(std::vector<ChangePart>& parts) {
    const auto& to = to_.standings;
    for (const bool coming : {true, false}) {
      for (std::size_t i = 0; i < now_.size(); ++i) {
        const bool same = now_[i].counts == to[i].counts && now_[i].known == to[i].known;
        if (model_.signals[i].is_group() || same || to[i].counts != coming) continue;
        poll_cancel();  // each weighs the whole tree
        const double before = score();
        const Standing standing = std::exchange(now_[i], to[i]);
        Tree tree = std::exchange(tree_, {});
        weigh();
        if (!tree_.score) {  // only by other weights is there a score without it: part of that step
          now_[i] = standing;
          tree_ = std::move(tree);
          continue;
        }
        parts.push_back({ChangeStep::availability, static_cast<int>(i), score() - before});
      }
    }
  }

 private:
  // At the end, where most paths are after one step, it has been done.
  void weigh() {
    tree_ = now_ == to_.standings && variant_ == to_.variant ? to_.tree : weigh_tree(model_, now_, variant_);
  }

  const Model& model_;
  const Score& to_;
  int variant_;
  std::vector<Standing> now_;
  Tree tree_;
};

std::string describe_unknown_end(const Score& score) {
  return "the score as of " + day_text(score.as_of) + " is unknown: " + score.unknown_reason;
}

void check_override(std::optional<double> score) {
  if (!score || (std::isfinite(*score) && *score >= 0 && *score <= 100)) return;
  throw Error(sqlstate::invalid_parameter_value, "an override must be a score from 0 to 100");
}

const ExternalInput* find_input(const Model& model, std::span<const ExternalInput> inputs,
                                const Signal& signal, bool same_source) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Signal& other = model.signals[static_cast<std::size_t>(model.inputs[i])];
    if (other.name != signal.name) continue;
    if (!same_source || (other.source == signal.source && other.source_text == signal.source_text))
      return &inputs[i];
  }
  return nullptr;
}

}  // namespace

std::string_view change_step_name(ChangeStep step) {
  switch (step) {
    case ChangeStep::values:
      return "values";
    case ChangeStep::availability:
      return "availability";
    case ChangeStep::model:
      return "model";
    case ChangeStep::override:
      return "override";
  }
  return "";
}

ScoreChange decompose_change(const Model& before, const Score& from, const Score& to_by_old_model,
                             const Score& to, std::optional<double> override_from,
                             std::optional<double> override_to) {
  check_override(override_from);
  check_override(override_to);
  ScoreChange change;
  change.from = override_from ? override_from : from.score;
  change.to = override_to ? override_to : to.score;
  if (!change.from) change.unknown_reason = describe_unknown_end(from);
  if (!change.to)
    change.unknown_reason += (change.unknown_reason.empty() ? "" : "; ") + describe_unknown_end(to);
  if (!change.unknown_reason.empty()) return change;
  change.total = *change.to - *change.from;
  const bool given = override_from || override_to, same = from.overridden_by == to.overridden_by;
  if (!from.computed || !to.computed) {
    if (given || !same || change.total != 0) change.parts.push_back({ChangeStep::override, -1, change.total});
    return change;
  }

  Path path(before, from, to_by_old_model);
  path.move_values(change.parts);
  std::erase_if(change.parts, [&](const ChangePart& part) {
    const auto i = static_cast<std::size_t>(part.signal);
    const Reading &earlier = from.readings[i], &later = to_by_old_model.readings[i];
    return part.points == 0 && earlier.raw == later.raw && earlier.text == later.text;
  });
  path.move_availability(change.parts);
  if (const double points = *to.tree.score - path.score(); points != 0) {
    change.parts.push_back({ChangeStep::model, -1, points});
  }
  const double points = (*change.to - *to.computed) - (*change.from - *from.computed);
  if (given || !same || points != 0) change.parts.push_back({ChangeStep::override, -1, points});
  return change;
}

std::vector<ExternalInput> inputs_for_earlier_model(const Model& before,
                                                    std::span<const ExternalInput> earlier,
                                                    const Model& after,
                                                    std::span<const ExternalInput> later) {
  std::vector<ExternalInput> inputs(before.inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!earlier.empty()) inputs[i] = earlier[i];
    const Signal& signal = before.signals[static_cast<std::size_t>(before.inputs[i])];
    if (signal.source == SignalSource::variant) continue;
    if (const ExternalInput* found = find_input(after, later, signal, true)) inputs[i] = *found;
  }
  return inputs;
}

void take_segments(const Model& before, std::vector<ExternalInput>& earlier, const Model& after,
                   std::span<const ExternalInput> later) {
  if (later.empty()) return;
  earlier.resize(before.inputs.size());
  for (std::size_t i = 0; i < earlier.size(); ++i) {
    const ExternalInput* found =
        find_input(after, later, before.signals[static_cast<std::size_t>(before.inputs[i])], false);
    if (found != nullptr && found->segment) earlier[i].segment = found->segment;
  }
}

}  // namespace health
