// What the tests of scoring share: models from JSON, readings by hand, random trees.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "core/base/civil.hpp"
#include "core/document/model.hpp"
#include "core/ledger/usage_text.hpp"
#include "core/scoring/decompose.hpp"
#include "core/scoring/model.hpp"
#include "core/scoring/score.hpp"
#include "usage_fixture.hpp"

namespace health::test {

inline std::uint64_t property_seed() { return run_seed(); }

inline Day score_day(std::string_view text) { return parse_day(text).value(); }

inline Ledger score_ledger(const Model& model, std::string_view text) {
  const UsageBytes bytes = usage_from_text(text);
  return Ledger::decode(bytes, model.catalog, model.settings);
}

// A model of identity signals with these weights: s0, s1, ...
inline Model flat_model(std::initializer_list<double> weights) {
  Model model;
  for (const double weight : weights) {
    Signal signal;
    signal.name = signal.label = "s" + std::to_string(model.signals.size());
    signal.weight = weight;
    signal.source = SignalSource::column;
    signal.input = static_cast<int>(model.inputs.size());
    model.inputs.push_back(static_cast<int>(model.signals.size()));
    model.signals.push_back(signal);
  }
  model.bands = default_bands();
  return model;
}

inline Reading reading_of(std::optional<double> score) {
  Reading reading;
  reading.raw = reading.score = score ? Value::of(*score) : Value::none(Unknown::no_data);
  return reading;
}

inline Score score_of(const Model& model, std::initializer_list<std::optional<double>> values,
                      Day as_of = 0) {
  std::vector<Reading> readings;
  for (const auto& value : values) readings.push_back(reading_of(value));
  return score_readings(model, std::move(readings), as_of);
}

// A tree of random shape, weights and policies.
class RandomTrees {
 public:
  explicit RandomTrees(std::uint64_t seed) : random_(seed) {}

  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  Model tree() {
    Model model;
    model.bands = default_bands();
    model.minimum_coverage = integer(0, 3) == 0 ? uniform(0, 1) : 0;
    grow(model, -1, 1);
    return model;
  }

  std::vector<Reading> readings(const Model& model, double share_unknown) {
    std::vector<Reading> readings(model.signals.size());
    for (std::size_t i = 0; i < model.signals.size(); ++i) {
      if (model.signals[i].is_group()) continue;
      readings[i] =
          reading_of(uniform(0, 1) < share_unknown ? std::nullopt : std::optional<double>(edge_or(0, 100)));
    }
    return readings;
  }

 private:
  double edge_or(double low, double high) {
    const int choice = integer(0, 9);
    return choice == 0 ? low : choice == 1 ? high : uniform(low, high);
  }

  void grow(Model& model, int parent, int level) {
    const int members = integer(1, 5);
    const int heavy = integer(0, members - 1);  // at least this one weighs something
    for (int i = 0; i < members; ++i) {
      Signal signal;
      signal.name = signal.label = "s" + std::to_string(model.signals.size());
      signal.parent = parent;
      signal.level = level;
      signal.weight = i != heavy && integer(0, 9) == 0 ? 0
                      : integer(0, 1) == 0             ? integer(1, 100)
                                                       : uniform(1e-3, 10);
      const bool group = level < 4 && integer(0, 3) == 0;
      signal.source = group ? SignalSource::group : SignalSource::column;
      if (!group) {
        constexpr NullPolicy policies[] = {NullPolicy::ignore, NullPolicy::ignore, NullPolicy::ignore,
                                           NullPolicy::neutral, NullPolicy::zero};
        signal.missing = policies[integer(0, 4)];
      }
      model.signals.push_back(signal);
      if (group) grow(model, static_cast<int>(model.signals.size()) - 1, level + 1);
    }
  }

  std::mt19937_64 random_;
};

}  // namespace health::test
