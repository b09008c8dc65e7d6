// Sums and differences of ledgers: an abelian group with the empty ledger as its identity.
#pragma once

#include <span>

#include "usage_writer.hpp"

namespace health {

// a + b, cell by cell. Errors: 42804 when one has users of another type, 22003 when a count or amount
// overflows.
UsageBytes add_usage(Bytes a, Bytes b);

// a - b, cell by cell: add_usage(subtract_usage(a, b), b) is byte for byte a.
UsageBytes subtract_usage(Bytes a, Bytes b);

// The sum of any number of ledgers; fastest up to `merged_at_once`. Errors as for add_usage.
inline constexpr std::size_t merged_at_once = 16;
UsageBytes sum_usage(std::vector<Bytes> ledgers);

// The ledger without the cells of one user, given as text; the same bytes when the user is not in it. Error
// 22P02 when the text is not an id of the ledger's type.
UsageBytes usage_without_user(Bytes usage, std::string_view user);

// Adds the numbers of a cell to those of another of the same user, day and event. Error 22003, naming what
// leaves its range.
void add_cell(Cell& sum, const Cell& more);

// The cell with all its numbers negative.
Cell negate_cell(Cell cell);

// The type of users of the sum of two ledgers. Error 42804 when they differ; `none` goes with everything.
UserKind common_user_kind(UserKind a, UserKind b);

// Compares ids of one kind: negative, 0, positive.
inline int compare_users(UserKind kind, const UserId& a, const UserId& b) {
  if (kind == UserKind::bigint) return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
  return a.bytes.compare(b.bytes);
}

}  // namespace health
