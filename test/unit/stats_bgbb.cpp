// The BG/BB model: the donations of the paper, brute force over the time of leaving, data that say nothing.
#include "core/stats/bgbb.hpp"

#include <algorithm>
#include <cmath>
#include "bgbb_fixture.hpp"
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

// Fader, Hardie and Shang 2010, table 2: 11,104 people over 6 years.
const std::vector<BgbbHistory> donations = {
    {6, 6, 6, 1203}, {5, 6, 6, 728}, {4, 6, 6, 512},  {3, 6, 6, 357}, {2, 6, 6, 234}, {1, 6, 6, 129},
    {5, 5, 6, 335},  {4, 5, 6, 284}, {3, 5, 6, 225},  {2, 5, 6, 173}, {1, 5, 6, 119}, {4, 4, 6, 240},
    {3, 4, 6, 181},  {2, 4, 6, 155}, {1, 4, 6, 78},   {3, 3, 6, 322}, {2, 3, 6, 255}, {1, 3, 6, 129},
    {2, 2, 6, 613},  {1, 2, 6, 277}, {1, 1, 6, 1091}, {0, 0, 6, 3464}};
constexpr BgbbParameters published{1.2035, .7497, .6567, 2.7834};

// As in the paper: who has left is summed over when, each by Beta functions.
double by_sum(const BgbbParameters& p, const BgbbHistory& h) {
  const auto beta = [](double a, double b) {
    return std::exp(std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b));
  };
  const auto x = static_cast<double>(h.active);
  const auto t = static_cast<double>(h.last);
  const auto n = static_cast<double>(h.periods);
  double sum = beta(p.alpha + x, p.beta + n - x) / beta(p.alpha, p.beta) * beta(p.gamma, p.delta + n) /
               beta(p.gamma, p.delta);
  for (double i = 0; i < n - t; ++i)
    sum += beta(p.alpha + x, p.beta + t - x + i) / beta(p.alpha, p.beta) *
           beta(p.gamma + 1, p.delta + t + i) / beta(p.gamma, p.delta);
  return sum;
}

double choose(std::int64_t n, std::int64_t k) {
  double result = 1;
  for (std::int64_t i = 0; i < k; ++i) result *= static_cast<double>(n - i) / static_cast<double>(i + 1);
  return result;
}

double draw_beta(Random& random, double a, double b) {
  const double x = std::gamma_distribution<double>(a)(random);
  return x / (x + std::gamma_distribution<double>(b)(random));
}

// An account of `periods`, as the model says accounts are.
BgbbHistory simulate(Random& random, const BgbbParameters& p, std::int64_t periods) {
  const double active = draw_beta(random, p.alpha, p.beta);
  const double leaves = draw_beta(random, p.gamma, p.delta);
  BgbbHistory history{0, 0, periods, 1};
  for (std::int64_t period = 1; period <= periods; ++period) {
    if (uniform(random) < leaves) break;
    if (uniform(random) >= active) continue;
    ++history.active;
    history.last = period;
  }
  return history;
}

}  // namespace

TEST_CASE("BG/BB of the donations: 1.2035, .7497, .6567, 2.7834 at -33,225.58") {
  const BgbbFit fit = fit_bgbb(donations);
  REQUIRE(fit.parameters);
  CHECK(fit.reason.empty());
  CHECK(fit.accounts == 11104);
  CHECK(!fit.at_limit);
  CHECK(fit.parameters->alpha == Approx(1.2035).margin(5e-5));
  CHECK(fit.parameters->beta == Approx(.7497).margin(5e-5));
  CHECK(fit.parameters->gamma == Approx(.6567).margin(5e-5));
  CHECK(fit.parameters->delta == Approx(2.7834).margin(5e-5));
  CHECK(fit.log_likelihood == Approx(-33225.58).margin(5e-3));
  CHECK(bgbb_log_likelihood(*fit.parameters, donations) == Approx(fit.log_likelihood));
}

TEST_CASE("taking away the last active periods, up to the present, makes activity no likelier") {
  Random random(run_seed());
  for (int round = 0; round < 2000; ++round) {
    const BgbbParameters p = random_parameters(random);
    BgbbHistory busy, quiet;
    busy.periods = busy.last = quiet.periods = between(random, 1, 30);
    quiet.last = between(random, 0, quiet.periods - 1);
    quiet.active = quiet.last == 0 ? 0 : between(random, 1, quiet.last);
    busy.active = quiet.active + between(random, 1, busy.periods - quiet.last);
    CHECK(bgbb_probability_active(p, quiet, 4) <= bgbb_probability_active(p, busy, 4) + 1e-12);
  }
}

TEST_CASE("no gift in the next four years: .0776, .3472, .9572") {
  CHECK(1 - bgbb_probability_active(published, {6, 6, 6}, 4) == Approx(.0776).margin(5e-5));
  CHECK(1 - bgbb_probability_active(published, {4, 5, 6}, 4) == Approx(.3472).margin(5e-5));
  CHECK(1 - bgbb_probability_active(published, {0, 0, 6}, 4) == Approx(.9572).margin(5e-5));
  CHECK(bgbb_probability_active(published, {6, 6, 6}, 0) == 0);
}

TEST_CASE("the likelihood is the sum over all times of leaving") {
  Random random(run_seed());
  for (int round = 0; round < 500; ++round) {
    const BgbbParameters p = random_parameters(random);
    BgbbHistory h;
    h.periods = between(random, 0, 30);
    h.last = between(random, 0, h.periods);
    h.active = h.last == 0 ? 0 : between(random, 1, h.last);
    CHECK(bgbb_log_likelihood(p, h) == Approx(std::log(by_sum(p, h))).epsilon(1e-9).margin(1e-9));
    const std::int64_t next = between(random, 1, 10);
    const BgbbHistory quiet{h.active, h.last, h.periods + next, 1};
    CHECK(bgbb_probability_active(p, h, next) == Approx(1 - by_sum(p, quiet) / by_sum(p, h)).margin(1e-9));
  }
}

TEST_CASE("the likelihoods of all histories of a length add up to 1") {
  Random random(run_seed());
  for (int round = 0; round < 20; ++round) {
    const BgbbParameters p = random_parameters(random);
    const std::int64_t n = between(random, 1, 12);
    double sum = std::exp(bgbb_log_likelihood(p, BgbbHistory{0, 0, n}));
    for (std::int64_t last = 1; last <= n; ++last) {
      for (std::int64_t active = 1; active <= last; ++active)
        // The last one is given, the others may be any before it.
        sum += choose(last - 1, active - 1) * std::exp(bgbb_log_likelihood(p, BgbbHistory{active, last, n}));
    }
    CHECK(sum == Approx(1).epsilon(1e-10));
  }
}

TEST_CASE("longer silence never makes activity likelier, more time to come never less likely") {
  Random random(run_seed());
  for (int round = 0; round < 200; ++round) {
    const BgbbParameters p = random_parameters(random);
    double before = 1;
    for (std::int64_t silence = 0; silence < 40; ++silence) {
      const double now = bgbb_probability_active(p, {5, 8, 8 + silence}, 4);
      CHECK(now <= before + 1e-12);
      CHECK(now <= bgbb_probability_active(p, {5, 8, 8 + silence}, 5) + 1e-12);
      before = now;
    }
  }
}

TEST_CASE("parameters are found again in what they made") {
  Random random(run_seed());
  const BgbbParameters truth{1.5, 1, .8, 8};
  std::vector<BgbbHistory> histories;
  for (int i = 0; i < 4000; ++i) histories.push_back(simulate(random, truth, between(random, 3, 40)));
  const BgbbFit fit = fit_bgbb(histories);
  REQUIRE(fit.parameters);
  // Four parameters fitted: twice the gain in likelihood is chi-squared of 4, below 30 but once in 200,000.
  const double gain = fit.log_likelihood - bgbb_log_likelihood(truth, histories);
  CHECK(gain >= 0);
  CHECK(gain < 15);
  // At a maximum no step is better.
  for (const double factor : {.98, 1.02}) {
    for (double BgbbParameters::*one :
         {&BgbbParameters::alpha, &BgbbParameters::beta, &BgbbParameters::gamma, &BgbbParameters::delta}) {
      BgbbParameters moved = *fit.parameters;
      moved.*one *= factor;
      CHECK(bgbb_log_likelihood(moved, histories) <= fit.log_likelihood);
    }
  }
  std::shuffle(histories.begin(), histories.end(), random);
  CHECK(fit_bgbb(histories).parameters->alpha == fit.parameters->alpha);
  CHECK(fit_bgbb(histories).log_likelihood == fit.log_likelihood);
}

TEST_CASE("where nothing can be fitted, the fit says why") {
  const auto reason = [](std::vector<BgbbHistory> histories) {
    const BgbbFit fit = fit_bgbb(histories);
    CHECK(fit.parameters.has_value() == fit.reason.empty());
    return fit.reason;
  };
  CHECK(reason({}) == "fewer than 10 accounts have a history");
  CHECK(reason({{1, 2, 6, 9}, {0, 0, 0, 100}}) == "fewer than 10 accounts have a history");
  CHECK(reason({{1, 2, 2, 50}, {0, 0, 1, 50}}) == "no account has three periods after its first active one");
  CHECK(reason({{0, 0, 6, 50}, {0, 0, 9, 50}}) ==
        "no account was active again after its first active period");
  CHECK(reason({{6, 6, 6, 50}, {9, 9, 9, 50}}) == "every account was active in every period");
}

TEST_CASE("accounts that are alike, that never leave, or that are all or nothing still have a fit") {
  const auto fit = [](std::vector<BgbbHistory> histories) {
    const BgbbFit found = fit_bgbb(histories);
    INFO(found.reason);
    REQUIRE(found.parameters);
    CHECK(std::isfinite(found.log_likelihood));
    CHECK(found.at_limit);
    return *found.parameters;
  };
  // Half of all weeks, always the last: nobody has left.
  const BgbbParameters stay = fit({{5, 10, 10, 100}});
  CHECK(bgbb_probability_active(stay, {5, 10, 10}, 4) == Approx(1 - std::pow(.5, 4)).margin(.03));
  // All weeks or none.
  const BgbbParameters split = fit({{8, 8, 8, 60}, {0, 0, 8, 40}});
  CHECK(bgbb_probability_active(split, {8, 8, 8}, 4) > .95);
  CHECK(bgbb_probability_active(split, {0, 0, 8}, 4) < .05);
}

TEST_CASE("every small book of accounts ends in parameters or a reason") {
  Random random(run_seed());
  for (int round = 0; round < 60; ++round) {
    std::vector<BgbbHistory> histories;
    for (std::int64_t i = between(random, 8, 25); i > 0; --i)
      histories.push_back(simulate(random, random_parameters(random), between(random, 0, 30)));
    const BgbbFit fit = fit_bgbb(histories);
    INFO(fit.reason);
    CHECK(fit.parameters.has_value() == fit.reason.empty());
    CHECK(fit.reason != "the search for the parameters did not settle");
    if (!fit.parameters) continue;
    for (const BgbbHistory& history : histories) {
      const double p = bgbb_probability_active(*fit.parameters, history, 4);
      CHECK((p >= 0 && p <= 1));
    }
  }
}

TEST_CASE("histories of years, and parameters of millions, lose nothing") {
  // Nearly a coin of .5 and nobody leaving: binomial.
  const BgbbParameters coin{1e8, 1e8, 1e-12, 1e8};
  CHECK(bgbb_log_likelihood(coin, BgbbHistory{150, 300, 300}) == Approx(300 * std::log(.5)).epsilon(1e-5));
  CHECK(std::isfinite(bgbb_log_likelihood(published, BgbbHistory{1, 1, 100000})));
  CHECK(bgbb_probability_active(published, {1, 1, 5000}, 4) < 1e-3);
}

TEST_CASE("histories and parameters that cannot be are errors") {
  const auto of = [](BgbbHistory history) {
    return state_of([&] { bgbb_log_likelihood(published, history); });
  };
  CHECK(of({0, 0, 0}) == "");
  CHECK(of({3, 2, 6}) == "22023");
  CHECK(of({2, 7, 6}) == "22023");
  CHECK(of({0, 2, 6}) == "22023");
  CHECK(of({-1, 2, 6}) == "22023");
  CHECK(of({0, 0, 100001}) == "22023");
  CHECK(of({1, 2, 6, -1}) == "22023");
  CHECK(state_of([] { bgbb_log_likelihood({1, 1, 0, 1}, BgbbHistory{0, 0, 1}); }) == "22023");
  CHECK(state_of([] { bgbb_log_likelihood({1, not_a_number, 1, 1}, donations); }) == "22023");
  CHECK(state_of([] { bgbb_probability_active(published, {0, 0, 1}, -1); }) == "22023");
  CHECK(state_of([] { fit_bgbb(std::vector<BgbbHistory>{{3, 2, 6, 100}}); }) == "22023");
}
