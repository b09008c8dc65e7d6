// Pearson's r, Spearman's rho, their intervals, and many of them at once.
#include "correlation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "checks.hpp"
#include "core/base/error.hpp"
#include "normal.hpp"

namespace health {

namespace {

constexpr std::int64_t least_differing = 5;

using Places = std::vector<std::uint32_t>;

// The rows of a column by its values; rows that are not known are left out.
Places order_rows(std::span<const double> column) {
  Places order;
  order.reserve(column.size());
  for (std::uint32_t row = 0; row < column.size(); ++row)
    if (std::isfinite(column[row])) order.push_back(row);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return column[a] != column[b] ? column[a] < column[b] : a < b;
  });
  return order;
}

// Mid-ranks of a column among the rows that another knows as well, row by row; other rows are left as they
// are.
void rank_rows(std::span<const double> column, const Places& order, std::span<const double> other,
               std::vector<double>& ranks, Places& shared) {
  shared.clear();
  for (const std::uint32_t row : order)
    if (std::isfinite(other[row])) shared.push_back(row);
  for (std::size_t from = 0, to = 0; from < shared.size(); from = to) {
    while (to < shared.size() && column[shared[to]] == column[shared[from]]) ++to;
    const double rank = static_cast<double>(from + 1 + to) / 2;
    for (std::size_t at = from; at < to; ++at) ranks[shared[at]] = rank;
  }
}

// r of two columns over some rows. Scaled first, so that squares neither overflow nor vanish.
Value measure_pearson(std::span<const double> first, std::span<const double> second, const Places& rows) {
  if (rows.empty()) return Value::none(Unknown::no_data);
  const auto n = static_cast<double>(rows.size());
  double scale_1 = 0;
  double scale_2 = 0;
  for (const std::uint32_t row : rows) {
    scale_1 = std::max(scale_1, std::fabs(first[row]));
    scale_2 = std::max(scale_2, std::fabs(second[row]));
  }
  const bool varies_1 =
      std::any_of(rows.begin(), rows.end(), [&](auto row) { return first[row] != first[rows[0]]; });
  const bool varies_2 =
      std::any_of(rows.begin(), rows.end(), [&](auto row) { return second[row] != second[rows[0]]; });
  if (!varies_1 || !varies_2) return Value::none(Unknown::zero_denominator);
  double mean_1 = 0;
  double mean_2 = 0;
  for (const std::uint32_t row : rows) {
    mean_1 += first[row] / scale_1 / n;
    mean_2 += second[row] / scale_2 / n;
  }
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (const std::uint32_t row : rows) {
    const double x = first[row] / scale_1 - mean_1;
    const double y = second[row] / scale_2 - mean_2;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  if (xx <= 0 || yy <= 0) return Value::none(Unknown::zero_denominator);
  return Value::of(std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0));
}

// The interval of a correlation whose z has this variance times n - 3, and the p value that goes with it.
Interval z_interval(const Value& correlation, std::int64_t n, double variance, double* p_value) {
  const auto unknown = [](Unknown reason) { return Interval{Value::none(reason), Value::none(reason)}; };
  if (!correlation.known()) return unknown(correlation.unknown);
  if (n < 4) return unknown(Unknown::insufficient_history);
  const double z = std::atanh(correlation.number);
  const double error = std::sqrt(variance / static_cast<double>(n - 3));
  if (p_value) *p_value = normal_p_value(z / error);
  return {Value::of(std::tanh(z - normal_95 * error)), Value::of(std::tanh(z + normal_95 * error))};
}

struct Column {
  std::vector<double> numbers;
  Places order;
  std::int64_t differing = 0;
  std::optional<std::size_t> same_as;
};

Correlation correlate(const Column& first, const Column& second, std::vector<double>& ranks_1,
                      std::vector<double>& ranks_2, Places& shared) {
  ranks_1.resize(first.numbers.size());
  ranks_2.resize(first.numbers.size());
  rank_rows(second.numbers, second.order, first.numbers, ranks_2, shared);
  rank_rows(first.numbers, first.order, second.numbers, ranks_1, shared);
  Correlation found;
  found.n = static_cast<std::int64_t>(shared.size());
  found.pearson = measure_pearson(first.numbers, second.numbers, shared);
  found.spearman = measure_pearson(ranks_1, ranks_2, shared);
  found.pearson_interval = z_interval(found.pearson, found.n, 1, nullptr);
  const double rho = found.spearman.known() ? found.spearman.number : 0;
  found.spearman_interval = z_interval(found.spearman, found.n, 1 + rho * rho / 2, &found.p_value);
  return found;
}

std::int64_t count_differing(const Column& column) {
  std::size_t commonest = 0;
  for (std::size_t from = 0, to = 0; from < column.order.size(); from = to) {
    while (to < column.order.size() && column.numbers[column.order[to]] == column.numbers[column.order[from]])
      ++to;
    commonest = std::max(commonest, to - from);
  }
  return static_cast<std::int64_t>(column.order.size() - commonest);
}

bool are_same(const Column& first, const Column& second) {
  return first.order.size() == second.order.size() && first.differing == second.differing &&
         std::equal(first.numbers.begin(), first.numbers.end(), second.numbers.begin(),
                    [](double a, double b) { return std::isfinite(a) ? a == b : !std::isfinite(b); });
}

std::vector<Column> read_columns(std::span<const double> numbers, std::size_t count) {
  std::vector<Column> columns(count);
  const std::size_t rows = count == 0 ? 0 : numbers.size() / count;
  for (std::size_t at = 0; at < count; ++at) {
    poll_cancel();
    Column& column = columns[at];
    column.numbers.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) column.numbers[row] = numbers[row * count + at];
    column.order = order_rows(column.numbers);
    column.differing = count_differing(column);
  }
  return columns;
}

}  // namespace

Correlation correlate(std::span<const double> first, std::span<const double> second) {
  check_length(second.size(), first.size(), "numbers");
  Column one{{first.begin(), first.end()}, order_rows(first), 0, {}};
  Column other{{second.begin(), second.end()}, order_rows(second), 0, {}};
  std::vector<double> ranks_1;
  std::vector<double> ranks_2;
  Places shared;
  return correlate(one, other, ranks_1, ranks_2, shared);
}

std::vector<std::uint8_t> find_discoveries(std::span<const double> p_values, double level) {
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::sort(sorted.begin(), sorted.end());
  double border = -1;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] <= level * static_cast<double>(i + 1) / static_cast<double>(sorted.size()))
      border = sorted[i];
  std::vector<std::uint8_t> found(p_values.size());
  std::transform(p_values.begin(), p_values.end(), found.begin(),
                 [border](double p) { return static_cast<std::uint8_t>(p <= border); });
  return found;
}

Correlations correlate_all(std::span<const double> numbers, std::size_t columns,
                           std::optional<std::size_t> only, std::int64_t least) {
  if (least < 4) refuse_number("least", static_cast<double>(least), "An interval takes 4 observations.");
  if (columns == 0 ? !numbers.empty() : numbers.size() % columns != 0)
    refuse_number("columns", static_cast<double>(columns), "Give every row all columns.");
  std::vector<Column> read = read_columns(numbers, columns);
  Correlations result;
  std::vector<CorrelationPair> left_out;
  std::vector<std::size_t> used;
  for (std::size_t at = 0; at < columns; ++at) {
    Column& column = read[at];
    CorrelationPair alone{at, at, Unpaired::no, column.differing, {}, false};
    alone.correlation.n = static_cast<std::int64_t>(column.order.size());
    if (alone.correlation.n < least)
      alone.unpaired = Unpaired::few;
    else if (column.differing < least_differing)
      alone.unpaired = Unpaired::constant;
    if (alone.unpaired != Unpaired::no) {
      left_out.push_back(alone);
      continue;
    }
    for (const std::size_t other : used)
      if (are_same(read[other], column)) column.same_as = other;
    if (!column.same_as) used.push_back(at);
  }
  // The column that is asked for stands for itself: whoever has its values is in its place.
  const auto stands_for = [&](std::size_t at) { return read[at].same_as.value_or(at); };
  const auto wanted = [&](std::size_t at) { return only && stands_for(at) == stands_for(*only); };
  std::vector<double> ranks_1;
  std::vector<double> ranks_2;
  Places shared;
  for (std::size_t i = 0; i < used.size(); ++i) {
    for (std::size_t j = i + 1; j < used.size(); ++j) {
      poll_cancel();
      if (only && !wanted(used[i]) && !wanted(used[j])) continue;
      CorrelationPair pair{used[i], used[j], Unpaired::no, 0, {}, false};
      pair.correlation = correlate(read[used[i]], read[used[j]], ranks_1, ranks_2, shared);
      if (pair.correlation.n >= least && pair.correlation.spearman.known()) result.pairs.push_back(pair);
    }
  }
  result.looked_at = static_cast<std::int64_t>(result.pairs.size());
  std::vector<double> p_values;
  p_values.reserve(result.pairs.size());
  for (const CorrelationPair& pair : result.pairs) p_values.push_back(pair.correlation.p_value);
  const auto discoveries = find_discoveries(p_values);
  for (std::size_t i = 0; i < discoveries.size(); ++i) result.pairs[i].significant = discoveries[i] != 0;
  std::stable_sort(
      result.pairs.begin(), result.pairs.end(), [](const CorrelationPair& a, const CorrelationPair& b) {
        return std::fabs(a.correlation.spearman.number) > std::fabs(b.correlation.spearman.number);
      });
  for (std::size_t at = 0; at < columns; ++at) {
    if (!read[at].same_as || (only && !wanted(at))) continue;
    CorrelationPair same{*read[at].same_as, at, Unpaired::same, 0, {}, false};
    same.correlation.n = static_cast<std::int64_t>(read[at].order.size());
    result.pairs.push_back(same);
  }
  for (const CorrelationPair& alone : left_out)
    if (!only || alone.first == *only) result.pairs.push_back(alone);
  return result;
}

}  // namespace health
