// A ledger used as a plain counter per user.
#include "user_tally.hpp"

#include <cmath>
#include <string>

namespace health {

namespace {

constexpr std::string_view active_name = "a";
constexpr std::string_view other_name = "o";
constexpr double largest_weight = 9e12;

LoggedEvent logged(UserKind kind, const UserId& user, std::string_view name) {
  LoggedEvent event;
  event.kind = kind;
  event.user = user;
  event.name = name;
  return event;
}

}  // namespace

LoggedEvent tally_active(UserKind kind, const UserId& user, bool active) {
  return logged(kind, user, active ? active_name : other_name);
}

LoggedEvent tally_row(UserKind kind, const UserId& user) { return logged(kind, user, other_name); }

LoggedEvent tally_weight(UserKind kind, const UserId& user, double weight) {
  if (!std::isfinite(weight) || weight < 0)
    throw Error(
        sqlstate::invalid_parameter_value,
        "weight must be finite and not negative, not " + (std::isnan(weight)   ? "NaN"
                                                          : std::isinf(weight) ? "Infinity"
                                                                               : std::to_string(weight)),
        "Leave such rows out with FILTER (WHERE ...).");
  if (weight > largest_weight)
    throw Error(sqlstate::numeric_value_out_of_range, "weight is out of range: " + std::to_string(weight),
                "Weights are kept to 10^-6 and may be as large as 9,000,000,000,000.");
  LoggedEvent event = logged(kind, user, other_name);
  event.has_amount = true;
  event.amount = amount_to_micro(weight);
  return event;
}

Value active_share(Bytes tally) {
  UsageReader reader(tally);
  std::int64_t active = 0;
  while (reader.next_user()) {
    bool user_active = false;
    for (Cell cell; reader.next_cell(cell);) user_active |= reader.event_name(cell.event) == active_name;
    active += user_active;
  }
  if (reader.user_count() == 0) return Value::none(Unknown::no_data);
  return Value::of(static_cast<double>(active) / static_cast<double>(reader.user_count()));
}

std::vector<Exact> tally_contributions(Bytes tally, bool weighted) {
  UsageReader reader(tally);
  std::vector<Exact> contributions;
  contributions.reserve(reader.user_count());
  while (reader.next_user()) {
    Exact contribution = 0;
    for (Cell cell; reader.next_cell(cell);) contribution += weighted ? cell.amount : cell.count;
    contributions.push_back(contribution);
  }
  return contributions;
}

}  // namespace health
