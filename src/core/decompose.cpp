// The telescoping sum behind "why did the score move".
#include "decompose.hpp"

#include "civil.hpp"

namespace health {

namespace {

// Walks from one set of standings to another and keeps the score of each stop.
class Path {
 public:
  Path(const Model& model, std::vector<Standing> from) : model_(model), now_(std::move(from)), tree_(weigh_tree(model_, now_)) {}

  double score() const { return tree_.score.value_or(0); }

  // Signals that count at both ends and are as well known take their new values: weights stay as they are, so each part is its own.
  void move_values(const std::vector<Standing>& to, std::vector<ChangePart>& parts) {
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (!now_[i].counts || !to[i].counts || now_[i].known != to[i].known) continue;
      const double points = tree_.signals[i].weight * (to[i].score - now_[i].score);
      now_[i].score = to[i].score;
      parts.push_back({ChangeStep::values, static_cast<int>(i), points});
    }
    tree_ = weigh_tree(model_, now_);
  }

  // One signal at a time comes or goes; those that come do so first, so that there is a score at every stop.
  void move_availability(const std::vector<Standing>& to, std::vector<ChangePart>& parts) {
    for (const bool coming : {true, false}) {
      for (std::size_t i = 0; i < now_.size(); ++i) {
        const bool same = now_[i].counts == to[i].counts && now_[i].known == to[i].known;
        if (model_.signals[i].is_group() || same || to[i].counts != coming) continue;
        const double before = score();
        now_[i] = to[i];
        tree_ = weigh_tree(model_, now_);
        parts.push_back({ChangeStep::availability, static_cast<int>(i), score() - before});
      }
    }
  }

 private:
  const Model& model_;
  std::vector<Standing> now_;
  Tree tree_;
};

std::string describe_unknown_end(const Score& score) {
  return "the score as of " + day_text(score.as_of) + " is unknown: " + score.unknown_reason;
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

Change decompose_change(const Model& before, const Score& from, const Score& to_by_old_model, const Score& to,
                        std::optional<double> override_from, std::optional<double> override_to) {
  Change change;
  change.from = override_from ? override_from : from.score;
  change.to = override_to ? override_to : to.score;
  if (change.from && change.to) change.total = *change.to - *change.from;
  if (!from.score) change.unknown_reason = describe_unknown_end(from);
  if (!to.score) change.unknown_reason += (change.unknown_reason.empty() ? "" : "; ") + describe_unknown_end(to);
  if (!change.unknown_reason.empty()) return change;

  Path path(before, from.standings);
  path.move_values(to_by_old_model.standings, change.parts);
  path.move_availability(to_by_old_model.standings, change.parts);
  if (const double points = *to.tree.score - path.score(); points != 0) {
    change.parts.push_back({ChangeStep::model, -1, points});
  }
  if (override_from || override_to) {
    const double points = (override_to ? *override_to - *to.score : 0) - (override_from ? *override_from - *from.score : 0);
    change.parts.push_back({ChangeStep::override, -1, points});
  }
  return change;
}

}  // namespace health
