// Sentences about signals, scores and changes.
#include "phrase.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/civil.hpp"
#include "phrase_fact.hpp"
#include "phrase_format.hpp"
#include "phrase_metric.hpp"
#include "pulse.hpp"

namespace health {

namespace {

constexpr double worth_telling = 0.05;  // points that would be shown as 0.0 are not told

std::string points_in_brackets(double points) { return " (" + show_points(points) + ")"; }

std::string describe_missing(const Signal& signal, const Reading& reading, const Standing& standing) {
  std::string words = in_sentence(signal.label) + " unknown: ";
  if (!signal.frozen.seen) {
    words += signal.source == SignalSource::fact
                 ? "no " + in_sentence(words_of_fact(signal.fact)) + " were ever recorded"
                 : std::string("none of its events was ever seen");
  } else if (signal.source == SignalSource::fact && reading.score.unknown == Unknown::not_applicable) {
    words += "amounts in several currencies are not added";
  } else if (reading.score.unknown == Unknown::source_stale && reading.observed) {
    words += "the last value is from " + day_text(*reading.observed);
  } else if (signal.source == SignalSource::metric && signal.metric.id == MetricId::adoption_rate &&
             reading.score.unknown == Unknown::no_data && !reading.whole) {
    words += "no number of licensed seats";
  } else if (lacks_parameters(signal)) {
    words += "too little in the book to fit it to";
  } else if (lacks_peers(signal, reading)) {
    words += "no peers to compare with";
  } else if (reading.score.unknown == Unknown::no_data && reading.observed) {
    words += "first observed on " + day_text(*reading.observed);
  } else if (reading.score.unknown == Unknown::not_applicable && signal.normalize.takes_categories()) {
    words += "no score for \"" + reading.text + "\"";
  } else {
    words += describe_unknown(reading.score.unknown);
  }
  if (standing.counts) words += ", counted as " + show_number(standing.score);
  return words;
}

std::string as_sentence(std::string words) {
  if (words[0] >= 'a' && words[0] <= 'z') words[0] = static_cast<char>(words[0] - 'a' + 'A');
  return words + ".";
}

// "Capped at 40 by maria: sponsor left. By its signals 72."
std::string describe_override_of(const Score& score) {
  std::string words = as_sentence(describe_override(*score.overridden_by, score.as_of));
  words += score.computed ? " By its signals " + show_score(*score.computed) + "."
                          : std::string(" By its signals unknown.");
  return words;
}

// Two scores with as many decimals as it takes to tell them apart, at most one.
std::string show_scores(double from, double to) {
  const bool same = show_score(from) == show_score(to);
  return show_score(from, same ? 1 : 0) + " -> " + show_score(to, same ? 1 : 0);
}

std::string name_variant(const Model& model, const Score& score) {
  return score.variant < 0 ? "none" : model.variants[static_cast<std::size_t>(score.variant)].name;
}

}  // namespace

std::string_view describe_unknown(Unknown reason) {
  switch (reason) {
    case Unknown::none:
      return "known";
    case Unknown::no_data:
      return "nothing recorded";
    case Unknown::zero_denominator:
      return "nothing to compare with";
    case Unknown::insufficient_history:
      return "the account is too young";
    case Unknown::source_stale:
      return "the source is stale";
    case Unknown::not_applicable:
      return "does not apply";
    case Unknown::bad_value:
      return "its value cannot be used";
    case Unknown::repeated_account:
      return "the account source has the account more than once";
    case Unknown::nobody_active:
      return "nobody active";
    case Unknown::before_ledger:
      return "it needs days from before the ledger";
  }
  return "";
}

std::string show_raw(const Signal& signal, const Reading& reading) {
  if (reading.raw.known()) {
    if (signal.source == SignalSource::pulse) return show_pulse(reading.raw.number);
    if (signal.source == SignalSource::metric) {
      const MetricId id = signal.metric.id;
      if (metric_info(id).style != NumberStyle::number) return show_metric(id, reading.raw.number);
    }
    if (signal.source == SignalSource::fact) return show_fact(signal.fact, reading.raw.number);
    if (!signal.normalize.takes_categories()) return show_number(reading.raw.number);
  }
  if (reading.nobody_active()) return "nobody active";
  return reading.text.empty() ? "unknown" : reading.text;
}

std::string describe_signal(const Model& model, std::size_t index, const Score& score) {
  const Signal& signal = model.signals[index];
  if (signal.is_group()) {
    const SignalScore& group = score.tree.signals[index];
    if (!group.counts) return in_sentence(signal.label) + " unknown: none of its signals is known";
    return in_sentence(signal.label) + " " + show_score(group.score) + " of 100";
  }
  const Reading& reading = score.readings[index];
  if (!reading.known()) return describe_missing(signal, reading, score.standings[index]);
  if (reading.nobody_active()) return in_sentence(signal.label) + ": nobody active";
  if (signal.source == SignalSource::pulse)
    return in_sentence(signal.label) + " " + describe_pulse(reading.text, reading.observed, score.as_of);
  if (signal.source == SignalSource::fact)
    return describe_fact(signal.fact, reading.raw.number, model.settings);
  if (signal.source != SignalSource::metric)
    return in_sentence(signal.label) + " " + show_raw(signal, reading);
  std::string words = describe_metric(signal, reading.raw.number, reading.whole, model.settings);
  if (reading.carried) words += ", as of " + day_text(*reading.observed);
  if (reading.counted) {
    const std::string counted = show_metric(signal.metric.id, *reading.counted);
    if (counted != show_metric(signal.metric.id, reading.raw.number))
      words += ", counted as " + counted +
               (signal.shrink > 0 ? " because the account is small" : ", the least of seven days");
  }
  if (const auto book = book_change_of(model, index, score)) {
    const std::string beside = describe_book(reading.raw.number, *book);
    if (!beside.empty()) words += "; " + beside;
  }
  return words;
}

std::vector<Loss> rank_losses(const Model& model, const Score& score) {
  std::vector<Loss> losses;
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const SignalScore& signal = score.tree.signals[i];
    if (model.signals[i].is_group() || !signal.counts) continue;
    losses.push_back({i, signal.weight * (100 - signal.score)});
  }
  std::stable_sort(losses.begin(), losses.end(),
                   [](const Loss& a, const Loss& b) { return a.points > b.points; });
  return losses;
}

std::string describe_score(const Model& model, const Score& score) {
  std::string words;
  if (score.score) {
    const std::string_view band = score.band(model);
    const std::string state = describe_customer_state(score.state, score.as_of);
    words = show_score(*score.score) + " of 100, " + (band.empty() ? "no band yet" : std::string(band)) + ".";
    if (score.variant >= 0) words += " Variant " + name_variant(model, score) + ".";
    if (score.overridden_by) words += " " + describe_override_of(score);
    if (!state.empty()) words += " " + as_sentence(state);
    std::size_t told = 0;
    for (const Loss& loss : rank_losses(model, score)) {
      if (loss.points < 0.5 || told == 3 || score.state.is_idle(score.as_of)) break;
      words += told++ == 0 ? " Costs most: " : ", ";
      words += describe_signal(model, loss.signal, score) + points_in_brackets(-loss.points);
    }
    if (told > 0) words += ".";
  } else {
    words = "Score unknown: " + score.unknown_reason + ".";
  }
  std::string unknown;
  for (std::size_t i = 0; i < model.shown_signals(); ++i) {
    if (model.signals[i].is_group() || score.standings[i].known || model.takes_out(score.variant, i))
      continue;
    unknown += (unknown.empty() ? "" : ", ") + in_sentence(model.signals[i].label);
  }
  if (!unknown.empty())
    words += " Unknown: " + unknown + " (data coverage " + show_percent(score.tree.coverage) + ").";
  return words;
}

std::string describe_part(const Model& before, const ChangePart& part, const Score& from, const Score& to) {
  const std::string points = points_in_brackets(part.points);
  if (part.step == ChangeStep::model) {
    if (from.variant == to.variant) return "changed model" + points;
    return "variant " + name_variant(before, from) + " -> " + name_variant(before, to) + points;
  }
  if (part.step == ChangeStep::override) {
    if (to.overridden_by) return describe_override(*to.overridden_by, to.as_of) + points;
    if (from.overridden_by) return describe_end_of_override(*from.overridden_by) + points;
    return "override" + points;
  }
  const auto index = static_cast<std::size_t>(part.signal);
  const Signal& signal = before.signals[index];
  const std::string label = in_sentence(signal.label);
  const Reading& earlier = from.readings[index];
  const Reading& later = to.readings[index];
  if (later.known() == earlier.known())
    return label + " " + show_raw(signal, earlier) + " -> " + show_raw(signal, later) + points;
  if (later.known()) return label + " now known: " + show_raw(signal, later) + points;
  if (const auto& since = later.observed ? later.observed : earlier.observed) {
    return "no " + label + " since " + month_of(*since, to.as_of) + points;
  }
  return label + " no longer known" + points;
}

std::string describe_change(const Model& before, const ScoreChange& change, const Score& from,
                            const Score& to) {
  if (!change.unknown_reason.empty()) return "Cannot be compared: " + change.unknown_reason;
  if (change.parts.empty()) return show_score(*change.to) + ", unchanged";
  std::string words = show_scores(*change.from, *change.to);
  std::vector<const ChangePart*> parts;
  for (const ChangePart& part : change.parts) parts.push_back(&part);
  std::stable_sort(parts.begin(), parts.end(), [](const ChangePart* a, const ChangePart* b) {
    return std::fabs(a->points) > std::fabs(b->points);
  });
  constexpr std::size_t most = 4;
  std::size_t told = 0;
  double rest = 0;
  for (const ChangePart* part : parts) {
    if (told < most && std::fabs(part->points) >= worth_telling) {
      words += (told++ == 0 ? ": " : ", ") + describe_part(before, *part, from, to);
    } else {
      rest += part->points;
    }
  }
  if (told == 0) return words + ": no signal moved it by " + show_score(worth_telling * 2, 1) + " points";
  if (std::fabs(rest) >= worth_telling) words += ", other signals" + points_in_brackets(rest);
  return words;
}

}  // namespace health
