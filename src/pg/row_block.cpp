// Storing rows of plain memory.
#include "row_block.hpp"

extern "C" {
#include "miscadmin.h"
#include "utils/tuplestore.h"
}

namespace health::pg {

std::int64_t series_length(Day from, Day to, std::int32_t step) {
  constexpr std::int64_t most_rows = 100000;
  if (step < 1) {
    throw Error(sqlstate::invalid_parameter_value,
                "step must be at least 1 day, not " + std::to_string(step));
  }
  const std::int64_t rows = from > to ? 0 : (static_cast<std::int64_t>(to) - from) / step + 1;
  if (rows > most_rows) {
    throw Error(sqlstate::program_limit_exceeded,
                "a series of " + std::to_string(rows) + " days is longer than " + std::to_string(most_rows),
                "Take a larger step or a shorter range.");
  }
  return rows;
}

void store_rows(ReturnSetInfo* result, const RowBlock& block) {
  if (block.columns != result->setDesc->natts) {
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("the row type has %d columns, not %d", result->setDesc->natts, block.columns),
             errhint("ALTER EXTENSION account_health UPDATE brings the types up to the library's version.")));
  }
  for (std::size_t row = 0; row < block.rows; ++row) {
    const std::size_t at = row * static_cast<std::size_t>(block.columns);
    tuplestore_putvalues(result->setResult, result->setDesc, block.values + at, block.nulls + at);
    CHECK_FOR_INTERRUPTS();
  }
}

}  // namespace health::pg
