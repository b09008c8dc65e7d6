// Pulses as text and in words.
#include "pulse.hpp"

#include "phrase_format.hpp"

namespace health {

std::optional<int> parse_pulse(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[1] != ' ')) return std::nullopt;
  const int pulse = text[0] - '0';
  if (pulse < worst_pulse || pulse > best_pulse) return std::nullopt;
  return pulse;
}

std::string show_pulse(double pulse) { return show_number(pulse) + " of " + std::to_string(best_pulse); }

std::string describe_pulse(std::string_view text, std::optional<Day> day, Day as_of) {
  const auto pulse = parse_pulse(text);
  if (!pulse) return std::string(text);
  std::string_view rest = text.substr(1);
  std::string note;
  if (const auto colon = rest.find(": "); colon != std::string_view::npos) {
    note = rest.substr(colon);
    rest = rest.substr(0, colon);
  }
  return show_pulse(*pulse) + std::string(rest) +
         (day ? " on " + day_in_sentence(*day, as_of) : std::string()) + note;
}

}  // namespace health
