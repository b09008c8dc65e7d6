// One pass over a window of a ledger, and what the metrics read from it. Internal to the metrics: others use
// metrics.hpp.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "concentration.hpp"
#include "metrics.hpp"

namespace health {

// Which of the ledger's events a question is about: a flag per event.
using EventSelection = std::vector<std::uint8_t>;

// The events of an actor that the catalog lets qualify; with roles, those that play one of them.
EventSelection select_qualifying(const Ledger& ledger, std::string_view actor, unsigned roles = 0);
// Whose events the request is about.
std::string_view actor_of(const Ledger& ledger, const MetricRequest& request);
// The events that the request names, by names or roles; qualifying ones when it names none.
EventSelection select_requested(const Ledger& ledger, const MetricRequest& request);
// True when the request asks for less than all qualifying events.
bool is_narrowed(const MetricRequest& request);

// What the selected events of a window come to.
struct Summary {
  struct User {
    std::uint32_t user;
    unsigned roles;  // of the user's events
    Exact events;
    Exact points;  // value points in micro units, after the daily cap
  };

  Exact events = 0;
  Exact points = 0;
  std::int64_t user_days = 0;  // distinct (user, day)
  std::int64_t members = 0;    // active users who belong to the account at the window's end
  std::int64_t newcomers = 0;  // active users who came to the account in the window
  Exact amount = 0;            // micro units
  Exact amount_count = 0;
  std::uint32_t role_sets = 0;              // a bit for each set of roles that occurs, of events or users
  std::array<Exact, 32> events_by_roles{};  // events by their exact set of roles
  std::array<std::int64_t, 32> users_by_roles{};    // users by the union of their events' roles
  std::array<std::int64_t, 32> members_by_roles{};  // those of them who belong to the account at its end
  std::vector<std::uint8_t> seen;                   // flag per event
  std::vector<User> users;                          // active users in the order of their first day

  std::int64_t active_users() const { return static_cast<std::int64_t>(users.size()); }
  // Events, and users with an event, of any of the roles.
  Exact events_with(unsigned roles) const;
  std::int64_t users_with(unsigned roles) const;
  std::int64_t members_with(unsigned roles) const;
};

Summary summarize(const Ledger& ledger, const EventSelection& selection, Window window);

// Events or value points (micro units) of the last weeks, oldest first.
std::vector<Exact> sum_weeks(const Ledger& ledger, const EventSelection& selection, bool by_value, Day as_of,
                             int weeks);

// Events, value points (micro units) and users of each of many weeks, oldest first.
struct WeekSums {
  std::vector<Exact> events, points, users;
};
WeekSums sum_all_of_weeks(const Ledger& ledger, const EventSelection& selection, Day as_of, int weeks);

// A selection at a date, with the results that several metrics share; each is worked out when it is first
// asked for. Holds no reference to the ledger, so that a ledger can keep it; every call must come with the
// ledger it was made for.
class Evaluation {
 public:
  static constexpr int recent_weeks = 12;

  Evaluation(EventSelection selection, Day as_of, int window_days, std::string_view actor, unsigned roles = 0)
      : as_of_(as_of),
        window_days_(window_days),
        roles_(roles),
        actor_(actor),
        selection_(std::move(selection)) {}

  Day as_of() const { return as_of_; }
  int window_days() const { return window_days_; }
  unsigned roles() const { return roles_; }  // that the selection was made by; 0: otherwise
  std::string_view actor() const { return actor_; }
  Window window() const { return window_before(as_of_, window_days_); }
  const EventSelection& selection() const { return selection_; }

  const Summary& summary(const Ledger& ledger);
  // The last 12 weeks, oldest first.
  std::span<const Exact> weeks(const Ledger& ledger, bool by_value);
  // Any number of them.
  std::span<const Exact> all_of_weeks(const Ledger& ledger, std::vector<Exact> WeekSums::*what, int weeks);
  const Concentration& concentration(const Ledger& ledger, bool by_value);
  std::int64_t users_in(const Ledger& ledger, Window window) const;

 private:
  Day as_of_;
  int window_days_;
  unsigned roles_;
  std::string actor_;
  EventSelection selection_;
  std::optional<Summary> summary_;
  std::array<std::optional<std::vector<Exact>>, 2> weeks_;
  std::optional<WeekSums> all_of_weeks_;
  std::array<std::optional<Concentration>, 2> concentration_;
};

// The evaluation of all qualifying events of an actor, or of those that play one of these roles, taken from
// the ledger's recent ones when it is there.
std::shared_ptr<Evaluation> recall_evaluation(const Ledger& ledger, Day as_of, int window_days,
                                              std::string_view actor, unsigned roles = 0);

// A question with everything that an answer may need. `selected` is the request's selection, `all` that of
// all qualifying events; they are one and the same unless the request is narrowed.
struct Question {
  const Ledger& ledger;
  const MetricRequest& request;
  bool narrowed;
  Evaluation& selected;
  Evaluation& all;

  Day as_of() const { return selected.as_of(); }
  const Summary& summary() const { return selected.summary(ledger); }
  std::int64_t total_users() const { return ledger.total_users(as_of()); }
  // A, of all qualifying events.
  std::int64_t active_users() const { return all.summary(ledger).active_users(); }
  Presence presence() const {
    return request.actor.empty() ? ledger.presence(as_of()) : ledger.presence(as_of(), request.actor);
  }
  // The qualifying events of the request's actor that play one of these roles.
  EventSelection in_role(unsigned roles) const { return select_qualifying(ledger, all.actor(), roles); }
  // Why a share of nobody, or of nothing there is to be had, is unknown.
  Unknown no_whole() const {
    return ledger.knows_nothing(as_of()) ? Unknown::no_data : Unknown::zero_denominator;
  }
  // part / whole, unknown when there is no whole.
  Value share(Exact part, Exact whole) const {
    return whole == 0 ? Value::none(no_whole()) : Value::of(to_double(part) / to_double(whole));
  }
  // Why nothing done, held against nothing done, is unknown. In an active account that is as bad as it gets
  // where there ever was something of it, else the question does not arise.
  Unknown nothing(const EventSelection& of) const;
  Unknown nothing() const { return nothing(selected.selection()); }
  // part / whole of what was done.
  Value ratio(Exact part, Exact whole) const {
    if (whole != 0) return Value::of(to_double(part) / to_double(whole));
    return Value::none(part == 0 ? nothing() : Unknown::zero_denominator);
  }
  // True when the catalog lets the question about a role arise: the role is in it, or the request names
  // events itself.
  bool applies(unsigned roles) const { return narrowed || (ledger.catalog_roles() & roles) != 0; }
};

// The seams: each answers its metrics and is asked for no other.
Value answer_activity(const Question& question, MetricId id);
Value answer_lifecycle(const Question& question, MetricId id);
Value answer_weeks(const Question& question, MetricId id);
Value answer_concentration(const Question& question, MetricId id);
Value answer(const Question& question, MetricId id);
// The complete weeks of the account that a baseline looks at, from 12 to `most`; where nobody knows when the
// account began, 30.
int baseline_weeks(const Ledger& ledger, Day as_of, int most);
// The users that onboarding_activation, and invite_conversion, are shares of.
std::int64_t count_joined(const Question& question);
std::int64_t count_invited(const Question& question);
// For a metric of the table that its room has no arithmetic for: a fault of the program.
[[noreturn]] void reject_unanswered(MetricId id);

// Active users by contribution, largest first, ties by id; and the first of them, when it contributed
// anything.
std::vector<Contribution> rank_users(const Summary& summary, bool by_value);
std::optional<std::uint32_t> find_top_user(const Summary& summary, bool by_value);

// The last day before as_of with a selected event, of one user or of all.
std::optional<Day> last_day(const Ledger& ledger, const EventSelection& selection, Day as_of,
                            std::optional<std::uint32_t> user = std::nullopt);
// The weeks after the first one with a selected event: active_weeks() of metrics.hpp.
std::optional<BgbbHistory> count_active_weeks(const Ledger& ledger, const EventSelection& selection,
                                              Day as_of);
// The first day with a selected event, when it is before as_of.
std::optional<Day> first_day(const Ledger& ledger, const EventSelection& selection, Day as_of);

}  // namespace health
