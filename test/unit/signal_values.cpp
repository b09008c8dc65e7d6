// What is kept of a reading tells the same score in the same words.
#include "core/scoring/signal_values.hpp"

#include "core/scoring/phrase.hpp"
#include "metrics_fixture.hpp"
#include "score_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

Signal metric_signal(MetricId id = MetricId::depth) {
  Signal signal;
  signal.name = signal.label = "a";
  signal.source = SignalSource::metric;
  signal.metric.id = id;
  return signal;
}

Reading kept_and_restored(const Signal& signal, const Reading& reading) {
  return restore_reading(signal, keep_reading(signal, reading));
}

}  // namespace

TEST_CASE("a value that counts as another keeps both, and what it rests on") {
  Reading reading;
  reading.raw = Value::of(0.75);
  reading.score = Value::of(64.3);
  reading.counted = 0.643;
  reading.basis = 4;
  reading.whole = 12;
  const SignalValue value = keep_reading(metric_signal(), reading);
  CHECK(value.raw == 0.75);
  CHECK(value.counted == 0.643);
  CHECK(value.basis == 4);
  CHECK(value.reason == '\0');
  const Reading again = restore_reading(metric_signal(), value);
  CHECK(again.raw == reading.raw);
  CHECK(again.score == reading.score);
  CHECK(again.counted == reading.counted);
  CHECK(again.basis == 4);
  CHECK(again.whole == 12);
  reading.counted.reset();
  reading.basis = 0;
  CHECK_FALSE(keep_reading(metric_signal(), reading).counted);
  CHECK_FALSE(keep_reading(metric_signal(), reading).basis);
}

TEST_CASE("a signal of a silent account keeps that nobody is active beside the score that it takes") {
  Reading reading;
  reading.raw = Value::none(Unknown::nobody_active);
  reading.score = Value::of(15);
  const SignalValue value = keep_reading(metric_signal(), reading);
  CHECK_FALSE(value.raw);
  CHECK(value.normalized == 15);
  CHECK(value.reason == 'i');
  const Reading again = restore_reading(metric_signal(), value);
  CHECK(again.nobody_active());
  CHECK(again.known());
  CHECK(again.score == Value::of(15));
}

TEST_CASE("a signal that ignores silence keeps that it does") {
  Reading reading;
  reading.raw = reading.score = Value::none(Unknown::nobody_active);
  const Reading again = kept_and_restored(metric_signal(), reading);
  CHECK(again.nobody_active());
  CHECK_FALSE(again.known());
  CHECK(again.score.unknown == Unknown::nobody_active);
}

TEST_CASE("what lies before the ledger keeps the first day that does not") {
  Reading reading;
  reading.raw = reading.score = Value::none(Unknown::before_ledger);
  reading.observed = day("2025-02-10");
  CHECK(keep_reading(metric_signal(), reading).reason == 'l');
  const Reading again = kept_and_restored(metric_signal(), reading);
  CHECK(again.score.unknown == Unknown::before_ledger);
  CHECK(again.observed == day("2025-02-10"));
  CHECK_FALSE(again.carried);
}

TEST_CASE("each reason has a letter of its own, and the letter leads back") {
  const std::pair<Unknown, char> letters[] = {{Unknown::none, '\0'},
                                              {Unknown::no_data, 'n'},
                                              {Unknown::zero_denominator, 'z'},
                                              {Unknown::source_stale, 's'},
                                              {Unknown::insufficient_history, 'y'},
                                              {Unknown::not_applicable, 'a'},
                                              {Unknown::bad_value, 'b'},
                                              {Unknown::repeated_account, 'r'},
                                              {Unknown::nobody_active, 'i'},
                                              {Unknown::before_ledger, 'l'}};
  for (const auto& [reason, letter] : letters) {
    CHECK(reason_code(reason) == letter);
    if (reason == Unknown::none) continue;
    Reading reading;
    reading.raw = reading.score = Value::none(reason);
    CHECK(kept_and_restored(metric_signal(), reading).score.unknown == reason);
  }
}

TEST_CASE("kept readings of any account give the same score and the same words") {
  Random random(run_seed() + 61);
  Model model = parse_model(R"({"minimum_coverage": 0, "minimum_age_days": 14, "catalog": {
      "make": {"role": ["create", "activate"], "value": 5}, "look": {"role": "consume"}, "chat": {"role": "interact"}},
    "signals": [
      {"name": "rate", "metric": "activation_rate", "shrink": 3, "frozen": {"median": 0.4, "accounts": 12},
       "normalize": {"kind": "linear", "worst": 0, "best": 1}},
      {"name": "depth", "metric": "depth", "normalize": {"kind": "piecewise", "points": [[0, 20], [9, 90]]}},
      {"name": "trend", "metric": "trend_4w", "missing": {"carry_forward_days": 40}, "shrink": 20,
       "frozen": {"median": -0.1, "accounts": 12}, "normalize": {"kind": "linear", "worst": -1, "best": 1}},
      {"name": "talk", "metric": "interaction", "silent": "ignore", "missing": "neutral",
       "normalize": {"kind": "linear", "worst": 0, "best": 2}},
      {"name": "unseen", "metric": "spread", "frozen": {"seen": false}, "normalize": {"kind": "identity"}},
      {"name": "seats", "metric": "adoption_rate", "missing": "zero", "normalize": {"kind": "identity"}},
      {"name": "rank", "metric": "events", "normalize": {"kind": "percentile"}},
      {"name": "group", "signals": [
        {"name": "plan", "column": "plan", "normalize": {"kind": "map", "map": {"pro": 80, "free": 20}}},
        {"name": "nps", "column": "nps", "missing": {"carry_forward_days": 30}, "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}]})");
  int silent = 0, shrunk = 0, lacking = 0, carried = 0;
  for (int round = 0; round < 3000; ++round) {
    const Day as_of = static_cast<Day>(9000 + between(random, 0, 200));
    model.settings.account_start.reset();
    model.settings.ledger_start.reset();
    if (between(random, 0, 1) == 0)
      model.settings.account_start = as_of - static_cast<Day>(between(random, 0, 200));
    if (between(random, 0, 4) == 0)
      model.settings.ledger_start = as_of - static_cast<Day>(between(random, 20, 400));
    std::string text = "bigint{";
    for (auto left = between(random, 1, 8); left > 0; --left)
      text += (text.back() == '{' ? "" : ";") + std::to_string(between(random, 1, 4)) + ":" +
              day_text(as_of - static_cast<Day>(between(random, 1, 100))) + "/" +
              any_of(random, std::vector<std::string>{"make", "look", "chat", "other", "$joined"}) + "*" +
              std::to_string(between(random, 1, 9));
    const std::vector<ExternalInput> inputs = {
        {any_of(random, std::vector<std::string_view>{"pro", "free", "basic", "NaN"}), {}, {}},
        {any_of(random, std::vector<std::string_view>{"7", "8.5", "x"}),
         as_of - static_cast<Day>(between(random, -1, 50)),
         {}}};
    const Score score = score_account(model, score_ledger(model, text + "}"), inputs, as_of);
    std::vector<Reading> restored;
    for (std::size_t i = 0; i < model.signals.size(); ++i) {
      const Reading& reading = score.readings[i];
      restored.push_back(kept_and_restored(model.signals[i], reading));
      silent += reading.nobody_active();
      shrunk += reading.counted.has_value();
      lacking += reading.score.unknown == Unknown::before_ledger;
      carried += reading.carried;
    }
    const Score again =
        score_readings(model, restored, as_of, state_of_code(state_code(score.state), score.state.since));
    INFO(text << "} as of " << day_text(as_of));
    CHECK(again.score == score.score);
    CHECK(again.unknown_reason == score.unknown_reason);
    CHECK(again.tree.coverage == score.tree.coverage);
    CHECK(again.band(model) == score.band(model));
    CHECK(describe_score(model, again) == describe_score(model, score));
    for (std::size_t i = 0; i < model.signals.size(); ++i)
      CHECK(describe_signal(model, i, again) == describe_signal(model, i, score));
  }
  CHECK(silent > 300);
  CHECK(shrunk > 300);
  CHECK(lacking > 100);
  CHECK(carried > 30);
}
