// User ids from text.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "usage.hpp"

namespace health {

// Owns what a UserId points to. Error 22P02 when the text is not an id of that kind; uuids are read in
// PostgreSQL's standard form.
class ParsedUserId {
 public:
  ParsedUserId(UserKind kind, std::string_view text);
  ParsedUserId(const ParsedUserId&) = delete;
  ParsedUserId& operator=(const ParsedUserId&) = delete;
  const UserId& id() const { return id_; }

 private:
  std::string bytes_;
  UserId id_;
};

}  // namespace health
