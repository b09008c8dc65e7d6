// Kaplan and Meier: the leukaemia trial, R's survfit, and counting.
#include "core/stats/survival.hpp"

#include <algorithm>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// Remission in weeks, Freireich et al., Blood 21 (1963), 699-716; the usual example since Gehan 1965.
const std::vector<double> drug_times = {6,  6,  6,  6,  7,  9,  10, 10, 11, 13, 16,
                                        17, 19, 20, 22, 23, 25, 32, 32, 34, 35};
const std::vector<std::uint8_t> drug_events = {1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
const std::vector<double> placebo_times = {1, 1, 2,  2,  3,  4,  4,  5,  5,  8, 8,
                                           8, 8, 11, 11, 12, 12, 15, 17, 22, 23};

}  // namespace

TEST_CASE("remission under 6-MP: the published curve, Greenwood's errors, R's log-log intervals") {
  const Survival s = estimate_survival(drug_times, drug_events);
  struct Row {
    double time;
    std::int64_t at_risk, events;
    double survival, error, low, high;
  };
  const std::vector<Row> rows = {
      {6, 21, 3, .85714286, .076360355, .61971796, .95155175},
      {7, 17, 1, .80672269, .086935285, .56314656, .92280902},
      {10, 15, 1, .75294118, .096349653, .50319951, .88936184},
      {13, 12, 1, .69019608, .106814708, .43161022, .84906596},
      {16, 11, 1, .62745098, .114053865, .36751086, .80491219},
      {22, 7, 1, .53781513, .128233752, .26777894, .74679072},
      {23, 6, 1, .44817927, .134591457, .18805201, .68014263},
  };
  auto row = rows.begin();
  for (const SurvivalStep& step : s.steps) {
    if (step.events == 0) continue;
    REQUIRE(row != rows.end());
    CHECK(step.time == row->time);
    CHECK(step.at_risk == row->at_risk);
    CHECK(step.events == row->events);
    CHECK(step.survival == Approx(row->survival).margin(5e-9));
    CHECK(step.standard_error.number == Approx(row->error).margin(5e-9));
    CHECK(step.interval.low.number == Approx(row->low).margin(5e-9));
    CHECK(step.interval.high.number == Approx(row->high).margin(5e-9));
    ++row;
  }
  CHECK(row == rows.end());
  CHECK(s.median.number == 23);
  CHECK(s.median_interval.low.number == 13);
  CHECK(s.median_interval.high == Value::none(Unknown::insufficient_history));
  CHECK(survival_at(s, 5.9) == 1);
  CHECK(survival_at(s, 6) == Approx(.85714286));
  CHECK(survival_at(s, 1000) == Approx(.44817927));
}

TEST_CASE("remission under placebo: median 8, from 4 to 11 weeks, everybody in the end") {
  const Survival s = estimate_survival(placebo_times, std::vector<std::uint8_t>(21, 1));
  CHECK(s.median.number == 8);
  CHECK(s.median_interval.low.number == 4);
  CHECK(s.median_interval.high.number == 11);
  CHECK(s.steps.back().survival == 0);
  CHECK(s.steps.back().standard_error == Value::none(Unknown::zero_denominator));
  CHECK(s.steps.back().interval.low == Value::none(Unknown::zero_denominator));
  CHECK(s.steps[1].interval.low.number == Approx(.568905060));
}

TEST_CASE("without censoring the curve is the share that is left, and half of it the median") {
  Random random(run_seed());
  for (int round = 0; round < 100; ++round) {
    const auto n = static_cast<std::size_t>(between(random, 1, 60));
    std::vector<double> times = random_scores(random, n, 20);
    const Survival s = estimate_survival(times, std::vector<std::uint8_t>(n, 1));
    for (const SurvivalStep& step : s.steps) {
      const auto left = static_cast<double>(
          std::count_if(times.begin(), times.end(), [&](double time) { return time > step.time; }));
      const double share = left / static_cast<double>(n);
      CHECK(step.survival == Approx(share).margin(1e-12));
      if (left > 0)  // Greenwood's variance is the binomial one then
        CHECK(step.standard_error.number ==
              Approx(std::sqrt(share * (1 - share) / static_cast<double>(n))).margin(1e-12));
    }
    std::sort(times.begin(), times.end());
    CHECK(s.median.number == times[(n - 1) / 2]);
  }
}

TEST_CASE("who is censored after everything else makes the share that is left larger, never smaller") {
  const Survival all =
      estimate_survival(std::vector<double>{1, 2, 3, 4}, std::vector<std::uint8_t>{1, 1, 1, 1});
  const Survival some =
      estimate_survival(std::vector<double>{1, 2, 3, 4}, std::vector<std::uint8_t>{1, 0, 1, 0});
  for (const double time : {1, 2, 3, 4}) CHECK(survival_at(some, time) >= survival_at(all, time));
  // 3/4, then 1 of the 2 that are still seen.
  CHECK(survival_at(some, 3) == .375);
  CHECK(some.steps[1].censored == 1);
}

TEST_CASE("time to value of accounts that have not arrived has no median yet") {
  const Survival none = estimate_survival(std::vector<double>{5, 9}, std::vector<std::uint8_t>{0, 0});
  CHECK(none.median == Value::none(Unknown::insufficient_history));
  CHECK(none.steps[0].survival == 1);
  CHECK(none.steps[0].standard_error.number == 0);
  CHECK(none.steps[0].interval.low == Value::none(Unknown::no_data));
  CHECK(estimate_survival({}, {}).median == Value::none(Unknown::no_data));
  CHECK(survival_at(estimate_survival({}, {}), 3) == 1);
}

TEST_CASE("survival refuses nonsense") {
  const std::vector<std::uint8_t> event = {1};
  CHECK(state_of([&] { estimate_survival(std::vector<double>{-1}, event); }) == "22023");
  CHECK(state_of([&] { estimate_survival(std::vector<double>{infinite}, event); }) == "22023");
  CHECK(state_of([&] { estimate_survival(std::vector<double>{1, 2}, event); }) == "22023");
  CHECK(state_of([&] { survival_at({}, not_a_number); }) == "22023");
}

TEST_CASE("quartiles of remission, by the published curves") {
  const Survival s = estimate_survival(drug_times, drug_events);
  CHECK(find_quantile(s, .25).time.number == 13);
  CHECK(find_quantile(s, .5).time.number == 23);
  CHECK(find_quantile(s, .75).time == Value::none(Unknown::insufficient_history));
  CHECK(find_quantile(s, .25).interval.low.number == 6);
  CHECK(find_quantile(s, .25).interval.high.number == 22);
  const Survival placebo = estimate_survival(placebo_times, std::vector<std::uint8_t>(21, 1));
  CHECK(find_quantile(placebo, .25).time.number == 4);
  CHECK(find_quantile(placebo, .75).time.number == 12);
  CHECK(state_of([&] { find_quantile(s, 1.5); }) == "22023");
}
