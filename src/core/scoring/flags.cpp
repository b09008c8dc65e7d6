// Flags: since when they are up, and the words for them.
#include "flags.hpp"

#include <algorithm>

#include "customer_state.hpp"
#include "phrase_format.hpp"

namespace health {

namespace {

constexpr std::string_view kind_names[] = {"churn", "expansion", "onboarding", "data"};

// Which flags an account can have as of a day.
enum class Scope : std::uint8_t { none, young, all };

Scope scope_of(const FlagAccount& account, Day as_of) {
  if (account.ledger.settings().repeated) return Scope::none;
  const CustomerState state = find_customer_state(account.ledger, as_of, account.model.reads_usage());
  if (!state.in_book()) return Scope::none;
  return state.kind == CustomerStateKind::onboarding ? Scope::young : Scope::all;
}

bool is_in(Scope scope, FlagKind kind) {
  return scope == Scope::all ||
         (scope == Scope::young && (kind == FlagKind::onboarding || kind == FlagKind::data));
}

bool is_up(const FlagAccount& account, const Flag& flag, Day as_of) {
  return std::all_of(flag.conditions.begin(), flag.conditions.end(), [&](const FlagCondition& condition) {
    const Value value = measure_condition(account, condition, as_of);
    return value.known() && condition.fits(value.number);
  });
}

std::string fill_sentence(const FlagAccount& account, const Flag& flag, double value, Day as_of) {
  const FlagCondition& first = flag.conditions.front();
  std::string words;
  std::string_view rest = flag.sentence.empty() ? "{finding}" : std::string_view(flag.sentence);
  while (!rest.empty()) {
    const std::size_t open = rest.find('{');
    words += rest.substr(0, open);
    if (open == rest.npos) break;
    const std::size_t close = rest.find('}', open);
    const std::string_view blank =
        close == rest.npos ? std::string_view() : rest.substr(open + 1, close - open - 1);
    if (blank == "finding") {
      words += describe_condition(account, first, value, as_of);
    } else if (blank == "and" && flag.conditions.size() > 1) {
      const FlagCondition& second = flag.conditions[1];
      words += describe_condition(account, second, measure_condition(account, second, as_of).number, as_of);
    } else if (blank == "value") {
      words += show_number(value);
    } else if (blank == "threshold") {
      words += show_number(first.threshold());
    } else {
      words += '{';
      rest.remove_prefix(open + 1);
      continue;
    }
    rest.remove_prefix(close + 1);
  }
  return words;
}

}  // namespace

std::string_view flag_kind_name(FlagKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::optional<FlagKind> flag_kind_by_name(std::string_view name) {
  const auto found = std::find(std::begin(kind_names), std::end(kind_names), name);
  if (found == std::end(kind_names)) return std::nullopt;
  return static_cast<FlagKind>(found - std::begin(kind_names));
}

std::optional<FlagMeasure> flag_measure_by_name(std::string_view name) {
  for (const FlagMeasureInfo& measure : flag_measures)
    if (measure.name == name) return measure.id;
  return std::nullopt;
}

std::vector<RaisedFlag> raise_flags(const FlagAccount& account, const std::vector<Flag>& flags, Day as_of,
                                    const std::function<std::optional<Day>(Day)>& seen_on) {
  std::vector<RaisedFlag> raised;
  const auto today = seen_on(as_of);
  const Scope scope = today ? scope_of(account, *today) : Scope::none;
  if (scope == Scope::none) return raised;
  for (const Flag& flag : flags) {
    if (!is_in(scope, flag.kind) || !is_up(account, flag, *today)) continue;
    const double value = measure_condition(account, flag.conditions.front(), *today).number;
    raised.push_back({&flag, as_of, value, flag.conditions.front().threshold(),
                      fill_sentence(account, flag, value, *today)});
  }
  // Day by day, so that what the flags measure of a day is worked out once.
  std::vector<RaisedFlag*> running;
  running.reserve(raised.size());
  for (RaisedFlag& flag : raised) running.push_back(&flag);
  for (int back = 1; back <= flag_memory_days && !running.empty(); ++back) {
    const Day day = days_before(as_of, back);
    const auto seen = seen_on(day);
    const Scope then = seen ? scope_of(account, *seen) : Scope::none;
    std::erase_if(running, [&](RaisedFlag* up) {
      if (!is_in(then, up->flag->kind) || !is_up(account, *up->flag, *seen)) return true;
      up->since = day;
      return false;
    });
  }
  return raised;
}

}  // namespace health
