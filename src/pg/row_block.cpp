// Storing rows of plain memory.
#include "row_block.hpp"

extern "C" {
#include "miscadmin.h"
#include "utils/tuplestore.h"
}

namespace health::pg {

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
