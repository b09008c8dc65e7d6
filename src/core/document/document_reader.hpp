// Reads the members of a JSON document with their types and ranges, and collects everything that is wrong on
// the way.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json_document.hpp"
#include "problem.hpp"

namespace health {

// Which numbers are allowed.
struct NumberRange {
  double least = -std::numeric_limits<double>::max();
  double most = std::numeric_limits<double>::max();
  bool above_least = false;  // greater than `least`, not equal
  bool whole = false;
};

// A list of names.
using Names = std::span<const std::string_view>;

// Every read_... gives nothing when the member is absent or wrong; what is wrong has been reported then.
class DocumentReader {
 public:
  using json = nlohmann::json;

  const std::vector<Problem>& problems() const { return problems_; }
  std::vector<Problem> take_problems() { return std::move(problems_); }
  // The hint may be a phrase; it becomes a sentence.
  void report(std::string path, std::string problem, std::string hint = {});

  // Reports unless the value is an object, and every key that is not allowed, with the nearest one that is.
  bool check_object(const json& value, const std::string& path, Names allowed);
  // The member, null when it is absent or JSON null; `required` makes that a problem.
  const json* find(const json& object, const std::string& path, const char* key, bool required = false,
                   const char* hint = "");

  std::optional<std::string> read_string(const json& object, const std::string& path, const char* key,
                                         bool required = false, const char* hint = "");
  std::optional<double> read_number(const json& object, const std::string& path, const char* key,
                                    NumberRange range, bool required = false, const char* hint = "");
  std::optional<bool> read_bool(const json& object, const std::string& path, const char* key);
  // An array of distinct, non-empty strings.
  std::optional<std::vector<std::string>> read_names(const json& object, const std::string& path,
                                                     const char* key);

  // One value at its own path.
  std::optional<std::string> string_at(const json& value, const std::string& path);
  std::optional<double> number_at(const json& value, const std::string& path, NumberRange range);

 private:
  std::vector<Problem> problems_;
};

// "an object", "a string", ... for words about a value.
std::string_view describe_type(const nlohmann::json& value);
// The value, shortened for a message.
std::string show_value(const nlohmann::json& value);

}  // namespace health
