// No use is never good news, whatever the model: the property of docs/reference/scoring.md, "Nobody active".
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "bgbb_fixture.hpp"
#include "core/scoring/phrase.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// A metric of which more use is never worse, and how its values run.
struct UsageMetric {
  MetricId id;
  bool falls = false;    // less is better
  double least = 0;      // the smallest value there is
  double usual = 1;      // a large one
  bool longer = false;   // may look further back than the model
  bool shrinks = false;  // has a basis
};
const std::vector<UsageMetric>& usage_metrics() {
  using enum MetricId;
  static const std::vector<UsageMetric> all = {{.id = total_users, .usual = 6},
                                               {.id = active_users, .usual = 6, .longer = true},
                                               {.id = events, .usual = 50, .longer = true},
                                               {.id = activation_rate, .shrinks = true},
                                               {.id = activation_rate_low},
                                               {.id = coverage, .shrinks = true},
                                               {.id = adoption_rate, .shrinks = true},
                                               {.id = onboarding_activation, .shrinks = true},
                                               {.id = invite_conversion, .shrinks = true},
                                               {.id = trend_4w, .least = -1, .shrinks = true},
                                               {.id = trend_4w_users, .least = -1, .shrinks = true},
                                               {.id = trend_4w_value, .least = -1, .shrinks = true},
                                               {.id = dropoff, .least = -1, .shrinks = true},
                                               {.id = baseline, .least = -1, .shrinks = true},
                                               {.id = baseline_users, .least = -1, .shrinks = true},
                                               {.id = baseline_value, .least = -1, .shrinks = true},
                                               {.id = slope_4w, .least = -1},
                                               {.id = dip_streak, .falls = true, .usual = 8},
                                               {.id = cadence},
                                               {.id = recency_weeks, .falls = true, .usual = 8},
                                               {.id = cadence_recency, .usual = 50},
                                               {.id = events_per_user_week, .usual = 5, .shrinks = true},
                                               {.id = stickiness, .usual = 0.3, .shrinks = true},
                                               {.id = interaction, .usual = 2, .shrinks = true},
                                               {.id = reply_ratio, .usual = 2},
                                               {.id = spread, .shrinks = true},
                                               {.id = creators, .usual = 5, .longer = true},
                                               {.id = breadth, .longer = true},
                                               {.id = depth, .usual = 60, .shrinks = true},
                                               {.id = value_points, .usual = 200, .longer = true},
                                               {.id = sessions_per_user_week, .usual = 2, .shrinks = true},
                                               {.id = amount_sum, .usual = 30},
                                               {.id = amount_mean, .usual = 4},
                                               {.id = recency_days, .falls = true, .usual = 60},
                                               {.id = growth, .shrinks = true},
                                               {.id = time_to_value, .falls = true, .usual = 60},
                                               {.id = dormant_users, .falls = true, .usual = 5},
                                               {.id = power_user_dependency, .falls = true, .shrinks = true},
                                               {.id = hhi_normalized, .falls = true},
                                               {.id = gini, .falls = true},
                                               {.id = absence_factor, .usual = 3}};
  return all;
}

// Monotone, with `floor` as its lowest score, which the worst value there is has as well.
Normalizer any_normalizer(Random& random, const UsageMetric& metric, double floor) {
  const double least = metric.least, most = metric.least + 2 * (metric.usual - metric.least);
  const auto at = [&](double share) { return least + share * (most - least); };
  const double low = 0.4 * static_cast<double>(between(random, 0, 10)) / 10;
  const double high = low + 0.1 + 0.4 * static_cast<double>(between(random, 0, 10)) / 10;
  Normalizer n;
  switch (between(random, 0, floor == 0 ? 4 : 1)) {
    case 0:
      n.kind = NormalizerKind::piecewise;
      n.points = {{at(low), floor}, {at((low + high) / 2), floor + (100 - floor) / 3}, {at(high), 100}};
      break;
    case 1:
      n.kind = NormalizerKind::steps;
      n.below = floor;
      n.points = {{at(low) + 1e-3, (floor + 100) / 2}, {at(high), 100}};
      break;
    case 2: {
      n.kind = NormalizerKind::target;
      n.low = at(high);
      n.tolerance = at(high) - at(low);
      break;
    }
    case 3:
      if (metric.falls) {
        n.kind = NormalizerKind::recency;
        n.half_life_days = at(high);
        return n;
      }
      [[fallthrough]];
    default:
      n.kind = NormalizerKind::linear;
      n.worst = at(low);
      n.best = at(high);
      if (metric.falls) std::swap(n.worst, n.best);
      return n;
  }
  if (metric.falls) {
    // The other way round, with the same lowest score.
    n.lower_is_better = true;
    if (floor > 0) {
      n.below = 0;
      for (auto& point : n.points) point.second = (point.second - floor);
    }
  }
  return n;
}

struct SilenceCase {
  Model model;
  std::string text, emptied;  // with the events of the window before as_of, and without
  Day as_of = 0;
  int quiet = 0;  // days without events before as_of
};

// An account old enough for its silence to be known, and a model of its use. `quiet`: nothing happened
// lately.
SilenceCase random_silence(Random& random, bool quiet) {
  SilenceCase c;
  c.model.catalog = video_catalog();
  c.model.bands = default_bands();
  c.model.minimum_coverage = 0;
  MetricSettings& settings = c.model.settings;
  settings.window_days = any_of(random, std::vector<int>{28, 28, 30, 42, 60});
  settings.inactive_after_days = any_of(random, std::vector<int>{365, 100, 60});
  if (between(random, 0, 1) == 0) settings.seats = static_cast<double>(between(random, 1, 9));
  if (between(random, 0, 2) == 0) settings.daily_cap = 8;
  c.as_of = static_cast<Day>(9000 + between(random, 0, 6));
  if (between(random, 0, 1) == 0)
    settings.account_start = c.as_of - static_cast<Day>(between(random, 14, 200));

  const double floor = between(random, 0, 2) == 0 ? static_cast<double>(between(random, 1, 40)) : 0;
  const auto signals = between(random, 1, 8);
  int group = -1;
  for (std::int64_t i = 0; i < signals; ++i) {
    Signal signal;
    signal.name = signal.label = "s" + std::to_string(i);
    signal.weight = static_cast<double>(between(random, 1, 9));
    if (between(random, 0, 4) == 0) group = -1;
    signal.parent = group;
    signal.level = group < 0 ? 1 : 2;
    if (group < 0 && between(random, 0, 4) == 0) {
      group = static_cast<int>(c.model.signals.size());
      c.model.signals.push_back(signal);
      signal.name = signal.label = "m" + std::to_string(i);
      signal.parent = group;
      signal.level = 2;
    }
    const UsageMetric& metric = any_of(random, usage_metrics());
    signal.source = SignalSource::metric;
    signal.metric.id = metric.id;
    if (between(random, 0, 2) == 0)
      signal.metric.window_days =
          static_cast<int>(between(random, 7, metric.longer ? 150 : settings.window_days));
    if (between(random, 0, 3) == 0)
      signal.metric.events = {any_of(random, std::vector<std::string>{"record", "view", "comment", "never"})};
    if (between(random, 0, 3) == 0) signal.metric.roles = create | consume;
    signal.metric.by_value = between(random, 0, 3) == 0;
    if (metric.id == MetricId::cadence_recency) signal.metric.bgbb = random_parameters(random);
    signal.normalize = any_normalizer(random, metric, floor);
    constexpr NullPolicy policies[] = {NullPolicy::ignore, NullPolicy::ignore, NullPolicy::neutral,
                                       NullPolicy::carry_forward, NullPolicy::zero};
    signal.missing = policies[between(random, 0, floor == 0 ? 4 : 3)];
    signal.carry_days = 20;
    if (metric.shrinks && between(random, 0, 1) == 0) {
      signal.shrink = static_cast<double>(between(random, 1, 20));
      signal.frozen.accounts = 20;
      signal.frozen.median = metric.least + 0.1 * static_cast<double>(between(random, 0, 12)) * metric.usual;
    }
    c.model.signals.push_back(signal);
  }

  const auto users = between(random, 1, 5);
  const bool roster = between(random, 0, 1) == 0;
  std::string markers;
  for (std::int64_t user = 0; user < users; ++user) {
    const std::string id = std::to_string(user) + ":";
    const Day joined = c.as_of - static_cast<Day>(between(random, 120, 300));
    if (roster && between(random, 0, 4) != 0) markers += id + day_text(joined) + "/$joined;";
    if (between(random, 0, 2) == 0) markers += id + day_text(joined - 10) + "/$invited;";
  }
  c.text = c.emptied = "bigint{" + markers;
  static const std::vector<std::string> names = {"record", "view", "comment", "react", "open"};
  c.quiet = quiet ? settings.window_days - 6 + static_cast<int>(between(random, 0, 40)) : 1;
  const auto span = any_of(random, std::vector<int>{20, 60, 150, 350});
  for (auto left = between(random, 1, 40); left > 0; --left) {
    const Day day = c.as_of - static_cast<Day>(between(random, c.quiet, c.quiet + span));
    std::string row = std::to_string(between(random, 0, users - 1)) + ":" + day_text(day) + "/" +
                      any_of(random, names) + "*" + std::to_string(between(random, 1, 5));
    if (between(random, 0, 2) == 0) row += "=" + std::to_string(between(random, 0, 6)) + "#1";
    c.text += row + ";";
    if (day < c.as_of - settings.window_days) c.emptied += row + ";";
  }
  for (std::string* text : {&c.text, &c.emptied}) {
    if (text->back() == ';') text->pop_back();
    *text = *text == "bigint{" ? "{}" : *text + "}";
  }
  return c;
}

// Whether a signal of BG/BB sees a gap at the end of the weeks. After busy weeks it says more than after
// quiet ones, so that there the account without the busy weeks may be the more likely to be active.
bool ends_in_a_gap(const Model& model, const Ledger& ledger, Day as_of) {
  return std::any_of(model.signals.begin(), model.signals.end(), [&](const Signal& signal) {
    if (signal.is_group() || signal.metric.id != MetricId::cadence_recency) return false;
    const auto weeks = active_weeks(ledger, signal.metric, as_of);
    return weeks && weeks->last < weeks->periods;
  });
}

std::string describe_case(const SilenceCase& c) {
  std::string words =
      c.text + " as of " + day_text(c.as_of) + ", window " + std::to_string(c.model.settings.window_days);
  if (c.model.settings.account_start) words += ", start " + day_text(*c.model.settings.account_start);
  return words;
}

std::string describe_reading(const Signal& signal, const Reading& reading) {
  return std::string(metric_info(signal.metric.id).name) + " " +
         (reading.raw.known() ? std::to_string(reading.raw.number)
                              : std::string(unknown_name(reading.raw.unknown))) +
         " scores " +
         (reading.known() ? std::to_string(reading.score.number)
                          : std::string(unknown_name(reading.score.unknown)));
}

}  // namespace

TEST_CASE("deleting all events of the window never raises the score, for any model of use") {
  Random random(run_seed() + 41);
  int compared = 0, wrong = 0;
  std::map<MetricId, int> lowest;
  for (int round = 0; round < 20000 && wrong < 3; ++round) {
    const SilenceCase c = random_silence(random, false);
    const Ledger full = score_ledger(c.model, c.text), empty = score_ledger(c.model, c.emptied);
    if (full.presence(c.as_of) != Presence::active) continue;
    if (ends_in_a_gap(c.model, full, c.as_of)) continue;
    REQUIRE(empty.presence(c.as_of) == Presence::silent);
    const Score before = score_account(c.model, full, {}, c.as_of);
    const Score after = score_account(c.model, empty, {}, c.as_of);
    for (std::size_t i = 0; i < c.model.signals.size(); ++i)
      if (after.readings[i].nobody_active()) ++lowest[c.model.signals[i].metric.id];
    if (!before.score || !after.score) continue;
    ++compared;
    if (*after.score <= *before.score + 1e-9) continue;
    ++wrong;
    std::string readings;
    for (std::size_t i = 0; i < c.model.signals.size(); ++i)
      if (!c.model.signals[i].is_group())
        readings += describe_reading(c.model.signals[i], before.readings[i]) + " -> " +
                    describe_reading(c.model.signals[i], after.readings[i]) + "\n";
    INFO(describe_case(c) << "\n" << readings);
    FAIL_CHECK("the score rises from " << *before.score << " to " << *after.score);
  }
  CHECK(compared > 5000);
  CHECK(lowest.size() > 20);
}

TEST_CASE("on falling silent, and while an account stays silent, no signal of its use rises, week by week") {
  Random random(run_seed() + 42);
  int compared = 0, fell = 0, wrong = 0;
  for (int round = 0; round < 20000 && wrong < 3; ++round) {
    const SilenceCase c = random_silence(random, true);
    const Ledger l = score_ledger(c.model, c.text);
    // Within the window before the later date nothing happened, so nothing did between the two.
    const Day later = c.as_of + static_cast<Day>(7 * between(random, 0, 30));
    const Day earlier =
        later - static_cast<Day>(7 * between(random, 1, std::max(1, (later - c.as_of + c.quiet - 1) / 7)));
    if (l.presence(later) != Presence::silent || l.presence(earlier) == Presence::unsettled) continue;
    const auto before = read_signals(c.model, l, {}, earlier), after = read_signals(c.model, l, {}, later);
    fell += l.presence(earlier) == Presence::active;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (c.model.signals[i].is_group() || !before[i].known() || !after[i].known()) continue;
      ++compared;
      if (after[i].score.number <= before[i].score.number + 1e-9) continue;
      ++wrong;
      INFO(describe_case(c) << "\nfrom " << day_text(earlier) << " to " << day_text(later));
      FAIL_CHECK(describe_reading(c.model.signals[i], before[i])
                 << " -> " << describe_reading(c.model.signals[i], after[i]));
    }
  }
  CHECK(compared > 5000);
  CHECK(fell > 500);
}

TEST_CASE(
    "a gap after busy weeks may say more than weeks without any: the one usage metric for which deleting can "
    "help") {
  MetricRequest request;
  request.bgbb = BgbbParameters{.2, .2, 1, 10};
  MetricSettings settings;
  settings.window_days = 60;
  const auto foresee = [&](const char* text) {
    request.id = MetricId::cadence_recency;
    return evaluate(ledger(text, settings), request, day("2025-03-03"));
  };
  // Eight weeks after the first: five of them active and then three without, or none at all.
  const Value busy =
      foresee("bigint{1:2025-01-01/a,2025-01-06/a,2025-01-13/a,2025-01-20/a,2025-01-27/a,2025-02-03/a}");
  const Value quiet = foresee("bigint{1:2025-01-01/a}");
  REQUIRE(busy.known());
  REQUIRE(quiet.known());
  CHECK(busy.number < quiet.number);
}
