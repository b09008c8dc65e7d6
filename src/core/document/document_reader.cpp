// Typed access to JSON members that reports instead of throwing.
#include "document_reader.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/clip.hpp"
#include "nearest_name.hpp"

namespace health {

namespace {

std::string number_words(double number) {
  std::string text = nlohmann::json(number).dump();
  if (text.size() > 2 && text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string range_words(const NumberRange& range) {
  const bool least = range.least > -1e300;
  const bool most = range.most < 1e300;
  std::string words = range.whole ? "a whole number" : "a number";
  if (least && most) {
    return words + (range.above_least ? " above " : " from ") + number_words(range.least) +
           (range.above_least ? " and up to " : " to ") + number_words(range.most);
  }
  if (least) return words + (range.above_least ? " above " : " of at least ") + number_words(range.least);
  return words;
}

// Hints are written as phrases; as a HINT of PostgreSQL each is a sentence.
std::string to_sentence(std::string hint) {
  if (hint.empty()) return hint;
  if (hint[0] >= 'a' && hint[0] <= 'z') hint[0] = static_cast<char>(hint[0] - 'a' + 'A');
  constexpr std::string_view ends = ".?]}\"";
  if (ends.find(hint.back()) == std::string_view::npos) hint += '.';
  return hint;
}

}  // namespace

std::string_view describe_type(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::object:
      return "an object";
    case nlohmann::json::value_t::array:
      return "an array";
    case nlohmann::json::value_t::string:
      return "a string";
    case nlohmann::json::value_t::boolean:
      return "a boolean";
    case nlohmann::json::value_t::null:
      return "null";
    default:
      return "a number";
  }
}

std::string show_value(const nlohmann::json& value) {
  if (value.is_object() || value.is_array()) return std::string(describe_type(value));
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = std::string(clip_text(text, 57)) + "...";
  return text;
}

void DocumentReader::report(std::string path, std::string problem, std::string hint) {
  // A document of a million wrong elements is one wrong document.
  constexpr std::size_t most_problems = 1000;
  if (problems_.size() < most_problems)
    problems_.push_back({std::move(path), std::move(problem), to_sentence(std::move(hint))});
}

bool DocumentReader::check_object(const json& value, const std::string& path, Names allowed) {
  if (!value.is_object()) {
    report(path, "must be an object, not " + show_value(value),
           "write {\"" + std::string(*allowed.begin()) + "\": ...}");
    return false;
  }
  for (const auto& [key, member] : value.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      report(path_to_key(path, key), "unknown key", suggest_name(key, allowed));
    }
  }
  return true;
}

const nlohmann::json* DocumentReader::find(const json& object, const std::string& path, const char* key,
                                           bool required, const char* hint) {
  const auto found = object.find(key);
  if (found != object.end() && !found->is_null()) return &*found;
  if (required) report(path_to_key(path, key), "is missing", hint);
  return nullptr;
}

std::optional<std::string> DocumentReader::string_at(const json& value, const std::string& path) {
  if (!value.is_string()) {
    report(path, "must be a string, not " + show_value(value));
    return std::nullopt;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    report(path, "must not be empty");
    return std::nullopt;
  }
  return text;
}

std::optional<double> DocumentReader::number_at(const json& value, const std::string& path,
                                                NumberRange range) {
  const double number = value.is_number() ? value.get<double>() : 0;
  const bool fits = value.is_number() && std::isfinite(number) && number >= range.least &&
                    number <= range.most && !(range.above_least && number == range.least) &&
                    !(range.whole && number != std::floor(number));
  if (fits) return number;
  report(path, "must be " + range_words(range) + ", not " + show_value(value));
  return std::nullopt;
}

std::optional<std::string> DocumentReader::read_string(const json& object, const std::string& path,
                                                       const char* key, bool required, const char* hint) {
  const json* value = find(object, path, key, required, hint);
  return value == nullptr ? std::nullopt : string_at(*value, path_to_key(path, key));
}

std::optional<double> DocumentReader::read_number(const json& object, const std::string& path,
                                                  const char* key, NumberRange range, bool required,
                                                  const char* hint) {
  const json* value = find(object, path, key, required, hint);
  return value == nullptr ? std::nullopt : number_at(*value, path_to_key(path, key), range);
}

std::optional<bool> DocumentReader::read_bool(const json& object, const std::string& path, const char* key) {
  const json* value = find(object, path, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  report(path_to_key(path, key), "must be true or false, not " + show_value(*value));
  return std::nullopt;
}

std::optional<std::vector<std::string>> DocumentReader::read_names(const json& object,
                                                                   const std::string& path, const char* key) {
  const json* value = find(object, path, key);
  if (value == nullptr) return std::nullopt;
  const std::string at = path_to_key(path, key);
  if (!value->is_array()) {
    report(at, "must be an array of strings, not " + show_value(*value), "write [\"...\"]");
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const auto name = string_at((*value)[i], path_to_index(at, i));
    if (!name) continue;
    if (std::find(names.begin(), names.end(), *name) != names.end()) {
      report(path_to_index(at, i), "\"" + *name + "\" is listed twice");
    } else {
      names.push_back(*name);
    }
  }
  return names;
}

}  // namespace health
