// What the tests of the metrics share: ledgers from text, dates, single answers.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include "catch.hpp"

#include "core/base/civil.hpp"
#include "core/document/model.hpp"
#include "core/ledger/usage_text.hpp"
#include "core/metrics/metrics.hpp"

namespace health::test {

inline Day day(std::string_view text) {
  const auto parsed = parse_day(text);
  REQUIRE(parsed);
  return *parsed;
}

// The catalog of a small video tool.
inline EventCatalog video_catalog() {
  return parse_catalog(R"({
    "record":  {"role": ["create", "activate"], "value": 10, "feature": "recorder"},
    "view":    {"role": "consume", "value": 1, "feature": "player"},
    "comment": {"role": ["interact", "activate"], "value": 3, "feature": "player"},
    "react":   {"role": "interact", "value": 2},
    "open":    {"role": "session", "value": 0}})");
}

inline Ledger ledger(std::string_view text, const MetricSettings& settings = {},
                     const EventCatalog& catalog = {}) {
  const UsageBytes bytes = usage_from_text(text);
  return Ledger::decode(bytes, catalog, settings);
}

inline Value ask(const Ledger& of, MetricId id, std::string_view as_of) {
  MetricRequest request;
  request.id = id;
  return evaluate(of, request, day(as_of));
}

inline Value ask(const Ledger& of, MetricRequest request, MetricId id, std::string_view as_of) {
  request.id = id;
  return evaluate(of, request, day(as_of));
}

// CHECK(known(value, 0.5)): a known value near this one. CHECK(unknown(...)): unknown for this reason.
inline bool known(const Value& value, double expected) {
  INFO("value " << value.number << ", unknown: " << unknown_name(value.unknown));
  const bool near = value.known() && value.number == Approx(expected).margin(1e-12);
  if (!near)
    WARN("value " << value.number << ", unknown: \"" << unknown_name(value.unknown) << "\", expected "
                  << expected);
  return near;
}

inline bool unknown(const Value& value, Unknown reason) {
  if (value.unknown != reason)
    WARN("value " << value.number << ", unknown: \"" << unknown_name(value.unknown) << "\", expected "
                  << unknown_name(reason));
  return value.unknown == reason;
}

}  // namespace health::test
