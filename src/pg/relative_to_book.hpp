// What the whole book did, as SQL hands it over: a float8[] with an element per signal of the model.
#pragma once

#include "core/scoring/relative_to_book.hpp"
#include "guard.hpp"

namespace health::pg {

// Plain memory; a count of 0: nothing is known.
struct BookArgument {
  Datum* values;
  bool* nulls;
  int count;
};

// A float8[] or NULL. May ereport.
BookArgument book_argument(FunctionCallInfo fcinfo, int i);
// Runs inside guarded(...). Error 22023 when there are not as many elements as signals.
BookChanges collect_book(const Model& model, const BookArgument& book);

}  // namespace health::pg
