// Flags: each ready-made one at its threshold, just below it and just above it; since when they are up.
#include <map>
#include <set>

#include "core/document/ready_flags.hpp"
#include "core/scoring/flags.hpp"
#include "core/scoring/score.hpp"
#include "metrics_fixture.hpp"

using namespace health;
using namespace health::test;

namespace {

const Day today = parse_day("2025-03-31").value();

// What an account did and what happened to it, by days before today.
class Story {
 public:
  Story& event(int user, int days_ago, int count = 1, const std::string& name = "a") {
    return count == 0 ? *this
                      : cell(std::to_string(user), days_ago, "\"" + name + "\"*" + std::to_string(count));
  }
  // So many users who do one thing each.
  Story& users(int count, int days_ago, int first = 1) {
    for (int i = 0; i < count; ++i) event(first + i, days_ago);
    return *this;
  }
  Story& roster(int count) {
    for (int i = 1; i <= count; ++i) cell(std::to_string(i), 300, "\"$joined\"");
    return *this;
  }
  Story& left(int user, int days_ago) { return cell(std::to_string(user), days_ago, "\"$deactivated\""); }
  Story& fact(const std::string& name, int days_ago, int count = 1, const std::string& kind = "") {
    return count == 0 ? *this
                      : cell("1", days_ago, "\"$/+" + name + "///" + kind + "\"*" + std::to_string(count));
  }
  // A period with an amount; an end below 0 is to come.
  Story& period(const std::string& name, int start, std::optional<int> end, int amount = 100) {
    cell("1", start, "\"$/+" + name + "///\"=" + std::to_string(amount));
    if (end)
      cell("1", *end, "\"$/-" + name + "/" + std::to_string(start - *end) + "//\"=" + std::to_string(amount));
    return *this;
  }
  Story& began(int days_ago) {
    start = days_before(today, days_ago);
    return *this;
  }
  Story& licensed(double count) {
    seats = count;
    return *this;
  }
  Story& ends(int days_ago) {
    end = days_before(today, days_ago);
    return *this;
  }

  // What the user source says of somebody.
  Story& of(const std::string& department, int user) {
    users_.push_back(std::to_string(user));
    departments_.push_back(department);
    return *this;
  }
  Story& contact(int user) {
    contacts_.push_back(std::to_string(user));
    return *this;
  }
  FlagPeople people(const Ledger& ledger) const {
    const auto views = [](const std::vector<std::string>& texts) {
      return std::vector<std::string_view>(texts.begin(), texts.end());
    };
    return find_people(ledger, views(users_), views(departments_), views(contacts_));
  }

  std::string text() const { return "bigint{" + cells_ + "}"; }
  std::optional<Day> start = days_before(today, 400), end;
  std::optional<double> seats;

 private:
  Story& cell(const std::string& user, int days_ago, const std::string& what) {
    cells_ += (cells_.empty() ? "" : ";") + user + ":" + day_text(days_before(today, days_ago)) + "/" + what;
    return *this;
  }
  std::string cells_;
  std::vector<std::string> users_, departments_, contacts_;
};

std::string document_with(const std::string& flags, const std::string& more = "") {
  std::string facts, catalog = R"("a": {"role": "activate", "feature": "f0"})";
  for (const char* name : {"feedback", "votes", "votes_received", "votes_given", "subscriptions", "tickets",
                           "requests", "referrals"})
    facts += std::string(facts.empty() ? "" : ", ") + "\"" + name +
             R"(": {"table": "t", "account": "a", "at": "d", "until": "e", "value": "v", "kind": "k"})";
  for (int i = 1; i <= 9; ++i)
    catalog += ", \"f" + std::to_string(i) + R"(": {"feature": "f)" + std::to_string(i) + "\"}";
  return R"({"accounts": {"table": "t", "id": "i", "start": "s", "end": "e", "seats": "n"},
    "users": {"table": "t", "account": "a", "id": "u", "deactivated": "d",
      "department": "p", "main_contact": "c"},
    "events": {"table": "t", "account": "a", "user": "u", "event": "n", "occurred_at": "t"},
    "catalog": {)" +
         catalog + "}, \"facts\": {" + facts + R"(}, "signals": [{"name": "s", "metric": "activation_rate",
    "normalize": {"kind": "linear", "worst": 0, "best": 1}}])" +
         more + ", \"flags\": " + flags + "}";
}

FlaggedModel model_with(const std::string& flags, const std::string& more = "") {
  const std::string document = document_with(flags, more);
  for (const Problem& problem : find_model_problems(document))
    FAIL_CHECK(problem.path << ": " << problem.problem << " " << problem.hint);
  std::string spelled;
  for (const FlagText& flag : spell_out_flags(document)) {
    INFO(flag.name << " " << flag.lacks);
    if (!flag.flag.empty()) spelled += (spelled.empty() ? "\"" : ", \"") + flag.name + "\": " + flag.flag;
  }
  return parse_flagged_model(document_with("{" + spelled + "}", more));
}

std::vector<RaisedFlag> raise(const FlaggedModel& flagged, const Story& story, Day as_of = today) {
  MetricSettings settings = flagged.model.settings;
  settings.account_start = story.start;
  settings.account_end = story.end;
  settings.seats = story.seats;
  const Ledger ledger = Ledger::decode(usage_from_text(story.text()), flagged.model.catalog, settings);
  return raise_flags(
      {flagged.model, ledger, [&](Day then) { return score_account(flagged.model, ledger, {}, then).score; },
       story.people(ledger)},
      flagged.flags, as_of, [](Day then) { return std::optional(then); });
}

// The one flag of that name, if it is up; a flag that asks for parameters has them.
std::optional<RaisedFlag> ask_flag(const std::string& name, const Story& story,
                                   const std::string& parameters = "true", const std::string& more = "") {
  static std::map<std::string, FlaggedModel> models;
  const std::string flags = "{\"" + name + "\": " + parameters + "}";
  auto found = models.find(flags + more);
  if (found == models.end()) found = models.emplace(flags + more, model_with(flags, more)).first;
  const auto raised = raise(found->second, story);
  if (raised.empty()) return std::nullopt;
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].flag->name == name);
  CHECK_FALSE(raised[0].sentence.empty());
  CHECK(raised[0].sentence.find('{') == std::string::npos);
  CHECK_FALSE(raised[0].flag->next_step.empty());
  return raised[0];
}

std::set<std::string>& tried() {
  static std::set<std::string> names;
  return names;
}

bool up(const std::string& name, const Story& story, const std::string& parameters = "true") {
  tried().insert(name);
  return ask_flag(name, story, parameters).has_value();
}

}  // namespace

TEST_CASE("flags about the course of usage are up at their thresholds and not beside them") {
  const auto trend = [](int now) { return Story().event(1, 40, 100).event(1, 10, now); };
  CHECK(up("trend_down", trend(85)));
  CHECK(up("trend_down", trend(84)));
  CHECK_FALSE(up("trend_down", trend(86)));
  const auto people = [](int now) { return Story().users(20, 40).users(now, 10); };
  CHECK(up("users_down", people(17)));
  CHECK(up("users_down", people(16)));
  CHECK_FALSE(up("users_down", people(18)));
  const auto weeks = [](int fourth, int third, int second, int first) {
    return Story().event(1, 24, fourth).event(1, 17, third).event(1, 10, second).event(1, 3, first);
  };
  CHECK(up("dipping", weeks(30, 30, 20, 10)));
  CHECK(up("dipping", weeks(40, 30, 20, 10)));
  CHECK_FALSE(up("dipping", weeks(30, 30, 30, 10)));
  const auto best = [](int now) { return Story().event(1, 3, now).event(1, 10, 10).event(1, 45, 9); };
  CHECK(up("peaking", best(11)));
  CHECK_FALSE(up("peaking", best(10)));
  CHECK_FALSE(up("peaking", best(9)));
  CHECK_FALSE(up("peaking", best(11).began(34)));  // younger than five weeks
}

TEST_CASE("flags about how many are active are up at their thresholds and not beside them") {
  const auto active = [](int of_ten) { return Story().roster(10).users(of_ten, 5); };
  CHECK(up("few_active", active(5)));
  CHECK_FALSE(up("few_active", active(6)));
  CHECK_FALSE(up("few_active", active(7)));
  CHECK(up("many_active", active(9)));
  CHECK_FALSE(up("many_active", active(8)));
  CHECK_FALSE(up("many_active", active(7)));
  CHECK(up("seats_full", active(9).licensed(10)));
  CHECK(up("seats_full", active(10).licensed(10)));
  CHECK_FALSE(up("seats_full", active(8).licensed(10)));
  CHECK(up("shared_seats", active(10).licensed(9)));
  CHECK_FALSE(up("shared_seats", active(10).licensed(10)));
  CHECK_FALSE(up("shared_seats", active(10).licensed(11)));
  const auto grown = [](int before) { return Story().users(before, 60).users(1, 5, 100); };
  CHECK(up("growing_users", grown(10)));
  CHECK(up("growing_users", grown(9)));
  CHECK_FALSE(up("growing_users", grown(11)));
  const auto days = [](int user_days) {
    Story story;
    for (int i = 0; i < user_days; ++i) story.event(1 + i % 5, 1 + i / 5);
    return story;
  };
  CHECK(up("high_engagement", days(56)));
  CHECK(up("high_engagement", days(57)));
  CHECK_FALSE(up("high_engagement", days(55)));
  const auto features = [](int used) {
    Story story;
    for (int i = 0; i < used; ++i) story.event(1, 5, 1, i == 0 ? "a" : "f" + std::to_string(i));
    return story;
  };
  CHECK(up("features_full", features(9)));
  CHECK(up("features_full", features(10)));
  CHECK_FALSE(up("features_full", features(8)));
}

TEST_CASE("flags about single users are up at their thresholds and not beside them") {
  const auto share = [](int most) { return Story().event(1, 5, most).event(2, 5, 100 - most); };
  CHECK(up("one_person", share(80)));
  CHECK(up("one_person", share(81)));
  CHECK_FALSE(up("one_person", share(79)));
  const auto quiet = [](int days_ago, int most = 30) {
    Story story;
    story.event(1, days_ago, most);
    for (int i = 0; i < 7; ++i) story.event(2 + i, 3, i == 0 ? 40 - most : 10);
    return story;
  };
  CHECK(up("power_user_quiet", quiet(14)));
  CHECK(up("power_user_quiet", quiet(15)));
  CHECK_FALSE(up("power_user_quiet", quiet(13)));
  CHECK_FALSE(up("power_user_quiet", quiet(14, 29)));
  const auto gone = [](int most) {
    Story story;
    story.roster(8).event(1, 20, most).left(1, 10);
    for (int i = 0; i < 7; ++i) story.event(2 + i, 3, i == 0 ? 40 - most : 10);
    return story;
  };
  CHECK(up("power_user_left", gone(30)));
  CHECK(up("power_user_left", gone(31)));
  CHECK_FALSE(up("power_user_left", gone(29)));
  CHECK_FALSE(up("power_user_left", Story().roster(2).event(1, 20, 30).event(2, 5, 5)));
  CHECK(up("stakeholders", Story().event(1, 5, 10).event(2, 5, 10).event(3, 5, 10)));
  CHECK(up("stakeholders", Story().users(4, 5)));
  CHECK_FALSE(up("stakeholders", Story().event(1, 5, 10).event(2, 5, 10).event(3, 5, 9)));
}

TEST_CASE("flags about departments are up at their thresholds and not beside them") {
  // So many departments of one user each, now and in the 28 days before.
  const auto active = [](int before, int now) {
    Story story;
    for (int i = 1; i <= 9; ++i) story.of("D" + std::to_string(i), i);
    return story.users(before, 29).users(now, 1).event(20, 1).event(21, 29);
  };
  CHECK(up("single_department", active(2, 1)));
  CHECK(up("single_department", active(3, 1)));
  CHECK_FALSE(up("single_department", active(1, 1)));
  CHECK_FALSE(up("single_department", active(3, 2)));
  CHECK_FALSE(up("single_department", active(2, 0)));
  CHECK(up("department_growth", active(2, 3)));
  CHECK(up("department_growth", active(0, 4)));
  CHECK_FALSE(up("department_growth", active(1, 2)));
  CHECK_FALSE(up("department_growth", active(3, 3)));
  CHECK_FALSE(up("department_growth", active(4, 3)));
  CHECK(up("department_growth", active(1, 2), R"({"at_least": 2})"));
  CHECK(up("department_growth", active(2, 3).began(56)));
  CHECK_FALSE(up("department_growth", active(2, 3).began(55)));
  // The days of the two windows.
  const auto on = [](int last_of_two, int last_of_one) {
    return Story().of("A", 1).of("B", 2).event(1, last_of_one).event(2, last_of_two).event(1, last_of_two);
  };
  CHECK(up("single_department", on(29, 28)));
  CHECK(up("single_department", on(56, 1)));
  CHECK_FALSE(up("single_department", on(28, 1)));
  CHECK_FALSE(up("single_department", on(57, 1)));
  CHECK(up("single_department", on(57, 1), R"({"window_days": 30})"));  // both are of 30 days
  const auto one = ask_flag("single_department", active(3, 1));
  REQUIRE(one);
  CHECK(one->sentence == "only D1 active in 28 days, 2 departments fewer than in the 28 days before");
  CHECK(one->value == 1);
  CHECK(one->threshold == 1);
  CHECK(one->since == today);
  const auto more = ask_flag("department_growth", active(3, 4));
  REQUIRE(more);
  CHECK(more->sentence == "4 departments active in 28 days, 1 department more than in the 28 days before");
}

TEST_CASE("the main contact of a large account is silent at the thresholds and not beside them") {
  const auto silent = [](int users, int days) {
    return Story().roster(users).contact(1).event(1, days).event(2, 1);
  };
  CHECK(up("main_contact_silent", silent(50, 7)));
  CHECK(up("main_contact_silent", silent(51, 8)));
  CHECK_FALSE(up("main_contact_silent", silent(50, 6)));
  CHECK_FALSE(up("main_contact_silent", silent(49, 7)));
  CHECK(up("main_contact_silent", silent(10, 5), R"({"users": 10, "days": 5})"));
  CHECK_FALSE(up("main_contact_silent", silent(10, 4), R"({"users": 10, "days": 5})"));
  CHECK_FALSE(up("main_contact_silent", silent(9, 5), R"({"users": 10, "at_least": 5})"));
  CHECK_FALSE(up("main_contact_silent", Story().roster(60).event(1, 9)));              // none is one
  CHECK_FALSE(up("main_contact_silent", Story().roster(60).contact(99).event(1, 9)));  // no user
  CHECK_FALSE(up("main_contact_silent", silent(60, 9).contact(2)));                    // one of two is there
  CHECK(up("main_contact_silent", silent(60, 9).contact(3).event(3, 7)));
  CHECK_FALSE(up("main_contact_silent", silent(60, 9).contact(3).event(3, 6)));
  // Who left does not hold the flag down, and is silent at once.
  CHECK(up("main_contact_silent", silent(60, 9).contact(2).left(2, 1)));
  CHECK(up("main_contact_silent", silent(51, 2).left(1, 1)));
  CHECK_FALSE(up("main_contact_silent", silent(50, 2).left(1, 1)));   // 49 are left
  CHECK(up("main_contact_silent", silent(60, 2).left(1, 0)));         // is none as of today
  CHECK_FALSE(up("main_contact_silent", silent(60, 2).left(1, -1)));  // leaves tomorrow
  // Who was never seen is silent since joining, or since the account began.
  CHECK(up("main_contact_silent", Story().roster(60).contact(1).event(2, 1).began(20)));
  CHECK_FALSE(up("main_contact_silent", Story().roster(60).contact(1).event(2, 1).began(6)));
  const auto words = [](const Story& story) {
    const auto flag = ask_flag("main_contact_silent", story);
    return flag ? flag->sentence : "";
  };
  CHECK(words(silent(64, 9)) == "main contact 1 silent for 9 days, of 64 users");
  CHECK(words(silent(64, 9).contact(3).event(3, 8)) == "main contacts 1, 3 silent for 8 days, of 64 users");
  CHECK(words(silent(64, 9).contact(3).contact(4).contact(5).contact(6)) ==
        "main contacts 1, 3, 4 and 2 more silent for 9 days, of 64 users");
  CHECK(words(silent(64, 2).left(1, 1)) == "main contact 1 is no user any more, of 63 users");
  const auto flag = ask_flag("main_contact_silent", silent(64, 9));
  REQUIRE(flag);
  CHECK(flag->value == 9);
  CHECK(flag->threshold == 7);
  CHECK(flag->since == days_before(today, 2));
}

TEST_CASE("flags about renewals are up on the days that they name") {
  const auto in = [](int days) { return Story().event(1, 3).period("subscriptions", 300, -days); };
  const auto by_end = [](int days) { return Story().event(1, 3).ends(-days); };
  const struct {
    const char* flag;
    int first, last;
  } windows[] = {
      {"renewal_30", 0, 30}, {"renewal_60", 31, 60}, {"renewal_90", 61, 90}, {"renewal_notice", 30, 60}};
  for (const auto& window : windows) {
    INFO(window.flag);
    CHECK(up(window.flag, in(window.first)));
    CHECK(up(window.flag, in(window.last)));
    CHECK_FALSE(up(window.flag, in(window.first - 1)));
    CHECK_FALSE(up(window.flag, in(window.last + 1)));
    const std::string end = R"({"measure": "days_to_end"})";
    CHECK(up(window.flag, by_end(window.last), end));
    CHECK_FALSE(up(window.flag, by_end(window.last + 1), end));
  }
  CHECK(up("renewal_past", in(-1)));
  CHECK_FALSE(up("renewal_past", in(0)));
  CHECK_FALSE(up("renewal_past", in(1)));
  CHECK_FALSE(up("renewal_30", in(30).period("subscriptions", 10, std::nullopt).ends(0)));  // no customer
  const auto dip = [&](int now, int days) { return in(days).users(10, 40).users(now, 10).event(1, 10); };
  CHECK(up("users_dip_before_renewal", dip(9, 90)));
  CHECK(up("users_dip_before_renewal", dip(9, 0)));
  CHECK_FALSE(up("users_dip_before_renewal", dip(10, 90)));
  CHECK_FALSE(up("users_dip_before_renewal", dip(9, 91)));
}

TEST_CASE("flags about feedback, votes and tickets are up at their thresholds and not beside them") {
  const auto said = [](int days_ago) { return Story().event(1, 3).fact("feedback", days_ago); };
  CHECK(up("no_feedback", said(60)));
  CHECK(up("no_feedback", said(61)));
  CHECK_FALSE(up("no_feedback", said(59)));
  CHECK(up("no_feedback", Story().event(1, 3).began(60)));
  CHECK_FALSE(up("no_feedback", Story().event(1, 3).began(59)));
  CHECK(up("no_feedback", Story().event(1, 3).event(1, 60, 1, "f1"), R"({"events": ["f1"]})"));
  CHECK_FALSE(up("no_feedback", Story().event(1, 3).event(1, 59, 1, "f1"), R"({"events": ["f1"]})"));
  const auto votes = [](int now) { return Story().fact("votes", 40, 100).fact("votes", 10, now); };
  CHECK(up("fewer_votes", votes(80)));
  CHECK(up("fewer_votes", votes(79)));
  CHECK_FALSE(up("fewer_votes", votes(81)));
  const auto balance = [](int received) {
    return Story().fact("votes_received", 90, received).fact("votes_given", 1, 100 - received);
  };
  CHECK(up("vote_imbalance", balance(25)));
  CHECK(up("vote_imbalance", balance(24)));
  CHECK_FALSE(up("vote_imbalance", balance(26)));
  CHECK_FALSE(up("vote_imbalance", Story().fact("votes_given", 91, 100)));
  for (const auto& [flag, kind] :
       {std::pair{"negative_feedback", "negative"}, {"positive_feedback", "positive"}}) {
    const auto of_kind = [of = kind](int before, int now) {
      return Story()
          .fact("feedback", 40, before, of)
          .fact("feedback", 10, now, of)
          .fact("feedback", 10, 9, "x");
    };
    CHECK(up(flag, of_kind(4, 5)));
    CHECK(up(flag, of_kind(2, 3)));
    CHECK_FALSE(up(flag, of_kind(8, 9)));
    CHECK_FALSE(up(flag, of_kind(1, 2)));
  }
  const auto tickets = [](int before, int now) {
    return Story().fact("tickets", 40, before).fact("tickets", 130, before).fact("tickets", 5, now);
  };
  CHECK(up("tickets_spike", tickets(10, 10)));
  CHECK(up("tickets_spike", tickets(10, 11)));
  CHECK_FALSE(up("tickets_spike", tickets(10, 9)));
  CHECK(up("tickets_spike", tickets(0, 3)));
  CHECK_FALSE(up("tickets_spike", tickets(0, 2)));
  const auto quiet = [](int days_ago, int now) {
    return Story().event(1, 40, 100).event(1, 10, now).fact("feedback", days_ago);
  };
  CHECK(up("happy_but_quiet", quiet(60, 95)));
  CHECK_FALSE(up("happy_but_quiet", quiet(59, 95)));
  CHECK_FALSE(up("happy_but_quiet", quiet(60, 94)));
}

TEST_CASE("flags about revenue, requests and firsts are up at their thresholds and not beside them") {
  const auto revenue = [](int now) {
    return Story()
        .users(7, 40)
        .users(7, 5)
        .period("subscriptions", 300, 10)
        .period("subscriptions", 10, {}, now);
  };
  CHECK(up("arpu_dip", revenue(90)));
  CHECK(up("arpu_dip", revenue(89)));
  CHECK_FALSE(up("arpu_dip", revenue(91)));
  CHECK(up("arpu_dip", revenue(100).users(1, 5, 50)));  // one more to share it
  CHECK(up("advanced_requests", Story().fact("requests", 90, 1, "advanced")));
  CHECK_FALSE(up("advanced_requests", Story().fact("requests", 91, 1, "advanced")));
  CHECK_FALSE(up("advanced_requests", Story().fact("requests", 90, 1, "other")));
  CHECK(up("referrals", Story().fact("referrals", 90)));
  CHECK_FALSE(up("referrals", Story().fact("referrals", 91)));
  const std::string premium = R"({"events": ["f1"]})";
  CHECK(up("premium_feature", Story().event(1, 28, 1, "f1").event(1, 3, 1, "f1"), premium));
  CHECK_FALSE(up("premium_feature", Story().event(1, 29, 1, "f1").event(1, 3, 1, "f1"), premium));
  const auto score = [](int then, int now) { return Story().roster(20).users(then, 40).users(now, 5); };
  CHECK(up("high_and_rising", score(15, 16)));
  CHECK(up("high_and_rising", score(14, 17)));
  CHECK_FALSE(up("high_and_rising", score(16, 16)));
  CHECK_FALSE(up("high_and_rising", score(14, 15)));
}

TEST_CASE("flags about the first weeks are up at their thresholds and not beside them") {
  const auto trial = [](int age, int users, int active) {
    return Story().began(age).roster(users).users(active, 5);
  };
  CHECK(up("trial_ready", trial(30, 6, 3)));
  CHECK_FALSE(up("trial_ready", trial(31, 6, 3)));
  CHECK_FALSE(up("trial_ready", trial(30, 7, 3)));
  CHECK_FALSE(up("trial_ready", trial(30, 4, 2)));
  CHECK(up("onboarding_stalled", Story().began(14)));
  CHECK(up("onboarding_stalled", Story().began(55).event(1, 10, 1, "f1")));
  CHECK_FALSE(up("onboarding_stalled", Story().began(13)));
  CHECK_FALSE(up("onboarding_stalled", Story().began(56)));
  CHECK_FALSE(up("onboarding_stalled", Story().began(14).event(1, 2)));
  const auto feed = [](int last) {
    Story story;
    for (int i = last; i < 90; ++i)
      for (int user = 1; user <= 10; ++user) story.event(user, i, 10);
    return story;
  };
  CHECK(up("feed_stopped", feed(3)));
  CHECK_FALSE(up("feed_stopped", feed(1)));
}

TEST_CASE("every ready-made flag is tried above") {
  for (const ReadyFlag& flag : ready_flags()) {
    INFO(flag.name);
    CHECK(tried().count(std::string(flag.name)) == 1);
    CHECK_FALSE(flag.rule.empty());
  }
}

TEST_CASE("a flag is up since the first day of its run, looked back for 28 days") {
  const auto raised = ask_flag("renewal_30", Story().event(1, 3).period("subscriptions", 300, -20));
  REQUIRE(raised);
  CHECK(raised->since == days_before(today, 10));
  CHECK(raised->value == 20);
  CHECK(raised->threshold == 30);
  CHECK(raised->sentence == "subscriptions end in 20 days");
  const auto long_ago = ask_flag("no_feedback", Story().event(1, 3).fact("feedback", 300));
  REQUIRE(long_ago);
  CHECK(long_ago->since == days_before(today, 28));
  CHECK(long_ago->sentence == "no feedback for 300 days");
  // A run that was broken begins after the break: open tickets on some days only.
  const std::string open =
      R"({"about": "data", "fact": "tickets", "measure": "open", "at_least": 1, "next_step": "close"})";
  const auto broken =
      ask_flag("mine", Story().event(1, 3).period("tickets", 20, 12).period("tickets", 6, {}), open);
  REQUIRE(broken);
  CHECK(broken->since == days_before(today, 5));
}

TEST_CASE("prospects and former customers have no flags, young accounts those about onboarding and data") {
  const FlaggedModel flagged =
      model_with(R"({"few_active": true, "onboarding_stalled": true, "seats_full": true,
      "shared_seats": true})",
                 R"(, "minimum_age_days": 20)");
  const auto names = [&](const Story& story) {
    std::string all;
    for (const RaisedFlag& flag : raise(flagged, story)) all += flag.flag->name + " ";
    return all;
  };
  CHECK(names(Story().roster(10).users(5, 5).licensed(4)) == "few_active seats_full shared_seats ");
  CHECK(names(Story().roster(10).users(5, 5).licensed(4).began(19)) == "shared_seats ");
  CHECK(names(Story().roster(10).began(19)) == "onboarding_stalled ");
  CHECK(names(Story().roster(10).began(20)) == "few_active onboarding_stalled ");
  CHECK(names(Story().roster(10).users(5, 5).began(-1)).empty());
  CHECK(names(Story().roster(10).users(5, 5).ends(0)).empty());
  CHECK(names(Story().roster(10).users(5, 40)) == "few_active ");  // silent
}

TEST_CASE("parameters take the place of the thresholds and facts of a ready-made flag") {
  CHECK(ask_flag("few_active", Story().roster(10).users(6, 5), R"({"at_most": 0.6})"));
  CHECK_FALSE(ask_flag("few_active", Story().roster(10).users(5, 5), R"({"below": 0.5})"));
  // The limit on the other side stays.
  CHECK(ask_flag("few_active", Story().roster(10).users(5, 5), R"({"at_least": 0.5})"));
  CHECK_FALSE(ask_flag("few_active", Story().roster(10).users(4, 5), R"({"at_least": 0.5})"));
  CHECK_FALSE(ask_flag("few_active", Story().roster(10).users(6, 5), R"({"at_least": 0.5})"));
  CHECK(ask_flag("tickets_spike", Story().fact("requests", 5, 3), R"({"fact": "requests"})"));
  CHECK(ask_flag("negative_feedback", Story().fact("tickets", 40, 2, "bug").fact("tickets", 5, 3, "bug"),
                 R"({"fact": "tickets", "kind": "bug"})"));
  CHECK(ask_flag("users_dip_before_renewal", Story().users(10, 40).users(9, 10).period("requests", 300, -90),
                 R"({"fact": "requests"})"));
  const auto mine = ask_flag("mine", Story().event(1, 5, 4), R"({"about": "expansion", "metric": "events",
      "above": 3, "sentence": "{value} over {threshold}", "next_step": "go"})");
  REQUIRE(mine);
  CHECK(mine->sentence == "4 over 3");
}

TEST_CASE("what is wrong with flags is told with its path") {
  const auto problems = [](const std::string& flags) {
    std::string all;
    for (const Problem& problem : find_model_problems(document_with(flags)))
      all += problem.path + ": " + problem.problem + (problem.hint.empty() ? "" : " (" + problem.hint + ")") +
             "\n";
    return all;
  };
  CHECK(problems("[]") ==
        "flags: must be an object, not an array (Write {\"renewal_30\": true, \"few_active\": {\"below\": "
        "0.5}})\n");
  CHECK(problems(R"({"few_activ": true})") ==
        "flags.few_activ: there is no ready-made flag \"few_activ\" (Did you mean \"few_active\"?)\n");
  CHECK(problems(R"({"few_active": 1})") == "flags.few_active: must be true, false or an object, not 1\n");
  CHECK(problems(R"({"few_active": {"belw": 1}})") ==
        "flags.few_active.belw: unknown key (Did you mean \"below\"?)\n");
  CHECK(
      problems(R"({"tickets_spike": {"fact": "tickts"}})")
          .find("flags.tickets_spike.fact: there is no fact source \"tickts\" (Did you mean \"tickets\"?)") ==
      0);
  CHECK(problems(R"({"premium_feature": true})").find("flags.premium_feature.events: must not be empty") ==
        0);
  CHECK(problems(R"({"x": {"about": "chrn", "metric": "events", "above": 1}})") ==
        "flags.x.about: must be churn, expansion, onboarding or data, not \"chrn\"\n");
  CHECK(problems(R"({"x": {"about": "churn", "metric": "events"}})").find("flags.x: has no threshold") == 0);
  CHECK(problems(R"({"x": {"about": "churn", "metric": "events", "at_least": 3, "at_most": 2}})")
            .find("flags.x: no value meets all conditions") == 0);
  CHECK(problems(R"({"x": {"about": "churn", "measure": "scre", "below": 3}})")
            .find("flags.x.measure: \"scre\" is no measure of an account") == 0);
  CHECK(problems(R"({"x": {"about": "churn", "below": 3}})").find("flags.x: has no source") == 0);
  CHECK(
      problems(
          R"({"few_active": false, "x": {"optional": true, "about": "churn", "fact": "nothing", "measure": "open", "above": 1}})")
          .empty());
}
