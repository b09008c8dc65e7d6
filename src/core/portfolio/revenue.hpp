// How recurring revenue moved between two points in time, and the ratios that are read from it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/exact.hpp"
#include "core/base/value.hpp"

namespace health {

// What became of a customer's recurring revenue.
enum class Movement : std::uint8_t { acquired, expansion, contraction, churn, reactivation };
inline constexpr std::size_t movement_count = 5;

// As SQL shows it: "new", "expansion", "contraction", "churn", "reactivation".
std::string_view movement_name(Movement movement);

// Nothing when there is no change of at least 10^-6. `had_before` tells a customer who comes back from a new
// one. Errors: as MrrBridge::add.
std::optional<Movement> find_movement(double mrr_before, double mrr_after, bool had_before);

// Recurring revenue of some customers.
struct MrrSum {
  Exact mrr = 0;  // in units of 10^-6
  std::int64_t customers = 0;

  void add(const MrrSum& other) {
    mrr += other.mrr;
    customers += other.customers;
  }
};

// From the revenue at the start of a period to that at its end. The cohort of the ratios is closed: who paid
// at the start. Customers who came in the period are in none of them.
class MrrBridge {
 public:
  // Counts a customer. Amounts are rounded to 10^-6. Errors that name the argument: 22023 for NaN, infinity
  // and what is below 0; 22003 from 9.2e12 on.
  void add(double mrr_start, double mrr_end, bool had_before);
  void add(const MrrBridge& other);

  const MrrSum& start() const { return start_; }
  // The size of the movement: above 0 for churn and contraction, too.
  const MrrSum& moved(Movement movement) const { return moved_[static_cast<std::size_t>(movement)]; }
  MrrSum end() const;

  // (start + expansion - contraction - churn) / start. Each ratio is unknown when there was no revenue at the
  // start (zero_denominator).
  Value nrr() const;
  // (start - contraction - churn) / start = sum of the lesser of both amounts / start, at most 1.
  Value grr() const;
  // Customers of the start who pay nothing at the end / customers of the start.
  Value logo_churn() const;
  // Revenue at the end / customers at the end.
  Value arpa() const;

  // For storing: the start, then the movements in the order of the enum.
  using Sums = std::array<MrrSum, 1 + movement_count>;
  Sums sums() const;
  static MrrBridge restore(const Sums& sums);

 private:
  MrrSum start_;
  std::array<MrrSum, movement_count> moved_;
};

// The churn of a year in which `monthly` is lost each month: 1 - (1 - monthly)^12. Error 22023 outside 0..1.
double annual_churn(double monthly);

// Customer lifetime value: arpa x gross_margin / churn_rate, arpa and churn of the same period (a month,
// say); without churn it has no end and is unknown (zero_denominator). Errors 22023: arpa not finite or below
// 0, a margin above 1 or not finite, churn outside 0..1; 22003 out of the range of doubles.
Value customer_lifetime_value(double arpa, double gross_margin, double churn_rate);

}  // namespace health
