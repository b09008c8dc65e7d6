// What is behind a change of activity: the events, features and people with the part of it that is theirs.
// docs/reference/scoring.md, "Who and what is behind it".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics.hpp"

namespace health {

// One of several parts of a change.
struct Driver {
  std::string name;
  Exact change = 0;  // in the unit of Drivers::change
};

struct Drivers {
  Exact change = 0;  // of the whole
  double unit = 1;   // what a change of 1 comes to: events or users, 10^-6 value points, or a part of these
  // Those that go the way of the whole, the largest parts first, ties by name, of people by id. The parts of
  // all events, features or people add up to the whole.
  std::vector<Driver> events, features, people;
};

// What moved the metric of a request: of counts from one date to the other, of a course of weeks (trend_4w
// and its kin, dropoff) at the later date, whose weeks it compares already; of a baseline the mean week of
// the last four against the mean of those before, since a median has no parts. At most `most` of each kind.
// Events have parts where they count singly: not of users, who do several things, nor of value points under a
// daily cap; features where the catalog has other ones than its events. Nothing when the metric is none of
// these, or nothing changed.
std::optional<Drivers> find_drivers(const Ledger& ledger, const EventCatalog& catalog,
                                    const MetricRequest& request, Day from, Day to, std::size_t most = 3);

}  // namespace health
