// The ready-made flags, by what they are about.
#include "ready_flags.hpp"

namespace health {

namespace {

#define RENEWAL_DAYS                                                 \
  R"("either": [{"fact": "subscriptions", "measure": "days_left"},)" \
  R"({"fact": "contracts", "measure": "days_left"}, {"measure": "days_to_end"}])"
#define FEEDBACK_DAYS                                              \
  R"("either": [{"fact": "feedback", "measure": "days_without"},)" \
  R"({"fact": "answers", "measure": "days_without"}, {"measure": "days_without", "events": []}])"

constexpr std::string_view renewal_needs = "fact subscriptions or contracts with until, or accounts.end";
constexpr std::string_view feedback_needs = "fact feedback or answers, or events";

constexpr ReadyFlag table[] = {
    {"trend_down", "events of 4 weeks down 15 % or more", "", R"({"about": "churn",
      "metric": "trend_4w", "at_most": -0.15,
      "next_step": "Ask what changed: who uses it less, and for what."})"},
    {"users_down", "active users of 4 weeks down 15 % or more", "", R"({"about": "churn",
      "metric": "trend_4w_users", "at_most": -0.15,
      "next_step": "Find out who stopped, and bring back those who had a use for it."})"},
    {"dipping", "fewer events two weeks in a row", "", R"({"about": "churn",
      "metric": "dip_streak", "at_least": 2,
      "next_step": "Look in before it becomes a trend."})"},
    {"few_active", "under 60 % of users active", "", R"({"about": "churn",
      "metric": "activation_rate", "below": 0.6,
      "next_step": "Offer a session for the users who never came back."})"},
    {"one_person", "80 % of events or more from one person", "", R"({"about": "churn",
      "metric": "power_user_dependency", "at_least": 0.8,
      "next_step": "Win a second person who knows it before this one leaves."})"},
    {"power_user_quiet", "who did most in 12 weeks, 30 % or more, was not seen for 14 days", "",
     R"({"about": "churn", "measure": "power_user_quiet_days", "window_days": 84, "at_least": 14,
      "and": [{"metric": "power_user_dependency", "window_days": 84, "at_least": 0.3}],
      "sentence": "{finding}: {and}",
      "next_step": "Ask whether the person is on leave, has another task, or has left."})"},
    {"power_user_left", "who did 30 % or more in 12 weeks is no user any more", "users with deactivated",
     R"({"about": "churn", "measure": "power_user_left", "window_days": 84, "at_least": 0.3,
      "next_step": "Find the successor and start over with that person."})"},
    {"no_feedback", "no feedback for 60 days; of an account that never gave any, since it began",
     feedback_needs, R"({"about": "churn", )" FEEDBACK_DAYS R"(, "at_least": 60,
      "next_step": "Ask one question about their goals: silence comes before leaving."})"},
    {"fewer_votes", "votes down 20 % or more against the window before", "fact votes, or events",
     R"({"about": "churn", "either": [{"fact": "votes", "measure": "change"},
      {"metric": "trend_4w", "events": []}], "at_most": -0.2,
      "next_step": "Send the ideas that companies of their industry vote for."})"},
    {"vote_imbalance", "(received - given) / (received + given) of votes in 90 days at most -0.5",
     "facts votes_received and votes_given, or events",
     R"({"about": "churn", "measure": "imbalance", "window_days": 90,
      "received": {"fact": "votes_received"}, "given": {"fact": "votes_given"}, "at_most": -0.5,
      "next_step": "They give more than they get: show them who shares their wishes."})"},
    {"renewal_30", "renewal or contract end in 0 to 30 days", renewal_needs,
     R"({"about": "churn", )" RENEWAL_DAYS R"(, "at_least": 0, "at_most": 30,
      "next_step": "Agree on the terms now."})"},
    {"renewal_60", "renewal or contract end in 31 to 60 days", renewal_needs,
     R"({"about": "churn", )" RENEWAL_DAYS R"(, "at_least": 31, "at_most": 60,
      "next_step": "Meet who decides, with what they got out of it."})"},
    {"renewal_90", "renewal or contract end in 61 to 90 days", renewal_needs,
     R"({"about": "churn", )" RENEWAL_DAYS R"(, "at_least": 61, "at_most": 90,
      "next_step": "Plan the renewal: owner, goals, open requests."})"},
    {"renewal_notice", "renewal in 30 to 60 days: notice can still be given for 30 days", renewal_needs,
     R"({"about": "churn", )" RENEWAL_DAYS R"(, "at_least": 30, "at_most": 60,
      "sentence": "{finding}: notice can still be given",
      "next_step": "Make sure that nobody has to give notice to get an answer."})"},
    {"renewal_past", "what ran has ended and nothing follows", "fact subscriptions or contracts with until",
     R"({"about": "churn", "either": [{"fact": "subscriptions", "measure": "days_left"},
      {"fact": "contracts", "measure": "days_left"}], "below": 0,
      "next_step": "Ask whether they leave or the paper is late."})"},
    {"negative_feedback", "negative feedback up 25 % or more, and at least 3 pieces of it",
     "fact feedback with kind",
     R"({"about": "churn", "fact": "feedback", "measure": "change", "kind": "negative", "at_least": 0.25,
      "and": [{"fact": "feedback", "measure": "count", "kind": "negative", "at_least": 3}],
      "next_step": "Read what they wrote and answer in person."})"},
    {"tickets_spike", "twice as many tickets as usual or more, and at least 3", "fact tickets",
     R"({"about": "churn", "fact": "tickets", "measure": "times_usual", "at_least": 2,
      "and": [{"fact": "tickets", "measure": "count", "at_least": 3}],
      "next_step": "Go through the tickets with support and send one summary."})"},
    {"arpu_dip", "revenue per active user down 10 % or more", "fact subscriptions with value and until",
     R"({"about": "churn", "fact": "subscriptions", "measure": "revenue_per_user_change", "at_most": -0.1,
      "next_step": "Find out which part they stopped paying for."})"},
    {"users_dip_before_renewal", "fewer active users than 4 weeks before, and 90 days or less to the renewal",
     renewal_needs, R"({"about": "churn", "metric": "trend_4w_users", "below": 0,
      "and": [{)" RENEWAL_DAYS R"(, "at_least": 0, "at_most": 90}], "sentence": "{finding}, {and}",
      "next_step": "Bring users back before the renewal is talked about."})"},

    {"many_active", "over 80 % of users active", "", R"({"about": "expansion",
      "metric": "activation_rate", "above": 0.8,
      "next_step": "Show what the next plan adds."})"},
    {"growing_users", "new active users, 10 % or more of those there were", "", R"({"about": "expansion",
      "metric": "growth", "at_least": 0.1,
      "next_step": "Ask which team comes next."})"},
    {"high_engagement", "40 % or more of active users come on an average day", "",
     R"({"about": "expansion", "metric": "stickiness", "at_least": 0.4,
      "next_step": "Ask for a reference, and what they would like on top."})"},
    {"advanced_requests", "a request of kind advanced in 90 days", "fact requests with kind",
     R"({"about": "expansion", "fact": "requests", "measure": "count", "kind": "advanced",
      "window_days": 90, "at_least": 1,
      "next_step": "They ask for what the next plan has: show it."})"},
    {"positive_feedback", "positive feedback up 25 % or more, and at least 3 pieces of it",
     "fact feedback with kind",
     R"({"about": "expansion", "fact": "feedback", "measure": "change", "kind": "positive", "at_least": 0.25,
      "and": [{"fact": "feedback", "measure": "count", "kind": "positive", "at_least": 3}],
      "next_step": "Thank them, and ask whether they would say it in public."})"},
    {"referrals", "a referral in 90 days", "fact referrals, or events",
     R"({"about": "expansion", "either": [{"fact": "referrals", "measure": "count", "window_days": 90},
      {"metric": "events", "events": [], "window_days": 90}], "at_least": 1,
      "next_step": "Thank them, and tell them what became of it."})"},
    {"seats_full", "90 % of seats or more in use", "accounts.seats", R"({"about": "expansion",
      "metric": "adoption_rate", "at_least": 0.9,
      "next_step": "Offer more seats before somebody cannot get in."})"},
    {"features_full", "90 % of entitled features or more in use", "features in the catalog",
     R"({"about": "expansion", "metric": "breadth", "at_least": 0.9,
      "next_step": "They use all they have: show what the next plan adds."})"},
    {"stakeholders", "usage as of 3 equal users or more", "", R"({"about": "expansion",
      "metric": "effective_users", "at_least": 3,
      "next_step": "Several people carry it: map who decides."})"},
    {"high_and_rising", "score at least 80, and up 5 points or more in 28 days", "",
     R"({"about": "expansion", "measure": "score", "at_least": 80,
      "and": [{"measure": "score_change", "at_least": 5}], "sentence": "{finding}, {and}",
      "next_step": "A good time to talk about more."})"},
    {"premium_feature", "an event that marks a premium feature for the first time, in the last 28 days",
     "events", R"({"about": "expansion", "measure": "first_use_days", "events": [], "at_most": 28,
      "next_step": "Help them to get the most out of it while it is new."})"},
    {"peaking", "the last week is the busiest of up to twelve", "", R"({"about": "expansion",
      "measure": "peak", "above": 1,
      "next_step": "Ask what drives it: now is the time for an upgrade."})"},

    {"trial_ready", "in the first 30 days: half of the users and at least 3 active in 14 days", "",
     R"({"about": "onboarding", "metric": "activation_rate", "window_days": 14, "at_least": 0.5,
      "and": [{"metric": "active_users", "window_days": 14, "at_least": 3},
              {"measure": "age_days", "at_most": 30}], "sentence": "{finding}, {and}",
      "next_step": "Ready to buy: make an offer."})"},
    {"onboarding_stalled", "14 to 55 days after the start nobody has reached an event of role activate",
     "accounts.start", R"({"about": "onboarding", "measure": "stalled_days", "at_least": 14,
      "and": [{"measure": "age_days", "at_most": 55}],
      "next_step": "Offer to set it up together."})"},

    {"happy_but_quiet", "no feedback for 60 days, but events not down more than 5 %: not at risk",
     feedback_needs, R"({"about": "data", )" FEEDBACK_DAYS R"(, "at_least": 60,
      "and": [{"metric": "trend_4w", "at_least": -0.05}], "sentence": "{finding}, but {and}: not at risk",
      "next_step": "Nothing is wrong: ask now and then."})"},
    {"shared_seats", "more users active than there are seats", "accounts.seats", R"({"about": "data",
      "metric": "adoption_rate", "above": 1,
      "next_step": "Check the number of seats, or whether logins are shared."})"},
    {"feed_stopped", "all events of the account stopped at once", "", R"({"about": "data",
      "measure": "feed_stopped_days", "at_least": 1,
      "next_step": "Check the feed before anybody calls."})"},
};

#undef RENEWAL_DAYS
#undef FEEDBACK_DAYS

}  // namespace

std::span<const ReadyFlag> ready_flags() { return table; }

}  // namespace health
