// The segments of a model document: groups of accounts. Shapes only; columns and expressions are for the
// server to look at.
#include <cmath>
#include <optional>
#include <set>

#include "model_document.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr const char* segment_hint =
    "a segment has one of column, expression or rules, and for a number steps or shares";

// The parts of a segment, each with a name of its own. `read_part` reads what else is in one.
template <class ReadPart>
void check_parts(DocumentReader& reader, const json& parts, const std::string& path, Names keys,
                 const char* example, ReadPart read_part) {
  if (!parts.is_array() || parts.empty()) {
    reader.report(path, parts.is_array() ? "must not be empty" : "must be an array, not " + show_value(parts),
                  example);
    return;
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string at = path_to_index(path, i);
    if (!reader.check_object(parts[i], at, keys)) continue;
    if (auto name = reader.read_string(parts[i], at, "name", true, "the value of accounts in it")) {
      const std::string name_at = path_to_key(at, "name");
      if (*name == "unknown")
        reader.report(name_at, "\"unknown\" is the value of accounts of which nothing is known",
                      "choose another name");
      if (!names.insert(*name).second)
        reader.report(name_at, "\"" + *name + "\" stands here twice", "give every part a name of its own");
    }
    read_part(parts[i], at, i + 1 == parts.size());
  }
}

// From the highest to the lowest, the last without a limit; "above" is the higher of two equal limits.
void check_steps(DocumentReader& reader, const json& steps, const std::string& path) {
  constexpr std::string_view keys[] = {"name", "from", "above"};
  std::optional<double> before;
  bool above_before = false;
  check_parts(
      reader, steps, path, keys, "write [{\"name\": \"large\", \"from\": 100000}, {\"name\": \"small\"}]",
      [&](const json& step, const std::string& at, bool last) {
        const bool has_above = reader.find(step, at, "above") != nullptr,
                   has_from = reader.find(step, at, "from") != nullptr;
        const auto above = reader.read_number(step, at, "above", {}),
                   from = reader.read_number(step, at, "from", {});
        if (has_above && has_from) {
          reader.report(at, "has from and above",
                        "a step has one of them: from takes the number itself in, above does not");
        } else if (last && (has_above || has_from)) {
          reader.report(path_to_key(at, has_above ? "above" : "from"), "leaves what is lower without a name",
                        "the last step takes all that is left: leave it out or add a step");
        } else if (!last && !has_above && !has_from) {
          reader.report(path_to_key(at, "from"), "is missing", "the lowest number of the step");
        }
        const auto limit = above ? above : from;
        if (!limit) return;
        if (before && !(*limit < *before || (*limit == *before && above_before && from)))
          reader.report(path_to_key(at, above ? "above" : "from"), "is not below the step before",
                        "list steps from the highest to the lowest");
        before = limit;
        above_before = above.has_value();
      });
}

void check_shares(DocumentReader& reader, const json& shares, const std::string& path) {
  constexpr std::string_view keys[] = {"name", "percent"};
  const std::size_t problems = reader.problems().size();
  double sum = 0;
  check_parts(reader, shares, path, keys,
              "write [{\"name\": \"top\", \"percent\": 20}, {\"name\": \"rest\", \"percent\": 80}]",
              [&](const json& share, const std::string& at, bool) {
                sum += reader
                           .read_number(share, at, "percent", {0, 100, true}, true,
                                        "how much of the book, from the highest down")
                           .value_or(0);
              });
  if (reader.problems().size() == problems && std::abs(sum - 100) > 1e-9)
    reader.report(path, "add up to " + show_value(sum) + " percent, not 100");
}

void check_rules(DocumentReader& reader, const json& rules, const std::string& path) {
  constexpr std::string_view keys[] = {"name", "when"};
  check_parts(reader, rules, path, keys,
              "write [{\"name\": \"trial\", \"when\": \"plan = 'trial'\"}, {\"name\": \"customer\"}]",
              [&](const json& rule, const std::string& at, bool last) {
                reader.read_string(rule, at, "when", !last,
                                   "an SQL condition; the first rule whose condition is true counts");
              });
}

void check_segment(DocumentReader& reader, const json& segment, const std::string& path) {
  constexpr std::string_view keys[] = {"column", "expression", "rules", "steps", "shares", "description"};
  if (!reader.check_object(segment, path, keys)) return;
  reader.read_string(segment, path, "description");
  int sources = 0;
  for (const char* key : {"column", "expression"}) {
    if (reader.find(segment, path, key) == nullptr) continue;
    ++sources;
    reader.read_string(segment, path, key);
  }
  const json* rules = reader.find(segment, path, "rules");
  const json* steps = reader.find(segment, path, "steps");
  const json* shares = reader.find(segment, path, "shares");
  if (rules != nullptr) {
    ++sources;
    check_rules(reader, *rules, path_to_key(path, "rules"));
  }
  if (sources != 1)
    reader.report(path, sources == 0 ? "has no source" : "has more than one source", segment_hint);
  if (steps != nullptr) check_steps(reader, *steps, path_to_key(path, "steps"));
  if (shares != nullptr) check_shares(reader, *shares, path_to_key(path, "shares"));
  if (steps != nullptr && shares != nullptr) {
    reader.report(path_to_key(path, "shares"), "stands beside steps",
                  "steps are limits of numbers, shares parts of the book");
  } else if (rules != nullptr && (steps != nullptr || shares != nullptr)) {
    reader.report(path_to_key(path, steps != nullptr ? "steps" : "shares"), "stands beside rules",
                  segment_hint);
  }
}

}  // namespace

void check_segments(DocumentReader& reader, const json& document) {
  const json* segments = reader.find(document, "", "segments");
  if (segments == nullptr) return;
  if (!segments->is_object() || segments->empty()) {
    reader.report("segments",
                  segments->is_object() ? "must not be empty"
                                        : "must be an object of name: segment, not " + show_value(*segments),
                  "write {\"tier\": {\"column\": \"plan_tier\"}}, or leave it out");
    return;
  }
  for (const auto& [name, segment] : segments->items()) {
    const std::string path = path_to_key("segments", name);
    if (name.empty() || name.size() > 63) reader.report(path, "must be named with 1 to 63 bytes");
    check_segment(reader, segment, path);
  }
}

}  // namespace health
