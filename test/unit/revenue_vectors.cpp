// Recurring revenue: the vectors of docs/reference/revenue.md, its edges, and any order of customers.
#include "core/portfolio/revenue.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "core/base/error.hpp"
#include "random.hpp"

using namespace health;

namespace {

struct Customer {
  double start, end;
  bool had_before = false;
};

MrrBridge bridge_of(const std::vector<Customer>& customers) {
  MrrBridge bridge;
  for (const Customer& customer : customers) bridge.add(customer.start, customer.end, customer.had_before);
  return bridge;
}

bool same_sums(const MrrBridge& a, const MrrBridge& b) {
  const auto left = a.sums(), right = b.sums();
  return std::equal(left.begin(), left.end(), right.begin(), [](const MrrSum& x, const MrrSum& y) {
    return x.mrr == y.mrr && x.customers == y.customers;
  });
}

constexpr Exact units(std::int64_t amount) { return Exact{amount} * micro; }

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// The message of the error that `body` throws; "" when it throws none.
template <class Body>
std::string refused(Body&& body, const char* state = sqlstate::invalid_parameter_value) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(std::string(error.sqlstate()) == state);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the revenue vector of the reference: NRR .96, GRR .86, logo churn .25") {
  // a, b, c, d at the start; c is lost, e is new.
  const MrrBridge bridge = bridge_of({{100, 150}, {200, 180}, {50, 0}, {150, 150}, {0, 500}});
  CHECK(bridge.nrr() == Value::of(.96));
  CHECK(bridge.grr() == Value::of(.86));
  CHECK(bridge.logo_churn() == Value::of(.25));
  CHECK(bridge.start().mrr == units(500));
  CHECK(bridge.moved(Movement::acquired).mrr == units(500));
  CHECK(bridge.moved(Movement::expansion).mrr == units(50));
  CHECK(bridge.moved(Movement::contraction).mrr == units(20));
  CHECK(bridge.moved(Movement::churn).mrr == units(50));
  CHECK(bridge.moved(Movement::reactivation).customers == 0);
  CHECK(bridge.end().mrr == units(980));
  CHECK(bridge.end().customers == 4);
  CHECK(bridge.arpa() == Value::of(245));
}

TEST_CASE("who comes back is reactivated, not new, and in no ratio") {
  const MrrBridge bridge = bridge_of({{100, 100}, {0, 40, true}, {0, 60, false}, {0, 0, true}});
  CHECK(bridge.moved(Movement::reactivation).mrr == units(40));
  CHECK(bridge.moved(Movement::acquired).mrr == units(60));
  CHECK(bridge.end().customers == 3);
  CHECK(bridge.nrr() == Value::of(1));
  CHECK(bridge.grr() == Value::of(1));
}

TEST_CASE("without revenue at the start ratios are unknown, never 0") {
  for (const MrrBridge& bridge : {MrrBridge(), bridge_of({{0, 500}}), bridge_of({{0, 0}})}) {
    CHECK(bridge.nrr() == Value::none(Unknown::zero_denominator));
    CHECK(bridge.grr() == Value::none(Unknown::zero_denominator));
    CHECK(bridge.logo_churn() == Value::none(Unknown::zero_denominator));
  }
  CHECK(MrrBridge().arpa() == Value::none(Unknown::zero_denominator));
  const MrrBridge all_lost = bridge_of({{10, 0}, {20, 0}});
  CHECK(all_lost.nrr() == Value::of(0));
  CHECK(all_lost.logo_churn() == Value::of(1));
  CHECK(all_lost.arpa() == Value::none(Unknown::zero_denominator));
}

TEST_CASE("tenths add up: a third of a cent is kept, noise of doubles is no movement") {
  // .1 + .2 is not .3 in doubles.
  CHECK(bridge_of({{.1, .3}, {.2, 0}}).nrr() == Value::of(1));
  CHECK_FALSE(find_movement(100.0 / 12 * 12, 100, false));
  CHECK_FALSE(find_movement(100, 100.0000004, false));
  CHECK(find_movement(100, 100.000001, false) == Movement::expansion);
}

TEST_CASE("movements have their names") {
  const auto name = [](double before, double after, bool had_before) {
    const auto movement = find_movement(before, after, had_before);
    return std::string(movement ? movement_name(*movement) : "none");
  };
  CHECK(name(0, 5, false) == "new");
  CHECK(name(0, 5, true) == "reactivation");
  CHECK(name(5, 6, true) == "expansion");
  CHECK(name(6, 5, true) == "contraction");
  CHECK(name(6, 0, true) == "churn");
  CHECK(name(6, 6, true) == "none");
  CHECK(name(0, 0, true) == "none");
}

TEST_CASE("what is no recurring revenue is refused by name") {
  for (const double bad : {not_a_number, infinity, -infinity, -1.0, -1e-300}) {
    MrrBridge bridge;
    CHECK(refused([&] { bridge.add(bad, 1, false); }).rfind("mrr_start ", 0) == 0);
    CHECK(refused([&] { bridge.add(1, bad, false); }).rfind("mrr_end ", 0) == 0);
    CHECK(refused([&] { find_movement(bad, 1, false); }).rfind("mrr_before ", 0) == 0);
    CHECK(refused([&] { find_movement(1, bad, false); }).rfind("mrr_after ", 0) == 0);
    CHECK(same_sums(bridge, MrrBridge()));
  }
  MrrBridge bridge;
  CHECK(refused([&] { bridge.add(9.2e12, 1, false); }, sqlstate::numeric_value_out_of_range) ==
        "mrr_start is out of range");
  bridge.add(9.1e12, 9.19e12, false);
  CHECK(bridge.nrr().number == Approx(9.19 / 9.1));
}

TEST_CASE("a bridge is the same in any order and in parts, and its definitions hold") {
  test::Random random(test::run_seed());
  for (int round = 0; round < 500; ++round) {
    std::vector<Customer> customers;
    Exact start = 0, end = 0, end_of_cohort = 0, lesser = 0;
    std::int64_t payers = 0, lost = 0;
    for (std::int64_t i = test::between(random, 0, 40); i > 0; --i) {
      const auto amount = [&] {
        return test::between(random, 0, 3) == 0 ? 0 : test::between(random, 1, 1000000000000);
      };
      const std::int64_t a = amount(), b = test::between(random, 0, 5) == 0 ? a : amount();
      customers.push_back(
          {static_cast<double>(a) / 1e6, static_cast<double>(b) / 1e6, test::between(random, 0, 1) == 0});
      start += a;
      end += b;
      if (a == 0) continue;
      ++payers;
      end_of_cohort += b;
      lesser += std::min(a, b);
      if (b == 0) ++lost;
    }
    const MrrBridge whole = bridge_of(customers);
    CHECK(whole.start().mrr == start);
    CHECK(whole.end().mrr == end);
    std::shuffle(customers.begin(), customers.end(), random);
    MrrBridge parts[3];
    for (const Customer& c : customers) parts[test::between(random, 0, 2)].add(c.start, c.end, c.had_before);
    MrrBridge merged = MrrBridge::restore(parts[2].sums());
    merged.add(parts[0]);
    merged.add(parts[1]);
    CHECK(same_sums(whole, merged));
    if (payers == 0) continue;
    CHECK(whole.nrr().number == to_double(end_of_cohort) / to_double(start));
    CHECK(whole.grr().number == to_double(lesser) / to_double(start));
    CHECK(whole.logo_churn().number == static_cast<double>(lost) / static_cast<double>(payers));
    CHECK(whole.grr().number <= std::min(1.0, whole.nrr().number));
  }
}

TEST_CASE("3 % a month is 30.6 % a year") {
  CHECK(annual_churn(.03) == Approx(.306).margin(5e-4));
  CHECK(annual_churn(.03) == Approx(0.30615769).margin(1e-8));
  CHECK(annual_churn(0) == 0);
  CHECK(annual_churn(1) == 1);
  CHECK(annual_churn(1e-18) == Approx(12e-18));
  for (const double bad : {not_a_number, infinity, -.01, 1.01, 3.0})
    CHECK(refused([&] { annual_churn(bad); }).rfind("monthly churn ", 0) == 0);
}

TEST_CASE("lifetime value is margin over churn, and unknown where nobody leaves") {
  CHECK(customer_lifetime_value(100, .8, .02) == Value::of(4000));
  CHECK(customer_lifetime_value(0, .8, .02) == Value::of(0));
  CHECK(customer_lifetime_value(100, -.5, .5) == Value::of(-100));
  CHECK(customer_lifetime_value(100, .8, 0) == Value::none(Unknown::zero_denominator));
  CHECK(refused([] { customer_lifetime_value(-1, .8, .02); }) == "arpa -1 is not allowed");
  CHECK(refused([] { customer_lifetime_value(1, 80, .02); }) == "gross_margin 80 is not allowed");
  CHECK(refused([] { customer_lifetime_value(1, .8, 2); }) == "churn_rate 2 is not allowed");
  for (const double bad : {not_a_number, infinity, -infinity}) {
    CHECK(refused([&] { customer_lifetime_value(bad, .8, .02); }).rfind("arpa ", 0) == 0);
    CHECK(refused([&] { customer_lifetime_value(1, bad, .02); }).rfind("gross_margin ", 0) == 0);
    CHECK(refused([&] { customer_lifetime_value(1, .8, bad); }).rfind("churn_rate ", 0) == 0);
  }
  CHECK(refused([] { customer_lifetime_value(1e308, 1, 1e-9); }, sqlstate::numeric_value_out_of_range) != "");
}
