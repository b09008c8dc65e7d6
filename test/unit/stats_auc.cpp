// AUC: published vectors, brute force, and what must not change it.
#include "core/stats/auc.hpp"

#include <algorithm>
#include <numeric>
#include "stats_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

struct Sample {
  std::vector<double> scores;
  std::vector<std::uint8_t> outcomes;
  std::vector<std::int64_t> clusters;
};

Sample random_sample(Random& random, std::size_t n) {
  Sample sample{random_scores(random, n, between(random, 1, 12)), random_outcomes(random, n), {}};
  for (std::size_t i = 0; i < n; ++i) sample.clusters.push_back(between(random, 0, 8) * 1000003 - 4);
  return sample;
}

double wins(double a, double b) { return a > b ? 1 : (a == b ? 0.5 : 0); }

double count_pairs(const std::vector<double>& scores, const std::vector<std::uint8_t>& outcomes) {
  double sum = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (outcomes[i] != 1 || outcomes[j] != 0) continue;
      sum += wins(scores[i], scores[j]);
      ++pairs;
    }
  }
  return sum / pairs;
}

// What each observation adds: for a positive the share of negatives it is above, and the other way round.
std::vector<double> components(const std::vector<double>& scores, const std::vector<std::uint8_t>& outcomes) {
  std::vector<double> result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    double sum = 0;
    double others = 0;
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (outcomes[j] == outcomes[i]) continue;
      sum += outcomes[i] == 1 ? wins(scores[i], scores[j]) : wins(scores[j], scores[i]);
      ++others;
    }
    result.push_back(sum / others);
  }
  return result;
}

// Obuchowski 1997 as it stands in the paper: covariance of two scores' AUCs.
double covariance(const Sample& s, const std::vector<double>& v, double auc_v, const std::vector<double>& w,
                  double auc_w) {
  std::vector<std::int64_t> ids = s.clusters;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  double m = 0, n = 0, with_positives = 0, with_negatives = 0, s10 = 0, s01 = 0, s11 = 0;
  for (const std::int64_t id : ids) {
    double m_i = 0, n_i = 0, x_v = 0, x_w = 0, y_v = 0, y_w = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (s.clusters[i] != id) continue;
      if (s.outcomes[i] == 1) {
        ++m_i;
        x_v += v[i];
        x_w += w[i];
      } else {
        ++n_i;
        y_v += v[i];
        y_w += w[i];
      }
    }
    m += m_i;
    n += n_i;
    if (m_i > 0) ++with_positives;
    if (n_i > 0) ++with_negatives;
    s10 += (x_v - m_i * auc_v) * (x_w - m_i * auc_w);
    s01 += (y_v - n_i * auc_v) * (y_w - n_i * auc_w);
    s11 += (x_v - m_i * auc_v) * (y_w - n_i * auc_w) + (x_w - m_i * auc_w) * (y_v - n_i * auc_v);
  }
  const auto all = static_cast<double>(ids.size());
  return with_positives / (with_positives - 1) / m * s10 / m +
         with_negatives / (with_negatives - 1) / n * s01 / n + all / (all - 1) * s11 / (m * n);
}

bool can_be_estimated(const Sample& s, const std::vector<std::int64_t>& clusters) {
  for (const int outcome : {0, 1}) {
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < s.scores.size(); ++i)
      if (s.outcomes[i] == outcome) ids.push_back(clusters[i]);
    std::sort(ids.begin(), ids.end());
    if (std::unique(ids.begin(), ids.end()) - ids.begin() < 2) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("AUC of Hanley and McNeil 1982, table I") {
  Sample s;
  const int without[] = {33, 6, 6, 11, 2};
  const int with[] = {3, 2, 2, 11, 33};
  for (int rating = 0; rating < 5; ++rating) {
    for (int i = 0; i < without[rating] + with[rating]; ++i) {
      s.scores.push_back(rating + 1);
      s.outcomes.push_back(i < with[rating] ? 1 : 0);
    }
  }
  const Auc auc = estimate_auc(s.scores, s.outcomes);
  CHECK(auc.auc.number == Approx(.8931710615).margin(5e-11));
  CHECK(auc.standard_error.number == Approx(.0307244).margin(5e-8));
  CHECK(auc.interval.low.number == Approx(.8330).margin(5e-5));
  CHECK(auc.interval.high.number == Approx(.9534).margin(5e-5));
  CHECK(auc.positives == 51);
  CHECK(auc.negatives == 58);
  CHECK(auc.clusters == 109);
  CHECK(measure_auc(s.scores, s.outcomes) == auc.auc);
}

TEST_CASE("AUC of ten accounts, and of scikit-learn's documentation of roc_auc_score") {
  std::vector<double> risks;
  for (const double health : {10, 20, 30, 40, 50, 60, 70, 80, 90, 95}) risks.push_back(100 - health);
  CHECK(measure_auc(risks, std::vector<std::uint8_t>{1, 1, 0, 1, 0, 0, 0, 0, 1, 0}).number == .75);
  CHECK(measure_auc(std::vector<double>{0.1, 0.4, 0.35, 0.8}, std::vector<std::uint8_t>{0, 0, 1, 1}).number ==
        .75);
}

TEST_CASE("two scores of the same accounts are compared as R's pROC 1.18 does") {
  const std::vector<std::uint8_t> y = {1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0};
  const std::vector<double> a = {9, 8, 7, 7, 5, 4, 4, 3, 6, 2, 8, 1, 5, 3, 2};
  const std::vector<double> b = {5, 9, 8, 4, 4, 6, 2, 3, 7, 1, 3, 2, 6, 8, 5};
  const AucComparison c = compare_auc(a, b, y);
  CHECK(c.first.auc.number == Approx(.870370370370).margin(1e-11));
  CHECK(c.first.standard_error.number == Approx(.107483210799).margin(1e-11));
  CHECK(c.first.interval.low.number == Approx(.659707148262).margin(1e-11));
  CHECK(c.first.interval.high.number == 1);
  CHECK(c.second.auc.number == Approx(.722222222222).margin(1e-11));
  CHECK(c.second.standard_error.number == Approx(.139258766745).margin(1e-11));
  CHECK(c.difference.number == Approx(.870370370370 - .722222222222).margin(1e-11));
  CHECK(c.interval.low.number == Approx(-.217227353140).margin(1e-11));
  CHECK(c.interval.high.number == Approx(.513523649437).margin(1e-11));
  CHECK(c.z.number == Approx(.7947030759).margin(1e-9));
  CHECK(c.p_value.number == Approx(.426786243).margin(1e-8));
}

TEST_CASE("AUC is the share of pairs ranked rightly, its variance that of the structural components") {
  Random random(run_seed());
  int compared = 0;
  for (int round = 0; round < 400; ++round) {
    const Sample s = random_sample(random, static_cast<std::size_t>(between(random, 2, 40)));
    const std::vector<double> other = random_scores(random, s.scores.size(), 6);
    const Auc plain = estimate_auc(s.scores, s.outcomes);
    if (!plain.auc.known()) continue;
    const double auc = count_pairs(s.scores, s.outcomes);
    const double other_auc = count_pairs(other, s.outcomes);
    CHECK(plain.auc.number == Approx(auc).margin(1e-14));
    // Singletons: DeLong.
    Sample alone = s;
    std::iota(alone.clusters.begin(), alone.clusters.end(), 5);
    const auto v = components(s.scores, s.outcomes);
    const auto w = components(other, s.outcomes);
    CHECK(plain.standard_error.known() == can_be_estimated(s, alone.clusters));
    if (plain.standard_error.known()) {
      CHECK(std::pow(plain.standard_error.number, 2) ==
            Approx(covariance(alone, v, auc, v, auc)).margin(1e-14));
      CHECK(estimate_auc(s.scores, s.outcomes, alone.clusters).standard_error == plain.standard_error);
    }
    // Clusters: Obuchowski, of one score and of the difference of two.
    const AucComparison c = compare_auc(s.scores, other, s.outcomes, s.clusters);
    CHECK(c.difference.number == Approx(auc - other_auc).margin(1e-14));
    CHECK(c.standard_error.known() == can_be_estimated(s, s.clusters));
    if (!c.standard_error.known()) continue;
    const double of_first = covariance(s, v, auc, v, auc);
    const double of_second = covariance(s, w, other_auc, w, other_auc);
    const double of_both = covariance(s, v, auc, w, other_auc);
    CHECK(std::pow(c.first.standard_error.number, 2) == Approx(of_first).margin(1e-14));
    CHECK(std::pow(c.second.standard_error.number, 2) == Approx(of_second).margin(1e-14));
    CHECK(std::pow(c.standard_error.number, 2) == Approx(of_first + of_second - 2 * of_both).margin(1e-14));
    ++compared;
  }
  CHECK(compared > 100);
}

TEST_CASE("DeLong's variance is close to that of the jackknife") {
  Random random(run_seed());
  Sample s = random_sample(random, 400);
  for (std::size_t i = 0; i < s.scores.size(); ++i) s.scores[i] = uniform(random) + 0.4 * s.outcomes[i];
  const Auc auc = estimate_auc(s.scores, s.outcomes);
  // Of two samples: each class is left out in turn.
  double variance = 0;
  for (const int outcome : {0, 1}) {
    std::vector<double> left_out;
    for (std::size_t i = 0; i < s.scores.size(); ++i) {
      if (s.outcomes[i] != outcome) continue;
      Sample t = s;
      t.scores.erase(t.scores.begin() + static_cast<std::ptrdiff_t>(i));
      t.outcomes.erase(t.outcomes.begin() + static_cast<std::ptrdiff_t>(i));
      left_out.push_back(measure_auc(t.scores, t.outcomes).number);
    }
    const auto n = static_cast<double>(left_out.size());
    const double mean = std::accumulate(left_out.begin(), left_out.end(), 0.0) / n;
    for (const double value : left_out) variance += (value - mean) * (value - mean) * (n - 1) / n;
  }
  CHECK(auc.standard_error.number == Approx(std::sqrt(variance)).epsilon(0.01));
}

TEST_CASE("an AUC does not change with the order of rows, a monotone scale or the names of clusters") {
  Random random(run_seed());
  for (int round = 0; round < 100; ++round) {
    const Sample s = random_sample(random, 30);
    const Auc before = estimate_auc(s.scores, s.outcomes, s.clusters);
    std::vector<std::size_t> order(30);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    Sample t;
    for (const std::size_t i : order) {
      t.scores.push_back(std::exp(s.scores[i] / 3) - 7);
      t.outcomes.push_back(s.outcomes[i]);
      t.clusters.push_back(-3 * s.clusters[i]);
    }
    const Auc after = estimate_auc(t.scores, t.outcomes, t.clusters);
    CHECK(after.auc == before.auc);
    CHECK(after.standard_error.number == Approx(before.standard_error.number).margin(1e-14));
    CHECK(after.clusters == before.clusters);
    // Turned round, what was ranked rightly is ranked wrongly.
    for (double& score : t.scores) score = -score;
    const Auc turned = estimate_auc(t.scores, t.outcomes, t.clusters);
    CHECK(turned.auc.number == Approx(1 - before.auc.number).margin(1e-14));
    CHECK(turned.standard_error.number == Approx(before.standard_error.number).margin(1e-14));
  }
}

TEST_CASE("what comes twice with its cluster is no surer than what comes once") {
  Random random(run_seed());
  Sample once = random_sample(random, 60);
  for (double& score : once.scores) score = std::floor(10 * uniform(random));
  std::iota(once.clusters.begin(), once.clusters.end(), 0);
  Sample twice = once;
  twice.scores.insert(twice.scores.end(), once.scores.begin(), once.scores.end());
  twice.outcomes.insert(twice.outcomes.end(), once.outcomes.begin(), once.outcomes.end());
  twice.clusters.insert(twice.clusters.end(), once.clusters.begin(), once.clusters.end());
  const Auc a = estimate_auc(once.scores, once.outcomes, once.clusters);
  const Auc b = estimate_auc(twice.scores, twice.outcomes, twice.clusters);
  CHECK(b.auc.number == Approx(a.auc.number).margin(1e-14));
  CHECK(b.standard_error.number == Approx(a.standard_error.number).margin(1e-14));
  CHECK(estimate_auc(twice.scores, twice.outcomes).standard_error.number < a.standard_error.number);
}

TEST_CASE("a perfect AUC is as sure as its smaller class is large") {
  const std::vector<double> scores = {1, 2, 3, 4, 5, 6};
  const Auc perfect = estimate_auc(scores, std::vector<std::uint8_t>{0, 0, 0, 0, 1, 1});
  CHECK(perfect.auc.number == 1);
  CHECK(perfect.standard_error.number == 0);
  CHECK(perfect.interval.low == wilson_interval(2, 2).low);
  CHECK(perfect.interval.high.number == 1);
  CHECK(perfect.interval.low.number < 0.5);
  const Auc wrong = estimate_auc(scores, std::vector<std::uint8_t>{1, 1, 1, 0, 0, 0});
  CHECK(wrong.auc.number == 0);
  CHECK(wrong.interval.low.number == 0);
  CHECK(wrong.interval.high == wilson_interval(0, 3).high);
}

TEST_CASE("a score that says nothing has AUC 0.5 and no difference to itself") {
  const std::vector<double> scores = {4, 4, 4, 4};
  const std::vector<std::uint8_t> outcomes = {0, 1, 1, 0};
  const AucComparison c = compare_auc(scores, scores, outcomes);
  CHECK(c.first.auc.number == .5);
  CHECK(c.first.standard_error.number == 0);
  CHECK(c.difference.number == 0);
  CHECK(c.interval.low.number == 0);
  CHECK(c.interval.high.number == 0);
  CHECK(c.z == Value::none(Unknown::zero_denominator));
  CHECK(c.p_value == Value::none(Unknown::zero_denominator));
  const AucComparison opposite =
      compare_auc(std::vector<double>{1, 2, 2, 1}, std::vector<double>{2, 1, 1, 2}, outcomes);
  CHECK(opposite.difference.number == 1);
  CHECK(opposite.interval.low == Value::none(Unknown::zero_denominator));
}

TEST_CASE("a score beside each of several is as it is beside one") {
  const std::vector<double> scores{3, 1, 4, 1, 5, 9}, second{2, 7, 1, 8, 2, 8}, third{1, 1, 2, 3, 5, 8};
  const std::vector<std::uint8_t> outcomes{0, 1, 0, 0, 1, 1};
  const std::vector<std::int64_t> units{1, 1, 2, 2, 3, 4};
  std::vector<double> others = second;
  others.insert(others.end(), third.begin(), third.end());
  const auto found = compare_auc_with_each(scores, others, outcomes, units);
  REQUIRE(found.size() == 2);
  for (const auto& [at, other] : {std::pair{0, second}, std::pair{1, third}}) {
    const AucComparison alone = compare_auc(scores, other, outcomes, units);
    CHECK(found[at].first.auc == alone.first.auc);
    CHECK(found[at].second.auc == alone.second.auc);
    CHECK(found[at].difference == alone.difference);
    CHECK(found[at].interval.low == alone.interval.low);
    CHECK(found[at].interval.high == alone.interval.high);
    CHECK(found[at].p_value == alone.p_value);
  }
  CHECK(compare_auc_with_each({}, {}, {}).empty());
  CHECK(state_of([&] { compare_auc_with_each(scores, std::vector<double>{1, 2}, outcomes); }) == "22023");
}

TEST_CASE("without both classes there is no AUC, with one account in a class no standard error") {
  CHECK(measure_auc({}, {}) == Value::none(Unknown::no_data));
  CHECK(estimate_auc({}, {}).interval.low == Value::none(Unknown::no_data));
  const std::vector<double> scores = {1, 2, 3};
  CHECK(measure_auc(scores, std::vector<std::uint8_t>{1, 1, 1}) == Value::none(Unknown::zero_denominator));
  CHECK(compare_auc(scores, scores, std::vector<std::uint8_t>{0, 0, 0}).difference ==
        Value::none(Unknown::zero_denominator));
  const Auc one = estimate_auc(scores, std::vector<std::uint8_t>{0, 1, 0});
  CHECK(one.auc.number == .5);
  CHECK(one.standard_error == Value::none(Unknown::zero_denominator));
  CHECK(one.interval.high == Value::none(Unknown::zero_denominator));
  const std::vector<std::int64_t> same = {7, 7, 7};
  CHECK(!estimate_auc(scores, std::vector<std::uint8_t>{0, 1, 1}, same).standard_error.known());
}

TEST_CASE("scores may be infinite, not NaN; lengths must be equal, outcomes 0 or 1") {
  const std::vector<std::uint8_t> y = {0, 1};
  const std::vector<double> x = {1, 2};
  CHECK(measure_auc(std::vector<double>{1, infinite}, y).number == 1);
  CHECK(measure_auc(std::vector<double>{-infinite, -infinite}, y).number == .5);
  CHECK(state_of([&] { measure_auc(std::vector<double>{1, not_a_number}, y); }) == "22023");
  CHECK(state_of([&] { measure_auc(std::vector<double>{1}, y); }) == "22023");
  CHECK(state_of([&] { measure_auc(x, std::vector<std::uint8_t>{0, 2}); }) == "22023");
  CHECK(state_of([&] { estimate_auc(x, y, std::vector<std::int64_t>{1}); }) == "22023");
  CHECK(state_of([&] { compare_auc(x, std::vector<double>{1}, y); }) == "22023");
  CHECK_THROWS_WITH(measure_auc(std::vector<double>{1, not_a_number}, y), "scores[2] nan is not allowed");
}

TEST_CASE("a long AUC can be cancelled") {
  cancel_requested = []() noexcept { return true; };
  CHECK_THROWS_AS(measure_auc(std::vector<double>{1, 2}, std::vector<std::uint8_t>{0, 1}), Cancelled);
  cancel_requested = nullptr;
}
