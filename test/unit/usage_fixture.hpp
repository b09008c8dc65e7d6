// What the tests of the ledger share: random ledgers as plain maps, and the ways from a map to bytes and
// back.
#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "core/ledger/usage_algebra.hpp"
#include "core/ledger/usage_text.hpp"
#include "core/ledger/usage_writer.hpp"
#include "random.hpp"

namespace health::test {

// A cell's place in the order of the ledger: bigint users by number, others by bytes.
struct Place {
  std::int64_t number = 0;
  std::string bytes;
  Day day = 0;
  std::string event;

  auto key() const { return std::tie(number, bytes, day, event); }
  friend bool operator<(const Place& a, const Place& b) { return a.key() < b.key(); }
  friend bool operator==(const Place& a, const Place& b) { return a.key() == b.key(); }
  UserId user() const { return {number, bytes}; }
};

struct Sums {
  std::int64_t count = 0;
  std::int64_t amount_count = 0;
  Exact amount = 0;
  friend bool operator==(const Sums&, const Sums&) = default;
};

// A ledger as everybody would write it down.
struct PlainLedger {
  UserKind kind = UserKind::bigint;
  std::map<Place, Sums> cells;

  void add(const Place& place, const Sums& sums) {
    Sums& cell = cells[place];
    cell.count += sums.count;
    cell.amount_count += sums.amount_count;
    cell.amount += sums.amount;
    if (cell == Sums{}) cells.erase(place);
  }
  bool operator==(const PlainLedger& other) const {
    return cells == other.cells && (cells.empty() || kind == other.kind);
  }
};

inline PlainLedger decode(Bytes bytes) {
  PlainLedger plain;
  UsageReader reader(bytes);
  plain.kind = reader.user_kind();
  while (reader.next_user()) {
    for (Cell cell; reader.next_cell(cell);) {
      const Place place{reader.user().number, std::string(reader.user().bytes), cell.day,
                        std::string(reader.event_name(cell.event))};
      const bool is_new = plain.cells.emplace(place, Sums{cell.count, cell.amount_count, cell.amount}).second;
      REQUIRE(is_new);
    }
  }
  return plain;
}

// Through the writer, with a guess of names and first day that need not be right.
inline UsageBytes encode(const PlainLedger& plain, const EventNames& more_names = {}, Day earlier = 0) {
  if (plain.cells.empty()) return empty_usage();
  std::set<std::string> known(more_names.begin(), more_names.end());
  Day first_day = max_day;
  for (const auto& [place, sums] : plain.cells) {
    known.insert(place.event);
    first_day = std::min(first_day, place.day);
  }
  const EventNames names(known.begin(), known.end());
  return write_usage(plain.kind, names, std::max(min_day, first_day - earlier), [&](UsageWriter& writer) {
    auto at = plain.cells.begin();
    while (at != plain.cells.end()) {
      const UserId user = at->first.user();
      writer.begin_user(user);
      for (; at != plain.cells.end() && compare_users(plain.kind, at->first.user(), user) == 0; ++at) {
        const auto event = static_cast<std::uint32_t>(
            std::lower_bound(names.begin(), names.end(), at->first.event) - names.begin());
        writer.add({at->first.day, event, at->second.count, at->second.amount_count, at->second.amount});
      }
      writer.end_user();
    }
  });
}

inline UserKind any_kind(Random& random) { return static_cast<UserKind>(between(random, 1, 3)); }

// Users of a kind: near each other, far apart, at the ends of the range, alike in their beginnings.
inline Place any_user(Random& random, UserKind kind) {
  Place place;
  switch (kind) {
    case UserKind::bigint: {
      static const std::int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
      const auto shape = between(random, 0, 9);
      place.number = shape == 0 ? any_of(random, std::vector<std::int64_t>(std::begin(ends), std::end(ends)))
                     : shape == 1 ? static_cast<std::int64_t>(random())
                                  : between(random, 1000, 1040);
      break;
    }
    case UserKind::uuid: {
      place.bytes.assign(16, static_cast<char>(between(random, 0, 1) * 0xff));
      for (auto i = static_cast<std::size_t>(between(random, 12, 15)); i < 16; ++i)
        place.bytes[i] = static_cast<char>(between(random, 0, 3));
      break;
    }
    default: {
      static const std::vector<std::string> stems = {"",         "anna",  "annabel",  "b",
                                                     "\xc3\xa4", "user:", "x y \"z\""};
      place.bytes = any_of(random, stems);
      const auto more = between(random, 0, 20) == 0 ? 300 : between(random, 0, 2);
      for (std::int64_t i = 0; i < more; ++i) place.bytes += static_cast<char>(between(random, 'a', 'c'));
    }
  }
  return place;
}

// What one event may carry: mostly small, sometimes the largest of all.
inline std::int64_t any_amount(Random& random) {
  const auto shape = between(random, 0, 9);
  if (shape == 0) return between(random, 0, 1) == 0 ? INT64_MIN : INT64_MAX;
  return shape == 1 ? static_cast<std::int64_t>(random()) : between(random, -9000000, 9000000);
}

inline std::string any_event(Random& random, std::int64_t names) {
  const auto number = between(random, 1, names);
  std::string name = number % 7 == 0 ? "$joined" : "event_" + std::to_string(number);
  if (number % 5 == 0) name += std::string(70, 'x');            // too long for the table of codes
  if (number % 11 == 0) name.append(300, 'y').append("\"'/;");  // longer than the staging area
  return name;
}

inline Day any_day(Random& random) {
  const auto shape = between(random, 0, 60);
  if (shape == 0) return min_day;
  if (shape == 1) return max_day;
  if (shape < 4) return static_cast<Day>(between(random, -400000, 400000));
  return static_cast<Day>(between(random, 9100, 9160));
}

inline PlainLedger any_ledger(Random& random, UserKind kind, std::int64_t cells, std::int64_t names = 12) {
  PlainLedger plain;
  plain.kind = kind;
  for (std::int64_t i = 0; i < cells; ++i) {
    Place place = any_user(random, kind);
    place.day = any_day(random);
    place.event = any_event(random, names);
    Sums sums{between(random, 0, 3) != 0 ? 1 : between(random, -3, 200), 0, 0};
    switch (between(random, 0, 5)) {
      case 0:
        sums.amount_count = sums.count;
        sums.amount = between(random, -5000000, 5000000);
        break;
      case 1:
        sums.amount_count = between(random, 0, 3);
        sums.amount = between(random, 0, 9) == 0
                          ? Exact{between(random, -(std::int64_t{1} << 60), std::int64_t{1} << 60)}
                                << between(random, 0, 30)
                          : Exact{250000};
        break;
      default:
        break;
    }
    plain.add(place, sums);
  }
  return plain;
}

}  // namespace health::test
