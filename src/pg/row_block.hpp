// Rows of a result as plain memory: filled inside guarded(...), stored in a tuplestore when no C++ object is
// left.
#pragma once

#include <optional>
#include <string_view>

#include "core/stats/wilson.hpp"
#include "guard.hpp"

extern "C" {
#include "access/tupdesc.h"
#include "nodes/execnodes.h"
#include "utils/date.h"
}

namespace health::pg {

struct RowBlock {
  Datum* values;
  bool* nulls;
  std::size_t rows;
  int columns;
};

// Fills a block row by row, column by column. Its memory is plain and stays when it goes.
class RowWriter {
 public:
  RowWriter(std::size_t capacity, int columns)
      : block_{allocate_array<Datum>(capacity * static_cast<std::size_t>(columns) + 1),
               allocate_array<bool>(capacity * static_cast<std::size_t>(columns) + 1), 0, columns} {}

  void add_null() { put(Datum{0}, true); }
  void add(std::string_view text) { put(make_text(text), false); }
  // Empty text stands for none.
  void add_or_null(std::string_view text) { text.empty() ? add_null() : add(text); }
  void add(double number) { put(Float8GetDatum(number), false); }
  void add(std::optional<double> number) { number ? add(*number) : add_null(); }
  void add(const Value& value) { value.known() ? add(value.number) : add_null(); }
  // Two columns.
  void add(const Interval& interval) {
    add(interval.low);
    add(interval.high);
  }
  void add(int number) { put(Int32GetDatum(number), false); }
  void add_bigint(std::int64_t number) { put(Int64GetDatum(number), false); }
  void add(bool truth) { put(BoolGetDatum(truth), false); }
  void add_date(Day day) { put(DateADTGetDatum(day), false); }

  RowBlock finish() {
    block_.rows = at_ / static_cast<std::size_t>(block_.columns);
    return block_;
  }

 private:
  void put(Datum value, bool null) {
    block_.values[at_] = value;
    block_.nulls[at_++] = null;
  }

  RowBlock block_;
  std::size_t at_ = 0;
};

static_assert(sizeof(Datum) == 8, "double precision must pass by value: making its Datum may not allocate");

// How many rows a series from one date to another has, both included. Runs inside guarded(...). Errors: 22023
// for a step below 1, 54000 past 100,000 rows.
std::int64_t series_length(Day from, Day to, std::int32_t step);

// Stores the rows in the tuplestore that InitMaterializedSRF made. May ereport.
void store_rows(ReturnSetInfo* result, const RowBlock& block);

}  // namespace health::pg
