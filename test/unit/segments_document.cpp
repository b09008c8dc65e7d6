// Segments of a model document: what is taken, and what is refused with its path.
#include "catch.hpp"
#include "core/document/model.hpp"

using namespace health;

namespace {

// "path: problem" of all problems.
std::string problems_of(const std::string& segments) {
  std::string all;
  for (const Problem& problem :
       find_model_problems(R"({"accounts": {"table": "a", "id": "id"}, "signals": [{"name": "arr",
           "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 9}}], "segments": )" +
                           segments + "}")) {
    all += problem.path + ": " + problem.problem + "\n";
  }
  return all;
}

std::string problems_of_steps(const std::string& steps) {
  return problems_of(R"({"a": {"column": "arr", "steps": )" + steps + "}}");
}

std::string problems_of_shares(const std::string& shares) {
  return problems_of(R"({"a": {"column": "arr", "shares": )" + shares + "}}");
}

}  // namespace

TEST_CASE("segments are columns, expressions and rules, and numbers by steps or shares") {
  CHECK(problems_of(R"({"tier": {"column": "plan", "description": "of the contract"},
    "size": {"expression": "seats > 5"}, "stage": {"rules": [{"name": "trial", "when": "x"}, {"name": "rest"}]}})")
            .empty());
  CHECK(problems_of(R"({"stage": {"rules": [{"name": "trial", "when": "x"}]}})").empty());
  CHECK(problems_of("null").empty());
  CHECK(problems_of_steps(R"([{"name": "x", "above": 5}, {"name": "y", "from": 5}, {"name": "z"}])").empty());
  CHECK(problems_of_steps(R"([{"name": "all"}])").empty());
  // .1 + .2 is not .3: the sum is compared as people add.
  CHECK(
      problems_of_shares(
          R"([{"name": "x", "percent": 0.1}, {"name": "y", "percent": 0.2}, {"name": "z", "percent": 99.7}])")
          .empty());
}

TEST_CASE("steps go from the highest to the lowest, and the last takes the rest") {
  CHECK(problems_of_steps(R"([{"name": "x", "from": 5}, {"name": "y", "above": 5}, {"name": "z"}])") ==
        "segments.a.steps[1].above: is not below the step before\n");
  CHECK(problems_of_steps(R"([{"name": "x", "from": 5}, {"name": "y", "from": 5}, {"name": "z"}])") ==
        "segments.a.steps[1].from: is not below the step before\n");
  CHECK(problems_of_steps(R"([{"name": "x", "above": 5}, {"name": "y", "above": 5}, {"name": "z"}])") ==
        "segments.a.steps[1].above: is not below the step before\n");
  CHECK(problems_of_steps(R"([{"name": "x", "from": 5}])") ==
        "segments.a.steps[0].from: leaves what is lower without a name\n");
  CHECK(problems_of_steps(R"([{"name": "x"}, {"name": "y"}])") == "segments.a.steps[0].from: is missing\n");
  CHECK(problems_of_steps(R"([{"name": "x", "from": 1, "above": 1}, {"name": "y"}])") ==
        "segments.a.steps[0]: has from and above\n");
}

TEST_CASE("names of parts are told apart") {
  CHECK(problems_of_steps(R"([{"name": "x", "from": 5}, {"name": "x"}])") ==
        "segments.a.steps[1].name: \"x\" stands here twice\n");
  CHECK(problems_of_steps(R"([{"name": "unknown", "from": 5}, {"from": 1, "name": " "}, {"name": "z"}])") ==
        "segments.a.steps[0].name: \"unknown\" is the value of accounts of which nothing is known\n"
        "segments.a.steps[1].name: must not be empty\n");
}

TEST_CASE("shares make up the whole book") {
  CHECK(problems_of_shares(R"([{"name": "x", "percent": 20}, {"name": "y", "percent": 79.5}])") ==
        "segments.a.shares: add up to 99.5 percent, not 100\n");
  CHECK(problems_of_shares(R"([{"name": "x", "percent": 0}, {"name": "y", "percent": 100}])") ==
        "segments.a.shares[0].percent: must be a number above 0 and up to 100, not 0\n");
}

TEST_CASE("a segment has one source, and no keys that nothing knows") {
  CHECK(problems_of(R"({"a": {}})") == "segments.a: has no source\n");
  CHECK(problems_of(R"({"a": {"column": "x", "rules": [{"name": "all"}]}})") ==
        "segments.a: has more than one source\n");
  CHECK(problems_of(R"({"a": {"rules": [{"name": "x"}, {"name": "y"}], "shares": []}})") ==
        "segments.a.rules[0].when: is missing\nsegments.a.shares: must not be empty\n"
        "segments.a.shares: stands beside rules\n");
  CHECK(problems_of(R"({"a": {"column": 1, "step": []}})") ==
        "segments.a.step: unknown key\nsegments.a.column: must be a string, not 1\n");
  CHECK(problems_of("{}") == "segments: must not be empty\n");
  CHECK(problems_of("[1]") == "segments: must be an object of name: segment, not an array\n");
}
