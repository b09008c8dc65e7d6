// The states of customers, by their order.
#include "customer_state.hpp"

#include <algorithm>

#include "core/metrics/feed_stop.hpp"
#include "phrase_format.hpp"

namespace health {

namespace {

std::int64_t days_since(Day day, Day as_of) { return std::int64_t{as_of} - day; }

std::string age_in_brackets(Day day, Day as_of) {
  return " (" + count_of(days_since(day, as_of), "day", "days") + ")";
}

// Nobody did anything in the window, and the account is old enough for that to be known.
CustomerState settle_idle(const Ledger& ledger, std::optional<Day> last, Day as_of) {
  const auto& settings = ledger.settings();
  const auto& start = settings.account_start;
  if (last) return {CustomerStateKind::silent, last};
  if (ledger.begins_after(min_day)) return {CustomerStateKind::silent, settings.ledger_start, true};
  if (start && days_since(*start, as_of) <= stalled_until_age)
    return {CustomerStateKind::onboarding_stalled, start};
  return {CustomerStateKind::never_started, start};
}

}  // namespace

std::string_view customer_state_name(CustomerStateKind kind) {
  switch (kind) {
    case CustomerStateKind::unsettled:
      return "";
    case CustomerStateKind::prospect:
      return "prospect";
    case CustomerStateKind::ended:
      return "ended";
    case CustomerStateKind::tracking_suspect:
      return "tracking_suspect";
    case CustomerStateKind::onboarding:
      return "onboarding";
    case CustomerStateKind::onboarding_stalled:
      return "onboarding_stalled";
    case CustomerStateKind::never_started:
      return "never_started";
    case CustomerStateKind::silent:
      return "silent";
    case CustomerStateKind::active:
      return "active";
  }
  return "";
}

CustomerState find_customer_state(const Ledger& ledger, Day as_of, bool by_usage) {
  const auto& settings = ledger.settings();
  const auto& start = settings.account_start;
  if (start && as_of < *start) return {CustomerStateKind::prospect, start};
  if (settings.account_end && *settings.account_end <= as_of)
    return {CustomerStateKind::ended, settings.account_end};
  if (const auto last = by_usage ? find_feed_stop(ledger, as_of) : std::nullopt)
    return {CustomerStateKind::tracking_suspect, last};
  if (start && days_since(*start, as_of) < settings.minimum_age_days)
    return {CustomerStateKind::onboarding, start};
  const Presence presence = ledger.presence(as_of);
  if (presence == Presence::active || !by_usage) return {CustomerStateKind::active};
  const auto last = last_event(ledger, MetricRequest(), as_of);
  if (presence == Presence::silent || !last) {
    if (presence == Presence::unsettled &&
        ledger.begins_after(window_before(as_of, settings.window_days).from))
      return {CustomerStateKind::unsettled};
    return settle_idle(ledger, last, as_of);
  }
  // Used, but not in the window: too young to be called silent, or the window begins before the ledger.
  return {ledger.begins_after(window_before(as_of, settings.window_days).from) ? CustomerStateKind::unsettled
                                                                               : CustomerStateKind::active};
}

std::string describe_customer_state(const CustomerState& state, Day as_of) {
  const auto since = [&](std::string_view words) {
    return std::string(words) + (state.since ? " " + day_in_sentence(*state.since, as_of) : std::string());
  };
  switch (state.kind) {
    case CustomerStateKind::unsettled:
    case CustomerStateKind::active:
      break;
    case CustomerStateKind::prospect:
      return *state.since == max_day ? "not a customer yet"
                                     : "not a customer before " + day_in_sentence(*state.since, as_of);
    case CustomerStateKind::ended:
      return state.since && *state.since > min_day ? since("no customer any more since")
                                                   : "no customer any more";
    case CustomerStateKind::tracking_suspect:
      return since("all its events stopped at once, the last are of");
    case CustomerStateKind::onboarding:
      return "a customer " + (days_since(*state.since, as_of) == 0
                                  ? "since today"
                                  : "for " + count_of(days_since(*state.since, as_of), "day", "days"));
    case CustomerStateKind::onboarding_stalled:
      return "nobody active yet, " + count_of(days_since(*state.since, as_of), "day", "days") +
             " after the start";
    case CustomerStateKind::never_started:
      return "nobody ever active" + (state.since ? since(" since the start on") : std::string());
    case CustomerStateKind::silent:
      if (state.before_kept) return "nobody active since before " + day_in_sentence(*state.since, as_of);
      return since("nobody active since") + age_in_brackets(*state.since, as_of);
  }
  return {};
}

}  // namespace health
