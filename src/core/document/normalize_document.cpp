// Checks and reads {"kind": ..., ...} for every kind of normaliser.
#include "normalize_document.hpp"

#include <algorithm>

#include "nearest_name.hpp"

namespace health {

namespace {

using json = nlohmann::json;

constexpr NumberRange any_number{};
constexpr NumberRange score_range{0, 100};
constexpr NumberRange positive{0, std::numeric_limits<double>::max(), true};

constexpr std::string_view kind_names[] = {"linear",     "piecewise", "steps",    "map",     "recency",
                                           "percentile", "target",    "logistic", "identity"};

constexpr std::string_view identity_keys[] = {"kind", "direction"};
constexpr std::string_view linear_keys[] = {"kind", "direction", "worst", "best"};
constexpr std::string_view piecewise_keys[] = {"kind", "direction", "points"};
constexpr std::string_view steps_keys[] = {"kind", "direction", "steps", "below"};
constexpr std::string_view map_keys[] = {"kind", "direction", "map", "otherwise"};
constexpr std::string_view recency_keys[] = {"kind", "direction", "half_life_days"};
constexpr std::string_view percentile_keys[] = {"kind", "direction", "reference", "segment"};
constexpr std::string_view target_keys[] = {"kind", "direction", "low", "high", "tolerance"};
constexpr std::string_view logistic_keys[] = {"kind", "direction", "midpoint", "steepness"};

// A pair of members that are the x and y of an ascending curve.
struct Curve {
  std::vector<std::pair<double, double>> points;

  void add(DocumentReader& reader, const std::string& path, std::optional<double> x,
           std::optional<double> y) {
    if (!x || !y) return;
    if (!points.empty() && *x / 2 <= points.back().first / 2) {  // as the arithmetic sees them
      reader.report(path, "must lie above the one before", "list them in ascending order, each once");
    }
    points.emplace_back(*x, *y);
  }
};

void read_linear(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  const char* hint = "the value that scores 0 (worst) and the one that scores 100 (best)";
  const auto worst = reader.read_number(value, path, "worst", any_number, true, hint);
  const auto best = reader.read_number(value, path, "best", any_number, true, hint);
  if (!worst || !best) return;
  n.worst = *worst;
  n.best = *best;
  if (*worst / 2 == *best / 2) {  // halves are what the arithmetic sees
    reader.report(
        path_to_key(path, "worst"), "worst and best are both " + show_value(value["worst"]),
        "worst is the value that scores 0, best the one that scores 100; use steps for a single threshold");
  } else if (n.lower_is_better && *worst < *best) {
    reader.report(path_to_key(path, "direction"), "says that lower is better, but worst is lower than best",
                  "swap worst and best and leave direction out");
  }
}

void read_piecewise(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  const json* points =
      reader.find(value, path, "points", true, "write \"points\": [[0, 0], [10, 80], [20, 100]]");
  if (points == nullptr) return;
  const std::string at = path_to_key(path, "points");
  if (!points->is_array() || points->size() < 2) {
    return reader.report(at, "must be an array of at least two [value, score] pairs",
                         "write [[0, 0], [10, 80], [20, 100]]");
  }
  Curve curve;
  for (std::size_t i = 0; i < points->size(); ++i) {
    const json& point = (*points)[i];
    const std::string here = path_to_index(at, i);
    if (!point.is_array() || point.size() != 2) {
      reader.report(here, "must be a pair [value, score], not " + show_value(point));
      continue;
    }
    const auto x = reader.number_at(point[0], path_to_index(here, 0), any_number);
    const auto y = reader.number_at(point[1], path_to_index(here, 1), score_range);
    curve.add(reader, here, x, y);
  }
  n.points = std::move(curve.points);
}

void read_steps(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  n.below = reader.read_number(value, path, "below", score_range).value_or(0);
  const json* steps =
      reader.find(value, path, "steps", true, "write \"steps\": [{\"from\": 10, \"score\": 100}]");
  if (steps == nullptr) return;
  const std::string at = path_to_key(path, "steps");
  if (!steps->is_array() || steps->empty()) {
    return reader.report(at, "must be an array of steps", "write [{\"from\": 10, \"score\": 100}]");
  }
  constexpr std::string_view keys[] = {"from", "score"};
  Curve curve;
  for (std::size_t i = 0; i < steps->size(); ++i) {
    const json& step = (*steps)[i];
    const std::string here = path_to_index(at, i);
    if (!reader.check_object(step, here, keys)) continue;
    const auto from = reader.read_number(step, here, "from", any_number, true);
    const auto score = reader.read_number(step, here, "score", score_range, true);
    curve.add(reader, here, from, score);
  }
  n.points = std::move(curve.points);
}

void read_map(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  n.otherwise = reader.read_number(value, path, "otherwise", score_range);
  const json* map = reader.find(value, path, "map", true, "write \"map\": {\"pro\": 80, \"free\": 20}");
  if (map == nullptr) return;
  const std::string at = path_to_key(path, "map");
  if (!map->is_object() || map->empty()) {
    return reader.report(at, "must be an object of category: score", "write {\"pro\": 80, \"free\": 20}");
  }
  for (const auto& [category, score] : map->items()) {
    if (const auto y = reader.number_at(score, path_to_key(at, category), score_range))
      n.categories.emplace_back(category, *y);
  }
  std::sort(n.categories.begin(), n.categories.end());
}

std::optional<PeerReference> read_reference(DocumentReader& reader, const json& value,
                                            const std::string& path) {
  constexpr std::string_view keys[] = {"values", "counts", "segments"};
  if (!reader.check_object(value, path, keys)) return std::nullopt;
  const std::size_t problems = reader.problems().size();
  std::vector<double> values, counts;
  const auto read_numbers = [&](const char* key, NumberRange range, std::vector<double>& numbers,
                                bool required) {
    const json* member =
        reader.find(value, path, key, required, "the peers' values, with \"counts\" where some are equal");
    if (member == nullptr) return false;
    const std::string at = path_to_key(path, key);
    if (!member->is_array()) {
      reader.report(at, "must be an array of numbers, not " + show_value(*member));
      return false;
    }
    for (std::size_t i = 0; i < member->size(); ++i) {
      if ((i & 4095) == 4095) poll_cancel();
      if (const auto number = reader.number_at((*member)[i], path_to_index(at, i), range))
        numbers.push_back(*number);
    }
    return true;
  };
  read_numbers("values", any_number, values, true);
  if (!read_numbers("counts", {0, 1e15, true, true}, counts, false)) counts.assign(values.size(), 1);
  if (reader.problems().size() != problems) return std::nullopt;
  if (counts.size() != values.size()) {
    reader.report(
        path_to_key(path, "counts"),
        "has " + std::to_string(counts.size()) + " entries for " + std::to_string(values.size()) + " values",
        "one count for each value");
    return std::nullopt;
  }
  return build_reference(std::move(values), std::move(counts));
}

void read_percentile(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  n.segment_column = reader.read_string(value, path, "segment").value_or("");
  const json* reference = reader.find(value, path, "reference");
  if (reference == nullptr) return;  // frozen when the model is created
  const std::string at = path_to_key(path, "reference");
  if (!reference->is_object() || !reference->contains("segments")) {
    if (!n.segment_column.empty() && reference->is_object()) {
      return reader.report(at, "has no segments, but the normalizer has one",
                           "write \"reference\": {\"segments\": {\"name\": {\"values\": [...]}}}, or leave "
                           "it out to have it frozen");
    }
    n.reference = read_reference(reader, *reference, at);
    return;
  }
  constexpr std::string_view keys[] = {"segments"};
  reader.check_object(*reference, at, keys);
  if (n.segment_column.empty()) {
    reader.report(path_to_key(path, "segment"), "is missing", "the column that holds an account's segment");
  }
  const json& segments = (*reference)["segments"];
  const std::string segments_at = path_to_key(at, "segments");
  if (!segments.is_object()) return reader.report(segments_at, "must be an object of segment: reference");
  for (const auto& [segment, peers] : segments.items()) {
    if (auto read = read_reference(reader, peers, path_to_key(segments_at, segment)))
      n.segments.emplace_back(segment, *read);
  }
  std::sort(n.segments.begin(), n.segments.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

void read_target(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  n.low = reader.read_number(value, path, "low", any_number);
  n.high = reader.read_number(value, path, "high", any_number);
  n.tolerance = reader
                    .read_number(value, path, "tolerance", positive, true,
                                 "how far outside of low .. high the score falls to 0")
                    .value_or(1);
  if (!value.contains("low") && !value.contains("high")) {
    reader.report(path_to_key(path, "low"), "is missing",
                  "give low, high or both: the score is 100 between them");
  } else if (n.low && n.high && *n.low > *n.high) {
    reader.report(path_to_key(path, "low"), "is above high", "swap low and high");
  }
}

void read_logistic(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  n.midpoint =
      reader.read_number(value, path, "midpoint", any_number, true, "the value that scores 50").value_or(0);
  n.steepness =
      reader.read_number(value, path, "steepness", any_number, true, "negative when lower is better")
          .value_or(1);
  if (n.steepness == 0) {
    reader.report(path_to_key(path, "steepness"), "must not be 0", "every value would score 50");
  }
}

void read_direction(DocumentReader& reader, const json& value, const std::string& path, Normalizer& n) {
  const auto direction = reader.read_string(value, path, "direction");
  if (!direction) return;
  constexpr std::string_view directions[] = {"higher_is_better", "lower_is_better", "higher", "lower"};
  if (*direction == "lower" || *direction == "lower_is_better") {
    n.lower_is_better = true;
  } else if (*direction != "higher" && *direction != "higher_is_better") {
    reader.report(path_to_key(path, "direction"), "unknown direction \"" + *direction + "\"",
                  suggest_name(*direction, directions));
  }
}

}  // namespace

Normalizer read_normalizer(DocumentReader& reader, const json& value, const std::string& path) {
  Normalizer n;
  if (!value.is_object()) {
    reader.report(path, "must be an object, not " + show_value(value),
                  "write {\"kind\": \"linear\", \"worst\": 0, \"best\": 100}");
    return n;
  }
  const auto kind = reader.read_string(
      value, path, "kind", true,
      "one of linear, piecewise, steps, map, recency, percentile, target, logistic, identity");
  if (!kind) return n;
  read_direction(reader, value, path, n);
  const auto read = [&](NormalizerKind which, Names keys, auto read_members) {
    n.kind = which;
    reader.check_object(value, path, keys);
    read_members(reader, value, path, n);
  };
  const auto nothing = [](DocumentReader&, const json&, const std::string&, Normalizer&) {};
  if (*kind == "linear") {
    read(NormalizerKind::linear, linear_keys, read_linear);
  } else if (*kind == "piecewise") {
    read(NormalizerKind::piecewise, piecewise_keys, read_piecewise);
  } else if (*kind == "steps") {
    read(NormalizerKind::steps, steps_keys, read_steps);
  } else if (*kind == "map") {
    read(NormalizerKind::map, map_keys, read_map);
  } else if (*kind == "recency") {
    read(NormalizerKind::recency, recency_keys,
         [](DocumentReader& r, const json& v, const std::string& p, Normalizer& result) {
           result.half_life_days = r.read_number(v, p, "half_life_days", positive, true,
                                                 "the age in days at which the score is 50")
                                       .value_or(1);
         });
  } else if (*kind == "percentile") {
    read(NormalizerKind::percentile, percentile_keys, read_percentile);
  } else if (*kind == "target") {
    read(NormalizerKind::target, target_keys, read_target);
  } else if (*kind == "logistic") {
    read(NormalizerKind::logistic, logistic_keys, read_logistic);
  } else if (*kind == "identity" || *kind == "none") {
    read(NormalizerKind::identity, identity_keys, nothing);
  } else {
    reader.report(path_to_key(path, "kind"), "unknown kind \"" + *kind + "\"",
                  suggest_name(*kind, kind_names));
  }
  return n;
}

Normalizer parse_normalizer(std::string_view text) {
  DocumentReader reader;
  Normalizer n = read_normalizer(reader, parse_json(text), "");
  throw_first_problem(reader.problems(), "invalid normalizer");
  return n;
}

void throw_first_problem(const std::vector<Problem>& problems, std::string_view what) {
  if (problems.empty()) return;
  const Problem& first = problems.front();
  std::string message(what);
  message += ": " + (first.path.empty() ? "" : first.path + ": ") + first.problem;
  std::string detail;
  if (problems.size() == 2) detail = "The document has 1 more problem.";
  if (problems.size() > 2)
    detail = "The document has " + std::to_string(problems.size() - 1) + " more problems.";
  throw Error(sqlstate::invalid_parameter_value, std::move(message), first.hint, std::move(detail));
}

}  // namespace health
