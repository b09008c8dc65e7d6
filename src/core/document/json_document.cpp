// Builds a JSON document event by event, so that depth and paths are known while it is read.
#include "json_document.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/clip.hpp"

namespace health {

namespace {

using json = nlohmann::json;

bool is_plain_key(std::string_view key) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), plain);
}

// Whether the text is what the JSON library reads.
bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    const std::size_t more = lead < 0x80                    ? 0
                             : lead >= 0xc2 && lead <= 0xdf ? 1
                             : (lead & 0xf0) == 0xe0        ? 2
                             : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                            : text.size();
    if (text.size() - i <= more) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

// Bytes of another encoding as the characters of these numbers, and back.
std::string widen(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) text += static_cast<char>(0xc0 | (byte >> 6));
    text += byte < 0x80 ? c : static_cast<char>(0x80 | (byte & 0x3f));
  }
  return text;
}
std::string narrow(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    bytes += byte < 0x80 || i + 1 == text.size()
                 ? text[i]
                 : static_cast<char>((byte << 6) | (static_cast<unsigned char>(text[++i]) & 0x3f));
  }
  return bytes;
}

class DocumentBuilder : public nlohmann::json_sax<json> {
 public:
  explicit DocumentBuilder(bool widened) : widened_(widened) {}

  json take() { return std::move(root_); }

  bool null() override { return place(nullptr); }
  bool boolean(bool value) override { return place(value); }
  bool number_integer(number_integer_t value) override { return place(value); }
  bool number_unsigned(number_unsigned_t value) override { return place(value); }
  bool number_float(number_float_t value, const string_t&) override { return place(value); }
  bool string(string_t& value) override { return place(widened_ ? narrow(value) : std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    open_.back().key = widened_ ? narrow(name) : std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    if (error.id == 406) {
      throw Error(sqlstate::numeric_value_out_of_range,
                  here() + (here().empty() ? "" : ": ") + "number " + shorten(token) + " is out of range",
                  "Numbers are double precision: finite, at most about 1.8e308.");
    }
    throw Error(sqlstate::invalid_text_representation,
                "invalid JSON at byte " + std::to_string(position) + ", near \"" + shorten(token) + "\"",
                "Documents are JSON, in the encoding of the database.");
  }

 private:
  struct Open {
    json* container;
    std::string key;
  };

  static std::string shorten(const std::string& token) {
    return token.size() <= 40 ? token : std::string(clip_text(token, 37)) + "...";
  }

  json* add(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& container = *open_.back().container;
    if (container.is_array()) {
      container.push_back(std::move(value));
      return &container.back();
    }
    return &(container[open_.back().key] = std::move(value));
  }

  bool place(json value) {
    if ((++values_ & 4095) == 0) poll_cancel();
    add(std::move(value));
    return true;
  }

  bool open(json value) {
    if (open_.size() >= static_cast<std::size_t>(max_json_depth)) {
      throw Error(sqlstate::program_limit_exceeded,
                  "JSON document nests deeper than " + std::to_string(max_json_depth) + " levels",
                  "Flatten the document: groups of signals rarely need more than three levels.");
    }
    json* container = add(std::move(value));
    open_.push_back({container, {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  // Where the value that comes next belongs.
  std::string here() const {
    std::string path;
    for (const Open& level : open_) {
      path = level.container->is_array()
                 ? path_to_index(path, level.container->size() - (&level == &open_.back() ? 0 : 1))
                 : path_to_key(path, level.key);
    }
    return path;
  }

  const bool widened_;
  json root_;
  std::size_t values_ = 0;
  std::vector<Open>
      open_;  // elements of arrays move while the array grows, but never while one of them is open
};

}  // namespace

json parse_json(std::string_view text) {
  // jsonb writes out every character but control characters, so the bytes of other encodings are all there
  // are.
  const bool other = !is_utf8(text);
  const std::string widened = other ? widen(text) : std::string();
  const std::string_view readable = other ? std::string_view(widened) : text;
  DocumentBuilder builder(other);
  json::sax_parse(readable.begin(), readable.end(), &builder);
  return builder.take();
}

std::string path_to_key(const std::string& path, std::string_view key) {
  std::string result = path.empty() ? "" : path + ".";
  if (is_plain_key(key)) return result.append(key);
  return result.append("\"").append(key).append("\"");
}

std::string path_to_index(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

}  // namespace health
