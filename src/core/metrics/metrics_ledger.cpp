// Decodes a ledger for questions: markers become memberships, activity is put in the order of days, events
// meet the catalog.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <tuple>

#include "core/ledger/known_at.hpp"
#include "core/ledger/markers.hpp"
#include "core/ledger/parts_in_turn.hpp"
#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/usage_sum.hpp"
#include "core/ledger/user_id.hpp"
#include "features.hpp"
#include "metrics.hpp"

namespace health {

namespace {

constexpr Day never = std::numeric_limits<Day>::max();
constexpr std::uint64_t cells_between_polls = 65536;

// `shown` is the value as the user wrote it, as near as may be.
void check_range(const char* name, double value, const std::string& shown, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return;
  throw Error(sqlstate::invalid_parameter_value,
              std::string(name) + " must be a number from " + std::to_string(static_cast<std::int64_t>(low)) +
                  " to " + std::to_string(static_cast<std::int64_t>(high)) + ", not " + shown);
}

void check_range(const char* name, int value, int low, int high) {
  check_range(name, value, std::to_string(value), low, high);
}

void check_range(const char* name, double value, double low, double high) {
  check_range(name, value,
              std::isnan(value)   ? "NaN"
              : std::isinf(value) ? "Infinity"
                                  : std::to_string(value),
              low, high);
}

}  // namespace

void MetricSettings::check() const {
  constexpr int century = 36525;
  check_range("window_days", window_days, 1, century);
  check_range("onboarding_days", onboarding_days, 1, century);
  check_range("onboarding_events", onboarding_events, 1, 1000000);
  check_range("onboarding_window", onboarding_window, 1, century);
  check_range("inactive_after_days", inactive_after_days, 1, century);
  check_range("minimum_age_days", minimum_age_days, 0, century);
  if (daily_cap) check_range("daily_cap", *daily_cap, 0.0, 1e12);
}

std::optional<double> MetricSettings::usable_seats() const {
  constexpr double most = 1e15;
  return seats && *seats >= 0 && *seats <= most ? seats : std::nullopt;
}

// Fills a Ledger while reading. Users arrive ascending, the cells of a user by day.
template <class Reader>
class LedgerBuilder {
 public:
  LedgerBuilder(Reader& reader, const EventCatalog& catalog, const MetricSettings& settings)
      : reader_(reader) {
    settings.check();
    ledger_.settings_ = settings;
    ledger_.catalog_roles_ = catalog.roles();
    ledger_.kind_ = reader.user_kind();
    bind_events(catalog);
  }

  Ledger build() {
    ledger_.activity_.reserve(reader_.cell_count());
    while (reader_.next_user()) read_user();
    return finish();
  }

  // Nothing when the parts cannot be read in turn.
  std::optional<Ledger> build_unless_it_fails() {
    ledger_.activity_.reserve(reader_.cell_count());
    while (reader_.next_user()) {
      read_user();
      if (reader_.fails()) return std::nullopt;
    }
    return finish();
  }

 private:
  Ledger finish() {
    ledger_.first_membership_.push_back(static_cast<std::uint32_t>(ledger_.memberships_.size()));
    if (!ledger_.settings_.account_start) {
      if (first_activity_ != never)
        ledger_.account_start_ = std::min(first_activity_, first_joined_);
      else if (first_joined_ != never)
        ledger_.account_start_ = first_joined_;
    } else {
      ledger_.account_start_ = ledger_.settings_.account_start;
    }
    sort_by_day();
    ledger_.facts_ = std::make_shared<LedgerFacts>(facts_.finish());
    ledger_.note_first_days();
    ledger_.index_users();
    return std::move(ledger_);
  }

  void bind_events(const EventCatalog& catalog) {
    const auto& own = ledger_.settings_.features;
    std::vector<std::string> entitled;
    const std::vector<std::string>* features = nullptr;
    if (own && std::is_sorted(own->begin(), own->end(), std::less_equal<>())) {
      features = &*own;
    } else if (own) {
      entitled = entitled_features(catalog, ledger_.settings_);
      features = &entitled;
    } else if (!catalog.rules.empty()) {
      features = &catalog.features;
    }
    if (features != nullptr) ledger_.entitled_ = static_cast<std::int64_t>(features->size());

    auto next_rule = catalog.rules.begin();
    const std::uint32_t events = reader_.event_count();
    ledger_.events_.resize(events);
    markers_.resize(events);
    for (std::uint32_t i = 0; i < events; ++i) {
      const std::string_view full_name = reader_.event_name(i);
      auto& event = ledger_.events_[i];
      const auto [actor, name] = split_actor(full_name);
      event.name = name;
      event.actor = actor;
      markers_[i] = actor.empty() ? marker_of(name) : Marker::none;
      if (markers_[i] != Marker::none) {
        event.qualifies = event.is_activity = false;
        if (markers_[i] == Marker::joined) ledger_.has_roster_ = true;
        if (markers_[i] == Marker::fact) bind_fact(i, name);
        continue;
      }
      // Both ascend by name, but for those of other actors, which stand among the markers.
      while (actor.empty() && next_rule != catalog.rules.end() && next_rule->name.compare(name) < 0)
        ++next_rule;
      const EventRule* rule = nullptr;
      if (!actor.empty())
        rule = catalog.find(name);
      else if (next_rule != catalog.rules.end() && next_rule->name == name)
        rule = &*next_rule;
      event.qualifies = rule != nullptr || catalog.count_unlisted;
      if (rule != nullptr) {
        event.roles = rule->roles;
        event.value = to_micro(rule->value);
      }
      if (features != nullptr) {
        const std::string_view feature = rule != nullptr ? std::string_view(rule->feature) : name;
        const auto place = std::lower_bound(features->begin(), features->end(), feature);
        if (place != features->end() && *place == feature)
          event.feature = static_cast<std::int32_t>(place - features->begin());
      }
    }
  }

  void bind_fact(std::uint32_t event, std::string_view name) {
    const auto number = facts_.add_name(name);
    if (!number) {
      markers_[event] = Marker::other;
      return;
    }
    fact_of_.resize(markers_.size());
    fact_of_[event] = *number;
  }

  void read_user() {
    keep_identity();
    const auto user = static_cast<std::uint32_t>(ledger_.users_++);
    ledger_.first_membership_.push_back(static_cast<std::uint32_t>(ledger_.memberships_.size()));
    user_markers_.clear();
    seen_.clear();
    Day first_seen = never;
    Cell cell;
    while (reader_.next_cell(cell)) {
      if (++cells_ % cells_between_polls == 0) poll_cancel();
      if (cell.count < 0 && has_failed()) return;
      if (cell.count < 0)
        throw Error(sqlstate::invalid_parameter_value, "usage has a negative number of events",
                    "A difference of two ledgers has metrics only when all that was subtracted was in it.",
                    "Event \"" + ledger_.events_[cell.event].name + "\" of user " +
                        user_id_text(ledger_.kind_, reader_.user()) + " counts " +
                        std::to_string(cell.count) + ".");
      const Marker marker = markers_[cell.event];
      if (marker == Marker::fact) {
        if (cell.count > 0)
          facts_.add({cell.day, user, fact_of_[cell.event], cell.count, cell.amount_count, cell.amount});
        continue;
      }
      if (marker != Marker::none) {
        if (cell.count > 0) user_markers_.push_back({cell.day, marker});
        continue;
      }
      if (cell.count == 0) continue;  // only an amount is left over
      add_activity(cell, user);
      first_cell_ = std::min(first_cell_, cell.day);
      last_cell_ = std::max(last_cell_, cell.day);
      if (!ledger_.events_[cell.event].actor.empty()) continue;  // no person was seen
      if (first_seen == never) first_seen = cell.day;
      note_seen(cell.day);
    }
    first_activity_ = std::min(first_activity_, first_seen);
    add_memberships(user);
  }

  // The user was seen on that day, no earlier than on the days before: until `inactive_after_days` later.
  void note_seen(Day day) {
    const auto until = static_cast<Day>(
        std::min<std::int64_t>(std::int64_t{day} + ledger_.settings_.inactive_after_days + 1, never - 1));
    if (seen_.empty() || day >= seen_.back().until) {
      seen_.push_back({day, until});
    } else {
      seen_.back().until = until;
    }
  }

  // Until the first deactivation: nobody says that the user came back.
  void add_times_seen(std::uint32_t user) {
    Day gone = never;
    for (const auto& [day, marker] : user_markers_)
      if (marker == Marker::deactivated) gone = std::min(gone, day);
    for (const Window& seen : seen_)
      ledger_.memberships_.push_back({user, seen.from, std::clamp(gone, seen.from, seen.until)});
  }

  // What was read so far is no sum.
  bool has_failed() const {
    if constexpr (requires { reader_.fails(); })
      return reader_.fails();
    else
      return false;
  }

  void keep_identity() {
    const UserId& id = reader_.user();
    if (ledger_.kind_ == UserKind::bigint) {
      ledger_.user_numbers_.push_back(id.number);
    } else {
      ledger_.user_bytes_.append(id.bytes);
      ledger_.user_ends_.push_back(ledger_.user_bytes_.size());
    }
  }

  void add_activity(const Cell& cell, std::uint32_t user) {
    const bool small = cell.count <= std::numeric_limits<std::uint32_t>::max();
    if (!small) ledger_.large_counts_.push_back({cell.day, user, cell.event, cell.count});
    const bool measured = cell.amount_count != 0 || cell.amount != 0;
    if (measured || !ledger_.measures_.empty()) {
      ledger_.measures_.resize(ledger_.activity_.size());
      ledger_.measures_.push_back({cell.amount_count, cell.amount});
    }
    ledger_.activity_.push_back(
        {cell.day, user, cell.event, small ? static_cast<std::uint32_t>(cell.count) : 0});
  }

  // Turns a user's markers into the times in which the user belonged to the account. On one and the same day,
  // joining comes before deactivation. Without a roster those belong to it who were seen lately.
  void add_memberships(std::uint32_t user) {
    auto& memberships = ledger_.memberships_;
    bool invited = false;
    bool open = false;
    if (user_markers_.size() > 1)
      std::stable_sort(user_markers_.begin(), user_markers_.end(),
                       [](const DatedMarker& a, const DatedMarker& b) {
                         return a.day != b.day ? a.day < b.day : a.marker < b.marker;
                       });
    if (!ledger_.has_roster_) add_times_seen(user);
    for (const auto& [day, marker] : user_markers_) {
      if (marker == Marker::joined) {
        if (day != always_there) first_joined_ = std::min(first_joined_, day);
        if (!open) memberships.push_back({user, day, never});
        open = true;
      } else if (marker == Marker::deactivated && open && day >= memberships.back().from) {
        memberships.back().until = day;
        open = false;
      } else if (marker == Marker::invited && !invited) {
        ledger_.invitations_.push_back({user, day});
        invited = true;
      }
    }
  }

  // By day, keeping the order of users and events within a day.
  void sort_by_day() {
    auto& activity = ledger_.activity_;
    if (activity.size() < 2) return;
    const auto days = static_cast<std::uint64_t>(static_cast<std::int64_t>(last_cell_) - first_cell_) + 1;
    const bool measured = !ledger_.measures_.empty();
    if (measured) ledger_.measures_.resize(activity.size());
    std::vector<Ledger::Activity> sorted(activity.size());
    std::vector<Ledger::Measure> measures(measured ? activity.size() : 0);
    if (days <= 8 * activity.size() + 1024) {
      std::vector<std::size_t> place(days + 1);
      for (const auto& a : activity) ++place[static_cast<std::size_t>(a.day - first_cell_) + 1];
      for (std::size_t day = 1; day < place.size(); ++day) place[day] += place[day - 1];
      for (std::size_t i = 0; i < activity.size(); ++i) {
        const std::size_t to = place[static_cast<std::size_t>(activity[i].day - first_cell_)]++;
        sorted[to] = activity[i];
        if (measured) measures[to] = ledger_.measures_[i];
      }
    } else {
      std::vector<std::size_t> order(activity.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return activity[a].day < activity[b].day; });
      for (std::size_t i = 0; i < order.size(); ++i) {
        sorted[i] = activity[order[i]];
        if (measured) measures[i] = ledger_.measures_[order[i]];
      }
    }
    activity.swap(sorted);
    ledger_.measures_.swap(measures);
  }

  struct DatedMarker {
    Day day;
    Marker marker;
  };

  Reader& reader_;
  Ledger ledger_;
  std::vector<Marker> markers_;
  FactCollector facts_;
  std::vector<std::uint32_t> fact_of_;  // event -> name of a fact, where it is one
  std::vector<DatedMarker> user_markers_;
  std::vector<Window> seen_;  // the times for which a user counts by having been seen
  std::uint64_t cells_ = 0;
  Day first_activity_ = never;
  Day first_joined_ = never;
  Day first_cell_ = never;  // of activity, whoever acts
  Day last_cell_ = std::numeric_limits<Day>::min();
};

namespace {

// Of ledgers whose events go by their own names.
Ledger decode_sum(std::span<const Bytes> parts, const EventCatalog& catalog, const MetricSettings& settings) {
  if (parts.size() > 1 && parts.size() <= merged_at_once) {
    // Nearly always the parts are of different times.
    PartsInTurn in_turn(parts);
    LedgerBuilder builder(in_turn, catalog, settings);
    if (std::optional<Ledger> ledger = builder.build_unless_it_fails()) return *std::move(ledger);
    UsageSum sum(parts);
    sum.rewind();
    Ledger ledger = LedgerBuilder(sum, catalog, settings).build();
    if (!sum.saw_negative()) return ledger;
  }
  // Names and users whose cells cancelled out are not there.
  const UsageBytes sum = parts.size() == 1 ? UsageBytes{} : sum_usage({parts.begin(), parts.end()});
  UsageReader reader(parts.size() == 1 ? parts[0] : Bytes(sum));
  return LedgerBuilder(reader, catalog, settings).build();
}

}  // namespace

Ledger Ledger::decode(Bytes usage, const EventCatalog& catalog, const MetricSettings& settings) {
  return decode(std::span(&usage, 1), catalog, settings);
}

Ledger Ledger::decode(std::span<const Bytes> parts, const EventCatalog& catalog,
                      const MetricSettings& settings, std::optional<Day> known_before) {
  std::vector<Bytes> usage, facts;
  std::vector<UsageBytes> rewritten;
  rewritten.reserve(parts.size());
  for (Bytes part : parts) {
    std::optional<UsageReader> head(part);
    if (has_late_rows(*head)) {
      part = rewritten.emplace_back(*usage_known_before(part, known_before));
      head.emplace(part);
    }
    // Facts of all kinds are of all times: they are read apart.
    (holds_facts_alone(*head) ? facts : usage).push_back(part);
  }
  FactCollector collector;
  if (!collector.read(facts)) {
    usage.insert(usage.end(), facts.begin(), facts.end());
    return decode_sum(usage, catalog, settings);
  }
  Ledger ledger = decode_sum(usage, catalog, settings);
  if (facts.empty()) return ledger;
  ledger.facts_ = std::make_shared<LedgerFacts>(collector.finish());
  return ledger;
}

void Ledger::note_first_days() {
  std::size_t waiting = 0;
  for (auto& event : events_) {
    event.first_day = max_day;
    waiting += event.is_activity;
  }
  for (const auto& activity : activity_) {
    if (waiting == 0) break;
    auto& first_day = events_[activity.event].first_day;
    if (first_day != max_day) continue;
    first_day = activity.day;
    --waiting;
  }
}

void Ledger::index_users() {
  user_steps_.clear();
  std::size_t steps = 0;
  Day first = never;
  Day last = std::numeric_limits<Day>::min();
  const auto each_step = [this](auto&& use) {
    for (const auto& membership : memberships_) {
      const Day from = membership.from + 1;
      if (from >= membership.until) continue;
      use(from, 1);
      if (membership.until != never) use(membership.until, -1);
    }
  };
  each_step([&](Day day, int) {
    ++steps;
    first = std::min(first, day);
    last = std::max(last, day);
  });
  if (steps == 0) return;
  user_steps_.reserve(steps);
  std::int64_t users = 0;
  const auto days = static_cast<std::uint64_t>(std::int64_t{last} - first) + 1;
  // Few are sorted; of many, days are counted.
  if (steps > 64 && days <= 8 * steps + 1024) {
    std::vector<std::int64_t> changes(days);
    each_step([&](Day day, int change) { changes[static_cast<std::size_t>(day - first)] += change; });
    for (std::size_t day = 0; day < days; ++day) {
      if (changes[day] == 0) continue;
      users += changes[day];
      user_steps_.emplace_back(first + static_cast<Day>(day), users);
    }
    return;
  }
  each_step([&](Day day, int change) { user_steps_.emplace_back(day, change); });
  std::sort(user_steps_.begin(), user_steps_.end());
  // One step per day, holding the number of users from then on.
  std::size_t kept = 0;
  for (const auto& [day, change] : user_steps_) {
    users += change;
    if (kept == 0 || user_steps_[kept - 1].first != day) user_steps_[kept++].first = day;
    user_steps_[kept - 1].second = users;
  }
  user_steps_.resize(kept);
}

Ledger Ledger::without_activity() const {
  Ledger rest;
  rest.settings_ = settings_;
  rest.kind_ = kind_;
  rest.users_ = users_;
  rest.user_numbers_ = user_numbers_;
  rest.user_bytes_ = user_bytes_;
  rest.user_ends_ = user_ends_;
  rest.events_ = events_;
  rest.large_counts_ = large_counts_;
  rest.facts_ = facts_;
  rest.memberships_ = memberships_;
  rest.first_membership_ = first_membership_;
  rest.invitations_ = invitations_;
  rest.user_steps_ = user_steps_;
  rest.account_start_ = account_start_;
  rest.has_roster_ = has_roster_;
  rest.catalog_roles_ = catalog_roles_;
  rest.entitled_ = entitled_;
  return rest;
}

Ledger Ledger::without_user(std::uint32_t user) const {
  Ledger rest = without_activity();
  rest.activity_.reserve(activity_.size());
  rest.measures_.reserve(measures_.size());
  for (const auto& activity : activity_) {
    if (activity.user == user) continue;
    rest.activity_.push_back(activity);
    if (!measures_.empty()) rest.measures_.push_back(*measure(activity));
  }
  rest.note_first_days();
  if (!has_roster_ && user < users_) {
    // Nobody ever saw this user.
    const auto begin = rest.memberships_.begin();
    rest.memberships_.erase(begin + first_membership_[user], begin + first_membership_[user + 1]);
    const std::uint32_t gone = first_membership_[user + 1] - first_membership_[user];
    for (std::size_t later = user + 1; later < rest.first_membership_.size(); ++later)
      rest.first_membership_[later] -= gone;
    rest.index_users();
  }
  return rest;
}

std::string Ledger::user_text(std::uint32_t user) const {
  UserId id;
  if (kind_ == UserKind::bigint) {
    id.number = user_numbers_[user];
  } else {
    const std::size_t begin = user == 0 ? 0 : user_ends_[user - 1];
    id.bytes = std::string_view(user_bytes_).substr(begin, user_ends_[user] - begin);
  }
  return user_id_text(kind_, id);
}

std::optional<std::uint32_t> Ledger::find_user(std::string_view text) const {
  if (users_ == 0 || kind_ == UserKind::none) return std::nullopt;
  const ParsedUserId wanted(kind_, text);
  std::size_t low = 0;
  std::size_t high = users_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    UserId id;
    if (kind_ == UserKind::bigint) {
      id.number = user_numbers_[middle];
    } else {
      const std::size_t begin = middle == 0 ? 0 : user_ends_[middle - 1];
      id.bytes = std::string_view(user_bytes_).substr(begin, user_ends_[middle] - begin);
    }
    const int order = compare_users(kind_, id, wanted.id());
    if (order == 0) return static_cast<std::uint32_t>(middle);
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return std::nullopt;
}

std::span<const Ledger::Activity> Ledger::activity(Window window) const {
  const auto before = [](const Activity& activity, Day day) { return activity.day < day; };
  const auto first = std::lower_bound(activity_.begin(), activity_.end(), window.from, before);
  const auto last = std::lower_bound(first, activity_.end(), window.until, before);
  return {first, last};
}

std::int64_t Ledger::large_count(const Activity& activity) const {
  const auto key = [](const auto& of) { return std::tuple(of.user, of.day, of.event); };
  const auto place =
      std::lower_bound(large_counts_.begin(), large_counts_.end(), activity,
                       [&](const LargeCount& large, const Activity& a) { return key(large) < key(a); });
  return place->count;
}

bool Ledger::is_in_book(Day as_of) const {
  return (!settings_.account_start || *settings_.account_start <= as_of) &&
         (!settings_.account_end || as_of < *settings_.account_end);
}

bool Ledger::begins_after(Day day) const {
  return settings_.ledger_start && day < *settings_.ledger_start &&
         (!settings_.account_start || *settings_.account_start < *settings_.ledger_start);
}

Presence Ledger::presence(Day as_of) const {
  if (!presence_ || presence_->first != as_of) presence_ = {as_of, presence(as_of, settings_.actor)};
  return presence_->second;
}

Presence Ledger::presence(Day as_of, std::string_view actor) const {
  const Window window = window_before(as_of, settings_.window_days);
  const auto pieces = activity(window);
  Presence found = Presence::silent;
  const auto counts = [&](const Activity& piece) {
    const Event& event = events_[piece.event];
    return event.qualifies && is_by(event, actor);
  };
  if (std::any_of(pieces.begin(), pieces.end(), counts)) {
    found = Presence::active;
  } else if (!is_in_book(as_of) || begins_after(window.from)) {
    found = Presence::unsettled;
  } else if (settings_.account_start && *settings_.account_start > window.from &&
             std::int64_t{as_of} - *settings_.account_start <
                 std::max(least_silent_age, settings_.minimum_age_days)) {
    found = Presence::unsettled;
  }
  return found;
}

std::optional<Day> Ledger::age_start(Day as_of) const {
  if (settings_.account_start) return settings_.account_start;
  return account_start_ && *account_start_ < as_of ? account_start_ : std::nullopt;
}

bool Ledger::knows_nothing(Day as_of) const {
  return (activity_.empty() || activity_.front().day >= as_of) &&
         (user_steps_.empty() || user_steps_.front().first > as_of);
}

std::int64_t Ledger::total_users(Day as_of) const {
  const auto after = std::upper_bound(user_steps_.begin(), user_steps_.end(), as_of,
                                      [](Day day, const auto& step) { return day < step.first; });
  return after == user_steps_.begin() ? 0 : std::prev(after)->second;
}

bool Ledger::is_member(std::uint32_t user, Day as_of) const {
  for (std::uint32_t i = first_membership_[user]; i < first_membership_[user + 1]; ++i)
    if (memberships_[i].from < as_of && as_of < memberships_[i].until) return true;
  return false;
}

std::optional<Day> Ledger::entry_day(std::uint32_t user) const {
  if (first_membership_[user] == first_membership_[user + 1]) return std::nullopt;
  return memberships_[first_membership_[user]].from;
}

std::vector<std::uint32_t>& Ledger::user_slots() const {
  slots_.resize(std::max(users_, facts_->people()));
  return slots_;
}

}  // namespace health
