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

}  // namespace

bool read_bigint_id(std::string_view text, std::int64_t& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_uuid_id(std::string_view text, std::array<char, 16>& bytes) noexcept {
  std::size_t size = 0;
  int high = -1;
  for (const char c : text) {
    if (c == '-' && high < 0) continue;
    const int digit = hex_digit(c);
    if (digit < 0 || size == bytes.size()) return false;
    if (high < 0) {
      high = digit;
    } else {
      bytes[size++] = static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  return size == bytes.size() && high < 0;
}

ParsedUserId::ParsedUserId(UserKind kind, std::string_view text) {
  if (kind == UserKind::bigint) {
    if (!read_bigint_id(text, id_.number)) reject_id(kind, text);
    return;
  }
  if (kind == UserKind::uuid) {
    std::array<char, 16> bytes{};
    if (!read_uuid_id(text, bytes)) reject_id(kind, text);
    bytes_.assign(bytes.data(), bytes.size());
  } else {
    bytes_ = text;
  }
  id_.bytes = bytes_;
}

}  // namespace health
