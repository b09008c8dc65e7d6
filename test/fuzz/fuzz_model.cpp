// Hostile model documents: refused with an error that says where, or scored to a number from 0 to 100 or an
// honest unknown.
#include <cmath>
#include <string_view>

#include "core/document/model.hpp"
#include "core/ledger/usage_text.hpp"
#include "core/scoring/score.hpp"
#include "fuzz.hpp"

std::vector<std::string> fuzz_seeds() {
  return {
      R"({"accounts":{"table":"a","id":"id"},"events":{"table":"e","account":"a","user":"u","event":"n","occurred_at":"t"},"signals":[{"name":"coverage","weight":0.25,"metric":"coverage","window_days":30,"events":["view"],"normalize":{"kind":"linear","worst":0,"best":0.8},"missing":"zero"}],"minimum_coverage":0.5})",
      R"({"catalog":{"view":{"role":["create","consume"],"value":10,"feature":"f"}},"unlisted_events":"count","signals":[{"name":"g","weight":2,"signals":[{"name":"t","metric":"trend_4w","normalize":{"kind":"piecewise","points":[[-1,0],[0,50],[1,100]]}},{"name":"r","metric":"recency_days","normalize":{"kind":"recency","half_life_days":14}}]}],"bands":[{"name":"good","from":50},{"name":"bad"}]})",
      R"({"signals":[{"name":"plan","column":"plan","normalize":{"kind":"map","map":{"pro":100,"7":20},"otherwise":5}},{"name":"n","expression":"x/y","normalize":{"kind":"steps","steps":[{"from":1,"score":20},{"from":5,"score":80}],"below":0}},{"name":"p","query":"q","normalize":{"kind":"percentile","reference":{"values":[1,2,3],"counts":[5,1,2]}}}],"windows":{}})",
      R"({"signals":[{"name":"a","metric":"stickiness","normalize":{"kind":"target","low":0.1,"high":0.3,"tolerance":0.2}},{"name":"b","metric":"events_per_user_week","normalize":{"kind":"logistic","midpoint":2,"steepness":1.5}},{"name":"c","column":"nps","missing":{"carry_forward_days":30},"normalize":{"kind":"identity"}}],"window_days":28,"onboarding":{"days":7,"events":1,"window_days":28},"features":["f"],"daily_cap":50})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const health::UsageBytes usage = health::usage_from_text(
      "bigint{1:2025-01-03/view*2,2025-02-20/share;2:2025-01-04/view*3=4.5#2,2025-03-01/$deactivated}");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const health::Day as_of = 9191;  // 2025-03-01
  try {
    (void)health::find_model_problems(text);
    const health::Model model = health::parse_model(text);
    const health::Ledger ledger = health::Ledger::decode(usage, model.catalog, model.settings);
    std::vector<health::ExternalInput> inputs(model.inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      inputs[i].value = i % 3 == 2 ? std::nullopt : std::optional<std::string_view>("7");
    const health::Score score = health::score_account(model, ledger, inputs, as_of);
    if (!score.score) {
      require(!score.unknown_reason.empty(), "an unknown score has a reason");
      return 0;
    }
    require(*score.score >= 0 && *score.score <= 100.0000001, "a score is from 0 to 100");
    double points = 0;
    for (std::size_t i = 0; i < model.signals.size(); ++i) {
      if (!model.signals[i].is_group()) points += score.tree.signals[i].points;
    }
    require(std::fabs(points - *score.score) <= 1e-9 * (1 + std::fabs(points)),
            "the points of the leaves add up to the score");
  } catch (const health::Error& error) {
    const std::string_view state = error.sqlstate();
    require(state.starts_with("22") || state == health::sqlstate::program_limit_exceeded,
            "a bad document gives SQLSTATE 22xxx or 54000");
  }
  return 0;
}
