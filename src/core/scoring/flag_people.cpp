// Departments that are active, and how long main contacts are silent.
#include "flag_people.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "phrase_format.hpp"

namespace health {

namespace {

constexpr std::size_t most_named = 3;

// Places of departments with an event in the request's window, ascending.
std::vector<std::uint32_t> active_departments(const Ledger& ledger, const FlagPeople& people,
                                              const MetricRequest& request, Day as_of) {
  std::vector<std::uint32_t> active;
  for (const Contribution& part : contributions(ledger, request, as_of)) {
    const std::uint32_t department =
        part.user < people.departments.size() ? people.departments[part.user] : 0;
    if (department != 0) active.push_back(department);
  }
  std::sort(active.begin(), active.end());
  active.erase(std::unique(active.begin(), active.end()), active.end());
  return active;
}

// The main contacts that the account had at as_of: who belong to it, or where nobody does any more those who
// did.
struct Contacts {
  std::vector<std::uint32_t> users;
  bool are_gone = false;
};

std::optional<Day> invitation_day(const Ledger& ledger, std::uint32_t user) {
  for (const auto& invitation : ledger.invitations())
    if (invitation.user == user) return invitation.day;
  return std::nullopt;
}

// The day from which on somebody was there without an event: joined, or was invited.
std::optional<Day> known_since(const Ledger& ledger, std::uint32_t user) {
  const auto entry = ledger.entry_day(user);
  const auto invited = invitation_day(ledger, user);
  return entry && invited ? std::min(*entry, *invited) : entry ? entry : invited;
}

std::optional<double> days_since_seen(const Ledger& ledger, std::uint32_t user, MetricRequest request,
                                      Day as_of) {
  request.id = MetricId::recency_days;
  request.user = ledger.user_text(user);
  const Value days = evaluate(ledger, request, as_of);
  return days.known() ? std::optional(days.number) : std::nullopt;
}

bool was_there(const Ledger& ledger, std::uint32_t user, Day as_of) {
  const auto since = known_since(ledger, user);
  return since && *since < as_of;
}

bool has_left(const Ledger& ledger, std::uint32_t user, Day as_of) {
  const auto entry = ledger.entry_day(user);
  return ledger.has_roster() && entry && *entry < as_of && !ledger.is_member(user, as_of);
}

Contacts find_contacts(const Ledger& ledger, const FlagPeople& people, Day as_of) {
  Contacts present, gone;
  gone.are_gone = true;
  for (const std::uint32_t user : people.main_contacts) {
    if (has_left(ledger, user, as_of))
      gone.users.push_back(user);
    else if (was_there(ledger, user, as_of) || days_since_seen(ledger, user, {}, as_of))
      present.users.push_back(user);
  }
  return present.users.empty() && !gone.users.empty() ? gone : present;
}

Value silent_days(const Ledger& ledger, std::uint32_t user, const MetricRequest& request, Day as_of) {
  if (const auto days = days_since_seen(ledger, user, request, as_of)) return Value::of(*days);
  const auto start = ledger.age_start(as_of);
  const auto since = known_since(ledger, user);
  const Day from = std::max(start.value_or(always_there), since.value_or(always_there));
  if (ledger.begins_after(from)) return Value::none(Unknown::before_ledger);
  return from == always_there ? Value::none(Unknown::no_data)
                              : Value::of(static_cast<double>(std::int64_t{as_of} - from));
}

// The least value that the limits take for high enough.
double least_fitting(const Limits& limits) {
  return std::max(limits.at_least.value_or(0), limits.above ? std::floor(*limits.above) + 1 : 0);
}

}  // namespace

FlagPeople find_people(const Ledger& ledger, std::span<const std::string_view> users,
                       std::span<const std::string_view> departments,
                       std::span<const std::string_view> main_contacts) {
  FlagPeople people;
  people.departments.resize(ledger.user_slots().size());
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::size_t i = 0; i < std::min(users.size(), departments.size()); ++i) {
    const auto user = ledger.find_user(users[i]);
    if (!user) continue;
    const auto [found, is_new] =
        places.emplace(departments[i], static_cast<std::uint32_t>(people.department_names.size() + 1));
    if (is_new) people.department_names.emplace_back(departments[i]);
    people.departments[*user] = found->second;
  }
  for (const std::string_view id : main_contacts)
    if (const auto user = ledger.find_user(id)) people.main_contacts.push_back(*user);
  std::sort(people.main_contacts.begin(), people.main_contacts.end());
  return people;
}

Value count_departments(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                        Day as_of) {
  if (ledger.begins_after(days_before(as_of, request.window_days)))
    return Value::none(Unknown::before_ledger);
  const auto count = active_departments(ledger, people, request, as_of).size();
  return count == 0 ? Value::none(Unknown::nobody_active) : Value::of(static_cast<double>(count));
}

Value change_of_departments(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                            Day as_of) {
  const auto start = ledger.age_start(as_of);
  if (!start || std::int64_t{as_of} - *start < 2 * std::int64_t{request.window_days})
    return Value::none(Unknown::insufficient_history);
  const Day before = days_before(as_of, request.window_days);
  if (ledger.begins_after(days_before(before, request.window_days)))
    return Value::none(Unknown::before_ledger);
  return Value::of(static_cast<double>(active_departments(ledger, people, request, as_of).size()) -
                   static_cast<double>(active_departments(ledger, people, request, before).size()));
}

std::string describe_departments(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                                 double count, Day as_of) {
  const auto active = active_departments(ledger, people, request, as_of);
  return (active.size() == 1 ? "only " + people.department_names[active[0] - 1]
                             : count_of(std::llround(count), "department", "departments")) +
         " active";
}

Value main_contact_silent_days(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                               const Limits& limits, Day as_of) {
  const Contacts contacts = find_contacts(ledger, people, as_of);
  Value least = Value::none(Unknown::no_data);
  for (const std::uint32_t user : contacts.users) {
    const Value days = silent_days(ledger, user, request, as_of);
    if (!least.known() || (days.known() && days.number < least.number)) least = days;
  }
  if (contacts.are_gone) return Value::of(std::max(least.known() ? least.number : 0, least_fitting(limits)));
  return least;
}

std::string describe_main_contacts(const Ledger& ledger, const FlagPeople& people, double days, Day as_of) {
  const Contacts contacts = find_contacts(ledger, people, as_of);
  const std::size_t count = contacts.users.size();
  std::string words = count == 1 ? "main contact " : "main contacts ";
  for (std::size_t i = 0; i < std::min(count, most_named); ++i)
    words += (i == 0 ? "" : ", ") + ledger.user_text(contacts.users[i]);
  if (count > most_named) words += " and " + std::to_string(count - most_named) + " more";
  if (contacts.are_gone) return words + (count == 1 ? " is no user any more" : " are no users any more");
  return words + " silent for " + count_of(std::llround(days), "day", "days");
}

}  // namespace health
