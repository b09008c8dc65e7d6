// States of aggregates that are a bigint[] of a fixed length, changed in place.
#pragma once

#include "core/base/exact.hpp"
#include "guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace health::pg {

// The numbers of such a state. May ereport, naming the aggregate.
inline int64* state_numbers(Datum state, int count, const char* aggregate) {
  ArrayType* array = DatumGetArrayTypeP(state);
  if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != count || ARR_HASNULL(array) ||
      ARR_ELEMTYPE(array) != INT8OID)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the state of %s must be an array of %d bigint", aggregate, count),
                    errhint("Call the aggregate %s instead of its support functions.", aggregate)));
  return reinterpret_cast<int64*>(ARR_DATA_PTR(array));
}

// The state that argument 0 is, where it may be written: itself inside an aggregate, elsewhere (and for NULL)
// a new one of zeros, into which `count` numbers are to be written.
inline ArrayType* writable_state(FunctionCallInfo fcinfo, int count) {
  if (!PG_ARGISNULL(0) && AggCheckCallContext(fcinfo, nullptr) != 0) return PG_GETARG_ARRAYTYPE_P(0);
  const std::size_t size = ARR_OVERHEAD_NONULLS(1) + static_cast<std::size_t>(count) * sizeof(int64);
  auto* array = static_cast<ArrayType*>(palloc0(size));
  SET_VARSIZE(array, size);
  array->ndim = 1;
  array->dataoffset = 0;
  array->elemtype = INT8OID;
  ARR_DIMS(array)[0] = count;
  ARR_LBOUND(array)[0] = 1;
  return array;
}

inline int64* numbers_of(ArrayType* state) { return reinterpret_cast<int64*>(ARR_DATA_PTR(state)); }

// A wide sum is two numbers: the higher half, and the lower as it lies in memory.
inline Exact exact_of(const int64* numbers) {
  return static_cast<Exact>(static_cast<UnsignedExact>(numbers[0]) << 64 | static_cast<uint64>(numbers[1]));
}
inline void put_exact(Exact sum, int64* numbers) {
  numbers[0] = static_cast<int64>(sum >> 64);
  numbers[1] = static_cast<int64>(static_cast<uint64>(sum));
}

// Whether sums of such states stay far from the end of 128 bits: true of all that an aggregate made.
inline bool is_summable(const int64* numbers) {
  return numbers[0] > -(int64{1} << 56) && numbers[0] < int64{1} << 56;
}

}  // namespace health::pg
