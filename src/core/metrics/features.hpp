// Which features of the product an account uses, since when, and which of them before given days.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics.hpp"

namespace health {

// The features that the plan entitles, else those of the catalog: ascending, distinct. Empty when neither
// says. They are those that Ledger::Event::feature counts.
std::vector<std::string> entitled_features(const EventCatalog& catalog, const MetricSettings& settings);

// What the qualifying events of one feature come to in a window.
struct FeatureUse {
  Exact events = 0;
  Exact points = 0;        // value points in micro units, without the daily cap, which is of all features
  std::int64_t users = 0;  // distinct
  std::optional<Day> first_day;  // of the feature before as_of, ever: as far back as the ledger goes
};

// A row for each of entitled_features(), used or not, of the window_days (> 0) before as_of.
std::vector<FeatureUse> measure_features(const Ledger& ledger, Day as_of, int window_days);

// A day that stands for several.
struct WeightedDay {
  Day day;
  std::int64_t weight;
};

// How many of some days an account was in the book, and on how many of those a feature had been used shortly
// before.
struct FeatureDays {
  std::int64_t days = 0;
  std::int64_t unknown = 0;        // further ones, before which the ledger lacks days
  std::vector<std::int64_t> used;  // by feature
};

// Of days in ascending order, by qualifying events in the days_before (> 0) before each. One pass over the
// ledger.
FeatureDays count_feature_days(const Ledger& ledger, std::span<const WeightedDay> days, int days_before);

}  // namespace health
