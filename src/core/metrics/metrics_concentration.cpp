// Metrics of how much of the activity hangs on few users.
// docs/reference/metrics.md, "Concentration".
#include <algorithm>

#include "evaluation.hpp"

namespace health {

namespace {

Exact contribution_of(const Summary::User& user, bool by_value) {
  return by_value ? user.points : user.events;
}

}  // namespace

Value answer_concentration(const Question& q, MetricId id) {
  const bool by_value = q.request.by_value;
  const Concentration& c = q.selected.concentration(q.ledger, by_value);
  if (c.total == 0 || q.presence() == Presence::silent) return Value::none(q.nothing());
  switch (id) {
    case MetricId::power_user_dependency: {
      if (q.request.top_k == 1) return c.top1;
      std::vector<Exact> amounts;
      for (const auto& user : q.summary().users) amounts.push_back(contribution_of(user, by_value));
      return top_share(std::move(amounts), q.request.top_k);
    }
    case MetricId::top2_share:
      return c.top2;
    case MetricId::top3_share:
      return c.top3;
    case MetricId::hhi:
      return c.hhi;
    case MetricId::effective_users:
      return c.effective_users;
    case MetricId::hhi_normalized:
      return c.hhi_normalized;
    case MetricId::gini:
      return c.gini;
    case MetricId::absence_factor:
      return c.absence_factor;
    default:
      reject_unanswered(id);
  }
}

std::vector<Contribution> rank_users(const Summary& summary, bool by_value) {
  std::vector<Contribution> ranked;
  ranked.reserve(summary.users.size());
  for (const auto& user : summary.users) ranked.push_back({user.user, contribution_of(user, by_value)});
  std::sort(ranked.begin(), ranked.end(), [](const Contribution& a, const Contribution& b) {
    return a.amount != b.amount ? a.amount > b.amount : a.user < b.user;
  });
  return ranked;
}

std::optional<std::uint32_t> find_top_user(const Summary& summary, bool by_value) {
  const Summary::User* top = nullptr;
  for (const auto& user : summary.users) {
    const Exact amount = contribution_of(user, by_value);
    const Exact most = top == nullptr ? 0 : contribution_of(*top, by_value);
    if (amount > most || (top != nullptr && amount == most && user.user < top->user)) top = &user;
  }
  return top == nullptr ? std::nullopt : std::optional(top->user);
}

}  // namespace health
