// Which numbers go together, how surely, and how many would by chance alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/value.hpp"
#include "core/stats/wilson.hpp"

namespace health {

// Two columns of numbers, over the rows in which both are known.
struct Correlation {
  std::int64_t n = 0;
  Value pearson;               // r, -1..1; unknown when a column is the same throughout (zero_denominator)
  Interval pearson_interval;   // 95 %, by Fisher's z; unknown below 4 rows (insufficient_history)
  Value spearman;              // rho: r of mid-ranks; unknown as r is
  Interval spearman_interval;  // 95 %, by z with variance (1 + rho^2/2) / (n - 3); unknown as that of r
  double p_value = 1;  // of rho, two-sided, by the same variance: below .05 where the interval leaves out 0
};

// Of two columns of one length; what is not finite is unknown. Error 22023: lengths differ. Sources: Fisher,
// Metron 1 (1921), 3-32; Bonett and Wright, Psychometrika 65 (2000), 23-28.
Correlation correlate(std::span<const double> first, std::span<const double> second);

// Why a column, or a pair of them, is in no correlation.
enum class Unpaired : std::uint8_t {
  no,
  few,       // known in fewer rows than asked for
  constant,  // fewer than 5 rows differ from the commonest value
  same       // the second has the values of the first, in every row
};

struct CorrelationPair {
  std::size_t first = 0;   // places of columns, from 0
  std::size_t second = 0;  // of a column that is left out, the same place
  Unpaired unpaired = Unpaired::no;
  std::int64_t differing = 0;  // of a column: rows that differ from the commonest value
  Correlation correlation;     // of a column that is left out, n alone
  bool significant = false;
};

struct Correlations {
  // Pairs by |rho|, the largest first, then by place; then columns that are the same as another; then those
  // left out.
  std::vector<CorrelationPair> pairs;
  std::int64_t looked_at = 0;  // pairs with an interval
};

// All pairs of the columns of `numbers` (row after row), or those with the column `only`, that are both known
// in `least` rows or more. A column whose values another has is paired with nothing else but named once
// beside it. `significant`: after Benjamini and Hochberg at 5 % over all pairs that were looked at (J. R.
// Statist. Soc. B 57 (1995), 289-300). Error 22023: no rectangle, `least` below 4.
Correlations correlate_all(std::span<const double> numbers, std::size_t columns,
                           std::optional<std::size_t> only, std::int64_t least);

// Which of the p values are below what Benjamini and Hochberg allow at `level`.
std::vector<std::uint8_t> find_discoveries(std::span<const double> p_values, double level = 0.05);

}  // namespace health
