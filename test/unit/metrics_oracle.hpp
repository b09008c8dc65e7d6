// Every metric by brute force over the plain rows and markers of a random account, from the definitions of
// docs/reference/metrics.md and without looking at the evaluation's way.
#pragma once

#include "metrics_oracle_case.hpp"

namespace health::test {

class Oracle {
 public:
  Oracle(const Case& c, MetricRequest request) : c_(c), request_(std::move(request)) {}

  // In the book for the whole window, or long enough, and nothing of the kind in it.
  bool is_silent() const { return !is_active() && is_settled(); }
  bool is_active() const {
    return exists(t() - c_.settings.window_days, t(), [this](const Row& row) { return qualifies(row); });
  }

  Value metric(MetricId id) const {
    if (request_.roles != 0 && request_.events.empty() && !in_catalog(request_.roles))
      return none(Unknown::not_applicable);
    if (id == MetricId::cadence_recency && !request_.bgbb) return none(Unknown::no_data);
    if (lacks_days(days_needed(id))) return none(Unknown::before_ledger);
    const Value value = plainly(id);
    return is_silent() ? when_silent(id, value) : value;
  }

 private:
  static Value none(Unknown reason) { return Value::none(reason); }
  static Value of(double number) { return Value::of(number); }
  static constexpr Day long_ago = -3000000;

  Day t() const { return c_.as_of; }
  int window() const { return request_.window_days != 0 ? request_.window_days : c_.settings.window_days; }
  Day from() const { return t() - window(); }

  const Rule* rule(const Row& row) const {
    const auto found = rules().find(row.event);
    return c_.listed && found != rules().end() ? &found->second : nullptr;
  }
  unsigned roles(const Row& row) const { return rule(row) != nullptr ? rule(row)->roles : 0; }
  double value(const Row& row) const { return rule(row) != nullptr ? rule(row)->value : 1; }
  bool qualifies(const Row& row) const { return !c_.listed || rule(row) != nullptr; }
  bool in_catalog(unsigned wanted) const {
    constexpr unsigned all = create | consume | interact | activate | session;
    return c_.listed && (all & wanted) != 0;
  }
  bool is_narrowed() const { return !request_.events.empty() || request_.roles != 0; }
  bool is_wanted(const Row& row) const {
    const auto& names = request_.events;
    if (!names.empty() && std::find(names.begin(), names.end(), row.event) == names.end()) return false;
    if (request_.roles != 0 && (roles(row) & request_.roles) == 0) return false;
    return !names.empty() || qualifies(row);
  }
  // The signal's own events, or those that play the role.
  auto playing(unsigned role) const {
    return [this, role](const Row& row) {
      return is_narrowed() ? is_wanted(row) : qualifies(row) && (roles(row) & role) != 0;
    };
  }
  auto wanted() const {
    return [this](const Row& row) { return is_wanted(row); };
  }
  bool arises(unsigned role) const { return is_narrowed() || in_catalog(role); }

  template <class Take>
  bool exists(Day begin, Day end, Take&& take) const {
    return std::any_of(c_.rows.begin(), c_.rows.end(),
                       [&](const Row& row) { return row.day >= begin && row.day < end && take(row); });
  }
  template <class Take>
  bool ever(Take&& take) const {
    return exists(long_ago, t(), take);
  }
  template <class Take>
  double count(Day begin, Day end, Take&& take) const {
    double n = 0;
    for (const auto& row : c_.rows) n += row.day >= begin && row.day < end && take(row);
    return n;
  }
  template <class Take>
  std::set<int> users(Day begin, Day end, Take&& take) const {
    std::set<int> found;
    for (const auto& row : c_.rows)
      if (row.day >= begin && row.day < end && take(row)) found.insert(row.user);
    return found;
  }
  // Value points of each user, each day's within the cap.
  std::map<int, double> points(Day begin, Day end) const {
    std::map<std::pair<int, Day>, double> daily;
    for (const auto& row : c_.rows)
      if (row.day >= begin && row.day < end && is_wanted(row)) daily[{row.user, row.day}] += value(row);
    std::map<int, double> by_user;
    for (const auto& [key, sum] : daily)
      by_user[key.first] += c_.settings.daily_cap ? std::min(sum, *c_.settings.daily_cap) : sum;
    return by_user;
  }
  double total_points(Day begin, Day end) const {
    double sum = 0;
    for (const auto& [user, own] : points(begin, end)) sum += own;
    return sum;
  }

  // Users.
  std::vector<Day> marked(int user, const char* name) const {
    std::vector<Day> days;
    for (const auto& marker : c_.markers)
      if (marker.user == user && marker.name == name) days.push_back(marker.day);
    return days;
  }
  bool has_roster() const {
    return std::any_of(c_.markers.begin(), c_.markers.end(),
                       [](const MarkerRow& marker) { return marker.name == "$joined"; });
  }
  std::set<int> everybody() const {
    std::set<int> all = users(long_ago, max_day, [](const Row&) { return true; });
    for (const auto& marker : c_.markers) all.insert(marker.user);
    return all;
  }
  std::optional<Day> first_seen(int user) const {
    std::optional<Day> first;
    for (const auto& row : c_.rows)
      if (row.user == user && (!first || row.day < *first)) first = row.day;
    return first;
  }
  bool is_entitled(int user, Day as_of) const {
    const auto left_since = [&](Day day) {
      const auto days = marked(user, "$deactivated");
      return std::any_of(days.begin(), days.end(), [&](Day left) { return left >= day && left <= as_of; });
    };
    if (has_roster()) {
      const auto days = marked(user, "$joined");
      return std::any_of(days.begin(), days.end(),
                         [&](Day joined) { return joined < as_of && !left_since(joined); });
    }
    const Day oldest = as_of - c_.settings.inactive_after_days;
    return exists(oldest, as_of, [user](const Row& row) { return row.user == user; }) &&
           !left_since(long_ago);
  }
  std::set<int> entitled(Day as_of) const {
    std::set<int> found;
    for (const int user : everybody())
      if (is_entitled(user, as_of)) found.insert(user);
    return found;
  }
  std::optional<Day> entry(int user) const {
    if (!has_roster()) return first_seen(user);
    const auto days = marked(user, "$joined");
    return days.empty() ? std::nullopt : std::optional(*std::min_element(days.begin(), days.end()));
  }
  bool came_in(int user, Day begin, Day end) const {
    const auto day = entry(user);
    return day && *day >= begin && *day < end;
  }
  template <class Take>
  double entitled_users(Take&& take) const {
    double n = 0;
    for (const int user : users(from(), t(), take)) n += is_entitled(user, t());
    return n;
  }

  // The account.
  bool lacks_days(std::int64_t days) const {
    const auto& s = c_.settings;
    if (!s.ledger_start || t() - days >= *s.ledger_start) return false;
    return !s.account_start || *s.account_start < *s.ledger_start;
  }
  bool is_settled() const {
    const auto& s = c_.settings;
    if (s.account_start && *s.account_start > t()) return false;
    if (s.account_end && *s.account_end <= t()) return false;
    if (lacks_days(s.window_days)) return false;
    if (!s.account_start) return true;
    const Day age = t() - *s.account_start;
    return age >= s.window_days || age >= std::max(14, s.minimum_age_days);
  }
  // The first activity or dated joining.
  std::optional<Day> first_sign() const {
    std::optional<Day> first;
    const auto take = [&first](Day day) { first = first ? std::min(*first, day) : day; };
    for (const auto& row : c_.rows) take(row.day);
    for (const auto& marker : c_.markers)
      if (marker.name == "$joined" && marker.day != always_there) take(marker.day);
    return first;
  }
  bool is_anything_known() const {
    if (ever([](const Row&) { return true; })) return true;
    return std::any_of(c_.markers.begin(), c_.markers.end(), [this](const MarkerRow& marker) {
      return marker.name == "$joined" && marker.day < t() && is_entitled(marker.user, marker.day + 1);
    });
  }
  Unknown no_whole() const { return is_anything_known() ? Unknown::zero_denominator : Unknown::no_data; }
  // Nothing against nothing.
  template <class Take>
  Value nothing(Take&& take) const {
    if (is_silent()) return none(Unknown::nobody_active);
    if (is_active()) return none(ever(take) ? Unknown::nobody_active : Unknown::not_applicable);
    return none(no_whole());
  }
  // Why the account is too young for so many weeks, or the weeks that it has, at most 8.
  std::optional<Unknown> is_too_young(int weeks, double& available) const {
    std::optional<Day> start = c_.settings.account_start ? c_.settings.account_start : first_sign();
    const bool is_known = start && (c_.settings.account_start || *start < t());
    const double age = is_known ? std::floor((t() - *start) / 7.0) : 8;
    available = std::clamp(age, 1.0, 8.0);
    if (!c_.settings.account_start && is_silent()) return std::nullopt;
    if (!is_known) return is_anything_known() ? Unknown::insufficient_history : Unknown::no_data;
    return age < weeks ? std::optional(Unknown::insufficient_history) : std::nullopt;
  }

  std::int64_t days_needed(MetricId id) const {
    const std::int64_t to_know_users = has_roster() ? 0 : c_.settings.inactive_after_days;
    using enum MetricId;
    switch (id) {
      case total_users:
        return to_know_users;
      case activation_rate:
      case activation_rate_low:
      case activation_rate_high:
      case coverage:
      case dormant_users:
        return std::max<std::int64_t>(window(), to_know_users);
      case growth:
        return window() + to_know_users;
      case onboarding_activation:
        return c_.settings.onboarding_days + c_.settings.onboarding_window + to_know_users;
      case trend_4w:
      case trend_4w_users:
      case trend_4w_value:
      case cadence:
        return 56;
      case cadence_recency:
        return 182;
      case baseline:
      case baseline_users:
      case baseline_value:
        return c_.settings.account_start ? 7 * std::min(30, lived_weeks()) : 210;
      case dropoff:
        return 35;
      case slope_4w:
        return 28;
      case dip_streak:
      case recency_weeks:
        return 14;
      case recency_days:
      case time_to_value:
      case trial_use:
      case invite_conversion:
        return 0;
      default:
        return window();
    }
  }

  // What stands at the end of section 1, "When nobody is active".
  Value when_silent(MetricId id, Value value) const {
    using enum MetricId;
    const bool is_gap =
        value.unknown == Unknown::insufficient_history || value.unknown == Unknown::not_applicable;
    switch (id) {
      case total_users:
      case active_users:
      case events:
      case creators:
      case value_points:
      case adoption_rate:
      case breadth:
      case invite_conversion:
      case cadence:
        return value;
      case activation_rate:
      case activation_rate_low:
      case activation_rate_high:
      case coverage:
      case recency_days:
      case recency_weeks:
      case cadence_recency:
      case dip_streak:
      case time_to_value:
      case trial_use:
      case trend_4w:
      case trend_4w_users:
      case trend_4w_value:
      case dropoff:
      case baseline:
      case baseline_users:
      case baseline_value:
        return value.known() || is_gap ? value : none(Unknown::nobody_active);
      case dormant_users:
        return has_roster() ? value : none(Unknown::nobody_active);
      case hhi_normalized:
        return none(Unknown::nobody_active);
      default:
        return is_gap ? value : none(Unknown::nobody_active);
    }
  }

  // At least as many as a baseline needs: whoever has fewer has none.
  int lived_weeks() const {
    const auto start = c_.settings.account_start ? c_.settings.account_start : first_sign();
    if (!start || (!c_.settings.account_start && *start >= t())) return 30;
    return std::max(12, (t() - *start) / 7);
  }
  // Mean of weeks 1..4 over the median of 5..30, of as many as there are.
  template <class Week>
  std::pair<double, double> against_usual(Week&& week, int first, int last) const {
    double recent = 0;
    std::vector<double> base;
    for (int k = first; k <= last; ++k) {
      if (k < first + 4) recent += week(k) / 4;
      if (k >= first + 4) base.push_back(week(k));
    }
    std::sort(base.begin(), base.end());
    return {recent, (base[(base.size() - 1) / 2] + base[base.size() / 2]) / 2};
  }
  template <class Week>
  Value against_baseline(Week&& week) const {
    const int lived = lived_weeks();
    const auto [recent, usual] = against_usual(week, 1, std::min(lived, 30));
    if (usual == 0) return change(recent, 0);
    const std::int64_t needed = c_.settings.account_start ? 7 * std::min(82, lived) : 574;
    if (lived < 64 || lacks_days(needed)) return of(recent / usual - 1);
    const auto [recent_then, usual_then] = against_usual(week, 53, std::min(lived, 82));
    if (recent_then == 0 || usual_then == 0) return of(recent / usual - 1);
    return of(recent / usual / (recent_then / usual_then) - 1);
  }

  Value change(double now, double before) const {
    if (before == 0) return now == 0 ? nothing(wanted()) : none(Unknown::zero_denominator);
    return of(now / before - 1);
  }
  Value ratio(double part, double whole) const {
    if (whole == 0) return part == 0 ? nothing(wanted()) : none(Unknown::zero_denominator);
    return of(part / whole);
  }
  Value share(double part, double whole) const { return whole == 0 ? none(no_whole()) : of(part / whole); }
  double week(int k, bool by_value) const {
    return by_value ? total_points(t() - 7 * k, t() - 7 * (k - 1))
                    : count(t() - 7 * k, t() - 7 * (k - 1), wanted());
  }
  double weeks(int newest, int oldest, bool by_value) const {
    double sum = 0;
    for (int k = newest; k <= oldest; ++k) sum += week(k, by_value);
    return sum;
  }

  // The metric, but for silence.
  Value plainly(MetricId id) const {
    using enum MetricId;
    const auto& s = c_.settings;
    const auto qualifying = [this](const Row& row) { return qualifies(row); };
    const double a = static_cast<double>(users(from(), t(), qualifying).size());  // A
    const double own_users = static_cast<double>(users(from(), t(), wanted()).size());
    const double total = count(from(), t(), wanted());
    const double u = static_cast<double>(entitled(t()).size());
    const double weeks_in_window = window() / 7.0;
    const bool by_value = request_.by_value;
    const auto aged = [&](int weeks, auto&& answer) {
      double available = 0;
      const auto young = is_too_young(weeks, available);
      return young ? none(*young) : answer();
    };
    switch (id) {
      case total_users:
        return of(u);
      case active_users:
        return of(own_users);
      case events:
        return of(total);
      case activation_rate:
        return share(entitled_users(wanted()), u);
      case activation_rate_low:
      case activation_rate_high: {
        if (u == 0) return none(no_whole());
        constexpr double z = 1.959963984540054;
        const double p = entitled_users(wanted()) / u;
        const double middle = p + z * z / (2 * u);
        const double reach = z * std::sqrt(p * (1 - p) / u + z * z / (4 * u * u));
        return of((id == activation_rate_low ? middle - reach : middle + reach) / (1 + z * z / u));
      }
      case coverage:
        if (!arises(create | consume)) return none(Unknown::not_applicable);
        return share(entitled_users(playing(create | consume)), u);
      case adoption_rate:
        if (!s.seats) return none(Unknown::no_data);
        if (std::isnan(*s.seats) || *s.seats < 0 || *s.seats > 1e15) return none(Unknown::bad_value);
        if (*s.seats == 0) return none(Unknown::zero_denominator);
        return of(entitled_users(wanted()) / *s.seats);
      case creators:
        if (!arises(create)) return none(Unknown::not_applicable);
        return of(static_cast<double>(users(from(), t(), playing(create)).size()));
      case spread:
        if (!arises(create)) return none(Unknown::not_applicable);
        return ratio(static_cast<double>(users(from(), t(), playing(create)).size()), a);
      case events_per_user_week:
        return ratio(total / weeks_in_window, a);
      case interaction:
        if (!arises(interact)) return none(Unknown::not_applicable);
        return ratio(count(from(), t(), playing(interact)) / weeks_in_window, a);
      case reply_ratio: {
        if (!arises(interact) || !in_catalog(create)) return none(Unknown::not_applicable);
        const auto creating = [this](const Row& row) { return qualifies(row) && (roles(row) & create) != 0; };
        const double replies = count(from(), t(), playing(interact));
        const double created = count(from(), t(), creating);
        if (created != 0) return of(replies / created);
        if (replies != 0) return none(Unknown::zero_denominator);
        const auto replying = playing(interact);
        return nothing([&](const Row& row) { return creating(row) || replying(row); });
      }
      case value_points:
        return of(total_points(from(), t()));
      case depth:
        return ratio(total_points(from(), t()), a);
      case sessions_per_user_week:
        if (!arises(session)) return none(Unknown::not_applicable);
        if (a != 0 && !ever(playing(session))) return none(Unknown::no_data);
        return ratio(count(from(), t(), playing(session)) / weeks_in_window, a);
      case amount_sum:
      case amount_mean: {
        double sum = 0;
        double measured = 0;
        for (const auto& row : c_.rows) {
          if (row.day < from() || row.day >= t() || !is_wanted(row) || !row.amount) continue;
          sum += *row.amount;
          ++measured;
        }
        if (measured != 0) return of(id == amount_sum ? sum : sum / measured);
        if (total != 0 || !is_active()) return none(Unknown::no_data);
        return none(ever([this](const Row& row) { return is_wanted(row) && row.amount; })
                        ? Unknown::nobody_active
                        : Unknown::not_applicable);
      }
      case breadth: {
        std::set<std::string> features;
        if (!s.features && !c_.listed) return none(Unknown::not_applicable);
        if (s.features) features.insert(s.features->begin(), s.features->end());
        if (!s.features)
          for (const auto& [name, of_catalog] : rules()) features.insert(of_catalog.feature);
        if (features.empty()) return none(Unknown::zero_denominator);
        double used = 0;
        for (const auto& feature : features)
          used += exists(from(), t(), [&](const Row& row) {
            return is_wanted(row) && (rule(row) != nullptr ? rule(row)->feature : row.event) == feature;
          });
        return of(used / static_cast<double>(features.size()));
      }
      case stickiness: {
        double user_days = 0;
        for (Day day = from(); day < t(); ++day)
          user_days += static_cast<double>(users(day, day + 1, wanted()).size());
        return ratio(user_days / window(), own_users);
      }
      case dormant_users:
        return of(u - entitled_users(wanted()));
      case growth: {
        double newcomers = 0;
        for (const int user : users(from(), t(), wanted())) newcomers += came_in(user, from(), t());
        return share(newcomers, static_cast<double>(entitled(from()).size()));
      }
      case recency_days: {
        std::optional<Day> last;
        for (const auto& row : c_.rows) {
          if (row.day >= t() || !is_wanted(row)) continue;
          if (!request_.user.empty() && std::to_string(row.user) != request_.user) continue;
          if (!last || row.day > *last) last = row.day;
        }
        return last ? of(t() - *last) : none(Unknown::no_data);
      }
      case time_to_value:
      case trial_use: {
        if (!arises(activate)) return none(Unknown::not_applicable);
        std::optional<Day> reached;
        const auto counts = playing(activate);
        for (const auto& row : c_.rows)
          if (row.day < t() && counts(row) && (!reached || row.day < *reached)) reached = row.day;
        if (!reached) return none(Unknown::no_data);
        const Day start = s.account_start ? *s.account_start : *first_sign();
        return of(id == trial_use ? *reached < start : std::max(0, *reached - start));
      }
      case onboarding_activation: {
        if (!arises(activate)) return none(Unknown::not_applicable);
        const auto counts = playing(activate);
        const Day latest = t() - s.onboarding_days;
        double eligible = 0;
        double done = 0;
        for (const int user : everybody()) {
          if (!came_in(user, latest - s.onboarding_window, latest)) continue;
          ++eligible;
          std::set<std::string> different;
          for (const auto& row : c_.rows)
            if (row.user == user && row.day >= *entry(user) && row.day < *entry(user) + s.onboarding_days &&
                counts(row))
              different.insert(row.event);
          done += static_cast<int>(different.size()) >= s.onboarding_events;
        }
        return share(done, eligible);
      }
      case invite_conversion: {
        if (!arises(create | consume)) return none(Unknown::not_applicable);
        double invited = 0;
        double converted = 0;
        const auto taking_part = users(long_ago, t(), playing(create | consume));
        for (const int user : everybody()) {
          const auto days = marked(user, "$invited");
          if (days.empty() || *std::min_element(days.begin(), days.end()) >= t() - s.onboarding_days)
            continue;
          ++invited;
          converted += taking_part.contains(user);
        }
        return share(converted, invited);
      }
      case trend_4w:
        return aged(8, [&] { return change(weeks(1, 4, by_value), weeks(5, 8, by_value)); });
      case trend_4w_value:
        return aged(8, [&] { return change(weeks(1, 4, true), weeks(5, 8, true)); });
      case trend_4w_users:
        return aged(8, [&] {
          return change(static_cast<double>(users(t() - 28, t(), wanted()).size()),
                        static_cast<double>(users(t() - 56, t() - 28, wanted()).size()));
        });
      case dropoff:
        return aged(5, [&] { return change(week(1, by_value), weeks(2, 5, by_value) / 4); });
      case baseline:
        return aged(12, [&] { return against_baseline([&](int k) { return week(k, by_value); }); });
      case baseline_value:
        return aged(12, [&] { return against_baseline([&](int k) { return week(k, true); }); });
      case baseline_users:
        return aged(12, [&] {
          return against_baseline([&](int k) {
            return static_cast<double>(users(t() - 7 * k, t() - 7 * (k - 1), wanted()).size());
          });
        });
      case slope_4w: {
        const double mean = weeks(1, 4, by_value) / 4;
        if (mean == 0) return nothing(wanted());
        double slope = 0;
        for (int k = 1; k <= 4; ++k) slope += (2.5 - k) * (week(k, by_value) - mean);
        return of(slope / 5 / mean);
      }
      case dip_streak: {
        int dips = 0;
        const auto falls = [&](int k) {
          const double now = week(k, by_value);
          const double before = week(k + 1, by_value);
          return now < before || (now == 0 && before == 0);
        };
        constexpr int more_than_there_are = 200;
        while (dips < more_than_there_are && falls(dips + 1)) ++dips;
        return dips == more_than_there_are ? nothing(wanted()) : of(dips);
      }
      case cadence: {
        double available = 0;
        if (const auto young = is_too_young(1, available)) return none(*young);
        double busy = 0;
        for (int k = 1; k <= available; ++k) busy += week(k, false) > 0;
        return of(busy / available);
      }
      case recency_weeks:
      case cadence_recency: {
        // Weeks back to the first with activity, in turn.
        std::vector<bool> busy;
        for (int k = 1; k <= 200; ++k) busy.push_back(week(k, false) > 0);
        while (!busy.empty() && !busy.back()) busy.pop_back();
        if (busy.empty()) return none(Unknown::no_data);
        const int n = static_cast<int>(busy.size()) - 1;
        if (n < 2) return none(Unknown::insufficient_history);
        const auto newest = std::find(busy.begin(), busy.end(), true) - busy.begin();
        if (id == recency_weeks) return of(static_cast<double>(newest));
        const int x = static_cast<int>(std::count(busy.begin(), busy.end() - 1, true));
        const int last = x == 0 ? 0 : n - static_cast<int>(newest);
        const double now = likelihood(*request_.bgbb, x, last, n);
        return of(100 * (1 - likelihood(*request_.bgbb, x, last, n + 4) / now));
      }
      case power_user_dependency:
      case top2_share:
      case top3_share:
      case hhi:
      case effective_users:
      case hhi_normalized:
      case gini:
      case absence_factor:
        break;
    }
    return concentration(id);
  }

  // BG/BB, as in the paper: active to the end, or gone after t weeks, by Beta functions.
  static double likelihood(const BgbbParameters& p, double x, double last, double n) {
    const auto beta = [](double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); };
    const auto active = [&](double weeks) {
      return beta(p.alpha + x, p.beta + weeks - x) - beta(p.alpha, p.beta);
    };
    const double leaving = beta(p.gamma, p.delta);
    double sum = std::exp(active(n) + beta(p.gamma, p.delta + n) - leaving);
    for (double t = last; t < n; ++t) sum += std::exp(active(t) + beta(p.gamma + 1, p.delta + t) - leaving);
    return sum;
  }

  Value concentration(MetricId id) const {
    using enum MetricId;
    std::map<int, double> by_user;
    if (request_.by_value) by_user = points(from(), t());
    if (!request_.by_value)
      for (const auto& row : c_.rows)
        if (row.day >= from() && row.day < t() && is_wanted(row)) ++by_user[row.user];
    std::vector<double> x;
    double total = 0;
    for (const auto& [user, own] : by_user) {
      x.push_back(own);
      total += own;
    }
    if (total == 0) return nothing(wanted());
    std::sort(x.rbegin(), x.rend());
    const double n = static_cast<double>(x.size());
    double top = 0;
    double squares = 0;
    double distances = 0;
    const auto k = id == top2_share   ? std::size_t{2}
                   : id == top3_share ? std::size_t{3}
                                      : static_cast<std::size_t>(request_.top_k);
    for (std::size_t i = 0; i < x.size(); ++i) {
      squares += x[i] / total * (x[i] / total);
      for (const double other : x) distances += std::abs(x[i] - other) / (2 * n * total);
      if (i < k) top += x[i] / total;
    }
    switch (id) {
      case hhi:
        return of(squares);
      case effective_users:
        return of(1 / squares);
      case hhi_normalized:
        return n == 1 ? none(Unknown::not_applicable) : of((squares - 1 / n) / (1 - 1 / n));
      case gini:
        return of(distances);
      case absence_factor: {
        double reached = 0;
        double needed = 0;
        while (2 * reached < total) reached += x[static_cast<std::size_t>(needed++)];
        return of(needed);
      }
      default:
        return of(top);
    }
  }

  const Case& c_;
  MetricRequest request_;
};

}  // namespace health::test
