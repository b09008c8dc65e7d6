// User ids from text.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "usage.hpp"

namespace health {

// The id that a text stands for; false when it is none of that kind. Uuids are read in PostgreSQL's standard
// form.
bool read_bigint_id(std::string_view text, std::int64_t& number) noexcept;
bool read_uuid_id(std::string_view text, std::array<char, 16>& bytes) noexcept;

// Owns what a UserId points to. Error 22P02 when the text is not an id of that kind.
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
