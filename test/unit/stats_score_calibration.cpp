// Probabilities of scores: out of fold by account, in one direction, the better of two methods.
#include "core/stats/score_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include "core/stats/calibrate.hpp"
#include "core/stats/classification.hpp"
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

struct Sample {
  std::vector<double> scores;
  std::vector<std::uint8_t> outcomes;
  std::vector<std::int64_t> accounts;
};

// Churn that falls with the score, each account three times.
Sample churn(Random& random, std::size_t accounts, double strength) {
  Sample sample;
  for (std::size_t account = 0; account < accounts; ++account) {
    for (int date = 0; date < 3; ++date) {
      const double score = 100 * uniform(random);
      sample.scores.push_back(score);
      sample.outcomes.push_back(uniform(random) < .15 + strength * (50 - score) / 100 ? 1 : 0);
      sample.accounts.push_back(static_cast<std::int64_t>(account));
    }
  }
  return sample;
}

double mean(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

double base_rate(const Sample& sample) {
  return static_cast<double>(std::count(sample.outcomes.begin(), sample.outcomes.end(), 1)) /
         static_cast<double>(sample.outcomes.size());
}

}  // namespace

TEST_CASE("an isotonic map of churn falls, is that of the turned score read backwards, and never certain") {
  Random random(run_seed());
  for (int round = 0; round < 20; ++round) {
    const Sample sample = churn(random, 80, .25);
    CalibrationOptions options;
    options.method = CalibrationMethod::isotonic;
    const ScoreCalibration found = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
    REQUIRE(found.known());
    CHECK(found.map.method == CalibrationMethod::isotonic);
    CHECK(std::is_sorted(found.map.scores.begin(), found.map.scores.end()));
    CHECK(std::is_sorted(found.map.probabilities.rbegin(), found.map.probabilities.rend()));
    const auto events = static_cast<double>(std::count(sample.outcomes.begin(), sample.outcomes.end(), 1));
    const double others = static_cast<double>(sample.outcomes.size()) - events;
    std::vector<double> turned;
    std::vector<double> targets;
    for (std::size_t i = 0; i < sample.scores.size(); ++i) {
      turned.push_back(-sample.scores[i]);
      targets.push_back(sample.outcomes[i] != 0 ? (events + 1) / (events + 2) : 1 / (others + 2));
    }
    const IsotonicMap plain = fit_isotonic(turned, targets);
    std::vector<double> ordered;
    for (const double score : turned) ordered.push_back(*apply_isotonic(plain, score));
    std::sort(ordered.begin(), ordered.end());
    const double low = mean({ordered.begin(), ordered.begin() + 10});
    const double high = mean({ordered.end() - 10, ordered.end()});
    std::vector<double> said;
    for (const double score : sample.scores) {
      said.push_back(apply_score_map(found.map, score));
      CHECK(said.back() == Approx(std::clamp(*apply_isotonic(plain, -score), low, high)).margin(1e-12));
      CHECK((said.back() > 0 && said.back() < 1));
    }
    CHECK(mean(said) == Approx(base_rate(sample)).margin(.02));
  }
}

TEST_CASE("what is said of an account out of fold owes nothing to its own outcomes") {
  Random random(run_seed());
  for (const auto method : {CalibrationMethod::isotonic, CalibrationMethod::platt}) {
    Sample sample = churn(random, 60, .25);
    CalibrationOptions options;
    options.method = method;
    const ScoreCalibration before =
        calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
    // Two dates of an account change places: its class, and so its fold, stays. Of the account whose scores
    // on them differ most, so that the others are told something else.
    std::size_t at = 0;
    double apart = -1;
    for (std::size_t i = 0; i + 1 < sample.scores.size(); i += 3) {
      const double distance = std::fabs(sample.scores[i] - sample.scores[i + 1]);
      if (sample.outcomes[i] + sample.outcomes[i + 1] != 1 || distance <= apart) continue;
      apart = distance;
      at = i;
    }
    std::swap(sample.outcomes[at], sample.outcomes[at + 1]);
    const ScoreCalibration after = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
    REQUIRE(before.known());
    for (std::size_t i = at; i < at + 3; ++i) CHECK(before.out_of_fold[i] == after.out_of_fold[i]);
    CHECK(before.out_of_fold != after.out_of_fold);
  }
}

TEST_CASE("without a method it is the one that does better on accounts that were left out") {
  Random random(run_seed());
  for (int round = 0; round < 10; ++round) {
    const Sample sample = churn(random, 100, .2);
    double least = infinite;
    for (const auto method : {CalibrationMethod::platt, CalibrationMethod::isotonic}) {
      CalibrationOptions options;
      options.method = method;
      const auto one = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
      least = std::min(least, measure_brier(one.out_of_fold, sample.outcomes).number);
    }
    const auto best = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, {});
    CHECK(measure_brier(best.out_of_fold, sample.outcomes).number == least);
  }
}

TEST_CASE("calibrated probabilities are better than the base rate where the score predicts") {
  Random random(run_seed());
  const Sample sample = churn(random, 600, .3);
  const auto found = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, {});
  CHECK(measure_brier_skill(found.out_of_fold, sample.outcomes).number > 0);
  CHECK(mean(found.out_of_fold) == Approx(base_rate(sample)).margin(.02));
}

TEST_CASE("where the outcome goes the wrong way, everybody gets the base rate") {
  Random random(run_seed());
  const Sample sample = churn(random, 300, .3);
  CalibrationOptions options;
  options.rises = true;
  options.method = CalibrationMethod::platt;
  const auto curve = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
  CHECK(curve.map.slope == 0);
  CHECK(apply_score_map(curve.map, 3) == Approx(base_rate(sample)));
  CHECK(apply_score_map(curve.map, 97) == Approx(base_rate(sample)));
  // Pooled to a few steps, of which the widest is the base rate.
  options.method = CalibrationMethod::isotonic;
  const auto steps = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
  CHECK(std::is_sorted(steps.map.probabilities.begin(), steps.map.probabilities.end()));
  CHECK(apply_score_map(steps.map, 50) == Approx(base_rate(sample)).margin(.05));
}

TEST_CASE("the order of rows does not matter to a calibration") {
  Random random(run_seed());
  const Sample sample = churn(random, 50, .25);
  const auto turn = [](auto numbers) {
    std::reverse(numbers.begin(), numbers.end());
    return numbers;
  };
  for (const auto method : {CalibrationMethod::isotonic, CalibrationMethod::platt}) {
    CalibrationOptions options;
    options.method = method;
    const auto one = calibrate_scores(sample.scores, sample.outcomes, sample.accounts, options);
    const auto other =
        calibrate_scores(turn(sample.scores), turn(sample.outcomes), turn(sample.accounts), options);
    for (std::size_t i = 0; i < one.out_of_fold.size(); ++i)
      CHECK(one.out_of_fold[i] == Approx(turn(other.out_of_fold)[i]).margin(1e-12));
  }
}

TEST_CASE("one class, one account of a class, and nonsense") {
  const std::vector<double> scores = {1, 2, 3, 4};
  const std::vector<std::uint8_t> none = {0, 0, 0, 0};
  const std::vector<std::uint8_t> some = {1, 1, 0, 0};
  const std::vector<std::int64_t> accounts = {1, 1, 2, 3};
  const std::vector<std::uint8_t> few = {1, 0, 1, 0};
  CalibrationOptions two_folds;
  two_folds.method = CalibrationMethod::isotonic;
  two_folds.folds = 2;
  // Of four observations nothing but the base rate is told.
  const auto level = calibrate_scores(scores, few, {}, two_folds);
  CHECK(apply_score_map(level.map, 1) == Approx(.5));
  CHECK(apply_score_map(level.map, 4) == Approx(.5));
  CHECK(calibrate_scores({}, {}, {}, {}).unknown == Unknown::no_data);
  CHECK(calibrate_scores(scores, none, {}, {}).unknown == Unknown::zero_denominator);
  CHECK(calibrate_scores(scores, some, accounts, {}).unknown == Unknown::zero_denominator);
  CHECK(state_of([&] { calibrate_scores(std::vector<double>{1}, some, {}, {}); }) == "22023");
  CHECK(state_of([&] {
          calibrate_scores(std::vector<double>{1, 2, 3, not_a_number}, some, {}, {});
        }) == "22023");
  CalibrationOptions one_fold;
  one_fold.folds = 1;
  CHECK(state_of([&] { calibrate_scores(scores, some, {}, one_fold); }) == "22023");
}
