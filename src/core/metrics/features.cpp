// Events of a ledger by feature.
#include "features.hpp"

#include <algorithm>

#include "evaluation.hpp"

namespace health {

namespace {

std::size_t feature_count(const Ledger& ledger) {
  return static_cast<std::size_t>(ledger.entitled_features().value_or(0));
}

// Calls on_use(piece, feature) for the activity of a window that uses a feature, by day.
template <class OnUse>
void visit_uses(const Ledger& ledger, Window window, OnUse&& on_use) {
  const EventSelection selection = select_qualifying(ledger, ledger.settings().actor);
  const auto events = ledger.events();
  for (const Ledger::Activity& piece : ledger.activity(window))
    if (selection[piece.event] && events[piece.event].feature >= 0)
      on_use(piece, static_cast<std::size_t>(events[piece.event].feature));
}

}  // namespace

std::vector<std::string> entitled_features(const EventCatalog& catalog, const MetricSettings& settings) {
  if (!settings.features) return catalog.features;
  std::vector<std::string> features = *settings.features;
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return features;
}

std::vector<FeatureUse> measure_features(const Ledger& ledger, Day as_of, int window_days) {
  std::vector<FeatureUse> uses(feature_count(ledger));
  std::vector<std::vector<std::uint32_t>> users(uses.size());
  const auto events = ledger.events();
  visit_uses(ledger, window_before(as_of, window_days), [&](const Ledger::Activity& piece, std::size_t at) {
    const Exact count = ledger.count(piece);
    uses[at].events += count;
    uses[at].points += count * events[piece.event].value;
    if (users[at].empty() || users[at].back() != piece.user) users[at].push_back(piece.user);
  });
  auto& seen = ledger.user_slots();  // the last feature that the user was counted for, one more
  for (std::size_t at = 0; at < uses.size(); ++at) {
    for (const std::uint32_t user : users[at]) {
      uses[at].users += seen[user] != at + 1;
      seen[user] = static_cast<std::uint32_t>(at + 1);
    }
  }
  for (const auto& of_feature : users)
    for (const std::uint32_t user : of_feature) seen[user] = 0;
  const EventSelection selection = select_qualifying(ledger, ledger.settings().actor);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!selection[i] || events[i].feature < 0 || events[i].first_day >= as_of) continue;
    auto& first = uses[static_cast<std::size_t>(events[i].feature)].first_day;
    first = std::min(first.value_or(max_day), events[i].first_day);
  }
  return uses;
}

FeatureDays count_feature_days(const Ledger& ledger, std::span<const WeightedDay> days, int days_before) {
  FeatureDays counted;
  counted.used.resize(feature_count(ledger));
  if (days.empty()) return counted;
  std::vector<std::int64_t> last_use(counted.used.size(), std::int64_t{min_day} - days_before);
  auto next = days.begin();
  const auto close_days = [&](std::int64_t until) {
    for (; next != days.end() && next->day <= until; ++next) {
      if (!ledger.is_in_book(next->day)) continue;
      if (ledger.settings().repeated || ledger.begins_after(health::days_before(next->day, days_before))) {
        counted.unknown += next->weight;
        continue;
      }
      counted.days += next->weight;
      for (std::size_t at = 0; at < last_use.size(); ++at)
        if (last_use[at] >= std::int64_t{next->day} - days_before) counted.used[at] += next->weight;
    }
  };
  // A day sees what was before it, so that it is done before the activity of that day.
  visit_uses(ledger, {health::days_before(days.front().day, days_before), days.back().day},
             [&](const Ledger::Activity& piece, std::size_t at) {
               close_days(piece.day);
               last_use[at] = piece.day;
             });
  close_days(max_day);
  return counted;
}

}  // namespace health
