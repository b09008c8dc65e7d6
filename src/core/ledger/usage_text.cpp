// The text form of a ledger. Grammar: usage_text.hpp.
#include "usage_text.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <tuple>

#include "core/base/civil.hpp"
#include "core/base/clip.hpp"
#include "usage_algebra.hpp"
#include "usage_format.hpp"
#include "user_id.hpp"

namespace health {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         c == '.' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

void write_word(std::string& text, std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
    text += word;
    return;
  }
  text += '"';
  for (const char c : word) {
    if (c == '"') text += '"';
    text += c;
  }
  text += '"';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  UsageBytes parse() {
    skip_space();
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= 'a' && text_[at_] <= 'z') ++at_;
    const std::string_view kind = text_.substr(start, at_ - start);
    if (kind == "bigint")
      kind_ = UserKind::bigint;
    else if (kind == "uuid")
      kind_ = UserKind::uuid;
    else if (kind == "text")
      kind_ = UserKind::text;
    else if (!kind.empty())
      reject("\"bigint\", \"uuid\" or \"text\"", start);
    expect('{');
    skip_space();
    if (!accept('}')) {
      if (kind_ == UserKind::none) reject("\"bigint\", \"uuid\" or \"text\"", start);
      do {
        parse_user();
      } while (accept(';'));
      expect('}');
    }
    skip_space();
    if (at_ != text_.size()) reject("the end", at_);
    return write();
  }

 private:
  struct Entry {
    const ParsedUserId* user;
    std::string_view event;
    Cell cell;
  };

  [[noreturn]] void reject(const char* wanted, std::size_t at) const {
    throw Error(sqlstate::invalid_text_representation,
                "invalid input syntax for type health.usage: \"" + std::string(clip_text(text_, 80)) + "\"",
                "Written like this: bigint{42:2025-01-03/comment_left*2,2025-01-04/video_viewed=1.5}",
                std::string("Expected ") + wanted + " at character " + std::to_string(at + 1) + ".");
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (accept(c)) return;
    const char wanted[] = {'"', c, '"', 0};
    reject(wanted, at_);
  }
  std::string_view word() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') {
      auto unquoted = std::make_unique<std::string>();
      for (++at_;; ++at_) {
        if (at_ == text_.size()) reject("a closing quote", at_);
        if (text_[at_] == '"') {
          ++at_;
          if (at_ == text_.size() || text_[at_] != '"') break;  // a doubled quote stands for one
        }
        *unquoted += text_[at_];
      }
      strings_.push_back(std::move(unquoted));
      return *strings_.back();
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
    if (at_ == start) reject("a name", at_);
    return text_.substr(start, at_ - start);
  }
  std::int64_t number() {
    skip_space();
    std::int64_t value = 0;
    const char* start = text_.data() + at_;
    const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range)
      throw Error(sqlstate::numeric_value_out_of_range,
                  "a count in a value of type health.usage is out of range");
    if (error != std::errc()) reject("a number", at_);
    at_ += static_cast<std::size_t>(end - start);
    return value;
  }
  // A decimal number with up to 6 places, in micro units.
  Exact decimal() {
    skip_space();
    const std::size_t start = at_;
    const bool negative = at_ < text_.size() && text_[at_] == '-';
    if (negative) ++at_;
    Exact value = 0;
    int places = -1;
    std::size_t digits = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '.' && places < 0) {
        places = 0;
      } else if (c >= '0' && c <= '9' && places < 6 && digits < 30) {
        value = value * 10 + (c - '0');
        ++digits;
        if (places >= 0) ++places;
      } else {
        break;
      }
    }
    if (digits == 0) reject("an amount", start);
    for (int i = std::max(places, 0); i < 6; ++i) value *= 10;
    if (negative) value = -value;
    if (value > max_amount || value < -max_amount)
      throw Error(sqlstate::numeric_value_out_of_range,
                  "an amount in a value of type health.usage is out of range");
    return value;
  }

  void parse_user() {
    users_.push_back(std::make_unique<ParsedUserId>(kind_, word()));
    expect(':');
    do {
      Entry entry{users_.back().get(), {}, {}};
      skip_space();
      const std::size_t start = at_;
      while (at_ < text_.size() && text_[at_] != '/') ++at_;
      const auto day = parse_day(text_.substr(start, at_ - start));
      if (!day) reject("a date like 2025-01-03", start);
      entry.cell.day = *day;
      expect('/');
      entry.event = word();
      if (entry.event.empty()) reject("an event name", at_);
      entry.cell.count = accept('*') ? number() : 1;
      if (accept('=')) {
        entry.cell.amount = decimal();
        entry.cell.amount_count = accept('#') ? number() : entry.cell.count;
      }
      entries_.push_back(entry);
      if ((entries_.size() & 0xfff) == 0) poll_cancel();
    } while (accept(','));
  }

  UsageBytes write() {
    if (entries_.empty()) return empty_usage();
    std::map<std::string_view, std::uint32_t> numbers;
    Day first_day = max_day;
    for (const Entry& entry : entries_) {
      numbers.emplace(entry.event, 0);
      first_day = std::min(first_day, entry.cell.day);
    }
    EventNames names;
    for (auto& [name, number] : numbers) {
      number = static_cast<std::uint32_t>(names.size());
      names.emplace_back(name);
    }
    for (Entry& entry : entries_) entry.cell.event = numbers[entry.event];
    std::stable_sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
      const int order = compare_users(kind_, a.user->id(), b.user->id());
      return order != 0 ? order < 0 : std::tie(a.cell.day, a.cell.event) < std::tie(b.cell.day, b.cell.event);
    });
    return write_usage(kind_, names, first_day, [&](UsageWriter& writer) {
      for (std::size_t i = 0; i < entries_.size();) {
        const UserId& user = entries_[i].user->id();
        writer.begin_user(user);
        while (i < entries_.size() && compare_users(kind_, entries_[i].user->id(), user) == 0) {
          Cell sum = entries_[i].cell;
          for (++i; i < entries_.size() && compare_users(kind_, entries_[i].user->id(), user) == 0 &&
                    entries_[i].cell.day == sum.day && entries_[i].cell.event == sum.event;
               ++i)
            add_cell(sum, entries_[i].cell);
          writer.add(sum);
        }
        writer.end_user();
      }
    });
  }

  std::string_view text_;
  std::size_t at_ = 0;
  UserKind kind_ = UserKind::none;
  std::vector<std::unique_ptr<std::string>> strings_;
  std::vector<std::unique_ptr<ParsedUserId>> users_;
  std::vector<Entry> entries_;
};

}  // namespace

std::string micro_to_text(Exact amount) {
  const UnsignedExact size = static_cast<UnsignedExact>(amount < 0 ? -amount : amount);
  // Of two halves, the lower one of 18 digits.
  constexpr std::uint64_t half = 1000000000000000000;
  const UnsignedExact whole = size / micro;
  std::string text = std::to_string(static_cast<std::uint64_t>(whole % half));
  if (whole >= half) {
    text.insert(0, 18 - text.size(), '0');
    text.insert(0, std::to_string(static_cast<std::uint64_t>(whole / half)));
  }
  if (amount < 0) text.insert(0, 1, '-');
  if (size % micro != 0) {
    std::string places = std::to_string(micro + static_cast<std::int64_t>(size % micro)).substr(1);
    places.erase(places.find_last_not_of('0') + 1);
    text += "." + places;
  }
  return text;
}

std::string usage_to_text(Bytes usage) {
  UsageReader reader(usage);
  std::string text(user_kind_name(reader.user_kind()));
  text += '{';
  for (bool first_user = true; reader.next_user(); first_user = false) {
    if (!first_user) text += ';';
    write_word(text, user_id_text(reader.user_kind(), reader.user()));
    char separator = ':';
    for (Cell cell; reader.next_cell(cell); separator = ',') {
      text += separator;
      text += day_text(cell.day);
      text += '/';
      write_word(text, reader.event_name(cell.event));
      if (cell.count != 1) text += "*" + std::to_string(cell.count);
      if (cell.amount_count != 0 || cell.amount != 0) {
        text += "=" + micro_to_text(cell.amount);
        if (cell.amount_count != cell.count) text += "#" + std::to_string(cell.amount_count);
      }
    }
    if (text.size() > max_text_bytes) {
      throw Error(sqlstate::program_limit_exceeded,
                  "the text form of a value of type health.usage would exceed 1 GB",
                  "Use the binary form (COPY ... WITH (FORMAT binary), pg_dump of the events instead of the "
                  "ledger).");
    }
  }
  text += '}';
  return text;
}

UsageBytes usage_from_text(std::string_view text) { return Parser(text).parse(); }

}  // namespace health
