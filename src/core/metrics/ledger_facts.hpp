// The facts of a ledger: starts and ends by fact and day. They know no roster and make nobody active.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/day.hpp"
#include "core/base/exact.hpp"
#include "core/ledger/fact_name.hpp"
#include "core/ledger/usage.hpp"

namespace health {

class LedgerFacts {
 public:
  // A name that entries of facts have: fact_name.hpp.
  struct Kind {
    FactEntry entry;
    std::uint32_t fact;  // its number
    std::string currency, kind;
    std::int64_t days = 0;       // of an end: since the start
    std::optional<Exact> value;  // of a start, in micro units, where each is kept apart
  };
  // One person's starts or ends of one name on one day.
  struct Cell {
    Day day;
    std::uint32_t person;  // below people()
    std::uint32_t name;    // index into names()
    std::int64_t count;
    std::int64_t amount_count;
    Exact amount;  // micro units
  };

  std::span<const Kind> names() const { return names_; }
  std::size_t people() const { return people_; }
  // The number that its names have; nothing for a fact that there is nothing of.
  std::optional<std::uint32_t> number_of(std::string_view fact) const;
  // Entries of one fact, by day.
  std::span<const Cell> of(std::string_view fact) const;

 private:
  friend class FactCollector;

  std::vector<std::string> facts_;      // by number
  std::vector<std::size_t> fact_ends_;  // in cells_, by number
  std::vector<Kind> names_;
  std::vector<Cell> cells_;  // by number of the fact, then day
  std::size_t people_ = 0;
};

class FactCollector {
 public:
  // The index of a name among names(); nothing when it is none of a fact's.
  std::optional<std::uint32_t> add_name(std::string_view name);
  // Persons ascend or stay.
  void add(const LedgerFacts::Cell& entry);
  // Reads ledgers that hold facts alone. False when one of them takes back what another has: add them up
  // first.
  bool read(std::span<const Bytes> ledgers);
  LedgerFacts finish();

 private:
  LedgerFacts facts_;
};

// Whether a ledger holds facts alone.
bool holds_facts_alone(const UsageReader& head);

}  // namespace health
