// Every usage metric of one account, for any as_of, from one decoded ledger. Definitions:
// docs/reference/metrics.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog.hpp"
#include "concentration.hpp"
#include "core/base/calendar.hpp"
#include "core/base/exact.hpp"
#include "core/base/value.hpp"
#include "core/ledger/usage.hpp"
#include "core/metrics/metric_table.hpp"
#include "core/stats/bgbb.hpp"
#include "ledger_facts.hpp"

namespace health {

// The metric of that name, if there is one.
std::optional<MetricId> metric_by_name(std::string_view name);

// Whose events a question is about: people's, everybody's, or those of one kind of actor (any other name).
inline constexpr std::string_view human_actor = "human";
inline constexpr std::string_view any_actor = "any";

// What holds for all metrics of an account.
struct MetricSettings {
  int window_days = default_window_days;
  std::optional<Day>
      account_start;               // else the first activity or the first known $joined, whichever is earlier
  std::optional<Day> account_end;  // from that day on it is no customer any more
  std::optional<Day> ledger_start;  // the first day that the ledger keeps; nothing: it has them all
  int minimum_age_days = 0;         // younger accounts are onboarding
  std::string actor{human_actor};   // whose events count, for presence too
  int inactive_after_days =
      default_inactive_after_days;  // without a roster: how long users count after being seen
  std::optional<double> seats;      // licensed seats, as recorded: see usable_seats()
  bool repeated = false;  // the account source has the account more than once: no signal of it is known
  int onboarding_days = default_onboarding_days;      // X: days that a new user has to get going
  int onboarding_events = default_onboarding_events;  // k: how many of the activation events
  int onboarding_window = default_onboarding_window;  // W: users who joined in [as_of - X - W, as_of - X)
  std::optional<std::vector<std::string>> features;   // that the plan entitles; else those of the catalog
  std::optional<double> daily_cap;     // most value points of a user and day that count; finite, >= 0
  std::optional<BgbbParameters> bgbb;  // of the record's cadence_recency

  // Throws Error 22023 that names the setting which makes no sense.
  void check() const;
  bool operator==(const MetricSettings&) const = default;
  // The seats, if they are a number that seats can be: 0 to 10^15.
  std::optional<double> usable_seats() const;
};

// One metric, asked in a particular way. Defaults ask for it as docs/reference/metrics.md defines it.
struct MetricRequest {
  MetricId id = MetricId::activation_rate;
  int window_days = 0;  // 0: the settings'. Weekly metrics (trend, dropoff, ...) have their own windows
  std::vector<std::string>
      events;          // only these events, listed in the catalog or not; empty: the qualifying ones
  unsigned roles = 0;  // only events with one of these Role bits; 0: all. With both, an event must meet both
  std::string actor;   // whose events; empty: the settings'
  bool by_value = false;               // value points instead of events: trends, streaks, concentration
  int top_k = default_top_k;           // power_user_dependency: share of the k largest users
  std::string user;                    // recency_days: of this user (text of the id) instead of the account
  std::optional<BgbbParameters> bgbb;  // cadence_recency: without them it is unknown
  bool operator==(const MetricRequest&) const = default;
};

// Metrics of one account at one date.
struct MetricRecord {
  std::array<Value, metric_count> values{};
  std::optional<std::uint32_t> top_user;  // index into the ledger's users
  std::optional<Day> first_event;         // qualifying, before as_of
  std::optional<Day> last_event;
  std::array<std::int64_t, 12> weekly{};  // qualifying events of the last 12 weeks, oldest first

  Value& operator[](MetricId id) { return values[static_cast<std::size_t>(id)]; }
  const Value& operator[](MetricId id) const { return values[static_cast<std::size_t>(id)]; }
};

// The day of a $joined marker that means "joined at an unknown time, always there": 0001-01-01. It says
// nothing about the account's start and makes nobody a newcomer.
inline constexpr Day always_there = -730119;

// Whether anybody uses the account. docs/reference/scoring.md, "Nobody active".
enum class Presence {
  active,    // a qualifying event in the window
  silent,    // known to have none: in the book for the whole window, or long enough
  unsettled  // none, but too young to tell, out of the book, or the ledger begins later than the window
};

// Accounts younger than this are not silent, whatever the model's minimum age.
inline constexpr int least_silent_age = 14;

// A ledger made ready for questions: activity by day, users by their time in the account, events bound to a
// catalog. Not for use from several threads at once, even const: evaluation keeps scratch space and recent
// results inside.
class Ledger {
 public:
  // One user's events of one name on one day.
  struct Activity {
    Day day;
    std::uint32_t user;         // index, ascending by user id
    std::uint32_t event;        // index into events()
    std::uint32_t small_count;  // 0: the count is larger than fits, count() knows it
  };
  // The measured amounts of the activity with the same index.
  struct Measure {
    std::int64_t count = 0;  // events with an amount
    Exact amount = 0;        // micro units
  };
  // An event name that occurs in the ledger, as the catalog sees it.
  struct Event {
    std::string name;         // without who acts
    std::string actor;        // empty: people
    bool is_activity = true;  // no marker
    unsigned roles = 0;
    std::int64_t value = micro;  // value points of one event in micro units
    std::int32_t feature = -1;   // index of the entitled feature that it uses, -1 for none
    bool qualifies = true;
    Day first_day = max_day;  // of its first activity; max_day when it has none (markers)
  };
  // When a user belonged to the account: counted in U for from < as_of < until.
  struct Membership {
    std::uint32_t user;
    Day from;
    Day until;
  };
  // The day on which a user was first invited.
  struct Invitation {
    std::uint32_t user;
    Day day;
  };

  // Reads a ledger to its end. Markers ($joined, $deactivated, $invited) become memberships and invitations.
  // Settings are checked and copied, of the catalog nothing is kept by reference. Throws Error 22023 on a
  // negative count.
  static Ledger decode(Bytes usage, const EventCatalog& catalog, const MetricSettings& settings);
  // The same of the sum of ledgers, as it was known before a day or as it is known now. Errors also as for
  // add_usage.
  static Ledger decode(std::span<const Bytes> parts, const EventCatalog& catalog,
                       const MetricSettings& settings, std::optional<Day> known_before = std::nullopt);

  // The same account with the user's activity removed: roster, invitations and the account's start stay as
  // they are.
  Ledger without_user(std::uint32_t user) const;

  const MetricSettings& settings() const { return settings_; }
  // The id as text, the way PostgreSQL prints it.
  std::string user_text(std::uint32_t user) const;
  // The user with that id in text form.
  std::optional<std::uint32_t> find_user(std::string_view text) const;

  std::span<const Event> events() const { return events_; }
  // Activity in a window, by day, then user, then event.
  std::span<const Activity> activity(Window window) const;
  // The number of events of a piece of activity.
  std::int64_t count(const Activity& activity) const {
    return activity.small_count != 0 ? activity.small_count : large_count(activity);
  }
  // The amounts of a piece of activity() (by its address); null when the ledger has none at all.
  const Measure* measure(const Activity& activity) const {
    return measures_.empty() ? nullptr : &measures_[static_cast<std::size_t>(&activity - activity_.data())];
  }

  const LedgerFacts& facts() const { return *facts_; }

  // Whether the account is a customer at as_of: begun, or its start unknown, and not ended.
  bool is_in_book(Day as_of) const;
  // In the window of the settings, of people or of who acts by the settings; or of another actor.
  Presence presence(Day as_of) const;
  Presence presence(Day as_of, std::string_view actor) const;
  // Whether the event counts for questions about that actor.
  bool is_by(const Event& event, std::string_view actor) const {
    return actor == any_actor || (actor == human_actor ? event.actor.empty() : event.actor == actor);
  }
  // Whether the ledger lacks days of the account from that day on. Of accounts that began later it lacks
  // none.
  bool begins_after(Day day) const;

  // The day the account began; nothing when that is not known.
  std::optional<Day> account_start() const { return account_start_; }
  // The day that the account's age counts from: its start, where that is not known the first activity or
  // joining before as_of, if there is one.
  std::optional<Day> age_start(Day as_of) const;
  // True when the ledger knows nothing from before as_of: no activity and no user.
  bool knows_nothing(Day as_of) const;
  // U: users who belong to the account at as_of.
  std::int64_t total_users(Day as_of) const;
  bool is_member(std::uint32_t user, Day as_of) const;
  // Whether a user source said who belongs to the account; else those do who were seen lately.
  bool has_roster() const { return has_roster_; }
  // By user, then from.
  std::span<const Membership> memberships() const { return memberships_; }
  // The day the user came: joined, or without a roster first seen. Nothing for one who is not in the roster.
  std::optional<Day> entry_day(std::uint32_t user) const;
  // By user.
  std::span<const Invitation> invitations() const { return invitations_; }
  // Roles that some event of the catalog plays, whether it occurs or not.
  unsigned catalog_roles() const { return catalog_roles_; }
  // How many features the plan entitles (settings, else the catalog's); nothing when neither says.
  std::optional<std::int64_t> entitled_features() const { return entitled_; }

  // A slot per user, and per person of facts, all 0: whoever writes to it clears it again.
  std::vector<std::uint32_t>& user_slots() const;
  // Evaluations of the last few (as_of, window) pairs, kept by recall_evaluation().
  std::vector<std::shared_ptr<class Evaluation>>& recent_evaluations() const { return recent_; }

 private:
  template <class Reader>
  friend class LedgerBuilder;
  std::int64_t large_count(const Activity& activity) const;
  Ledger without_activity() const;  // and without what was found out about it
  void note_first_days();
  void index_users();

  MetricSettings settings_;
  UserKind kind_ = UserKind::none;
  std::size_t users_ = 0;
  std::vector<std::int64_t> user_numbers_;  // bigint ids
  std::string user_bytes_;                  // uuid and text ids, one behind the other
  std::vector<std::size_t> user_ends_;      // and their ends
  std::vector<Event> events_;
  std::vector<Activity> activity_;
  std::vector<Measure> measures_;  // empty when no event has an amount
  struct LargeCount {
    Day day;
    std::uint32_t user;
    std::uint32_t event;
    std::int64_t count;
  };
  std::vector<LargeCount> large_counts_;
  std::shared_ptr<const LedgerFacts> facts_ = std::make_shared<LedgerFacts>();
  std::vector<Membership> memberships_;
  std::vector<std::uint32_t> first_membership_;  // user -> index of the first membership; one more at the end
  std::vector<Invitation> invitations_;
  std::vector<std::pair<Day, std::int64_t>> user_steps_;  // U from that as_of on
  std::optional<Day> account_start_;
  bool has_roster_ = false;
  unsigned catalog_roles_ = 0;
  std::optional<std::int64_t> entitled_;
  mutable std::optional<std::pair<Day, Presence>> presence_;  // as of the last day that was asked for
  mutable std::vector<std::uint32_t> slots_;
  mutable std::vector<std::shared_ptr<class Evaluation>> recent_;
};

// One metric at as_of. Throws Error 22023 on a request that makes no sense (window_days or top_k < 0).
Value evaluate(const Ledger& ledger, const MetricRequest& request, Day as_of);
// The whole record at as_of: what evaluate() gives for every metric with a default request, and the settings'
// parameters.
void evaluate_all(const Ledger& ledger, Day as_of, MetricRecord& record);

// What the metric's value rests on, by which it is shrunk: the n of its row in the table of metrics. 0 when
// there is nothing, or the metric has no such n.
double shrink_basis(const Ledger& ledger, const MetricRequest& request, Day as_of);

// The first and the last day before as_of with an event of the request; nothing when there is none.
std::optional<Day> first_event(const Ledger& ledger, const MetricRequest& request, Day as_of);
std::optional<Day> last_event(const Ledger& ledger, const MetricRequest& request, Day as_of);
// The account's weeks after the first one with an event of the request, up to as_of; nothing when there is no
// such event. Of more than a hundred years the last hundred.
std::optional<BgbbHistory> active_weeks(const Ledger& ledger, const MetricRequest& request, Day as_of);
// The concentration of the contributions to the request's events in its window.
Concentration concentration(const Ledger& ledger, const MetricRequest& request, Day as_of);
// The user with the largest contribution in the request's window (ties: smallest id); nothing when nobody
// contributed.
std::optional<std::uint32_t> top_user(const Ledger& ledger, const MetricRequest& request, Day as_of);
// Users with their contributions (events, or value points in micro units when by_value), largest first, ties
// by id.
struct Contribution {
  std::uint32_t user;
  Exact amount;
};
std::vector<Contribution> contributions(const Ledger& ledger, const MetricRequest& request, Day as_of);
// Events per week (value points when by_value), oldest first, weeks[n-1] = [as_of - 7, as_of).
// "Value points" respect the daily cap.
std::vector<double> weekly(const Ledger& ledger, const MetricRequest& request, Day as_of, int weeks);

}  // namespace health
