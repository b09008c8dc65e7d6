// Ridge logistic regression: R's figures, the conditions of the optimum, separation, bounds, folds.
#include "core/stats/logistic.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include "core/stats/auc.hpp"
#include "core/stats/cross_validation.hpp"
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

struct Data {
  std::vector<double> rows;
  std::size_t columns = 0;
  std::vector<std::uint8_t> outcomes;
  std::vector<double> weights;
  std::vector<std::int64_t> clusters;

  Design design() const { return {rows, columns}; }
};

// Signals from 0 to 100; the outcome follows `coefficients`.
Data draw_data(Random& random, std::size_t n, const std::vector<double>& coefficients, double intercept = 0) {
  Data data;
  data.columns = coefficients.size();
  for (std::size_t i = 0; i < n; ++i) {
    double margin = intercept;
    for (const double c : coefficients) {
      data.rows.push_back(100 * uniform(random));
      margin += c * (data.rows.back() - 50);
    }
    data.outcomes.push_back(uniform(random) < 1 / (1 + std::exp(-margin)) ? 1 : 0);
    data.weights.push_back(0.1 + 3 * uniform(random));
    data.clusters.push_back(static_cast<std::int64_t>(i / 3));
  }
  data.outcomes[0] = 1;
  data.outcomes[n - 1] = 0;
  return data;
}

double objective(const Data& data, double penalty, const LogisticFit& fit) {
  double sum = 0;
  for (std::size_t i = 0; i < data.outcomes.size(); ++i) {
    double margin = fit.intercept;
    for (std::size_t j = 0; j < data.columns; ++j)
      margin += fit.coefficients[j] * data.rows[i * data.columns + j];
    const double signed_margin = data.outcomes[i] == 1 ? margin : -margin;
    sum -= (data.weights.empty() ? 1 : data.weights[i]) * std::log1p(std::exp(-signed_margin));
  }
  for (const double c : fit.coefficients) sum -= penalty / 2 * c * c;
  return sum;
}

// By differences, of the intercept first.
std::vector<double> slopes(const Data& data, double penalty, const LogisticFit& fit) {
  std::vector<double> result;
  for (std::size_t j = 0; j <= data.columns; ++j) {
    const double step = j == 0 ? 1e-5 : 1e-7;
    LogisticFit above = fit;
    LogisticFit below = fit;
    (j == 0 ? above.intercept : above.coefficients[j - 1]) += step;
    (j == 0 ? below.intercept : below.coefficients[j - 1]) -= step;
    result.push_back((objective(data, penalty, above) - objective(data, penalty, below)) / (2 * step));
  }
  return result;
}

}  // namespace

TEST_CASE("a regression of one column is that of R's optim") {
  // nl <- function(b) -sum(dbinom(y, 1, plogis(b[1] + b[2] * x), log = TRUE)) + 1/2 * b[2]^2
  const std::vector<double> x = {-2, -1.5, -1, -.5, 0, .5, 1, 1.5, 2, 3};
  const std::vector<std::uint8_t> y = {0, 0, 1, 0, 0, 1, 0, 1, 1, 1};
  const LogisticFit fit = fit_logistic({x, 1}, y, {}, {1, false});
  CHECK(fit.converged);
  CHECK(fit.intercept == Approx(-.217401613867).epsilon(1e-6));
  CHECK(fit.coefficients[0] == Approx(.779692438586).epsilon(1e-6));
  CHECK(fit.log_likelihood == Approx(-5.01136844931).epsilon(1e-6));
  CHECK(predict_logistic(fit, std::vector<double>{1}) ==
        Approx(1 / (1 + std::exp(.217401613867 - .779692438586))).epsilon(1e-6));
}

TEST_CASE("at the optimum every slope is 0, whatever the penalty and the weights") {
  Random random(run_seed());
  for (const double penalty : {1e-3, 1.0, 1e3, 1e7}) {
    Data data = draw_data(random, 150, {.05, -.03, 0}, -1);
    for (int weighted = 0; weighted < 2; ++weighted) {
      if (weighted == 0) data.weights.clear();
      const LogisticFit fit = fit_logistic(data.design(), data.outcomes, data.weights, {penalty, false});
      CHECK(fit.converged);
      CHECK(fit.stationarity < 1e-10);
      for (const double slope : slopes(data, penalty, fit)) CHECK(slope == Approx(0).margin(2e-4));
      CHECK(
          objective(data, penalty, fit) ==
          Approx(fit.log_likelihood - penalty / 2 *
                                          std::inner_product(fit.coefficients.begin(), fit.coefficients.end(),
                                                             fit.coefficients.begin(), 0.0)));
    }
  }
}

TEST_CASE(
    "with coefficients not below 0, slopes are 0 where they are above and point down where they are 0") {
  Random random(run_seed());
  int held = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<double> coefficients;
    for (std::int64_t j = between(random, 1, 7); j > 0; --j)
      coefficients.push_back(0.1 * (uniform(random) - 0.5));
    const Data data = draw_data(random, static_cast<std::size_t>(between(random, 10, 120)), coefficients,
                                3 * (uniform(random) - .5));
    const double penalty = std::pow(10, 6 * uniform(random) - 2);
    const LogisticFit fit = fit_logistic(data.design(), data.outcomes, data.weights, {penalty, true});
    CHECK(fit.converged);
    const std::vector<double> slope = slopes(data, penalty, fit);
    CHECK(slope[0] == Approx(0).margin(1e-3));
    for (std::size_t j = 0; j < coefficients.size(); ++j) {
      CHECK(fit.coefficients[j] >= 0);
      if (fit.coefficients[j] > 0) {
        CHECK(slope[j + 1] == Approx(0).margin(1e-3));
      } else {
        CHECK(slope[j + 1] <= 1e-3);
        ++held;
      }
    }
    // Where no bound holds, it is the free optimum; else that is better.
    const LogisticFit free = fit_logistic(data.design(), data.outcomes, data.weights, {penalty, false});
    CHECK(objective(data, penalty, free) >= objective(data, penalty, fit) - 1e-9);
    if (*std::min_element(free.coefficients.begin(), free.coefficients.end()) > 0)
      CHECK(objective(data, penalty, free) == Approx(objective(data, penalty, fit)));
  }
  CHECK(held > 20);
}

TEST_CASE("a fit takes a few rounds, whatever the penalty, and does not lose itself in rounding") {
  Random random(run_seed());
  const Data data = draw_data(random, 4000, {.03, .02, .01, 0, 0, 0, -.001, -.002, -.02}, -2);
  for (const double penalty : propose_penalties(data.design(), data.weights)) {
    for (const bool not_negative : {false, true}) {
      const LogisticFit fit =
          fit_logistic(data.design(), data.outcomes, data.weights, {penalty, not_negative});
      CHECK(fit.converged);
      CHECK(fit.rounds < 25);
    }
  }
}

TEST_CASE("bounds are the same optimum as fitting the columns that are left alone") {
  Random random(run_seed());
  const Data data = draw_data(random, 200, {.04, -.05, .02});
  const LogisticFit fit = fit_logistic(data.design(), data.outcomes, {}, {1, true});
  CHECK(fit.coefficients[1] == 0);
  Data left = data;
  left.columns = 2;
  left.rows.clear();
  for (std::size_t i = 0; i < 200; ++i)
    left.rows.insert(left.rows.end(), {data.rows[3 * i], data.rows[3 * i + 2]});
  const LogisticFit alone = fit_logistic(left.design(), left.outcomes, {}, {1, true});
  CHECK(fit.coefficients[0] == Approx(alone.coefficients[0]));
  CHECK(fit.coefficients[2] == Approx(alone.coefficients[1]));
}

TEST_CASE("what separates the classes, repeats another column or never varies has a finite coefficient") {
  const std::vector<std::uint8_t> y = {0, 0, 0, 1, 1, 1};
  for (const double penalty : {1e-9, 1.0}) {
    const LogisticFit separated =
        fit_logistic({std::vector<double>{1, 2, 3, 7, 8, 9}, 1}, y, {}, {penalty, false});
    CHECK(separated.converged);
    CHECK(std::isfinite(separated.coefficients[0]));
    CHECK(separated.coefficients[0] > 0);
    CHECK(-separated.intercept / separated.coefficients[0] == Approx(5).epsilon(1e-4));
  }
  // The column, itself again, a constant.
  const LogisticFit same =
      fit_logistic({std::vector<double>{1, 1, .1, 5, 5, .1, 2, 2, .1, 7, 7, .1, 1, 1, .1, 9, 9, .1}, 3}, y,
                   {}, {.1, false});
  CHECK(same.converged);
  CHECK(same.coefficients[0] == Approx(same.coefficients[1]));
  CHECK(same.coefficients[2] == Approx(0).margin(1e-9));
}

TEST_CASE("a weight of 2 is the same as a row that comes twice, 0 as none") {
  Random random(run_seed());
  const Data data = draw_data(random, 60, {.03, .01});
  Data weighted = data;
  Data repeated = data;
  for (std::size_t i = 0; i < 60; ++i) weighted.weights[i] = i % 3 == 0 ? 2 : (i == 7 || i == 8 ? 0 : 1);
  repeated.rows.clear();
  repeated.outcomes.clear();
  for (std::size_t i = 0; i < 60; ++i) {
    for (int time = 0; time < weighted.weights[i]; ++time) {
      repeated.rows.insert(repeated.rows.end(), {data.rows[2 * i], data.rows[2 * i + 1]});
      repeated.outcomes.push_back(data.outcomes[i]);
    }
  }
  const LogisticFit a = fit_logistic(weighted.design(), weighted.outcomes, weighted.weights, {3, false});
  const LogisticFit b = fit_logistic(repeated.design(), repeated.outcomes, {}, {3, false});
  CHECK(a.intercept == Approx(b.intercept));
  for (std::size_t j = 0; j < 2; ++j) CHECK(a.coefficients[j] == Approx(b.coefficients[j]));
}

TEST_CASE("numbers beyond all measure end in a fit that says it did not converge, or in one that did") {
  const std::vector<std::uint8_t> y = {0, 1, 0, 1};
  for (const double unit : {1e-300, 1e-150, 1e-30, 1e30, 1e150, 1e300}) {
    const LogisticFit fit =
        fit_logistic({std::vector<double>{1 * unit, 2 * unit, 3 * unit, 5 * unit}, 1}, y, {}, {1, false});
    INFO(unit);
    CHECK(fit.known());
    if (unit <= 1e30) CHECK(fit.converged);
    if (fit.converged) CHECK(std::isfinite(fit.coefficients[0]));
  }
}

TEST_CASE("a regression of one class is unknown, of nonsense an error") {
  const std::vector<double> x = {1, 2};
  const std::vector<std::uint8_t> y = {0, 1};
  CHECK(fit_logistic({x, 1}, std::vector<std::uint8_t>{1, 1}, {}, {}).unknown == Unknown::zero_denominator);
  CHECK(fit_logistic({x, 1}, y, std::vector<double>{1, 0}, {}).unknown == Unknown::zero_denominator);
  CHECK(fit_logistic({x, 1}, y, std::vector<double>{0, 0}, {}).unknown == Unknown::no_data);
  CHECK(fit_logistic({{}, 1}, {}, {}, {}).unknown == Unknown::no_data);
  CHECK(state_of([&] { fit_logistic({x, 1}, y, {}, {0, false}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({x, 1}, y, {}, {infinite, false}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({x, 0}, y, {}, {}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({x, 3}, y, {}, {}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({x, 2}, y, {}, {}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({std::vector<double>{1, not_a_number}, 1}, y, {}, {}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({x, 1}, y, std::vector<double>{1, -1}, {}); }) == "22023");
  CHECK(state_of([&] { fit_logistic({x, 1}, std::vector<std::uint8_t>{0, 3}, {}, {}); }) == "22023");
  const LogisticFit fit = fit_logistic({x, 1}, y, {}, {});
  CHECK(state_of([&] { predict_logistic(fit, x); }) == "22023");
  CHECK(state_of([&] { predict_logistic(fit, std::vector<double>{not_a_number}); }) == "22023");
}

TEST_CASE("a long regression can be cancelled") {
  cancel_requested = []() noexcept { return true; };
  CHECK_THROWS_AS(
      fit_logistic({std::vector<double>{1, 2}, 1}, std::vector<std::uint8_t>{0, 1}, {}, {1, false}),
      Cancelled);
  cancel_requested = nullptr;
}

TEST_CASE("folds keep accounts together, are alike, and do not depend on the order of rows") {
  Random random(run_seed());
  Data data = draw_data(random, 300, {.05});
  const std::vector<int> folds = assign_folds(data.outcomes, data.clusters, 5, 42);
  std::map<std::int64_t, std::set<int>> of_cluster;
  std::vector<std::size_t> clusters(5);
  for (std::size_t i = 0; i < 300; ++i) of_cluster[data.clusters[i]].insert(folds[i]);
  for (const auto& [id, seen] : of_cluster) {
    CHECK(seen.size() == 1);
    ++clusters[static_cast<std::size_t>(*seen.begin())];
  }
  for (const std::size_t count : clusters) CHECK(count == 20);
  std::vector<std::uint8_t> outcomes(data.outcomes.rbegin(), data.outcomes.rend());
  std::vector<std::int64_t> ids(data.clusters.rbegin(), data.clusters.rend());
  std::vector<int> turned = assign_folds(outcomes, ids, 5, 42);
  std::reverse(turned.begin(), turned.end());
  CHECK(turned == folds);
  CHECK(assign_folds(data.outcomes, data.clusters, 5, 43) != folds);
  CHECK(state_of([&] { assign_folds(data.outcomes, data.clusters, 1, 0); }) == "22023");
}

TEST_CASE("out-of-fold probabilities are those of fits that have not seen the account") {
  Random random(run_seed());
  const Data data = draw_data(random, 240, {.06, .03, 0, 0});
  CrossValidationOptions options;
  options.seed = run_seed();
  options.not_negative = true;
  const CrossValidation cv =
      choose_penalty(data.design(), data.outcomes, data.weights, data.clusters, options);
  REQUIRE(cv.known());
  CHECK(cv.penalties.size() == 13);
  CHECK(std::is_sorted(cv.penalties.rbegin(), cv.penalties.rend()));
  const auto best = std::min_element(cv.losses.begin(), cv.losses.end());
  CHECK(cv.penalty == cv.penalties[static_cast<std::size_t>(best - cv.losses.begin())]);
  CHECK(cv.fit.converged);
  CHECK(measure_auc(cv.out_of_fold, data.outcomes).number > .7);
  for (int fold = 0; fold < 5; ++fold) {
    Data others;
    others.columns = 4;
    for (std::size_t i = 0; i < 240; ++i) {
      if (cv.folds[i] == fold) continue;
      others.rows.insert(others.rows.end(), data.rows.begin() + static_cast<std::ptrdiff_t>(4 * i),
                         data.rows.begin() + static_cast<std::ptrdiff_t>(4 * i + 4));
      others.outcomes.push_back(data.outcomes[i]);
      others.weights.push_back(data.weights[i]);
    }
    const LogisticFit fit =
        fit_logistic(others.design(), others.outcomes, others.weights, {cv.penalty, true});
    for (std::size_t i = 0; i < 240; ++i) {
      if (cv.folds[i] == fold)
        CHECK(cv.out_of_fold[i] == Approx(predict_logistic(fit, data.design().row(i))).margin(1e-8));
    }
  }
}

TEST_CASE("noise is penalised more than what tells") {
  Random random(run_seed());
  Data noise = draw_data(random, 400, {0, 0, 0, 0, 0, 0, 0, 0});
  Data signal = draw_data(random, 400, {.1, .1, .1, .1, .1, .1, .1, .1});
  const auto choose = [](const Data& data) {
    return choose_penalty(data.design(), data.outcomes, {}, {}, {}).penalty;
  };
  CHECK(choose(noise) > choose(signal));
}

TEST_CASE("cross-validation of one class, or of a class of one account, is unknown") {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> clusters = {1, 1, 2, 2, 3, 3};
  const auto ask = [&](std::vector<std::uint8_t> y) {
    return choose_penalty({x, 1}, y, {}, clusters, {}).unknown;
  };
  CHECK(ask({0, 0, 0, 0, 0, 0}) == Unknown::zero_denominator);
  CHECK(ask({1, 1, 0, 0, 0, 0}) == Unknown::zero_denominator);
  CHECK(ask({1, 0, 1, 0, 0, 0}) == Unknown::none);
  CHECK(choose_penalty({{}, 1}, {}, {}, {}, {}).unknown == Unknown::no_data);
  CrossValidationOptions options;
  options.penalties = {1, 0};
  const std::vector<std::uint8_t> y = {1, 0, 1, 0, 0, 0};
  CHECK(state_of([&] { choose_penalty({x, 1}, y, {}, {}, options); }) == "22023");
  options.penalties = {4, 1, 9};
  CHECK(choose_penalty({x, 1}, y, {}, clusters, options).penalties == std::vector<double>{9, 4, 1});
  CHECK(state_of([&] { propose_penalties({x, 4}); }) == "22023");
  CHECK(state_of([&] { propose_penalties({x, 1}, std::vector<double>{1}); }) == "22023");
  CHECK(propose_penalties({std::vector<double>{3, 3, 3}, 1})[0] == 10);
  options.folds = 1;
  CHECK(state_of([&] { choose_penalty({x, 1}, y, {}, {}, options); }) == "22023");
}
