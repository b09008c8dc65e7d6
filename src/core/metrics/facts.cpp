// Starts and ends of facts: counts, stocks, lengths, opinions.
#include "facts.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "trend.hpp"

namespace health {

namespace {

// The facts of a request: which names they have, and the cells by day.
class Facts {
 public:
  Facts(const Ledger& ledger, const FactRequest& request)
      : ledger_(ledger), names_(ledger.facts().names()), cells_(ledger.facts().of(request.fact)) {
    if (cells_.empty() || (request.kinds.empty() && request.currency.empty())) return;
    wanted_.resize(names_.size());
    const std::uint32_t fact = names_[cells_.front().name].fact;
    for (std::size_t i = 0; i < names_.size(); ++i)
      wanted_[i] = names_[i].fact == fact && has_kind(request, names_[i].kind) &&
                   (request.currency.empty() || names_[i].currency == request.currency);
  }

  // Visits the wanted cells with a day in the window.
  template <class Visit>
  void visit(std::int64_t from, std::int64_t until, Visit&& visit) const {
    const auto first =
        std::lower_bound(cells_.begin(), cells_.end(), from,
                         [](const LedgerFacts::Cell& cell, std::int64_t day) { return cell.day < day; });
    for (auto cell = first; cell != cells_.end() && cell->day < until; ++cell)
      if (wanted_.empty() || wanted_[cell->name]) visit(*cell, names_[cell->name]);
  }

  template <class Visit>
  void visit_starts(std::int64_t from, std::int64_t until, Visit&& on_start) const {
    visit(from, until, [&](const LedgerFacts::Cell& cell, const LedgerFacts::Kind& name) {
      if (name.entry != FactEntry::end) on_start(cell, name);
    });
  }

  template <class Visit>
  void visit_ends(std::int64_t from, std::int64_t until, Visit&& on_end) const {
    visit(from, until, [&](const LedgerFacts::Cell& cell, const LedgerFacts::Kind& name) {
      if (name.entry == FactEntry::end) on_end(cell, name);
    });
  }

  const Ledger& ledger() const { return ledger_; }

 private:
  static bool has_kind(const FactRequest& request, std::string_view kind) {
    return request.kinds.empty() ||
           std::find(request.kinds.begin(), request.kinds.end(), kind) != request.kinds.end();
  }

  const Ledger& ledger_;
  std::span<const LedgerFacts::Kind> names_;
  std::span<const LedgerFacts::Cell> cells_;
  std::vector<char> wanted_;  // by name; empty: all are
};

constexpr std::int64_t ever = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// Counts and amounts, by currency.
struct Sums {
  struct OfCurrency {
    std::string_view currency;
    Exact count = 0, amount = 0, amount_count = 0;
  };
  std::vector<OfCurrency> parts;
  Exact count = 0;

  void add(const LedgerFacts::Cell& cell, const LedgerFacts::Kind& name, int sign = 1) {
    const std::int64_t times = sign * cell.count;
    count += times;
    auto part = parts.begin();
    while (part != parts.end() && part->currency != name.currency) ++part;
    if (part == parts.end()) part = parts.insert(parts.end(), {name.currency});
    part->count += times;
    part->amount += sign * cell.amount;
    part->amount_count += sign * cell.amount_count;
  }

  // The one currency that there is something in; nothing when there are several.
  std::optional<OfCurrency> only() const {
    OfCurrency found;
    bool any = false;
    for (const OfCurrency& part : parts) {
      if (part.amount_count == 0 && part.amount == 0) continue;
      if (any) return std::nullopt;
      found = part;
      any = true;
    }
    return found;
  }
};

Sums sum_starts(const Facts& facts, std::int64_t from, std::int64_t until) {
  Sums sums;
  facts.visit_starts(from, until, [&](const auto& cell, const auto& name) { sums.add(cell, name); });
  return sums;
}

// What is open at the end of the day before: began by then, and did not end by then.
Sums sum_open(const Facts& facts, Day as_of) {
  Sums sums;
  facts.visit(ever, as_of, [&](const auto& cell, const auto& name) {
    sums.add(cell, name, name.entry == FactEntry::end ? -1 : 1);
  });
  return sums;
}

Value amount_of(const Sums& sums) {
  const auto only = sums.only();
  return only ? Value::of(from_micro(only->amount)) : Value::none(Unknown::not_applicable);
}

Value mean_amount(const Sums& sums) {
  const auto only = sums.only();
  if (!only) return Value::none(Unknown::not_applicable);
  if (only->amount_count == 0) return Value::none(Unknown::no_data);
  return Value::of(from_micro(only->amount) / to_double(only->amount_count));
}

Value change_of(const Facts& facts, std::int64_t window, Day as_of, bool by_value) {
  const std::int64_t from = as_of - window;
  const Sums now = sum_starts(facts, from, as_of);
  const Sums before = sum_starts(facts, from - window, from);
  if (!by_value)
    return before.count == 0 ? Value::none(Unknown::zero_denominator)
                             : relative_change(now.count, before.count);
  const auto current = now.only(), previous = before.only();
  if (!current || !previous) return Value::none(Unknown::not_applicable);
  if (previous->amount <= 0) return Value::none(Unknown::zero_denominator);
  if (current->amount_count != 0 && current->currency != previous->currency)
    return Value::none(Unknown::not_applicable);
  return relative_change(current->amount, previous->amount);
}

Value days_since_start(const Facts& facts, Day as_of) {
  std::int64_t last = ever;
  facts.visit_starts(ever, as_of, [&](const auto& cell, const auto&) { last = cell.day; });
  return last == ever ? Value::none(Unknown::no_data) : Value::of(static_cast<double>(as_of - last));
}

// To the first end of what is open; where nothing is, to the latest end. What is open without an end leaves
// none.
Value days_to_end(const Facts& facts, Day as_of) {
  std::int64_t first_open = never, last_past = ever;
  facts.visit_ends(as_of, never, [&](const auto& cell, const auto& name) {
    if (first_open == never && cell.day - name.days < as_of) first_open = cell.day;
  });
  if (first_open != never) return Value::of(static_cast<double>(first_open - as_of));
  if (sum_open(facts, as_of).count > 0) return Value::none(Unknown::no_data);
  facts.visit_ends(ever, as_of, [&](const auto& cell, const auto&) { last_past = cell.day; });
  return last_past == ever ? Value::none(Unknown::no_data)
                           : Value::of(static_cast<double>(last_past - as_of));
}

Value mean_length(const Facts& facts, std::int64_t window, Day as_of) {
  Exact days = 0, ended = 0;
  facts.visit_ends(as_of - window, as_of, [&](const auto& cell, const auto& name) {
    days += Exact{cell.count} * name.days;
    ended += cell.count;
  });
  return ended == 0 ? Value::none(Unknown::no_data) : Value::of(to_double(days) / to_double(ended));
}

// What one person said on the latest day on which the person said anything; or answers of nobody, as so many
// people.
struct Voice {
  std::int64_t day = 0;
  Exact people = 1;
  Exact answers = 0, total = 0, good = 0, bad = 0;
};

struct Scale {
  Exact good_from, bad_until;  // in micro units
};

std::vector<Voice> latest_voices(const Facts& facts, const FactRequest& request, Day as_of, Scale scale) {
  std::vector<Voice> voices;
  std::vector<std::uint32_t> people;
  auto& slots = facts.ledger().user_slots();
  facts.visit_starts(std::int64_t{as_of} - request.valid_days, as_of,
                     [&](const auto& cell, const auto& name) {
                       if (cell.amount_count == 0) return;
                       Voice* voice = nullptr;
                       if (name.entry == FactEntry::start_of_nobody) {
                         voice = &voices.emplace_back(Voice{cell.day, cell.amount_count});
                       } else {
                         if (slots[cell.person] == 0) {
                           voices.push_back({cell.day});
                           people.push_back(cell.person);
                           slots[cell.person] = static_cast<std::uint32_t>(voices.size());
                         }
                         voice = &voices[slots[cell.person] - 1];
                         if (voice->day != cell.day) *voice = {cell.day};
                       }
                       voice->answers += cell.amount_count;
                       voice->total += cell.amount;
                       // Where somebody asks for good and bad, every value has a name of its own.
                       if (name.value && *name.value >= scale.good_from) voice->good += cell.amount_count;
                       if (name.value && *name.value <= scale.bad_until) voice->bad += cell.amount_count;
                     });
  for (const std::uint32_t user : people) slots[user] = 0;
  return voices;
}

// The mean over people of part / answers: whole votes are added exactly.
template <class Part>
Value mean_of_voices(std::span<const Voice> voices, double unit, Part&& part) {
  if (voices.empty()) return Value::none(Unknown::no_data);
  Exact whole = 0, people = 0;
  double rest = 0;
  for (const Voice& voice : voices) {
    people += voice.people;
    if (voice.answers == voice.people)
      whole += part(voice);
    else
      rest += to_double(part(voice)) / to_double(voice.answers);
  }
  return Value::of((to_double(whole) + rest) * unit / to_double(people));
}

Value measure_opinions(const Facts& facts, const FactRequest& request, Day as_of) {
  constexpr Exact nobody = Exact{std::numeric_limits<std::int64_t>::max()};
  Scale scale{nobody, -nobody};
  if (request.measure == FactMeasure::nps) scale = {9 * Exact{micro}, 6 * Exact{micro}};
  if (request.measure == FactMeasure::csat) scale.good_from = 4 * Exact{micro};
  if (!sum_starts(facts, std::int64_t{as_of} - request.valid_days, as_of).only())
    return Value::none(Unknown::not_applicable);
  const auto voices = latest_voices(facts, request, as_of, scale);
  switch (request.measure) {
    case FactMeasure::nps:
      return mean_of_voices(voices, 100, [](const Voice& voice) { return voice.good - voice.bad; });
    case FactMeasure::csat:
      return mean_of_voices(voices, 100, [](const Voice& voice) { return voice.good; });
    default:
      return mean_of_voices(voices, 1.0 / micro, [](const Voice& voice) { return voice.total; });
  }
}

// Of the facts of some kinds among those of all.
Value share_of_kinds(const Facts& facts, const FactRequest& request, std::int64_t window, Day as_of) {
  FactRequest all = request;
  all.kinds.clear();
  const Exact whole = sum_starts(Facts(facts.ledger(), all), as_of - window, as_of).count;
  if (whole == 0) return Value::none(Unknown::no_data);
  return Value::of(to_double(sum_starts(facts, as_of - window, as_of).count) / to_double(whole));
}

}  // namespace

std::optional<FactMeasure> fact_measure_by_name(std::string_view name) {
  for (const FactMeasureInfo& measure : fact_measures)
    if (measure.name == name) return measure.id;
  return std::nullopt;
}

Value evaluate_fact(const Ledger& ledger, const FactRequest& request, Day as_of) {
  const Facts facts(ledger, request);
  const std::int64_t window = request.window_days > 0 ? request.window_days : ledger.settings().window_days;
  switch (request.measure) {
    case FactMeasure::count:
      return Value::of(to_double(sum_starts(facts, as_of - window, as_of).count));
    case FactMeasure::sum:
      return amount_of(sum_starts(facts, as_of - window, as_of));
    case FactMeasure::mean:
      return mean_amount(sum_starts(facts, as_of - window, as_of));
    case FactMeasure::change:
      return change_of(facts, window, as_of, request.by_value);
    case FactMeasure::open:
      return Value::of(to_double(sum_open(facts, as_of).count));
    case FactMeasure::open_sum:
      return amount_of(sum_open(facts, as_of));
    case FactMeasure::days_since:
      return days_since_start(facts, as_of);
    case FactMeasure::days_left:
      return days_to_end(facts, as_of);
    case FactMeasure::mean_days:
      return mean_length(facts, window, as_of);
    case FactMeasure::latest:
    case FactMeasure::nps:
    case FactMeasure::csat:
    case FactMeasure::ces:
      return measure_opinions(facts, request, as_of);
    case FactMeasure::share:
      break;
  }
  return share_of_kinds(facts, request, window, as_of);
}

bool has_fact(const Ledger& ledger, std::string_view fact, Day as_of) {
  const auto cells = ledger.facts().of(fact);
  return !cells.empty() && cells.front().day < as_of;
}

}  // namespace health
