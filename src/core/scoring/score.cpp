// Reading signals, weighing the tree, and the gates in front of a score.
#include "score.hpp"

#include <algorithm>
#include <cstdio>

#include "phrase_metric.hpp"
#include "weighted_mean.hpp"

namespace health {

namespace {

// Coverage 0.3 of weights .1 and .2 must pass a minimum of 0.3, whatever their sum is in binary.
constexpr double binary_noise = 1e-9;

std::string two_decimals(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", number);
  return text;
}

[[noreturn]] void rethrow_for_signal(const Signal& signal, const Error& error) {
  throw Error(error.sqlstate(), "signal \"" + signal.name + "\": " + error.what(), error.hint(),
              error.detail());
}

std::string_view segment_of(const ExternalInput* input) {
  return input != nullptr && input->segment ? *input->segment : std::string_view();
}

Reading read_metric(const Signal& signal, const Ledger& ledger, const ExternalInput* input, Day as_of) {
  Reading reading;
  reading.raw = evaluate(ledger, signal.metric, as_of);
  if (!reading.raw.known() && signal.missing == NullPolicy::carry_forward) {
    for (int age = 1; age <= signal.carry_days; ++age) {
      if ((age & 15) == 0) poll_cancel();
      const Day then = days_before(as_of, age);
      const Value earlier = evaluate(ledger, signal.metric, then);
      if (!earlier.known()) continue;
      reading.raw = earlier;
      reading.observed = then;
      reading.carried = true;
      break;
    }
  }
  reading.whole = whole_of(signal, ledger, reading.carried ? *reading.observed : as_of);
  reading.score =
      reading.raw.known() ? normalize(signal.normalize, reading.raw.number, segment_of(input)) : reading.raw;
  return reading;
}

Reading read_external(const Signal& signal, const ExternalInput* input, Day as_of) {
  Reading reading;
  reading.raw = reading.score = Value::none(Unknown::no_data);
  if (input == nullptr || !input->value) return reading;
  reading.observed = input->observed;
  if (input->observed && *input->observed >= as_of) return reading;  // not yet known then
  reading.text = *input->value;
  if (const auto number = parse_number(*input->value)) reading.raw = Value::of(*number);
  if (signal.missing == NullPolicy::carry_forward && input->observed &&
      static_cast<std::int64_t>(as_of) - *input->observed > signal.carry_days) {
    reading.score = Value::none(Unknown::source_stale);
    return reading;
  }
  reading.score = normalize_text(signal.normalize, *input->value, segment_of(input));
  return reading;
}

}  // namespace

std::vector<Reading> read_signals(const Model& model, const Ledger& ledger,
                                  std::span<const ExternalInput> inputs, Day as_of) {
  if (!inputs.empty() && inputs.size() != model.inputs.size()) {
    throw Error(sqlstate::invalid_parameter_value,
                "the model takes " + std::to_string(model.inputs.size()) + " inputs, not " +
                    std::to_string(inputs.size()),
                "health.model_inputs(model) lists them in order.");
  }
  std::vector<Reading> readings(model.signals.size());
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const Signal& signal = model.signals[i];
    if (signal.is_group()) continue;
    if (ledger.settings().repeated) {
      readings[i].raw = readings[i].score = Value::none(Unknown::repeated_account);
      continue;
    }
    const ExternalInput* input =
        signal.input >= 0 && !inputs.empty() ? &inputs[static_cast<std::size_t>(signal.input)] : nullptr;
    try {
      readings[i] = signal.is_external() ? read_external(signal, input, as_of)
                                         : read_metric(signal, ledger, input, as_of);
    } catch (const Error& error) {
      rethrow_for_signal(signal, error);
    }
  }
  return readings;
}

std::vector<Standing> apply_policies(const Model& model, std::span<const Reading> readings) {
  std::vector<Standing> standings(model.signals.size());
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const Signal& signal = model.signals[i];
    if (signal.is_group()) continue;
    const Reading& reading = readings[i];
    if (reading.known()) {
      standings[i] = {true, true, reading.score.number};
    } else if (signal.missing == NullPolicy::neutral) {
      standings[i] = {true, false, 50};
    } else if (signal.missing == NullPolicy::zero) {
      standings[i] = {true, false, 0};
    }
  }
  return standings;
}

namespace {

// What the members of a group, or of the whole, come to.
struct GroupSums {
  WeightedSum scores;  // of members that count
  bool has_weight = false;
  bool covered = false;    // some member is covered in full,
  bool uncovered = false;  // some not, or in part

  void add(const SignalScore& signal, double weight) {
    if (signal.counts) scores.add(signal.score, weight);
    has_weight |= weight > 0;
    (signal.coverage == 1 ? covered : uncovered) = true;
  }
};

// The weighted mean of the members' coverages, which are known; `group` is -1 for the whole. Where all are
// covered in full it is 1.
double weigh_coverage(const Model& model, const GroupSums& sums, int group, const Tree& tree) {
  if (!sums.has_weight) return 0;
  if (sums.covered && !sums.uncovered) return 1;
  WeightedSum coverages;
  for (std::size_t i = group < 0 ? 0 : static_cast<std::size_t>(group) + 1; i < model.signals.size(); ++i)
    if (model.signals[i].parent == group) coverages.add(tree.signals[i].coverage, model.signals[i].weight);
  return coverages.mean().value_or(0);
}

}  // namespace

Tree weigh_tree(const Model& model, std::span<const Standing> standings) {
  const std::size_t count = model.signals.size();
  Tree tree;
  tree.signals.resize(count);
  // Members come after their group, so from the back every group is complete when it is reached. The last
  // sums are those of the whole.
  std::vector<std::size_t> place(count + 1);
  std::size_t groups = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (model.signals[i].is_group()) place[i] = groups++;
  place[count] = groups;
  std::vector<GroupSums> sums(groups + 1);
  const auto parent_of = [&](std::size_t i) {
    return model.signals[i].parent < 0 ? count : static_cast<std::size_t>(model.signals[i].parent);
  };
  for (std::size_t i = count; i-- > 0;) {
    SignalScore& signal = tree.signals[i];
    if (model.signals[i].is_group()) {
      const GroupSums& own = sums[place[i]];
      const auto mean = own.scores.mean();
      signal.counts = mean.has_value();
      signal.score = mean.value_or(0);
      signal.coverage = weigh_coverage(model, own, static_cast<int>(i), tree);
    } else {
      signal.counts = standings[i].counts;
      signal.score = standings[i].score;
      signal.coverage = standings[i].known ? 1 : 0;
    }
    sums[place[parent_of(i)]].add(signal, model.signals[i].weight);
  }
  tree.score = sums[groups].scores.mean();
  tree.coverage = weigh_coverage(model, sums[groups], -1, tree);
  std::vector<double> known_weights(groups + 1);
  for (std::size_t group = 0; group <= groups; ++group)
    known_weights[group] = sums[group].scores.weights().value();
  for (std::size_t i = 0; i < count; ++i) {
    SignalScore& signal = tree.signals[i];
    const std::size_t parent = parent_of(i);
    const double share = parent == count ? 1 : tree.signals[parent].weight;
    const double known = known_weights[place[parent]];
    signal.weight = signal.counts && known > 0 ? share * (model.signals[i].weight / known) : 0;
    signal.points = signal.weight * signal.score;
  }
  return tree;
}

Score score_readings(const Model& model, std::vector<Reading> readings, Day as_of) {
  Score result;
  result.as_of = as_of;
  result.readings = std::move(readings);
  // Whatever policies the signals have.
  const bool repeated =
      std::any_of(result.readings.begin(), result.readings.end(),
                  [](const Reading& reading) { return reading.score.unknown == Unknown::repeated_account; });
  if (repeated) {
    result.unknown_reason = unknown_name(Unknown::repeated_account);
    result.standings.resize(model.signals.size());
    result.tree = weigh_tree(model, result.standings);
    return result;
  }
  result.standings = apply_policies(model, result.readings);
  result.tree = weigh_tree(model, result.standings);
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const Signal& signal = model.signals[i];
    if (signal.missing != NullPolicy::required) continue;
    if (signal.is_group() ? result.tree.signals[i].counts : result.readings[i].known()) continue;
    result.unknown_reason = "required signal " + signal.name + " is unknown";
    if (!signal.is_group())
      result.unknown_reason.append(" (").append(unknown_name(result.readings[i].score.unknown)).append(")");
    return result;
  }
  if (!result.tree.score) {
    result.unknown_reason = "no signal is known";
  } else if (result.tree.coverage < model.minimum_coverage - binary_noise) {
    result.unknown_reason = "coverage " + two_decimals(result.tree.coverage) + " below minimum " +
                            two_decimals(model.minimum_coverage);
  } else {
    result.score = result.tree.score;
  }
  return result;
}

Score score_account(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                    Day as_of) {
  return score_readings(model, read_signals(model, ledger, inputs, as_of), as_of);
}

}  // namespace health
