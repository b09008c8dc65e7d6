// Code of others that may fail: tried in a subtransaction, so that one value that cannot be read is one bad
// value.
#pragma once

#include "guard.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace health::pg {

enum class Outcome : std::uint8_t {
  done,
  bad_data,  // the data are at fault: other rows are not concerned
  broken     // an object is: a function that is gone, a right that is missing
};

// What an error that was raised in the middle of reading a row says of it. Raises it again when the machine,
// a cancellation or a conflict with other transactions is what ended it.
inline Outcome judge_error(ErrorData* error) {
  const int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
  if (category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_INSUFFICIENT_RESOURCES ||
      category == ERRCODE_SYSTEM_ERROR || category == ERRCODE_TRANSACTION_ROLLBACK)
    ReThrowError(error);
  const bool of_data = category == ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) ||
                       category == ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) ||
                       category == ERRCODE_TO_CATEGORY(ERRCODE_PLPGSQL_ERROR) ||
                       category == ERRCODE_TO_CATEGORY(ERRCODE_PROGRAM_LIMIT_EXCEEDED);
  return of_data ? Outcome::bad_data : Outcome::broken;
}

// Runs `body` in a subtransaction of its own. After a failure everything is as it was before, and `report`,
// if given, is the error, in the memory context of the caller.
template <class Body>
Outcome try_in_subtransaction(Body body, ErrorData** report = nullptr) {
  MemoryContext const context = CurrentMemoryContext;
  ResourceOwner const owner = CurrentResourceOwner;
  volatile Outcome outcome = Outcome::done;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(context);
  PG_TRY();
  {
    body();
    ReleaseCurrentSubTransaction();
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    ErrorData* const error = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    outcome = judge_error(error);
    if (report != nullptr) {
      *report = error;
    } else {
      FreeErrorData(error);
    }
  }
  PG_END_TRY();
  MemoryContextSwitchTo(context);
  CurrentResourceOwner = owner;
  return outcome;
}

}  // namespace health::pg
