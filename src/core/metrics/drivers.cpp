// Two windows, taken apart by event, feature and user.
#include "drivers.hpp"

#include <algorithm>
#include <map>

#include "evaluation.hpp"
#include "trend.hpp"

namespace health {

namespace {

enum class Measure { events, points, users };

// What is held against what. A change is (now_weight x now - before_weight x before) / whole.
struct Comparison {
  Window before, now;
  Measure measure = Measure::events;
  int now_weight = 1;  // dropoff: a week against the mean of four, four times over
  int before_weight = 1;
  int whole = 1;
  bool by_week = false;  // users count once a week
};

std::optional<Comparison> comparison_of(const Ledger& ledger, const MetricRequest& request, Day from,
                                        Day to) {
  const int days = request.window_days == 0 ? ledger.settings().window_days : request.window_days;
  const Measure counted = request.by_value ? Measure::points : Measure::events;
  const auto between = [&](Measure measure) {
    return Comparison{window_before(from, days), window_before(to, days), measure};
  };
  const auto trend = [&](Measure measure) {
    return Comparison{weeks_before(to, 5, 8), weeks_before(to, 1, 4), measure};
  };
  // The mean week of the last four against the mean of those that make the median.
  const auto baseline = [&](Measure measure) {
    const int weeks = baseline_weeks(ledger, to, most_baseline_weeks) - 4;
    return Comparison{weeks_before(to, 5, weeks + 4), weeks_before(to, 1, 4), measure, weeks, 4, 4 * weeks,
                      measure == Measure::users};
  };
  switch (request.id) {
    case MetricId::events:
      return between(Measure::events);
    case MetricId::active_users:
      return between(Measure::users);
    case MetricId::value_points:
      return between(Measure::points);
    case MetricId::trend_4w:
      return trend(counted);
    case MetricId::trend_4w_value:
      return trend(Measure::points);
    case MetricId::trend_4w_users:
      return trend(Measure::users);
    case MetricId::dropoff:
      return Comparison{weeks_before(to, 2, 5), weeks_before(to, 1, 1), counted, 4, 1, 4};
    case MetricId::baseline:
      return baseline(counted);
    case MetricId::baseline_value:
      return baseline(Measure::points);
    case MetricId::baseline_users:
      return baseline(Measure::users);
    default:
      return std::nullopt;
  }
}

// A user's part, and by what those with equal parts are told apart: how much they did in both windows.
struct UserPart {
  Exact change = 0, done = 0;
};

std::map<std::uint32_t, UserPart> user_parts(const Ledger& ledger, const EventSelection& selection,
                                             const Comparison& compared) {
  std::map<std::uint32_t, UserPart> parts;
  const auto add = [&](Window window, int weight) {
    for (const Summary::User& user : summarize(ledger, selection, window).users) {
      UserPart& part = parts[user.user];
      const Exact done = compared.measure == Measure::users    ? Exact{1}
                         : compared.measure == Measure::points ? user.points
                                                               : user.events;
      part.change += weight * done;
      part.done += user.events;
    }
  };
  const auto add_all = [&](Window window, int weight) {
    if (!compared.by_week) return add(window, weight);
    for (Day day = window.from; day < window.until; day += 7) add({day, day + 7}, weight);
  };
  add_all(compared.before, -compared.before_weight);
  add_all(compared.now, compared.now_weight);
  return parts;
}

std::map<std::string, Exact, std::less<>> event_parts(const Ledger& ledger, const EventSelection& selection,
                                                      const Comparison& compared) {
  const auto events = ledger.events();
  std::vector<Exact> changes(events.size());
  const auto add = [&](Window window, int weight) {
    for (const auto& piece : ledger.activity(window)) {
      if (!selection[piece.event]) continue;
      const Exact done =
          Exact{ledger.count(piece)} * (compared.measure == Measure::points ? events[piece.event].value : 1);
      changes[piece.event] += weight * done;
    }
  };
  add(compared.before, -compared.before_weight);
  add(compared.now, compared.now_weight);
  std::map<std::string, Exact, std::less<>> parts;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (changes[i] != 0) parts[events[i].name] += changes[i];  // whoever did it
  return parts;
}

// By feature; empty where every event is its own.
std::map<std::string, Exact, std::less<>> feature_parts(
    const EventCatalog& catalog, const std::map<std::string, Exact, std::less<>>& events) {
  std::map<std::string, Exact, std::less<>> parts;
  bool others = false;
  for (const auto& [name, change] : events) {
    const EventRule* rule = catalog.find(name);
    const bool own = rule == nullptr || rule->feature.empty() || rule->feature == name;
    others |= !own;
    parts[own ? name : rule->feature] += change;
  }
  return others ? parts : std::map<std::string, Exact, std::less<>>();
}

std::vector<Driver> largest_named(const std::map<std::string, Exact, std::less<>>& parts, Exact whole,
                                  std::size_t most) {
  std::vector<Driver> drivers;
  for (const auto& [name, change] : parts)
    if (change != 0 && (change > 0) == (whole > 0)) drivers.push_back({name, change});
  std::stable_sort(drivers.begin(), drivers.end(), [whole](const Driver& a, const Driver& b) {
    return whole > 0 ? a.change > b.change : a.change < b.change;
  });
  if (drivers.size() > most) drivers.resize(most);
  return drivers;
}

std::vector<Driver> largest_users(const Ledger& ledger, const std::map<std::uint32_t, UserPart>& parts,
                                  Exact whole, std::size_t most) {
  std::vector<std::pair<std::uint32_t, UserPart>> chosen;
  for (const auto& [user, part] : parts)
    if (part.change != 0 && (part.change > 0) == (whole > 0)) chosen.emplace_back(user, part);
  std::stable_sort(chosen.begin(), chosen.end(), [whole](const auto& a, const auto& b) {
    if (a.second.change != b.second.change)
      return whole > 0 ? a.second.change > b.second.change : a.second.change < b.second.change;
    return a.second.done > b.second.done;
  });
  if (chosen.size() > most) chosen.resize(most);
  std::vector<Driver> drivers;
  drivers.reserve(chosen.size());
  for (const auto& [user, part] : chosen) drivers.push_back({ledger.user_text(user), part.change});
  return drivers;
}

}  // namespace

std::optional<Drivers> find_drivers(const Ledger& ledger, const EventCatalog& catalog,
                                    const MetricRequest& request, Day from, Day to, std::size_t most) {
  const auto compared = comparison_of(ledger, request, from, to);
  if (!compared) return std::nullopt;
  const EventSelection selection = select_requested(ledger, request);
  const auto people = user_parts(ledger, selection, *compared);
  Drivers drivers;
  for (const auto& [user, part] : people) drivers.change += part.change;
  if (drivers.change == 0) return std::nullopt;
  drivers.unit = (compared->measure == Measure::points ? 1e-6 : 1.0) / compared->whole;
  drivers.people = largest_users(ledger, people, drivers.change, most);
  const bool add_up = compared->measure == Measure::events ||
                      (compared->measure == Measure::points && !ledger.settings().daily_cap);
  if (add_up) {
    const auto events = event_parts(ledger, selection, *compared);
    drivers.events = largest_named(events, drivers.change, most);
    drivers.features = largest_named(feature_parts(catalog, events), drivers.change, most);
  }
  return drivers;
}

}  // namespace health
