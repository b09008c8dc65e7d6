// Random accounts for the oracle of the metrics: plain rows and markers, settings and requests.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "bgbb_fixture.hpp"
#include "metrics_fixture.hpp"
#include "usage_fixture.hpp"

namespace health::test {

struct Row {
  int user;
  Day day;
  std::string event;
  std::optional<double> amount = {};
};

struct MarkerRow {
  int user;
  Day day;
  std::string name;
};

// What the catalog of metrics_fixture.hpp says of an event.
struct Rule {
  unsigned roles;
  double value;
  std::string feature;
};
const std::map<std::string, Rule>& rules() {
  static const std::map<std::string, Rule> all = {{"record", {create | activate, 10, "recorder"}},
                                                  {"view", {consume, 1, "player"}},
                                                  {"comment", {interact | activate, 3, "player"}},
                                                  {"react", {interact, 2, "react"}},
                                                  {"open", {session, 0, "open"}}};
  return all;
}

struct Case {
  std::vector<Row> rows;
  std::vector<MarkerRow> markers;
  MetricSettings settings;
  Day as_of = 0;
  bool listed = true;  // with the catalog; else every event qualifies

  std::string text() const {
    std::string text = "bigint{";
    for (const auto& row : rows) {
      text += std::to_string(row.user) + ":" + day_text(row.day) + "/" + row.event;
      if (row.amount) text += "=" + std::to_string(*row.amount);
      text += ";";
    }
    for (const auto& marker : markers)
      text += std::to_string(marker.user) + ":" + day_text(marker.day) + "/" + marker.name + ";";
    if (text.back() == ';') text.pop_back();
    return rows.empty() && markers.empty() ? "{}" : text + "}";
  }
  std::string described() const {
    std::string words = text() + " as of " + day_text(as_of) + ", window " +
                        std::to_string(settings.window_days) + ", users count for " +
                        std::to_string(settings.inactive_after_days) + " days, minimum age " +
                        std::to_string(settings.minimum_age_days);
    const auto tell = [&words](const char* what, const std::optional<Day>& day) {
      if (day) words += std::string(", ") + what + " " + day_text(*day);
    };
    tell("start", settings.account_start);
    tell("end", settings.account_end);
    tell("ledger from", settings.ledger_start);
    return words + (listed ? "" : ", no catalog");
  }
  EventCatalog catalog() const { return listed ? video_catalog() : EventCatalog(); }
};

inline Day day_between(Random& random, std::int64_t low, std::int64_t high) {
  return static_cast<Day>(between(random, low, high));
}

const std::vector<std::string> event_names = {"record", "view", "comment", "react", "open", "other"};

inline MetricSettings random_settings(Random& random, Day as_of) {
  MetricSettings s;
  const auto one_in = [&random](int n) { return between(random, 0, n - 1) == 0; };
  s.window_days = any_of(random, std::vector<int>{28, 28, 28, 7, 14, 30, 56, 90});
  s.inactive_after_days = any_of(random, std::vector<int>{365, 365, 10, 40, 100});
  s.minimum_age_days = any_of(random, std::vector<int>{0, 0, 14, 30, 70});
  if (one_in(2)) s.account_start = as_of - day_between(random, -5, one_in(2) ? 30 : 200);
  if (one_in(6)) s.account_end = as_of + day_between(random, -30, 30);
  if (one_in(5)) s.ledger_start = as_of - day_between(random, -2, 500);
  if (one_in(2)) s.seats = any_of(random, std::vector<double>{0, 1, 4, 12.5, -1, std::nan(""), 1e300});
  s.onboarding_days = static_cast<int>(between(random, 1, 14));
  s.onboarding_events = static_cast<int>(between(random, 1, 2));
  s.onboarding_window = static_cast<int>(between(random, 7, 60));
  if (one_in(4)) s.features = std::vector<std::string>{"player", "other", "nothing", "player"};
  if (one_in(8)) s.features = std::vector<std::string>{};
  if (!one_in(3)) s.bgbb = random_parameters(random);
  if (one_in(3)) s.daily_cap = any_of(random, std::vector<double>{0, 2.5, 12});
  return s;
}

inline Case random_case(Random& random) {
  Case c;
  c.as_of = day_between(random, 9000, 9006);
  c.settings = random_settings(random, c.as_of);
  c.listed = between(random, 0, 4) != 0;
  const auto users = between(random, 1, 6);
  const auto names = between(random, 1, 6);
  // Often quiet for a while, sometimes from the first day on.
  const auto quiet =
      any_of(random, std::vector<std::int64_t>{-4, -4, -4, 0, 8, 20, 28, 29, 45, 70, 200, 400});
  const auto span = between(random, 1, any_of(random, std::vector<std::int64_t>{10, 60, 120, 500}));
  const auto rows = between(random, 0, 4) == 0 ? between(random, 0, 2) : between(random, 0, 60);
  for (std::int64_t i = 0; i < rows; ++i) {
    Row row{static_cast<int>(between(random, 0, users - 1)),
            c.as_of - day_between(random, quiet, quiet + span),
            event_names[static_cast<std::size_t>(between(random, 6 - names, 5))],
            {}};
    if (c.settings.ledger_start && row.day < *c.settings.ledger_start) continue;  // not kept
    if (between(random, 0, 3) == 0) row.amount = 0.25 * static_cast<double>(between(random, -2, 40));
    c.rows.push_back(row);
  }
  const auto markers = between(random, 0, 3);
  if (markers != 0)
    for (int user = 0; user < users + 1; ++user) {
      const Day joined = c.as_of - day_between(random, -3, 120);
      const auto mark = [&](const char* name, Day day) { c.markers.push_back({user, day, name}); };
      if (markers == 1 && between(random, 0, 3) != 0)
        mark("$joined", between(random, 0, 5) == 0 ? always_there : joined);
      if (between(random, 0, 3) == 0) mark("$deactivated", joined + day_between(random, -2, 80));
      if (markers == 1 && between(random, 0, 5) == 0) mark("$joined", joined + day_between(random, 0, 90));
      if (between(random, 0, 5) == 0) mark("$deactivated", joined + day_between(random, 0, 120));
      if (between(random, 0, 2) == 0) mark("$invited", joined - day_between(random, -10, 30));
      if (between(random, 0, 9) == 0) mark("$invited", joined - day_between(random, -10, 30));
    }
  return c;
}

inline MetricRequest random_request(Random& random) {
  MetricRequest request;
  if (between(random, 0, 1) == 0) request.window_days = any_of(random, std::vector<int>{1, 7, 28, 60, 120});
  if (between(random, 0, 1) == 0)
    for (auto i = between(random, 1, 2); i > 0; --i) request.events.push_back(any_of(random, event_names));
  if (between(random, 0, 2) == 0) request.roles = static_cast<unsigned>(between(random, 1, 31));
  request.by_value = between(random, 0, 1) == 0;
  request.top_k = static_cast<int>(between(random, 1, 4));
  if (between(random, 0, 2) != 0) request.bgbb = random_parameters(random);
  if (between(random, 0, 2) == 0) request.user = std::to_string(between(random, 0, 6));
  return request;
}

}  // namespace health::test
