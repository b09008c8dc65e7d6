// A metric's outcome: a number (a real zero is one) or unknown with a reason.
// docs/explanation/three-outcomes.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace health {

// Why a value is unknown. `none` means that it is known.
enum class Unknown : std::uint8_t {
  none,
  no_data,               // nothing was recorded that the value could be made of
  zero_denominator,      // the value is a ratio of something to nothing
  insufficient_history,  // the account is too young
  source_stale,          // the source stopped delivering
  not_applicable,        // the question does not arise: no such role in the catalog, one user, ...
  bad_value,             // what was recorded cannot be: seats below 0, no number, ...
  repeated_account,      // the account source has the id more than once
  nobody_active,         // nobody does anything: that is known, and as bad as it gets
  before_ledger          // it would take days from before the first one that the ledger keeps
};

// The reason as SQL shows it: "no_data", "zero_denominator", ...; "" for none.
constexpr std::string_view unknown_name(Unknown reason) {
  switch (reason) {
    case Unknown::none:
      return "";
    case Unknown::no_data:
      return "no_data";
    case Unknown::zero_denominator:
      return "zero_denominator";
    case Unknown::insufficient_history:
      return "insufficient_history";
    case Unknown::source_stale:
      return "source_stale";
    case Unknown::not_applicable:
      return "not_applicable";
    case Unknown::bad_value:
      return "bad_value";
    case Unknown::repeated_account:
      return "repeated_account";
    case Unknown::nobody_active:
      return "nobody_active";
    case Unknown::before_ledger:
      return "before_ledger";
  }
  return "";
}

// A number or the reason why there is none. Unknown is never turned into 0.
struct Value {
  double number = 0;
  Unknown unknown = Unknown::none;

  constexpr bool known() const { return unknown == Unknown::none; }
  static constexpr Value of(double number) { return {number, Unknown::none}; }
  static constexpr Value none(Unknown reason) { return {0, reason}; }
  friend constexpr bool operator==(const Value&, const Value&) = default;
};

}  // namespace health
