// Why a score moved, exactly: the change in parts that add up.
// docs/reference/scoring.md, "Why a score moved".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "score.hpp"

namespace health {

// The fixed path from one score to the other. Each step is a difference of two full scores, so no residual is
// left.
enum class ChangeStep { values, availability, model, override };

// "values", "availability", ...
std::string_view change_step_name(ChangeStep step);

// One part of a change.
struct ChangePart {
  ChangeStep step = ChangeStep::values;
  int signal = -1;    // of the model before; -1 where the part is about no single signal
  double points = 0;  // the parts add up to the change
};

// The change of a score in parts, or why there is none.
struct ScoreChange {
  std::optional<double> from, to;  // as shown: overrides have had their effect
  std::vector<ChangePart> parts;   // empty when either end is unknown
  double total = 0;                // to - from
  std::string unknown_reason;      // when either end is unknown
};

// `from` and `to_by_old_model` are scores by `before`, `to` is by `after`; they are the same score when the
// model did not change. values: signals that count at both ends, w x (s' - s) / sum(w) each; availability:
// signals that come (first) and go, in the order of the model; model: the same readings by the other model,
// or by the weights of another variant; override: the difference that overrides make, those of the scores
// themselves or, where a number is given, that score in their place. Where an end has no score but that of an
// override, this part is the whole change. Signals whose value did not change have no part. Error 22023
// unless the numbers are scores, 0..100.
ScoreChange decompose_change(const Model& before, const Score& from, const Score& to_by_old_model,
                             const Score& to, std::optional<double> override_from = {},
                             std::optional<double> override_to = {});

// The inputs of the later date in the order of the earlier model: by the signal's name, where it has the same
// source in both models; a signal that only the earlier model has keeps its earlier input, so that its end
// belongs to the model's part, and so does the variant. Segments go by name.
std::vector<ExternalInput> inputs_for_earlier_model(const Model& before,
                                                    std::span<const ExternalInput> earlier,
                                                    const Model& after, std::span<const ExternalInput> later);
// Gives earlier inputs the segments that later ones of the same name have.
void take_segments(const Model& before, std::vector<ExternalInput>& earlier, const Model& after,
                   std::span<const ExternalInput> later);

}  // namespace health
