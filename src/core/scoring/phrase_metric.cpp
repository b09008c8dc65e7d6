// Fills in the phrases of the table of metrics, with the counts behind a ratio where they can be told.
#include "phrase_metric.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/scoring/metric_phrases.hpp"
#include "phrase_format.hpp"

namespace health {

namespace {

// What one metric's phrase is made of.
struct Finding {
  const Signal& signal;
  double value;
  std::optional<double> whole;
  const MetricSettings& settings;

  std::string window() const {
    const int days = signal.metric.window_days > 0 ? signal.metric.window_days : settings.window_days;
    return " in " + count_of(days, "day", "days");
  }

  // Events, roles and actors that narrow the question: " (comment_left, video_shared)".
  std::string scope() const {
    const std::string actor =
        signal.metric.actor.empty() || signal.metric.actor == human_actor ? "" : " by " + signal.metric.actor;
    const auto& events = signal.metric.events;
    if (!events.empty()) {
      std::string names;
      for (std::size_t i = 0; i < std::min<std::size_t>(3, events.size()); ++i)
        names += (i == 0 ? "" : ", ") + events[i];
      return actor + " (" + names + (events.size() > 3 ? ", ...)" : ")");
    }
    std::string names;
    for (const auto& [role, name] : {std::pair{Role::create, "create"},
                                     {Role::consume, "consume"},
                                     {Role::interact, "interact"},
                                     {Role::activate, "activate"},
                                     {Role::session, "session"}}) {
      if ((signal.metric.roles & role) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return names.empty() ? actor : actor + " (" + names + " events)";
  }

  std::string people() const {
    const int top = signal.metric.top_k;
    return top == 1 ? "one person" : std::to_string(top) + " people";
  }
};

// What the blanks of a phrase stand for. With words, "{part user|users}", a count and the word that goes with
// it.
enum class Blank { value, percent, share, size, part, whole, what, people, onboarding_days, window, scope };
constexpr std::pair<std::string_view, Blank> blanks[] = {
    {"value", Blank::value},      // the value
    {"percent", Blank::percent},  // a value that is in percent
    {"share", Blank::share},      // a ratio in percent
    {"size", Blank::size},        // the same without its sign
    {"part", Blank::part},        // value x whole: what a share counts
    {"whole", Blank::whole},      // MetricPhrase::whole
    {"what", Blank::what},        // events, or value points where the signal counts by value
    {"people", Blank::people},    // the top_k users of a share
    {"onboarding_days", Blank::onboarding_days},
    {"window", Blank::window},  // " in 28 days"
    {"scope", Blank::scope}};   // " (comment_left)", where the signal looks at some events only

constexpr std::optional<Blank> blank_by_name(std::string_view name) {
  for (const auto& [known, blank] : blanks)
    if (known == name) return blank;
  return std::nullopt;
}

// A phrase up to its first blank, the blank's name and its words, and what follows; no name: the phrase ends.
struct PhrasePiece {
  std::string_view text, name, one, many, rest;
};

constexpr PhrasePiece next_piece(std::string_view phrase) {
  const std::size_t open = phrase.find('{');
  if (open == phrase.npos) return {phrase, {}, {}, {}, {}};
  const std::size_t close = phrase.find('}', open);
  std::string_view inside = phrase.substr(open + 1, close - open - 1);
  PhrasePiece piece{
      phrase.substr(0, open), inside.substr(0, inside.find(' ')), {}, {}, phrase.substr(close + 1)};
  inside.remove_prefix(piece.name.size());
  if (inside.empty()) return piece;
  inside.remove_prefix(1);
  piece.one = inside.substr(0, inside.find('|'));
  piece.many = inside.substr(piece.one.size() + 1);
  return piece;
}

constexpr bool blanks_are_known() {
  for (const MetricPhrase& words : metric_phrases)
    for (std::string_view phrase : {words.otherwise, words.fall, words.zero, words.one}) {
      while (!phrase.empty()) {
        const PhrasePiece piece = next_piece(phrase);
        if (!piece.name.empty() && !blank_by_name(piece.name)) return false;
        phrase = piece.rest;
      }
    }
  return true;
}
static_assert(blanks_are_known(), "a phrase of the table of metrics has a blank that nothing fills");

std::string fill(const Finding& f, const PhrasePiece& piece) {
  const double whole = f.whole.value_or(0);
  const auto count = [&](double number) {
    const auto rounded = std::llround(number);
    return piece.one.empty() ? std::to_string(rounded) : count_of(rounded, piece.one, piece.many);
  };
  switch (*blank_by_name(piece.name)) {
    case Blank::value:
      return piece.one.empty() ? show_number(f.value) : count(f.value);
    case Blank::percent:
      return show_percent(f.value / 100);
    case Blank::share:
      return show_percent(f.value);
    case Blank::size:
      return show_percent(std::fabs(f.value));
    case Blank::part:
      return count(f.value * whole);
    case Blank::whole:
      return piece.one.empty() ? show_number(whole) : count(whole);
    case Blank::what:
      return f.signal.metric.by_value ? "value points" : "events";
    case Blank::people:
      return f.people();
    case Blank::onboarding_days:
      return count_of(f.settings.onboarding_days, "day", "days");
    case Blank::window:
      return f.window();
    case Blank::scope:
      break;
  }
  return f.scope();
}

// The phrase for a value like this; empty when the metric has no words of its own.
std::string_view choose_phrase(const MetricPhrase& phrase, double value) {
  if (value < 0 && !phrase.fall.empty()) return phrase.fall;
  if (value == 0 && !phrase.zero.empty()) return phrase.zero;
  if (value == 1 && !phrase.one.empty()) return phrase.one;
  return phrase.otherwise;
}

}  // namespace

std::optional<double> whole_of(const Signal& signal, const Ledger& ledger, Day as_of) {
  const auto number = [](std::int64_t count) { return std::optional(static_cast<double>(count)); };
  switch (phrase_of(signal.metric.id).whole) {
    case MetricWhole::none:
      break;
    case MetricWhole::total_users:
      return number(ledger.total_users(as_of));
    case MetricWhole::active_users: {
      MetricRequest request = signal.metric;
      request.id = MetricId::active_users;
      const Value count = evaluate(ledger, request, as_of);
      return number(count.known() ? std::llround(count.number) : 0);
    }
    case MetricWhole::seats:
      return ledger.settings().usable_seats();
    case MetricWhole::features:
      if (const auto features = ledger.entitled_features()) return number(*features);
      break;
    case MetricWhole::weeks: {
      const auto start = ledger.age_start(as_of);
      return number(start ? std::clamp<std::int64_t>(whole_weeks(*start, as_of), 1, 8) : 8);
    }
  }
  return std::nullopt;
}

std::string show_metric(MetricId id, double value) {
  switch (metric_info(id).style) {
    case NumberStyle::share:
      return show_percent(value);
    case NumberStyle::change:
      return show_percent(value, true);
    case NumberStyle::number:
      break;
  }
  return show_number(value);
}

std::string describe_metric(const Signal& signal, double value, std::optional<double> whole,
                            const MetricSettings& settings) {
  const MetricId id = signal.metric.id;
  std::string_view phrase = choose_phrase(phrase_of(id), value);
  if (phrase.empty()) return in_sentence(signal.label) + " " + show_metric(id, value);
  const Finding finding{signal, value, whole, settings};
  std::string words;
  while (!phrase.empty()) {
    const PhrasePiece piece = next_piece(phrase);
    words += piece.text;
    if (!piece.name.empty()) words += fill(finding, piece);
    phrase = piece.rest;
  }
  return words;
}

}  // namespace health
