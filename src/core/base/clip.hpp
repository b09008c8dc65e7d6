// Shortens texts for messages.
#pragma once

#include <string_view>

namespace health {

// The first bytes of the text, at most `most`, never half a UTF-8 character.
constexpr std::string_view clip_text(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace health
