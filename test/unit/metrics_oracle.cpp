// Every metric of random ledgers against a brute-force count over the raw rows, written without looking at
// the evaluation's way.
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "metrics_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

struct Row {
  int user;
  Day day;
  std::string event;
};

struct Case {
  std::vector<Row> rows;                      // activity, one per event
  std::map<int, std::pair<Day, Day>> roster;  // joined, left
  Day as_of;

  std::string text() const {
    std::string text = "bigint{";
    for (const auto& row : rows)
      text += std::to_string(row.user) + ":" + day_text(row.day) + "/" + row.event + ";";
    for (const auto& [user, times] : roster) {
      text += std::to_string(user) + ":" + day_text(times.first) + "/$joined;";
      if (times.second != max_day)
        text += std::to_string(user) + ":" + day_text(times.second) + "/$deactivated;";
    }
    if (text.back() == ';') text.pop_back();
    return rows.empty() && roster.empty() ? "{}" : text + "}";
  }
};

const std::map<std::string, int>& values() {
  static const std::map<std::string, int> all = {
      {"record", 10}, {"view", 1}, {"comment", 3}, {"react", 2}, {"open", 0}};
  return all;
}

Case random_case(std::mt19937_64& random) {
  static const std::vector<std::string> events = {"record", "view", "comment", "react", "open", "other"};
  Case c;
  c.as_of = static_cast<Day>(9000 + random() % 7);
  const auto below = [&random](std::uint64_t n) { return static_cast<int>(random() % n); };
  const int users = 1 + below(6);
  const int rows = below(60);
  const int span = 1 + below(120);
  for (int i = 0; i < rows; ++i)
    c.rows.push_back({below(static_cast<std::uint64_t>(users)),
                      c.as_of + 3 - below(static_cast<std::uint64_t>(span)),
                      events[static_cast<std::size_t>(below(events.size()))]});
  if (below(2) == 0)
    for (int user = 0; user < users + 1; ++user) {
      if (below(4) == 0) continue;
      const Day joined = c.as_of + 3 - below(120);
      c.roster[user] = {joined, below(3) == 0 ? joined + below(80) : max_day};
    }
  return c;
}

// What the metrics are, counted the plain way. -1e300 stands for unknown.
constexpr double unknown_number = -1e300;
double divide(double a, double b) { return b == 0 ? unknown_number : a / b; }

class Oracle {
 public:
  explicit Oracle(const Case& c) : c_(c) {}

  bool listed(const Row& row) const { return values().count(row.event) > 0; }
  static bool any(const Row&) { return true; }

  template <class Take>
  double count(Day from, Day to, Take&& take) const {
    double n = 0;
    for (const auto& row : c_.rows) n += row.day >= from && row.day < to && listed(row) && take(row);
    return n;
  }
  template <class Take>
  std::set<int> users(Day from, Day to, Take&& take) const {
    std::set<int> found;
    for (const auto& row : c_.rows)
      if (row.day >= from && row.day < to && listed(row) && take(row)) found.insert(row.user);
    return found;
  }
  std::map<int, Day> entries() const {
    std::map<int, Day> first;
    if (!c_.roster.empty()) {
      for (const auto& [user, times] : c_.roster) first[user] = times.first;
    } else {
      for (const auto& row : c_.rows)
        if (first.count(row.user) == 0 || first[row.user] > row.day) first[row.user] = row.day;
    }
    return first;
  }
  std::set<int> members(Day as_of) const {
    std::set<int> found;
    for (const auto& [user, entry] : entries())
      if (entry < as_of && (c_.roster.empty() || as_of < c_.roster.at(user).second)) found.insert(user);
    return found;
  }
  double start() const {
    double first = 1e9;
    for (const auto& row : c_.rows) first = std::min<double>(first, row.day);
    for (const auto& [user, times] : c_.roster) first = std::min<double>(first, times.first);
    return first;
  }

  double metric(MetricId id) const {
    const Day t = c_.as_of;
    const Day from = t - 28;
    const auto role = [](std::set<std::string> names) {
      return [names = std::move(names)](const Row& row) { return names.count(row.event) > 0; };
    };
    const auto active = users(from, t, any);
    const double a = static_cast<double>(active.size());
    const double total = count(from, t, any);
    const double u = static_cast<double>(members(t).size());
    const auto points = [&](Day begin, Day end) {
      double sum = 0;
      for (const auto& row : c_.rows)
        if (row.day >= begin && row.day < end && listed(row)) sum += values().at(row.event);
      return sum;
    };
    const auto week = [&](int k) { return count(t - 7 * k, t - 7 * (k - 1), any); };
    const auto change = [](double now, double before) {
      if (before == 0) return now == 0 ? 0 : unknown_number;
      return now / before - 1;
    };
    const double age = t - start();
    switch (id) {
      case MetricId::total_users:
        return u;
      case MetricId::active_users:
        return a;
      case MetricId::events:
        return total;
      case MetricId::activation_rate:
        return divide(a, u);
      case MetricId::coverage:
        return divide(static_cast<double>(users(from, t, role({"record", "view"})).size()), u);
      case MetricId::creators:
        return static_cast<double>(users(from, t, role({"record"})).size());
      case MetricId::spread:
        return divide(metric(MetricId::creators), a);
      case MetricId::events_per_user_week:
        return divide(total / 4, a);
      case MetricId::interaction:
        return divide(count(from, t, role({"comment", "react"})) / 4, a);
      case MetricId::reply_ratio:
        return divide(count(from, t, role({"comment", "react"})), count(from, t, role({"record"})));
      case MetricId::value_points:
        return points(from, t);
      case MetricId::depth:
        return divide(points(from, t), a);
      case MetricId::sessions_per_user_week: {
        const double sessions = count(from, t, role({"open"}));
        return sessions == 0 ? unknown_number : sessions / a / 4;
      }
      case MetricId::breadth: {
        double used = 0;
        used += !users(from, t, role({"record"})).empty();
        used += !users(from, t, role({"view", "comment"})).empty();
        used += !users(from, t, role({"react"})).empty();
        used += !users(from, t, role({"open"})).empty();
        return used / 4;
      }
      case MetricId::stickiness: {
        double sum = 0;
        for (Day day = from; day < t; ++day) sum += static_cast<double>(users(day, day + 1, any).size());
        return divide(sum / 28, a);
      }
      case MetricId::dormant_users: {
        double dormant = 0;
        for (const int user : members(t)) dormant += active.count(user) == 0;
        return dormant;
      }
      case MetricId::growth: {
        double newcomers = 0;
        for (const auto& [user, entry] : entries())
          newcomers += entry >= from && entry < t && active.count(user) > 0;
        return divide(newcomers, static_cast<double>(members(from).size()));
      }
      case MetricId::recency_days: {
        double last = unknown_number;
        for (const auto& row : c_.rows)
          if (row.day < t && listed(row)) last = std::max<double>(last, row.day);
        return last == unknown_number ? unknown_number : t - last;
      }
      case MetricId::time_to_value: {
        double first = 1e9;
        for (const auto& row : c_.rows)
          if (row.day < t && (row.event == "record" || row.event == "comment"))
            first = std::min<double>(first, row.day);
        return first == 1e9 ? unknown_number : std::max(0.0, first - start());
      }
      case MetricId::onboarding_activation: {
        double eligible = 0;
        double done = 0;
        for (const auto& [user, entry] : entries()) {
          if (entry < t - 35 || entry >= t - 7) continue;
          ++eligible;
          for (const auto& row : c_.rows)
            if (row.user == user && row.day >= entry && row.day < entry + 7 &&
                (row.event == "record" || row.event == "comment")) {
              ++done;
              break;
            }
        }
        return divide(done, eligible);
      }
      case MetricId::trend_4w:
        return age < 56 ? unknown_number : change(count(t - 28, t, any), count(t - 56, t - 28, any));
      case MetricId::trend_4w_value:
        return age < 56 ? unknown_number : change(points(t - 28, t), points(t - 56, t - 28));
      case MetricId::trend_4w_users:
        return age < 56 ? unknown_number : change(a, static_cast<double>(users(t - 56, t - 28, any).size()));
      case MetricId::dropoff:
        return age < 35 ? unknown_number : change(week(1), (week(2) + week(3) + week(4) + week(5)) / 4);
      case MetricId::slope_4w: {
        const double mean = (week(1) + week(2) + week(3) + week(4)) / 4;
        double slope = 0;
        for (int k = 1; k <= 4; ++k) slope += (2.5 - k) * (week(k) - mean);
        return divide(slope / 5, mean);
      }
      case MetricId::dip_streak: {
        int dips = 0;
        while (week(dips + 1) < week(dips + 2)) ++dips;
        return dips;
      }
      case MetricId::cadence: {
        const double weeks = std::min(8.0, std::floor(age / 7));
        if (weeks < 1) return unknown_number;
        double busy = 0;
        for (int k = 1; k <= weeks; ++k) busy += week(k) > 0;
        return busy / weeks;
      }
      default: {  // shares
        std::map<int, double> by_user;
        for (const auto& row : c_.rows)
          if (row.day >= from && row.day < t && listed(row)) ++by_user[row.user];
        std::vector<double> x;
        for (const auto& [user, n] : by_user) x.push_back(n);
        std::sort(x.rbegin(), x.rend());
        if (x.empty()) return unknown_number;
        const double n = static_cast<double>(x.size());
        double top = 0;
        double hhi = 0;
        double gini = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          hhi += x[i] / total * (x[i] / total);
          for (const double other : x) gini += std::abs(x[i] - other) / (2 * n * total);
          const auto k = id == MetricId::top2_share ? 2U : id == MetricId::top3_share ? 3U : 1U;
          if (i < k) top += x[i] / total;
        }
        if (id == MetricId::hhi) return hhi;
        if (id == MetricId::effective_users) return 1 / hhi;
        if (id == MetricId::hhi_normalized) return n == 1 ? unknown_number : (hhi - 1 / n) / (1 - 1 / n);
        if (id == MetricId::gini) return gini;
        if (id == MetricId::absence_factor) {
          double reached = 0;
          double k = 0;
          while (2 * reached < total) reached += x[static_cast<std::size_t>(k++)];
          return k;
        }
        return top;
      }
    }
  }

 private:
  const Case& c_;
};

bool has_oracle(MetricId id) {
  for (const auto without :
       {MetricId::activation_rate_low, MetricId::activation_rate_high, MetricId::adoption_rate,
        MetricId::invite_conversion, MetricId::amount_sum, MetricId::amount_mean, MetricId::trial_use})
    if (id == without) return false;
  return true;
}

}  // namespace

TEST_CASE(
    "every metric equals a plain count over the rows, asked singly or all at once, fresh or after other "
    "dates") {
  const auto seed = std::random_device{}();
  std::cout << "metrics against a plain count: seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const EventCatalog catalog = video_catalog();
  for (int round = 0; round < 4000; ++round) {
    const Case c = random_case(random);
    const std::string text = c.text();
    const Ledger l = ledger(text, {}, catalog);
    MetricRecord other;
    evaluate_all(l, c.as_of - static_cast<Day>(random() % 30), other);
    MetricRecord record;
    evaluate_all(l, c.as_of, record);
    const Oracle oracle(c);
    for (const auto& info : metric_table) {
      MetricRequest request;
      request.id = info.id;
      if (!(evaluate(ledger(text, {}, catalog), request, c.as_of) == record[info.id])) {
        INFO(text << " as of " << day_text(c.as_of));
        FAIL_CHECK(info.name << " differs between evaluate and evaluate_all");
      }
      if (!has_oracle(info.id)) continue;
      const double expected = oracle.metric(info.id);
      const Value got = record[info.id];
      const bool same = expected == unknown_number ? !got.known()
                                                   : got.known() && std::abs(got.number - expected) <=
                                                                        1e-9 * (1 + std::abs(expected));
      if (!same) {
        INFO(text << " as of " << day_text(c.as_of));
        FAIL_CHECK(info.name << " is " << got.number << " (" << unknown_name(got.unknown)
                             << "), plainly counted " << expected);
      }
    }
  }
  SUCCEED();
}
