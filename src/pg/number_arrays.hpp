// Arrays of numbers as spans over their own memory.
#pragma once

#include <span>

#include "guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace health::pg {

// A float8[], int8[] or boolean[] without NULLs, of any number of elements, row after row; NULL is empty. May
// ereport, naming the argument.
template <class Number>
std::span<const Number> numbers_argument(FunctionCallInfo fcinfo, int i, const char* name,
                                         int dimensions = 1) {
  if (PG_ARGISNULL(i)) return {};
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(i);
  if (ARR_NDIM(array) > dimensions)
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("%s must have %s, not %d", name,
                           dimensions == 1 ? "one dimension" : "rows and columns", ARR_NDIM(array))));
  if (array_contains_nulls(array))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", name)));
  const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  return {reinterpret_cast<const Number*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(count)};
}

}  // namespace health::pg
