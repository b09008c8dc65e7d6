-- Preset feedback_portal: 0.4 engagement + 0.3 revenue + 0.3 lifecycle. Formula and weights: docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (2, 'feedback_portal',
'Account health of a feedback product: 0.4 engagement (activation 40, feedback 30, votes 30) + 0.3 revenue (ARR percentile 50, plan tier '
    '30, revenue trend 20) '
'+ 0.3 lifecycle (days to renewal 40, tenure 30, tickets 30). Optional account columns: arr, arr_previous, plan_tier, renewal_date, '
    'tickets_30d; '
'accounts.start gives the tenure.',
$json${
  "description": "Engagement, revenue and lifecycle of the customers of a feedback portal.",
  "window_days": 30,
  "minimum_age_days": 14,
  "silence": {
    "next_step": "Nobody has come for a month: ask the owner of the portal whether feedback still arrives, and where it goes instead."},
  "onboarding": {"days": 14, "events": 1, "window_days": 30},
  "catalog": {
    "feedback_submitted":     {"role": ["create", "activate"],   "value": 10, "feature": "feedback"},
    "vote_cast":              {"role": ["interact", "activate"], "value": 3,  "feature": "votes"},
    "comment_added":          {"role": "interact",               "value": 5,  "feature": "discussion"},
    "idea_followed":          {"role": "interact",               "value": 3,  "feature": "votes"},
    "survey_answered":        {"role": "create",                 "value": 6,  "feature": "surveys"},
    "idea_viewed":            {"role": "consume",                "value": 1,  "feature": "feedback"},
    "roadmap_viewed":         {"role": "consume",                "value": 2,  "feature": "roadmap"},
    "changelog_read":         {"role": "consume",                "value": 2,  "feature": "changelog"},
    "advanced_feature_asked": {"role": "create",                 "value": 8,  "feature": "feedback"},
    "session_started":        {"role": "session",                "value": 1,  "feature": "portal"}
  },
  "features": ["feedback", "votes", "discussion", "surveys", "roadmap", "changelog"],
  "signals": [
    {"name": "engagement", "label": "Engagement", "weight": 0.4, "signals": [
      {"name": "activation", "label": "Activation", "weight": 0.4, "signals": [
        {"name": "active_share", "label": "Active users", "weight": 0.5, "metric": "activation_rate", "shrink": 3,
         "normalize": {"kind": "piecewise", "points": [[0, 0], [0.3, 40], [0.7, 80], [1, 100]]},
         "next_step": {"low": {"text": "Under 30 % active: offer a session for the users who never came back.", "below": 0.3},
                       "high": {"text": "Over 70 % active: show what the next plan adds.", "above": 0.7}}},
        {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.25, "metric": "recency_days",
         "normalize": {"kind": "recency", "half_life_days": 14},
         "next_step": {"low": {"text": "Two weeks without anybody: send what changed since they last looked.", "at_least": 14}}},
        {"name": "active_weeks", "label": "Weeks with activity", "weight": 0.25, "metric": "cadence",
         "normalize": {"kind": "linear", "worst": 0, "best": 1},
         "next_step": {"low": "They come now and then: suggest a monthly review of new feedback."}}
      ]},
      {"name": "feedback", "label": "Feedback", "weight": 0.3, "signals": [
        {"name": "feedback_givers", "label": "Users who gave feedback in 60 days", "weight": 0.5, "metric": "activation_rate",
         "window_days": 60, "events": ["feedback_submitted", "advanced_feature_asked"], "shrink": 3,
         "normalize": {"kind": "piecewise", "points": [[0, 0], [0.1, 50], [0.3, 100]]},
         "next_step": {"low": {"text": "No feedback in 60 days is an early sign of churn: ask them one question about their goals.",
                               "at_most": 0},
                       "high": {"text": "They shape the product: invite them to the advisory board.", "at_least": 0.3}}},
        {"name": "feedback_volume", "label": "Pieces of feedback in 60 days", "weight": 0.5, "metric": "events", "window_days": 60,
         "events": ["feedback_submitted", "advanced_feature_asked"],
         "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 20], [5, 50], [20, 80], [100, 100]]},
         "next_step": {"low": "Little feedback: show them how others collect it from their support tickets."}}
      ]},
      {"name": "votes", "label": "Votes", "weight": 0.3, "signals": [
        {"name": "voters", "label": "Users who voted", "weight": 0.5, "metric": "activation_rate",
         "events": ["vote_cast", "idea_followed"], "shrink": 3,
         "normalize": {"kind": "piecewise", "points": [[0, 0], [0.2, 50], [0.5, 100]]},
         "next_step": {"low": "Send them the ideas that companies of their industry vote for."}},
        {"name": "vote_volume", "label": "Votes", "weight": 0.5, "metric": "events", "events": ["vote_cast", "idea_followed"],
         "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 20], [5, 50], [20, 80], [100, 100]]},
         "next_step": {"low": "Few votes: put the ideas that wait for votes on their start page."}}
      ]}
    ]},
    {"name": "revenue", "label": "Revenue", "weight": 0.3, "signals": [
      {"name": "arr", "label": "ARR among all accounts", "weight": 0.5, "column": "arr", "optional": true,
       "normalize": {"kind": "percentile"},
       "next_step": {"high": "One of the largest accounts: keep an executive sponsor in touch."}},
      {"name": "plan", "label": "Plan tier", "weight": 0.3, "expression": "lower(plan_tier::text)", "optional": true,
       "normalize": {"kind": "map", "map": {"free": 10, "trial": 20, "starter": 40, "basic": 40, "team": 60, "growth": 60,
        "professional": 75,
                                             "pro": 75, "business": 85, "scale": 85, "enterprise": 100}},
       "next_step": {"low": "On a small plan: check whether usage justifies an upgrade."}},
      {"name": "revenue_trend", "label": "ARR against the previous period", "weight": 0.2,
       "expression": "arr / nullif(arr_previous, 0) - 1", "optional": true,
       "normalize": {"kind": "linear", "worst": -0.2, "best": 0.2},
       "next_step": {"low": {"text": "Revenue contracts: find out which team stopped paying, and why.", "below": 0},
        "high": {"text": "Revenue expands: ask what drives it.", "above": 0}}}
    ]},
    {"name": "lifecycle", "label": "Lifecycle", "weight": 0.3, "signals": [
      {"name": "days_to_renewal", "label": "Days to renewal", "weight": 0.4, "expression": "renewal_date::date - as_of", "optional": true,
       "normalize": {"kind": "steps", "below": 10, "steps": [{"from": 0, "score": 25}, {"from": 31, "score": 50}, {"from": 61, "score": 75},
                                                              {"from": 91, "score": 100}]},
       "next_step": {"low": {"text": "Renewal within 30 days: agree on the terms now.", "at_least": 0, "at_most": 30}}},
      {"name": "tenure", "label": "Days as a customer", "weight": 0.3, "expression": "as_of - account_start", "optional": true,
       "normalize": {"kind": "piecewise", "points": [[0, 20], [90, 40], [365, 80], [730, 100]]},
       "next_step": {"low": {"text": "A young account: check its onboarding plan.", "below": 90}}},
      {"name": "tickets", "label": "Support tickets in 30 days", "weight": 0.3, "column": "tickets_30d", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Many tickets: go through them with support and send one summary."}}
    ]}
  ]
}$json$);
