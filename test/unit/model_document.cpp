// Model documents: what is read, what is refused, and where the mistake is.
#include <nlohmann/json.hpp>
#include <random>

#include "catch.hpp"
#include "core/document/json_document.hpp"
#include "core/document/model.hpp"
#include "core/document/nearest_name.hpp"
#include "score_fixture.hpp"

using namespace health;

namespace {

const std::string sources =
    R"("accounts": {"table": "a", "id": "id"}, "events": {"table": "e", "account": "a", "user": "u", "event": "e", "occurred_at": "t"})";

std::string with_signals(const std::string& signals) {
  return "{" + sources + ", \"signals\": [" + signals + "]}";
}

// "path: problem (hint)" of all problems.
std::string problems_of(const std::string& document) {
  std::string all;
  for (const Problem& problem : find_model_problems(document)) {
    all += problem.path + ": " + problem.problem + " (" + problem.hint + ")\n";
  }
  return all;
}

bool mentions(const std::string& text, const std::string& part) {
  if (text.find(part) == std::string::npos) WARN("not in: " << text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a model document becomes a tree with inputs in document order") {
  const Model model =
      parse_model(R"({"catalog": {"make": {"role": ["create", "activate"], "value": 10, "feature": "studio"}},
    "window_days": 30, "onboarding": {"days": 10}, "minimum_coverage": 0.7, "daily_cap": 20,
    "signals": [
      {"name": "use", "weight": 2, "signals": [
        {"name": "active_users", "metric": "active_users", "window_days": 7, "role": "create", "events": ["make"], "by_value": true, "top_k": 3,
         "normalize": {"kind": "linear", "worst": 0, "best": 10}, "next_step": {"low": "call"}},
        {"name": "plan", "label": "Plan tier", "column": "plan", "optional": true, "normalize": {"kind": "map", "map": {"pro": 80}}, "missing": "zero"}]},
      {"name": "nps", "query": "select 1, 2", "normalize": {"kind": "linear", "worst": 0, "best": 10}, "missing": {"carry_forward_days": 90}}],
    "bands": [{"name": "good", "from": 50}, {"name": "bad"}]})");
  REQUIRE(model.signals.size() == 4);
  CHECK(model.signals[0].is_group());
  CHECK(model.signals[1].parent == 0);
  CHECK(model.signals[1].level == 2);
  CHECK(model.signals[1].label == "active users");
  CHECK(model.signals[1].metric.window_days == 7);
  CHECK(model.signals[1].metric.roles == Role::create);
  CHECK(model.signals[1].metric.events == std::vector<std::string>{"make"});
  CHECK(model.signals[1].metric.by_value);
  CHECK(model.signals[1].metric.top_k == 3);
  CHECK(model.signals[1].step_low.text == "call");
  CHECK(model.signals[1].weight == 1);
  CHECK(model.signals[2].path == "signals[0].signals[1]");
  CHECK(model.signals[2].optional);
  CHECK(model.signals[2].missing == NullPolicy::zero);
  CHECK(model.signals[3].carry_days == 90);
  CHECK(model.inputs == std::vector<int>{2, 3});
  CHECK(model.settings.window_days == 30);
  CHECK(model.settings.onboarding_days == 10);
  CHECK(*model.settings.daily_cap == 20);
  CHECK_FALSE(model.catalog.count_unlisted);
  CHECK(model.bands.size() == 2);
  CHECK(model.minimum_coverage == .7);
}

TEST_CASE("worst = best names signals[3].normalize.worst") {
  const std::string fine = R"({"name": "a%", "column": "x", "normalize": {"kind": "identity"}})";
  std::string signals;
  for (const char c : {'0', '1', '2'}) signals += std::string(fine).replace(fine.find('%'), 1, 1, c) + ", ";
  signals += R"({"name": "b", "column": "x", "normalize": {"kind": "linear", "worst": 5, "best": 5}})";
  CHECK(
      mentions(problems_of(with_signals(signals)), "signals[3].normalize.worst: worst and best are both 5"));
}

TEST_CASE("unknown keys, metrics and events are told with the nearest name") {
  CHECK(mentions(
      problems_of(with_signals(R"({"name": "a", "column": "x", "normalise": {"kind": "identity"}})")),
      "signals[0].normalise: unknown key (Did you mean \"normalize\"?)"));
  CHECK(mentions(problems_of(with_signals(
                     R"({"name": "a", "metric": "actve_users", "normalize": {"kind": "identity"}})")),
                 "signals[0].metric: unknown metric \"actve_users\" (Did you mean \"active_users\"?)"));
  CHECK(mentions(
      problems_of(with_signals(R"({"name": "a", "metric": "trend", "normalize": {"kind": "identity"}})")),
      "unknown metric \"trend\" (There are \"trend_4w\", \"trend_4w_users\", \"trend_4w_value\""));
  CHECK(mentions(
      problems_of(with_signals(R"({"name": "a", "metric": "dau", "normalize": {"kind": "identity"}})")),
      "unknown metric \"dau\" (The metrics are total_users, active_users, "));
  CHECK(mentions(
      problems_of("{" + sources +
                  R"(, "catalog": {"video_created": {}}, "signals": [{"name": "a", "metric": "events",
                 "events": ["video_craeted"], "normalize": {"kind": "identity"}}]})"),
      "signals[0].events[0]: event \"video_craeted\" is not in the catalog (Did you mean "
      "\"video_created\"?)"));
}

TEST_CASE("weights are finite, not negative, and one among siblings is above 0") {
  const auto weighing = [](const std::string& weight) {
    return problems_of(with_signals(R"({"name": "a", "weight": )" + weight +
                                    R"(, "column": "x", "normalize": {"kind": "identity"}})"));
  };
  CHECK(weighing("0.5").empty());
  CHECK(mentions(weighing("0"), "signals: all weights are 0"));
  CHECK(mentions(weighing("-1"), "signals[0].weight: must be"));
  CHECK(mentions(weighing("\"1\""), "signals[0].weight: must be"));
  CHECK(mentions(weighing("true"), "signals[0].weight: must be"));
  CHECK_THROWS_AS(weighing("1e999"), Error);
  CHECK_THROWS_AS(weighing("NaN"), Error);
}

TEST_CASE("all problems are listed, not the first one only") {
  const auto problems = find_model_problems(
      R"({"signals": [{"name": "a"}, {"name": "a"}], "bands": [], "window_days": -1, "nonsense": 1})");
  CHECK(problems.size() >= 9);
}

TEST_CASE("scoring needs no sources, and throws the first problem with the number of the others") {
  CHECK(parse_model(R"({"signals": [{"name": "a", "column": "x", "normalize": {"kind": "identity"}}]})")
            .signals.size() == 1);
  try {
    parse_model(R"({"signals": [{"name": "a", "column": "x"}, {"name": "a", "column": "x"}]})");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "invalid model: signals[0].normalize: is missing");
    CHECK(error.detail() == "The document has 2 more problems.");
  }
}

TEST_CASE("a document that nests ten thousand levels deep is an error, not a crash") {
  CHECK_THROWS_AS(find_model_problems(std::string(10000, '[') + std::string(10000, ']')), Error);
  std::string groups, ends;
  for (int i = 0; i < 10000; ++i) {
    groups += R"({"name": "g)" + std::to_string(i) + R"(", "signals": [)";
    ends += "]}";
  }
  CHECK_THROWS_AS(parse_model(R"({"signals": [)" + groups + "1" + ends + "]}"), Error);
}

TEST_CASE("groups nest a hundred deep and score") {
  std::string document = R"({"name": "leaf", "column": "x", "normalize": {"kind": "identity"}})";
  for (int i = 0; i < 100; ++i)
    document = R"({"name": "g)" + std::to_string(i) + R"(", "signals": [)" + document + "]}";
  const Model model = parse_model(R"({"signals": [)" + document + "]}");
  std::vector<Reading> readings(model.signals.size());
  readings.back() = test::reading_of(42);
  CHECK(*score_readings(model, readings, 0).score == 42);
}

TEST_CASE("paths quote keys that are no plain names") {
  CHECK(path_to_key("a.b", "c") == "a.b.c");
  CHECK(path_to_key("", "c-1") == "c-1");
  CHECK(path_to_key("map", "two words") == "map.\"two words\"");
  CHECK(path_to_index("a", 3) == "a[3]");
  try {
    parse_json(R"({"a": [1, {"b c": [0, 1e999]}]})");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("a[1].\"b c\"[1]: number 1e999") == 0);
    CHECK(std::string(error.sqlstate()) == "22003");
  }
  CHECK_THROWS_AS(parse_json("{\"a\": 1"), Error);
}

TEST_CASE("documents are read in any encoding: bytes that are not UTF-8 stay as they are") {
  CHECK(parse_json("\"\xff\"").get<std::string>() == "\xff");
  CHECK(parse_json("\"gr\xf6\xdf"
                   "e\"")
            .get<std::string>() ==
        "gr\xf6\xdf"
        "e");
  CHECK(parse_json("{\"\xb2\xf1\xbc\xd2\": [\"\xc3\", \"a\\n\\\"\"]}").begin().key() == "\xb2\xf1\xbc\xd2");
  CHECK(parse_json("{\"\xb2\xf1\": [\"\xc3\", \"a\\n\\\"\"]}").begin().value()[1].get<std::string>() ==
        "a\n\"");
  CHECK(parse_json("\"gr\xc3\xb6\xc3\x9f"
                   "e\"")
            .get<std::string>() ==
        "gr\xc3\xb6\xc3\x9f"
        "e");
  CHECK_THROWS_AS(parse_json("\xff"), Error);
}

TEST_CASE("the nearest name ignores case and separators and gives up when none is near") {
  const std::vector<std::string_view> names = {"account_id", "user_id", "occurred_at"};
  CHECK(nearest_name("acount_id", names) == "account_id");
  CHECK(nearest_name("AccountId", names) == "account_id");
  CHECK(nearest_name("occured-at", names) == "occurred_at");
  CHECK(nearest_name("useri_d", names) == "user_id");
  CHECK_FALSE(nearest_name("weight", names));
  CHECK_FALSE(nearest_name("", names));
}

TEST_CASE("mutilated documents are read, reported or refused, never worse") {
  std::mt19937_64 random(test::property_seed());
  const std::string document = with_signals(
      R"({"name": "g", "weight": 0.5, "signals": [{"name": "a", "metric": "spread", "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 100]]}}]},
         {"name": "b", "column": "x", "normalize": {"kind": "percentile", "reference": {"values": [1, 2], "counts": [1, 1]}}, "missing": {"carry_forward_days": 3}})");
  int survived = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string mutant = document;
    for (int edits = 1 + static_cast<int>(random() % 3); edits-- > 0;) {
      const std::size_t at = random() % mutant.size();
      switch (random() % 4) {
        case 0:
          mutant[at] = static_cast<char>(random());
          break;
        case 1:
          mutant.erase(at, 1 + random() % 8);
          break;
        case 2:
          mutant.insert(at, mutant.substr(random() % mutant.size(), random() % 12));
          break;
        default:
          mutant.insert(at, 1, "0123456789[]{}\",:-e"[random() % 19]);
          break;
      }
      if (mutant.empty()) mutant = " ";
    }
    try {
      find_model_problems(mutant);
      parse_model(mutant);
      ++survived;
    } catch (const Error&) {
    }
  }
  CHECK(survived > 0);
}
