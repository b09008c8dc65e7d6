// What the user source says of the people of an account, for flags about departments and main contacts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/metrics.hpp"
#include "limits.hpp"

namespace health {

// It has no past: what it says now holds for every day.
struct FlagPeople {
  std::vector<std::uint32_t> departments;  // of each user of the ledger: place in the names + 1; 0: of none
  std::vector<std::string> department_names;  // each once
  std::vector<std::uint32_t> main_contacts;   // users of the ledger, ascending
};

// Users by their ids as text: `users` with the department of each in the same place, and main contacts. Who
// is not in the ledger is left out.
FlagPeople find_people(const Ledger& ledger, std::span<const std::string_view> users,
                       std::span<const std::string_view> departments,
                       std::span<const std::string_view> main_contacts);

// How many departments were active in the window of the request; unknown where none was, or the ledger lacks
// days of it.
Value count_departments(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                        Day as_of);
// The same less those of the window before; unknown for an account younger than both.
Value change_of_departments(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                            Day as_of);
// "only Sales active", "3 departments active".
std::string describe_departments(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                                 double count, Day as_of);

// Days since the last event of the main contacts who belong to the account, of the one who was seen last;
// who was never seen is silent since joining or being invited, or since the account began where that is
// later. Where none of them belongs to it any more, at least as many as the limits ask for.
Value main_contact_silent_days(const Ledger& ledger, const FlagPeople& people, const MetricRequest& request,
                               const Limits& limits, Day as_of);
// "main contact ann silent for 9 days", "main contact ann is no user any more".
std::string describe_main_contacts(const Ledger& ledger, const FlagPeople& people, double days, Day as_of);

}  // namespace health
