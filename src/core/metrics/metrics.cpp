// The answers to single questions and to all of them.
#include "metrics.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "evaluation.hpp"

namespace health {

namespace {

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < metric_count; ++i)
    if (static_cast<std::size_t>(metric_table[i].id) != i) return false;
  return true;
}
static_assert(table_is_in_order(), "metrics are looked up by their id");

// The window of a request, checked.
int window_of(const Ledger& ledger, const MetricRequest& request) {
  if (request.window_days == 0) return ledger.settings().window_days;
  if (request.window_days < 0 || request.window_days > 36525)
    throw Error(
        sqlstate::invalid_parameter_value,
        "window_days must be a number of days from 1 to 36525, not " + std::to_string(request.window_days));
  return request.window_days;
}

// Calls `use(question)` with the evaluations that the request needs.
template <class Use>
auto ask(const Ledger& ledger, const MetricRequest& request, Day as_of, Use&& use) {
  const int days = window_of(ledger, request);
  if (request.top_k < 1)
    throw Error(sqlstate::invalid_parameter_value,
                "top_k must be at least 1, not " + std::to_string(request.top_k));
  const auto all = recall_evaluation(ledger, as_of, days);
  if (!is_narrowed(request)) return use(Question{ledger, request, false, *all, *all});
  if (request.events.empty()) {
    const auto selected = recall_evaluation(ledger, as_of, days, request.roles);
    return use(Question{ledger, request, true, *selected, *all});
  }
  Evaluation selected(select_requested(ledger, request), as_of, days);
  return use(Question{ledger, request, true, selected, *all});
}

}  // namespace

std::optional<MetricId> metric_by_name(std::string_view name) {
  for (const auto& info : metric_table)
    if (info.name == name) return info.id;
  return std::nullopt;
}

void reject_unanswered(MetricId id) {
  throw std::logic_error("metric " + std::string(metric_info(id).name) + " has no arithmetic in its room");
}

Value answer(const Question& question, MetricId id) {
  // Roles that no event of the catalog plays cannot be asked for.
  const auto& request = question.request;
  if (request.roles != 0 && request.events.empty() && (question.ledger.catalog_roles() & request.roles) == 0)
    return Value::none(Unknown::not_applicable);
  switch (metric_info(id).room) {
    case MetricRoom::activity:
      return answer_activity(question, id);
    case MetricRoom::lifecycle:
      return answer_lifecycle(question, id);
    case MetricRoom::weeks:
      return answer_weeks(question, id);
    case MetricRoom::concentration:
      break;
  }
  return answer_concentration(question, id);
}

Value evaluate(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of, [&](const Question& question) { return answer(question, request.id); });
}

void evaluate_all(const Ledger& ledger, Day as_of, MetricRecord& record) {
  const MetricRequest request;
  ask(ledger, request, as_of, [&](const Question& question) {
    for (const auto& info : metric_table) record[info.id] = answer(question, info.id);
    record.top_user = find_top_user(question.summary(), false);
    record.first_event = first_day(ledger, question.all.selection(), as_of);
    record.last_event = last_day(ledger, question.all.selection(), as_of);
    const auto weeks = question.all.weeks(ledger, false);
    for (std::size_t i = 0; i < record.weekly.size(); ++i)
      record.weekly[i] =
          static_cast<std::int64_t>(std::min<Exact>(weeks[i], std::numeric_limits<std::int64_t>::max()));
  });
}

std::optional<Day> first_event(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return first_day(ledger, select_requested(ledger, request), as_of);
}

std::optional<Day> last_event(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return last_day(ledger, select_requested(ledger, request), as_of);
}

Concentration concentration(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of, [&](const Question& question) {
    return question.selected.concentration(ledger, request.by_value);
  });
}

std::optional<std::uint32_t> top_user(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of,
             [&](const Question& question) { return find_top_user(question.summary(), request.by_value); });
}

std::vector<Contribution> contributions(const Ledger& ledger, const MetricRequest& request, Day as_of) {
  return ask(ledger, request, as_of,
             [&](const Question& question) { return rank_users(question.summary(), request.by_value); });
}

std::vector<double> weekly(const Ledger& ledger, const MetricRequest& request, Day as_of, int weeks) {
  if (weeks < 1 || weeks > 10000)
    throw Error(sqlstate::invalid_parameter_value,
                "weeks must be a number from 1 to 10000, not " + std::to_string(weeks));
  const auto sums = ask(ledger, request, as_of, [&](const Question& question) {
    return sum_weeks(ledger, question.selected.selection(), request.by_value, as_of, weeks);
  });
  std::vector<double> result(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i)
    result[i] = request.by_value ? from_micro(sums[i]) : to_double(sums[i]);
  return result;
}

}  // namespace health
