// JSON documents of the core: parsed with a bound on their depth, and with errors that name the path.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace health {

// Arrays and objects nest at most this deep in a document.
inline constexpr int max_json_depth = 256;

// Reads one JSON document. Errors: 54000 when it nests deeper than max_json_depth, 22003 for a number that no
// double holds (the message names its path), 22P02 for anything that is not JSON. Bytes that are not UTF-8
// are of another encoding, and stay as they are.
nlohmann::json parse_json(std::string_view text);

// The path of a member or element: `signals[3].normalize.worst`; a key that is no plain name is quoted.
std::string path_to_key(const std::string& path, std::string_view key);
std::string path_to_index(const std::string& path, std::size_t index);

}  // namespace health
