// User ids from text.
#include "user_id.hpp"

#include <charconv>

#include "core/base/clip.hpp"

namespace health {

namespace {

[[noreturn]] void reject_id(UserKind kind, std::string_view text) {
  throw Error(sqlstate::invalid_text_representation, "\"" + std::string(clip_text(text, 100)) +
                                                         "\" is not a user id of type " +
                                                         std::string(user_kind_name(kind)));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string parse_uuid(std::string_view text) {
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (c == '-' && high < 0) continue;
    const int digit = hex_digit(c);
    if (digit < 0 || bytes.size() == 16) reject_id(UserKind::uuid, text);
    if (high < 0) {
      high = digit;
    } else {
      bytes += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  if (bytes.size() != 16 || high >= 0) reject_id(UserKind::uuid, text);
  return bytes;
}

}  // namespace

ParsedUserId::ParsedUserId(UserKind kind, std::string_view text) {
  if (kind == UserKind::bigint) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id_.number);
    if (error != std::errc() || end != text.data() + text.size()) reject_id(kind, text);
    return;
  }
  bytes_ = kind == UserKind::uuid ? parse_uuid(text) : std::string(text);
  id_.bytes = bytes_;
}

}  // namespace health
