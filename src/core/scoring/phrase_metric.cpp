// One phrase for each metric, with the counts behind a ratio where they can be told.
#include "phrase_metric.hpp"

#include <algorithm>
#include <cmath>

#include "phrase_format.hpp"

namespace health {

namespace {

std::string describe_trend(std::string_view what, double change) {
  std::string words(what);
  if (change == 0) return words + " as in the 4 weeks before";
  return words + (change < 0 ? " down " : " up ") + show_percent(std::fabs(change)) + " in 4 weeks";
}

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

  // Counts and roles that narrow the question: " (comment_left, video_shared)".
  std::string scope() const {
    const auto& events = signal.metric.events;
    if (!events.empty()) {
      std::string names;
      for (std::size_t i = 0; i < std::min<std::size_t>(3, events.size()); ++i)
        names += (i == 0 ? "" : ", ") + events[i];
      return " (" + names + (events.size() > 3 ? ", ...)" : ")");
    }
    std::string names;
    for (const auto& [role, name] : {std::pair{Role::create, "create"},
                                     {Role::consume, "consume"},
                                     {Role::interact, "interact"},
                                     {Role::activate, "activate"},
                                     {Role::session, "session"}}) {
      if ((signal.metric.roles & role) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return names.empty() ? "" : " (" + names + " events)";
  }

  // The numerator of a ratio whose denominator is known.
  std::int64_t part_of(std::int64_t whole) const { return std::llround(value * static_cast<double>(whole)); }

  std::int64_t count_whole() const { return std::llround(whole.value_or(0)); }

  std::string of_users(std::string_view what) const {
    const std::int64_t users = count_whole();
    return std::to_string(part_of(users)) + " of " + count_of(users, "user", "users") + std::string(what) +
           window() + scope();
  }

  std::string top_share(int users) const {
    return show_percent(value) + " of the activity from " +
           (users == 1 ? "one person" : std::to_string(users) + " people") + scope();
  }

  std::string cadence() const {
    const std::int64_t weeks = count_whole();
    return "active in " + std::to_string(part_of(weeks)) + " of the last " +
           count_of(weeks, "week", "weeks") + scope();
  }

  std::string breadth() const {
    const std::int64_t features = count_whole();
    return std::to_string(part_of(features)) + " of " + count_of(features, "feature", "features") + " used" +
           window();
  }

  std::string with_label() const {
    return in_sentence(signal.label) + " " +
           (metric_info(signal.metric.id).style == NumberStyle::share    ? show_percent(value)
            : metric_info(signal.metric.id).style == NumberStyle::change ? show_percent(value, true)
                                                                         : show_number(value));
  }
};

std::string describe(const Finding& f) {
  const double value = f.value;
  switch (f.signal.metric.id) {
    case MetricId::total_users:
      return count_of(std::llround(value), "user", "users");
    case MetricId::active_users:
      return count_of(std::llround(value), "user", "users") + " active" + f.window() + f.scope();
    case MetricId::events:
      return count_of(std::llround(value), "event", "events") + f.window() + f.scope();
    case MetricId::activation_rate:
      return f.of_users(" active");
    case MetricId::coverage:
      return f.of_users(" reached");
    case MetricId::dormant_users:
      return std::to_string(std::llround(value)) + " of " + count_of(f.count_whole(), "user", "users") +
             " dormant" + f.window() + f.scope();
    case MetricId::spread:
      return std::to_string(f.part_of(f.count_whole())) + " of " +
             count_of(f.count_whole(), "active user", "active users") + " creating" + f.window() + f.scope();
    case MetricId::creators:
      return count_of(std::llround(value), "user", "users") + " creating" + f.window() + f.scope();
    case MetricId::adoption_rate: {
      const double seats = f.whole.value_or(0);
      return count_of(std::llround(value * seats), "user", "users") + " active on " + show_number(seats) +
             " licensed seats" + f.window() + f.scope();
    }
    case MetricId::onboarding_activation:
      return show_percent(value) + " of the new users got going in their first " +
             count_of(f.settings.onboarding_days, "day", "days");
    case MetricId::invite_conversion:
      return show_percent(value) + " of the invited users took part";
    case MetricId::trend_4w:
      return describe_trend(f.signal.metric.by_value ? "value points" : "events", value) + f.scope();
    case MetricId::trend_4w_users:
      return describe_trend("active users", value) + f.scope();
    case MetricId::trend_4w_value:
      return describe_trend("value points", value) + f.scope();
    case MetricId::dropoff:
      if (value == 0) return "last week as the four weeks before" + f.scope();
      return "last week " + show_percent(std::fabs(value)) + (value < 0 ? " below" : " above") +
             " the four weeks before" + f.scope();
    case MetricId::slope_4w:
      if (value == 0) return "events steady over 4 weeks" + f.scope();
      return std::string("events ") + (value < 0 ? "falling" : "growing") + " by " +
             show_percent(std::fabs(value)) + " a week" + f.scope();
    case MetricId::dip_streak:
      if (value < 1) return "no dip last week" + f.scope();
      return "fewer events " + (value < 2 ? "last week" : show_number(value) + " weeks in a row") + f.scope();
    case MetricId::cadence:
      return f.cadence();
    case MetricId::events_per_user_week:
      return show_number(value) + " events per active user and week" + f.scope();
    case MetricId::stickiness:
      return "an active user comes on " + show_percent(value) + " of the days" + f.scope();
    case MetricId::interaction:
      return show_number(value) + " interactions per active user and week" + f.scope();
    case MetricId::reply_ratio:
      return show_number(value) + " interactions for each thing created" + f.scope();
    case MetricId::sessions_per_user_week:
      return show_number(value) + " sessions per active user and week" + f.scope();
    case MetricId::breadth:
      return f.breadth();
    case MetricId::depth:
      return show_number(value) + " value points per active user" + f.window() + f.scope();
    case MetricId::value_points:
      return show_number(value) + " value points" + f.window() + f.scope();
    case MetricId::recency_days:
      return "last activity " + count_of(std::llround(value), "day", "days") + " ago" + f.scope();
    case MetricId::growth:
      return "users grew by " + show_percent(value) + f.window() + f.scope();
    case MetricId::time_to_value:
      return "first value after " + count_of(std::llround(value), "day", "days");
    case MetricId::trial_use:
      return value > 0 ? "used before the account started" : "not used before the account started";
    case MetricId::power_user_dependency:
      return f.top_share(f.signal.metric.top_k);
    case MetricId::top2_share:
      return f.top_share(2);
    case MetricId::top3_share:
      return f.top_share(3);
    case MetricId::absence_factor:
      return count_of(std::llround(value), "user makes", "users make") + " half of the activity" + f.scope();
    default:
      return f.with_label();
  }
}

}  // namespace

std::optional<double> whole_of(const Signal& signal, const Ledger& ledger, Day as_of) {
  const auto number = [](std::int64_t count) { return std::optional(static_cast<double>(count)); };
  switch (signal.metric.id) {
    case MetricId::activation_rate:
    case MetricId::coverage:
    case MetricId::dormant_users:
      return number(ledger.total_users(as_of));
    case MetricId::spread: {
      MetricRequest request = signal.metric;
      request.id = MetricId::active_users;
      const Value count = evaluate(ledger, request, as_of);
      return number(count.known() ? std::llround(count.number) : 0);
    }
    case MetricId::adoption_rate:
      return ledger.settings().seats;
    case MetricId::cadence: {
      const auto start = ledger.account_start();
      return number(start ? std::clamp<std::int64_t>(whole_weeks(*start, as_of), 1, 8) : 8);
    }
    case MetricId::breadth:
      if (const auto features = ledger.entitled_features()) return number(*features);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::string describe_metric(const Signal& signal, double value, std::optional<double> whole,
                            const MetricSettings& settings) {
  return describe({signal, value, whole, settings});
}

}  // namespace health
