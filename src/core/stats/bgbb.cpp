// The likelihood of the BG/BB model with its gradient, and the search for its maximum.
#include "bgbb.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "checks.hpp"
#include "core/base/error.hpp"
#include "minimize.hpp"

namespace health {

namespace {

constexpr std::int64_t most_periods = 100000;

void check_history(const BgbbHistory& history) {
  const char* const hint =
      "Active periods are at most the number of the last one, that at most all periods, up to 100000.";
  const auto refuse = [&](const char* what, std::int64_t number) {
    refuse_number(what, static_cast<double>(number), hint);
  };
  if (history.periods < 0 || history.periods > most_periods) refuse("number of periods", history.periods);
  if (history.last < 0 || history.last > history.periods) refuse("last active period", history.last);
  if (history.active < 0 || history.active > history.last || (history.active == 0) != (history.last == 0))
    refuse("number of active periods", history.active);
  if (history.accounts < 0) refuse("number of accounts", history.accounts);
}

// The likelihood of having left one period later than after `there`, x of them active, to that of having left
// then.
double leaving_ratio(const BgbbParameters& p, std::int64_t x, std::int64_t there) {
  const auto periods = static_cast<double>(there);
  return (p.beta + static_cast<double>(there - x)) / (p.alpha + p.beta + periods) *
         ((p.delta + periods) / (p.gamma + p.delta + 1 + periods));
}

// The likelihood of being there after `there` periods, where that of leaving right then is `left`.
double share_there(const BgbbParameters& p, double left, std::int64_t there) {
  return left * (p.gamma + p.delta + static_cast<double>(there)) / p.gamma;
}

void check_parameters(const BgbbParameters& p) {
  for (const double parameter : {p.alpha, p.beta, p.gamma, p.delta}) {
    if (!(parameter > 0 && std::isfinite(parameter)))
      refuse_number("parameter", parameter, "Parameters are finite and above 0.");
  }
}

// Sums of log(from + i) and of 1 / (from + i) over the first i: the logarithm of a ratio of Beta functions
// and its derivative are differences of them, without any loss however large the parameters are.
class RisingSums {
 public:
  RisingSums(double from, std::int64_t most) {
    logs_.reserve(static_cast<std::size_t>(most) + 1);
    inverses_.reserve(static_cast<std::size_t>(most) + 1);
    double log = 0;
    double inverse = 0;
    for (std::int64_t i = 0; i <= most; ++i) {
      logs_.push_back(log);
      inverses_.push_back(inverse);
      log += std::log(from + static_cast<double>(i));
      inverse += 1 / (from + static_cast<double>(i));
    }
  }
  double log(std::int64_t i) const { return logs_[static_cast<std::size_t>(i)]; }
  double inverse(std::int64_t i) const { return inverses_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<double> logs_;
  std::vector<double> inverses_;
};

using Slopes = std::array<double, 4>;  // by alpha, beta, gamma, delta

// Likelihoods at one set of parameters, of histories of up to `most` periods.
class Likelihood {
 public:
  Likelihood(const BgbbParameters& p, std::int64_t most)
      : p_(p),
        alpha_(p.alpha, most + 1),
        beta_(p.beta, most + 1),
        alpha_beta_(p.alpha + p.beta, most + 1),
        delta_(p.delta, most + 1),
        gamma_delta_(p.gamma + p.delta, most + 1) {}

  // The log-likelihood; adds its gradient, `times` over, to the slopes if there are any.
  double log(const BgbbHistory& history, Slopes* slopes = nullptr, double times = 1) const {
    const std::int64_t x = history.active;
    const std::int64_t t = history.last;
    const std::int64_t n = history.periods;
    // Who has left did so at the start of period t + 1 + i, having been there for t + i: all of it relative
    // to i = 0, so that nothing under- or overflows that counts.
    double left = 1;
    double sum = 0;
    Slopes of_sum{};
    for (std::int64_t i = 0; t + i < n; ++i) {
      sum += left;
      if (slopes != nullptr) {
        of_sum[0] -= left * alpha_beta_.inverse(t + i);
        of_sum[1] += left * (beta_.inverse(t - x + i) - alpha_beta_.inverse(t + i));
        of_sum[2] -= left * gamma_delta_.inverse(t + 1 + i);
        of_sum[3] += left * (delta_.inverse(t + i) - gamma_delta_.inverse(t + 1 + i));
      }
      left *= leaving_ratio(p_, x, t + i);
    }
    // Who is still there was there for all n.
    const double there = share_there(p_, left, n);
    if (slopes != nullptr) {
      const double all = sum + there;
      const auto add = [&](std::size_t j, double by_left, double by_there) {
        (*slopes)[j] += times * ((by_left + there * by_there) / all);
      };
      add(0, of_sum[0] + sum * alpha_.inverse(x), alpha_.inverse(x) - alpha_beta_.inverse(n));
      add(1, of_sum[1], beta_.inverse(n - x) - alpha_beta_.inverse(n));
      add(2, of_sum[2] + sum / p_.gamma, -gamma_delta_.inverse(n));
      add(3, of_sum[3], delta_.inverse(n) - gamma_delta_.inverse(n));
    }
    return std::log(sum + there) + alpha_.log(x) + beta_.log(t - x) - alpha_beta_.log(t) +
           std::log(p_.gamma) + delta_.log(t) - gamma_delta_.log(t + 1);
  }

 private:
  BgbbParameters p_;
  RisingSums alpha_, beta_, alpha_beta_, delta_, gamma_delta_;
};

// Each history once, in order, those that say nothing left out.
std::vector<BgbbHistory> merge_histories(std::span<const BgbbHistory> histories) {
  std::vector<BgbbHistory> merged;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    if ((i & 8191) == 8191) poll_cancel();
    check_history(histories[i]);
    if (histories[i].periods > 0 && histories[i].accounts > 0) merged.push_back(histories[i]);
  }
  const auto key = [](const BgbbHistory& h) { return std::tuple(h.periods, h.last, h.active); };
  std::sort(merged.begin(), merged.end(),
            [&](const BgbbHistory& a, const BgbbHistory& b) { return key(a) < key(b); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (i > 0 && key(merged[kept - 1]) == key(merged[i])) {
      merged[kept - 1].accounts += merged[i].accounts;
    } else {
      merged[kept++] = merged[i];
    }
  }
  merged.resize(kept);
  return merged;
}

std::int64_t longest(std::span<const BgbbHistory> histories) {
  std::int64_t most = 0;
  for (const BgbbHistory& history : histories) most = std::max(most, history.periods);
  return most;
}

double sum_log_likelihood(const BgbbParameters& p, std::span<const BgbbHistory> histories, std::int64_t most,
                          Slopes* slopes = nullptr) {
  const Likelihood likelihood(p, most);
  double sum = 0;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    if ((i & 255) == 255) poll_cancel();
    const auto accounts = static_cast<double>(histories[i].accounts);
    sum += accounts * likelihood.log(histories[i], slopes, accounts);
  }
  return sum;
}

BgbbParameters exponentials(const Vector& logs) {
  return {std::exp(logs[0]), std::exp(logs[1]), std::exp(logs[2]), std::exp(logs[3])};
}

// The negative log-likelihood in the logarithms of the parameters.
class BgbbLoss : public Objective {
 public:
  explicit BgbbLoss(std::span<const BgbbHistory> histories)
      : histories_(histories), most_(longest(histories)) {}

  double value(const Vector& x) const override {
    return -sum_log_likelihood(exponentials(x), histories_, most_);
  }

  double expand(const Vector& x, Vector& gradient, Matrix& curvature) const override {
    // By central differences of the gradient, which is exact.
    constexpr double step = 1e-5;
    Vector above(4);
    Vector below(4);
    for (Eigen::Index j = 0; j < 4; ++j) {
      Vector moved = x;
      moved[j] = x[j] + step;
      slopes_at(moved, above);
      moved[j] = x[j] - step;
      slopes_at(moved, below);
      curvature.col(j) = (above - below) / (2 * step);
    }
    curvature = (curvature + curvature.transpose()).eval() / 2;
    return slopes_at(x, gradient);
  }

 private:
  double slopes_at(const Vector& x, Vector& gradient) const {
    const BgbbParameters p = exponentials(x);
    Slopes slopes{};
    const double sum = sum_log_likelihood(p, histories_, most_, &slopes);
    gradient << -slopes[0] * p.alpha, -slopes[1] * p.beta, -slopes[2] * p.gamma, -slopes[3] * p.delta;
    return -sum;
  }

  std::span<const BgbbHistory> histories_;
  std::int64_t most_;
};

// Why nothing can be fitted; empty: it can.
std::string_view find_obstacle(std::span<const BgbbHistory> histories, std::int64_t accounts) {
  if (accounts < 10) return "fewer than 10 accounts have a history";
  if (longest(histories) < 3) return "no account has three periods after its first active one";
  if (std::all_of(histories.begin(), histories.end(), [](const auto& h) { return h.active == 0; }))
    return "no account was active again after its first active period";
  if (std::all_of(histories.begin(), histories.end(), [](const auto& h) { return h.active == h.periods; }))
    return "every account was active in every period";
  return {};
}

}  // namespace

BgbbParameters bgbb_parameters(std::span<const double> list) {
  const char* const hint =
      "They are alpha, beta, gamma and delta, as health.fit_bgbb(usage, as_of) gives them.";
  if (list.size() != 4)
    throw Error(sqlstate::invalid_parameter_value,
                "parameters must be four numbers, not " + std::to_string(list.size()), hint);
  const BgbbParameters parameters{list[0], list[1], list[2], list[3]};
  check_parameters(parameters);
  return parameters;
}

double bgbb_log_likelihood(const BgbbParameters& parameters, const BgbbHistory& history) {
  check_parameters(parameters);
  check_history(history);
  return Likelihood(parameters, history.periods).log(history);
}

double bgbb_log_likelihood(const BgbbParameters& parameters, std::span<const BgbbHistory> histories) {
  check_parameters(parameters);
  for (const BgbbHistory& history : histories) check_history(history);
  return sum_log_likelihood(parameters, histories, longest(histories));
}

double bgbb_probability_active(const BgbbParameters& parameters, const BgbbHistory& history,
                               std::int64_t next) {
  check_parameters(parameters);
  check_history(history);
  if (next < 0 || next > most_periods)
    refuse_number("number of periods to come", static_cast<double>(next), "From 0 to 100000.");
  // What the periods up to t_x say is the same in both likelihoods.
  double left = 1;
  double sum = 0;
  std::int64_t there = history.last;
  const auto pass = [&](std::int64_t periods) {
    for (; there < periods; ++there) {
      sum += left;
      left *= leaving_ratio(parameters, history.active, there);
    }
    return share_there(parameters, left, there);
  };
  const double now = pass(history.periods);
  const double left_before = std::exchange(sum, 0);
  const double later = pass(history.periods + next);
  return std::clamp((now - later - sum) / (left_before + now), 0.0, 1.0);
}

BgbbFit fit_bgbb(std::span<const BgbbHistory> histories) {
  const std::vector<BgbbHistory> merged = merge_histories(histories);
  BgbbFit fit;
  for (const BgbbHistory& history : merged) fit.accounts += history.accounts;
  fit.reason = find_obstacle(merged, fit.accounts);
  if (!fit.reason.empty()) return fit;
  const double limit = std::log(1e4);
  MinimizeOptions search;
  search.low = Vector::Constant(4, -limit);
  search.high = Vector::Constant(4, limit);
  search.scale = Vector::Constant(4, static_cast<double>(fit.accounts));
  search.longest_step = 2;
  const BgbbLoss loss(merged);
  Minimum best;
  // Alike, few leave, few are active: the likelihood may have more than one maximum.
  for (const auto& start :
       {Eigen::Vector4d(1, 1, 1, 1), Eigen::Vector4d(1, 1, 0.5, 5), Eigen::Vector4d(0.5, 2, 0.5, 1)}) {
    const Minimum found = minimize(loss, start.array().log().matrix(), search);
    if (found.converged && (!best.converged || found.value < best.value)) best = found;
  }
  if (!best.converged) {
    fit.reason = "the search for the parameters did not settle";
    return fit;
  }
  fit.parameters = exponentials(best.x);
  fit.log_likelihood = -best.value;
  fit.at_limit = best.x.cwiseAbs().maxCoeff() >= limit;
  return fit;
}

}  // namespace health
