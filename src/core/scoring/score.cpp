// Reading signals, weighing the tree, and the gates in front of a score.
#include "score.hpp"

#include <algorithm>
#include <cstdio>

#include "core/base/civil.hpp"
#include "phrase_metric.hpp"
#include "pulse.hpp"
#include "weighted_mean.hpp"

namespace health {

namespace {

// Coverage 0.3 of weights .1 and .2 must pass a minimum of 0.3, whatever their sum is in binary.
constexpr double binary_noise = 1e-9;

std::string describe_before_ledger(const Reading& reading) {
  return "the ledger keeps days from " + (reading.observed ? day_text(*reading.observed) : "later") + " on";
}

// Two numbers with as many decimals, 2 or more, as it takes to tell them apart.
std::pair<std::string, std::string> show_apart(double a, double b) {
  char first[32];
  char second[32];
  for (int decimals = 2; decimals <= 15; ++decimals) {
    std::snprintf(first, sizeof first, "%.*f", decimals, a);
    std::snprintf(second, sizeof second, "%.*f", decimals, b);
    if (std::string_view(first) != second) break;
  }
  return {first, second};
}

[[noreturn]] void rethrow_for_signal(const Signal& signal, const Error& error) {
  throw Error(error.sqlstate(), "signal \"" + signal.name + "\": " + error.what(), error.hint(),
              error.detail());
}

std::string_view segment_of(const ExternalInput* input) {
  return input != nullptr && input->segment ? *input->segment : std::string_view();
}

// (n x + k m) / (n + k): few people or events say little, so that the book's median counts as well.
void shrink(const Signal& signal, const Ledger& ledger, Day as_of, Reading& reading) {
  if (signal.shrink <= 0 || !signal.frozen.median || signal.frozen.accounts < fewest_accounts) return;
  reading.basis = shrink_basis(ledger, signal.metric, as_of);
  reading.counted = (reading.basis * reading.raw.number + signal.shrink * *signal.frozen.median) /
                    (reading.basis + signal.shrink);
}

// Where nobody is active the book's median makes no value better. What was shrunk before, such as the share
// of the invited who took part, does not rise either.
void take_the_lower(const Signal& signal, std::string_view segment, Reading& reading) {
  const Value as_measured = normalize(signal.normalize, reading.raw.number, segment);
  if (as_measured.known() && reading.score.known() && reading.score.number < as_measured.number) return;
  reading.score = as_measured;
  reading.counted.reset();
  reading.basis = 0;
}

// Weeks end with as_of, so that from one day to the next one active week may become two, of an account that
// nobody uses as well. There the lowest of the last seven days counts: seven days on, its weeks are the same
// and one more without activity.
void take_the_lowest_of_a_week(const Signal& signal, const Ledger& ledger, Day as_of,
                               std::string_view segment, Reading& reading) {
  if (signal.metric.id != MetricId::cadence && signal.metric.id != MetricId::dip_streak) return;
  for (int age = 1; age < 7; ++age) {
    const Value earlier = evaluate(ledger, signal.metric, days_before(as_of, age));
    if (!earlier.known()) continue;
    const Value score = normalize(signal.normalize, earlier.number, segment);
    if (!score.known() || score.number >= reading.score.number) continue;
    reading.score = score;
    reading.counted = earlier.number;
  }
}

Reading read_metric(const Signal& signal, const Ledger& ledger, const ExternalInput* input, Day as_of) {
  Reading reading;
  if (!signal.frozen.seen) {
    reading.raw = reading.score = Value::none(Unknown::not_applicable);
    return reading;
  }
  reading.raw = evaluate(ledger, signal.metric, as_of);
  const bool silent = ledger.presence(as_of) == Presence::silent;
  if (silent && signal.ignored_when_silent) {
    reading.raw = reading.score = Value::none(Unknown::nobody_active);
    return reading;
  }
  if (reading.nobody_active()) {
    reading.score = lowest_score(signal.normalize, segment_of(input));
    return reading;
  }
  if (!reading.raw.known() && !silent && signal.missing == NullPolicy::carry_forward) {
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
  const Day measured_at = reading.carried ? *reading.observed : as_of;
  reading.whole = whole_of(signal, ledger, measured_at);
  if (!reading.raw.known()) {
    if (reading.raw.unknown == Unknown::before_ledger) reading.observed = ledger.settings().ledger_start;
    reading.score = reading.raw;
    return reading;
  }
  shrink(signal, ledger, measured_at, reading);
  reading.score =
      normalize(signal.normalize, reading.counted.value_or(reading.raw.number), segment_of(input));
  if (silent && reading.counted) take_the_lower(signal, segment_of(input), reading);
  if (silent && reading.score.known())
    take_the_lowest_of_a_week(signal, ledger, as_of, segment_of(input), reading);
  return reading;
}

// What nobody uses may have tickets all the same: facts know no silence.
Reading read_fact(const Signal& signal, const Ledger& ledger, const ExternalInput* input, Day as_of) {
  Reading reading;
  reading.raw =
      signal.frozen.seen ? evaluate_fact(ledger, signal.fact, as_of) : Value::none(Unknown::not_applicable);
  reading.score =
      reading.raw.known() ? normalize(signal.normalize, reading.raw.number, segment_of(input)) : reading.raw;
  return reading;
}

// Whether what was observed on a day has become too old by as_of.
bool is_stale(const Signal& signal, Day observed, Day as_of) {
  const auto age = std::int64_t{as_of} - observed;
  return (signal.source == SignalSource::pulse && age > signal.valid_days) ||
         (signal.missing == NullPolicy::carry_forward && age > signal.carry_days);
}

Reading read_external(const Signal& signal, const ExternalInput* input, Day as_of) {
  Reading reading;
  reading.raw = reading.score = Value::none(Unknown::no_data);
  if (input == nullptr || !input->value) return reading;
  reading.observed = input->observed;
  if (input->observed && *input->observed >= as_of) return reading;  // not yet known then
  reading.text = *input->value;
  std::string_view value = *input->value;
  if (signal.source == SignalSource::pulse && parse_pulse(value)) value = value.substr(0, 1);
  if (const auto number = parse_number(value)) reading.raw = Value::of(*number);
  if (input->observed && is_stale(signal, *input->observed, as_of)) {
    reading.score = Value::none(Unknown::source_stale);
    return reading;
  }
  reading.score = normalize_text(signal.normalize, value, segment_of(input));
  return reading;
}

// The name of a variant, which is no value.
Reading read_variant(const ExternalInput* input) {
  Reading reading;
  reading.raw = reading.score = Value::none(Unknown::not_applicable);
  if (input != nullptr && input->value) reading.text = *input->value;
  return reading;
}

// Of an account that the account source has more than once.
std::vector<Reading> read_nothing(const Model& model) {
  std::vector<Reading> readings(model.signals.size());
  for (std::size_t i = 0; i < readings.size(); ++i)
    if (!model.signals[i].is_group())
      readings[i].raw = readings[i].score = Value::none(Unknown::repeated_account);
  return readings;
}

void check_inputs(const Model& model, std::span<const ExternalInput> inputs) {
  if (inputs.empty() || inputs.size() == model.inputs.size()) return;
  throw Error(sqlstate::invalid_parameter_value,
              "the model takes " + std::to_string(model.inputs.size()) + " inputs, not " +
                  std::to_string(inputs.size()),
              "health.model_inputs(model) lists them in order.");
}

// Groups have no reading.
Reading read_signal(const Signal& signal, const Ledger& ledger, std::span<const ExternalInput> inputs,
                    Day as_of) {
  if (signal.is_group()) return {};
  const ExternalInput* input =
      signal.input >= 0 && !inputs.empty() ? &inputs[static_cast<std::size_t>(signal.input)] : nullptr;
  try {
    return signal.source == SignalSource::variant ? read_variant(input)
           : signal.is_external()                 ? read_external(signal, input, as_of)
           : signal.source == SignalSource::fact  ? read_fact(signal, ledger, input, as_of)
                                                  : read_metric(signal, ledger, input, as_of);
  } catch (const Error& error) {
    rethrow_for_signal(signal, error);
  }
}

}  // namespace

std::vector<Reading> read_signals(const Model& model, const Ledger& ledger,
                                  std::span<const ExternalInput> inputs, Day as_of) {
  check_inputs(model, inputs);
  if (ledger.settings().repeated) return read_nothing(model);
  std::vector<Reading> readings;
  readings.reserve(model.signals.size());
  for (const Signal& signal : model.signals) readings.push_back(read_signal(signal, ledger, inputs, as_of));
  return readings;
}

bool lacks_peers(const Signal& signal, const Reading& reading) {
  return signal.normalize.kind == NormalizerKind::percentile &&
         (reading.raw.known() || reading.nobody_active()) && reading.score.unknown == Unknown::no_data;
}

bool lacks_parameters(const Signal& signal) {
  return signal.source == SignalSource::metric && metric_info(signal.metric.id).fitted && !signal.metric.bgbb;
}

namespace {

// "zero" is for what should be there: a question that does not arise, or a rank among nobody, is none, and
// neither is one that nothing could be fitted for.
bool counts_as_zero(const Signal& signal, const Reading& reading) {
  if (signal.missing != NullPolicy::zero || lacks_peers(signal, reading) || lacks_parameters(signal))
    return false;
  return signal.is_external() || reading.score.unknown != Unknown::not_applicable;
}

}  // namespace

std::vector<Standing> apply_policies(const Model& model, std::span<const Reading> readings) {
  std::vector<Standing> standings(model.signals.size());
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const Signal& signal = model.signals[i];
    if (signal.is_group()) continue;
    const Reading& reading = readings[i];
    if (reading.known()) {
      standings[i] = {true, true, reading.score.number};
    } else if (reading.nobody_active()) {
      continue;  // the signal says "silent": "ignore"
    } else if (signal.missing == NullPolicy::neutral) {
      standings[i] = {true, false, 50};
    } else if (counts_as_zero(signal, reading)) {
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
double weigh_coverage(const Model& model, int variant, const GroupSums& sums, int group, const Tree& tree) {
  if (!sums.has_weight) return 0;
  if (sums.covered && !sums.uncovered) return 1;
  WeightedSum coverages;
  for (std::size_t i = group < 0 ? 0 : static_cast<std::size_t>(group) + 1; i < model.signals.size(); ++i)
    if (model.signals[i].parent == group) coverages.add(tree.signals[i].coverage, model.weight(i, variant));
  return coverages.mean().value_or(0);
}

}  // namespace

Tree weigh_tree(const Model& model, std::span<const Standing> standings, int variant) {
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
      signal.coverage = weigh_coverage(model, variant, own, static_cast<int>(i), tree);
    } else {
      signal.counts = standings[i].counts;
      signal.score = standings[i].score;
      signal.coverage = standings[i].known ? 1 : 0;
    }
    sums[place[parent_of(i)]].add(signal, model.weight(i, variant));
  }
  tree.score = sums[groups].scores.mean();
  tree.coverage = weigh_coverage(model, variant, sums[groups], -1, tree);
  std::vector<double> known_weights(groups + 1);
  for (std::size_t group = 0; group <= groups; ++group)
    known_weights[group] = sums[group].scores.weights().value();
  for (std::size_t i = 0; i < count; ++i) {
    SignalScore& signal = tree.signals[i];
    const std::size_t parent = parent_of(i);
    const double share = parent == count ? 1 : tree.signals[parent].weight;
    const double known = known_weights[place[parent]];
    signal.weight = signal.counts && known > 0 ? share * (model.weight(i, variant) / known) : 0;
    signal.points = signal.weight * signal.score;
  }
  return tree;
}

namespace {

// Fills in standings, tree, and the score by them or why there is none.
void compute_score(const Model& model, Score& result) {
  const auto find = [&result](Unknown reason) {
    const auto found =
        std::find_if(result.readings.begin(), result.readings.end(),
                     [reason](const Reading& reading) { return reading.score.unknown == reason; });
    return found == result.readings.end() ? nullptr : &*found;
  };
  if (!model.variants.empty()) result.variant = model.find_variant(result.readings.back().text);
  // Whatever policies the signals have.
  if (find(Unknown::repeated_account) != nullptr) {
    result.unknown_reason = unknown_name(Unknown::repeated_account);
    result.standings.resize(model.signals.size());
    result.tree = weigh_tree(model, result.standings, result.variant);
    return;
  }
  result.standings = apply_policies(model, result.readings);
  result.tree = weigh_tree(model, result.standings, result.variant);
  if (!result.state.in_book()) {
    result.unknown_reason = std::string(customer_state_name(result.state.kind)) + ": " +
                            describe_customer_state(result.state, result.as_of);
    return;
  }
  if (const Reading* lacking = find(Unknown::before_ledger)) {
    result.unknown_reason =
        std::string(unknown_name(Unknown::before_ledger)) + ": " + describe_before_ledger(*lacking);
    return;
  }
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const Signal& signal = model.signals[i];
    if (signal.missing != NullPolicy::required || model.takes_out(result.variant, i)) continue;
    if (signal.is_group() ? result.tree.signals[i].counts : result.readings[i].known()) continue;
    result.unknown_reason = "required signal " + signal.name + " is unknown";
    if (!signal.is_group())
      result.unknown_reason.append(" (").append(unknown_name(result.readings[i].score.unknown)).append(")");
    return;
  }
  if (!result.tree.score) {
    result.unknown_reason = "no signal is known";
  } else if (result.tree.coverage < model.minimum_coverage - binary_noise) {
    const auto [coverage, minimum] = show_apart(result.tree.coverage, model.minimum_coverage);
    result.unknown_reason = "coverage " + coverage + " below minimum " + minimum;
  } else {
    result.computed = result.tree.score;
  }
}

bool takes_overrides(const Score& result) {
  return result.state.in_book() &&
         std::none_of(result.readings.begin(), result.readings.end(), [](const Reading& reading) {
           return reading.score.unknown == Unknown::repeated_account;
         });
}

// One that leaves the score as it is has no effect and is not told; that a person has said what the score is
// always is.
void override_score(Score& result, std::span<const Override> overrides) {
  result.score = result.computed;
  const Override* made = find_override(overrides, result.as_of);
  if (made == nullptr || !takes_overrides(result)) return;
  const auto shown = apply_override(*made, result.computed);
  if (shown == result.computed && made->kind != OverrideKind::score) return;
  result.score = shown;
  result.overridden_by = *made;
  result.unknown_reason.clear();
}

}  // namespace

Score score_readings(const Model& model, std::vector<Reading> readings, Day as_of, const CustomerState& state,
                     std::span<const Override> overrides) {
  Score result;
  result.as_of = as_of;
  result.state = state;
  result.readings = std::move(readings);
  compute_score(model, result);
  override_score(result, overrides);
  return result;
}

Score score_account(const Model& model, const Ledger& ledger, std::span<const ExternalInput> inputs,
                    Day as_of, std::span<const Override> overrides) {
  return score_readings(model, read_signals(model, ledger, inputs, as_of), as_of,
                        find_customer_state(ledger, as_of, model.reads_usage()), overrides);
}

Score score_repeated(const Model& model, const Ledger& ledger, Day as_of) {
  return score_readings(model, read_nothing(model), as_of,
                        find_customer_state(ledger, as_of, model.reads_usage()));
}

std::string_view find_next_step(const Model& model, std::size_t signal, const Score& score, bool strong) {
  const SignalScore& weighed = score.tree.signals[signal];
  if (!weighed.counts || score.state.is_idle(score.as_of) || !score.state.in_book()) return {};
  if (model.takes_out(score.variant, signal)) return {};
  const bool fits_by_score = strong ? weighed.score >= very_good_score : weighed.score < good_score;
  // A condition is about what was measured, and a group measures nothing.
  const Value raw =
      model.signals[signal].is_group() ? Value::none(Unknown::not_applicable) : score.readings[signal].raw;
  const auto book = book_change_of(model, signal, score);
  for (int at = static_cast<int>(signal); at >= 0; at = model.signals[static_cast<std::size_t>(at)].parent) {
    const Signal& found = model.signals[static_cast<std::size_t>(at)];
    const NextStep& step = strong ? found.step_high : found.step_low;
    if (step.text.empty()) continue;
    bool fits = step.has_condition() ? raw.known() && step.fits(raw.number) : fits_by_score;
    if (fits && book)
      fits = fits_against_book(model.signals[signal], step, change_against_book(raw.number, *book), strong);
    return fits ? std::string_view(step.text) : std::string_view();
  }
  return {};
}

std::optional<double> score_without(const Model& model, const Score& now, const Ledger& ledger,
                                    std::uint32_t user, std::span<const ExternalInput> inputs,
                                    std::span<const Override> overrides) {
  if (!now.score) return std::nullopt;
  const auto stays = [](const Signal& signal) {
    return signal.source != SignalSource::metric ||
           metric_info(signal.metric.id).room == MetricRoom::concentration;
  };
  const Ledger rest = ledger.without_user(user);
  check_inputs(model, inputs);
  std::vector<Reading> readings(model.signals.size());
  for (std::size_t i = 0; i < readings.size(); ++i)
    readings[i] =
        stays(model.signals[i]) ? now.readings[i] : read_signal(model.signals[i], rest, inputs, now.as_of);
  const Score without = score_readings(model, std::move(readings), now.as_of, now.state, overrides);
  if (!without.score) return std::nullopt;
  return std::min(*without.score, *now.score);
}

}  // namespace health
