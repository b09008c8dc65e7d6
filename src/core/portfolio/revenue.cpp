// Movements of recurring revenue, retention and churn.
#include "revenue.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.hpp"
#include "core/stats/checks.hpp"

namespace health {

namespace {

constexpr double mrr_limit = 9.2e12;  // below it an amount in units of 10^-6 is a bigint

std::int64_t mrr_to_micro(double mrr, const char* what) {
  if (!std::isfinite(mrr) || mrr < 0)
    refuse_number(what, mrr, "Recurring revenue is finite and not below 0; no revenue is 0 or NULL.");
  if (mrr >= mrr_limit)
    throw Error(sqlstate::numeric_value_out_of_range, std::string(what) + " is out of range",
                "Amounts are below 9.2e12: give them in thousands.");
  return to_micro(mrr);
}

std::optional<Movement> compare_mrr(std::int64_t before, std::int64_t after, bool had_before) {
  if (before == after) return std::nullopt;
  if (before == 0) return had_before ? Movement::reactivation : Movement::acquired;
  if (after == 0) return Movement::churn;
  return after > before ? Movement::expansion : Movement::contraction;
}

Value mrr_ratio(Exact part, Exact whole) {
  if (whole == 0) return Value::none(Unknown::zero_denominator);
  return Value::of(to_double(part) / to_double(whole));
}

void check_churn_rate(double rate, const char* what) {
  if (!(rate >= 0 && rate <= 1)) refuse_number(what, rate, "Churn is a share from 0 to 1: 0.03 for 3 %.");
}

}  // namespace

std::string_view movement_name(Movement movement) {
  constexpr std::array<std::string_view, movement_count> names = {"new", "expansion", "contraction", "churn",
                                                                  "reactivation"};
  return names[static_cast<std::size_t>(movement)];
}

std::optional<Movement> find_movement(double mrr_before, double mrr_after, bool had_before) {
  return compare_mrr(mrr_to_micro(mrr_before, "mrr_before"), mrr_to_micro(mrr_after, "mrr_after"),
                     had_before);
}

void MrrBridge::add(double mrr_start, double mrr_end, bool had_before) {
  const std::int64_t before = mrr_to_micro(mrr_start, "mrr_start");
  const std::int64_t after = mrr_to_micro(mrr_end, "mrr_end");
  if (before > 0) start_.add({before, 1});
  if (const auto movement = compare_mrr(before, after, had_before))
    moved_[static_cast<std::size_t>(*movement)].add({std::max(before, after) - std::min(before, after), 1});
}

void MrrBridge::add(const MrrBridge& other) {
  start_.add(other.start_);
  for (std::size_t i = 0; i < movement_count; ++i) moved_[i].add(other.moved_[i]);
}

MrrSum MrrBridge::end() const {
  const MrrSum& lost = moved(Movement::churn);
  const MrrSum& acquired = moved(Movement::acquired);
  const MrrSum& back = moved(Movement::reactivation);
  return {start_.mrr + acquired.mrr + back.mrr + moved(Movement::expansion).mrr -
              moved(Movement::contraction).mrr - lost.mrr,
          start_.customers + acquired.customers + back.customers - lost.customers};
}

Value MrrBridge::nrr() const {
  return mrr_ratio(start_.mrr + moved(Movement::expansion).mrr - moved(Movement::contraction).mrr -
                       moved(Movement::churn).mrr,
                   start_.mrr);
}

Value MrrBridge::grr() const {
  return mrr_ratio(start_.mrr - moved(Movement::contraction).mrr - moved(Movement::churn).mrr, start_.mrr);
}

Value MrrBridge::logo_churn() const { return mrr_ratio(moved(Movement::churn).customers, start_.customers); }

Value MrrBridge::arpa() const {
  const MrrSum last = end();
  return mrr_ratio(last.mrr, Exact{last.customers} * micro);
}

MrrBridge::Sums MrrBridge::sums() const {
  Sums sums;
  sums[0] = start_;
  std::copy(moved_.begin(), moved_.end(), sums.begin() + 1);
  return sums;
}

MrrBridge MrrBridge::restore(const Sums& sums) {
  MrrBridge bridge;
  bridge.start_ = sums[0];
  std::copy(sums.begin() + 1, sums.end(), bridge.moved_.begin());
  return bridge;
}

double annual_churn(double monthly) {
  check_churn_rate(monthly, "monthly churn");
  // 1 - (1 - m)^12 without what 1 - m loses of a small m.
  return -std::expm1(12 * std::log1p(-monthly));
}

Value customer_lifetime_value(double arpa, double gross_margin, double churn_rate) {
  if (!std::isfinite(arpa) || arpa < 0)
    refuse_number("arpa", arpa, "Revenue per account is finite and not below 0.");
  if (!std::isfinite(gross_margin) || gross_margin > 1)
    refuse_number("gross_margin", gross_margin, "A gross margin is a share, at most 1: 0.8 for 80 %.");
  check_churn_rate(churn_rate, "churn_rate");
  if (churn_rate == 0) return Value::none(Unknown::zero_denominator);
  const double value = arpa * gross_margin / churn_rate;
  if (!std::isfinite(value))
    throw Error(sqlstate::numeric_value_out_of_range, "customer lifetime value is out of range");
  return Value::of(value);
}

}  // namespace health
