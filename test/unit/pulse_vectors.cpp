// Pulses: how they are read, how long they count, and the words for them.
#include "core/scoring/pulse.hpp"

#include "core/scoring/phrase.hpp"
#include "core/scoring/signal_values.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

Model pulse_model(std::string_view signal) {
  return parse_model(R"({"minimum_coverage": 0, "signals": [{"name": "pulse", )" + std::string(signal) +
                     "}]}");
}

Score score_pulse(const Model& model, std::optional<std::string_view> value, std::string_view day,
                  std::string_view as_of) {
  const std::vector<ExternalInput> inputs = {
      {value, value ? std::optional(score_day(day)) : std::nullopt, std::nullopt}};
  return score_account(model, score_ledger(model, "{}"), inputs, score_day(as_of));
}

}  // namespace

TEST_CASE("a pulse is a number from 1 to 5 and what follows a blank") {
  CHECK(parse_pulse("2 by maria: sponsor left") == 2);
  CHECK(parse_pulse("5") == 5);
  for (const std::string_view text : {"", "0 by x", "6 by x", "23", "x", "-1"})
    CHECK_FALSE(parse_pulse(text));
}

TEST_CASE("a pulse counts from the day after it was given until it is too old") {
  const Model model = pulse_model(R"("pulse": {"valid_days": 30})");
  CHECK(model.signals[0].valid_days == 30);
  const auto reading = [&](std::string_view as_of) {
    return score_pulse(model, "2 by maria", "2025-06-02", as_of).readings[0];
  };
  CHECK(reading("2025-06-02").score.unknown == Unknown::no_data);
  CHECK(reading("2025-06-03").score == Value::of(25));
  CHECK(reading("2025-07-02").score == Value::of(25));
  CHECK(reading("2025-07-03").score.unknown == Unknown::source_stale);
  CHECK(score_pulse(model, std::nullopt, "", "2025-07-03").readings[0].score.unknown == Unknown::no_data);
}

TEST_CASE("90 days and 1 to 5 as 0 to 100 are what a pulse is without more") {
  const Model model = pulse_model(R"("pulse": {})");
  CHECK(model.signals[0].valid_days == 90);
  CHECK(*score_pulse(model, "4 by li", "2025-06-02", "2025-06-10").score == 75);
  const Model written =
      pulse_model(R"("pulse": {"valid_days": 90}, "normalize": {"kind": "linear", "worst": 1, "best": 5})");
  CHECK(model == written);
  const Model map = pulse_model(R"("pulse": {}, "normalize": {"kind": "map", "map": {"4": 60}})");
  CHECK(*score_pulse(map, "4 by li", "2025-06-02", "2025-06-10").score == 60);
}

TEST_CASE("the words have the pulse, who gave it when, and the note; kept values tell it again") {
  const Model model = pulse_model(R"("pulse": {})");
  const Score score = score_pulse(model, "2 by maria: no answer: three mails", "2025-06-03", "2025-06-10");
  CHECK(describe_signal(model, 0, score) == "pulse 2 of 5 by maria on 3 June: no answer: three mails");
  CHECK(show_raw(model.signals[0], score.readings[0]) == "2 of 5");
  const Reading again = restore_reading(model.signals[0], keep_reading(model.signals[0], score.readings[0]));
  const Score restored = score_readings(model, {again}, score.as_of);
  CHECK(describe_signal(model, 0, restored) == describe_signal(model, 0, score));
  const Score stale = score_pulse(model, "2 by maria", "2025-01-03", "2025-06-10");
  CHECK(describe_signal(model, 0, stale) == "pulse unknown: the last value is from 2025-01-03");
  const Reading kept = restore_reading(model.signals[0], keep_reading(model.signals[0], stale.readings[0]));
  CHECK(describe_signal(model, 0, score_readings(model, {kept}, stale.as_of)) ==
        describe_signal(model, 0, stale));
  const Score later = score_pulse(model, "4 by li", "2025-06-12", "2025-06-20");
  const ScoreChange change = decompose_change(model, score, later, later);
  CHECK(describe_change(model, change, score, later) == "25 -> 75: pulse 2 of 5 -> 4 of 5 (+50.0)");
}
