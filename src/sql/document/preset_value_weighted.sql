-- Preset value_weighted: what users do counts by what it is worth, not by how often. Model D of docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (4, 'value_weighted',
'Every action is worth 1 to 10 points; value delivered, people and voice of the customer make the score. Unlisted events count 1 point. '
    'Optional account '
'columns: main_contact_seen (date of the main contact''s last visit), departments, nps, csat, tickets_30d.',
$json${
  "description": "Actions weighted by value, with thresholds of the practice: under 60 % active is a tough renewal, over 80 % is core.",
  "window_days": 28,
  "minimum_age_days": 14,
  "minimum_coverage": 0.3,
  "silence": {
    "next_step": "No value for weeks: start the low-score playbook: call the sponsor and agree on one result to reach this month."},
  "daily_cap": 200,
  "onboarding": {"days": 14, "events": 2, "window_days": 28},
  "unlisted_events": "count",
  "catalog": {
    "session_started":       {"role": "session",                "value": 1,  "feature": "app"},
    "page_viewed":           {"role": "consume",                "value": 1,  "feature": "app"},
    "search_performed":      {"role": "consume",                "value": 2,  "feature": "search"},
    "report_viewed":         {"role": "consume",                "value": 3,  "feature": "reports"},
    "data_exported":         {"role": "consume",                "value": 4,  "feature": "reports"},
    "comment_added":         {"role": "interact",               "value": 4,  "feature": "collaboration"},
    "record_created":        {"role": ["create", "activate"],   "value": 5,  "feature": "records"},
    "item_shared":           {"role": ["interact", "activate"], "value": 6,  "feature": "collaboration"},
    "automation_run":        {"role": "create",                 "value": 6,  "feature": "automation"},
    "teammate_invited":      {"role": ["interact", "activate"], "value": 8,  "feature": "administration"},
    "integration_connected": {"role": "activate",               "value": 9,  "feature": "integrations"},
    "workflow_published":    {"role": ["create", "activate"],   "value": 10, "feature": "automation"},
    "project_completed":     {"role": ["create", "activate"],   "value": 10, "feature": "records"}
  },
  "features": ["search", "reports", "collaboration", "records", "automation", "administration", "integrations"],
  "signals": [
    {"name": "value", "label": "Value delivered", "weight": 0.5, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.25, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: ask who needed the last result.", "at_least": 14}}},
      {"name": "active_weeks", "label": "Weeks with activity", "weight": 0.2, "metric": "cadence",
       "normalize": {"kind": "linear", "worst": 0, "best": 1},
       "next_step": {"low": "Value comes and goes: find the weekly task that the product should carry."}},
      {"name": "value_per_user", "label": "Value points per active user, among all accounts", "weight": 0.2, "metric": "depth",
       "shrink": 3,
       "normalize": {"kind": "percentile"},
       "next_step": {"low": "They do much that is worth little: show the actions that pay.",
                     "high": "They get more out of it than most: ask for a reference."}},
      {"name": "value_trend", "label": "Value points, last 4 weeks against the 4 before", "weight": 0.2, "metric": "trend_4w_value",
       "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": {"text": "Value is shrinking: start the low-score playbook.", "at_most": -0.15},
        "high": {"text": "Value is growing: start the expansion playbook.", "at_least": 0.25}}},
      {"name": "breadth", "label": "Features in use", "weight": 0.15, "metric": "breadth",
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Use is shrinking to one corner of the product: bring a second department in."}}
    ]},
    {"name": "people", "label": "People", "weight": 0.3, "signals": [
      {"name": "active_share", "label": "Active users", "weight": 0.4, "metric": "activation_rate", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.6, 50], [0.8, 80], [1, 100]]},
       "next_step": {"low": {"text": "Under 60 % active makes a tough renewal: agree on a plan with the sponsor.", "below": 0.6},
                     "high": {"text": "Over 80 % active: the product is core; ask for a referral.", "above": 0.8}}},
      {"name": "concentration", "label": "Value from the busiest user", "weight": 0.25, "metric": "power_user_dependency", "by_value": true,
       "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
       "next_step": {"low": {"text": "One power user carries the account: know who follows when that person leaves.", "at_least": 0.6}}},
      {"name": "main_contact", "label": "Days since the main contact was seen", "weight": 0.2,
       "expression": "as_of - main_contact_seen::date",
       "optional": true, "normalize": {"kind": "recency", "half_life_days": 7},
       "next_step": {"low": {"text": "The main contact has gone quiet for a week: write today.", "at_least": 7}}},
      {"name": "departments", "label": "Departments that use it", "weight": 0.15, "column": "departments", "optional": true,
       "normalize": {"kind": "linear", "worst": 1, "best": 4},
       "next_step": {"low": {"text": "Only one department uses it: find a use case next door.", "at_most": 1},
        "high": {"text": "Used across departments: propose a company plan.", "at_least": 4}}}
    ]},
    {"name": "voice", "label": "Voice of the customer", "weight": 0.2, "signals": [
      {"name": "nps", "label": "Net promoter score", "weight": 0.4, "column": "nps", "optional": true,
       "normalize": {"kind": "linear", "worst": -100, "best": 100},
       "next_step": {"low": {"text": "Call the detractors within two days.", "below": 0},
        "high": {"text": "Ask the promoters for a review.", "at_least": 50}}},
      {"name": "csat", "label": "Satisfaction, percent of answers 4 or 5", "weight": 0.3, "column": "csat", "optional": true,
       "normalize": {"kind": "linear", "worst": 50, "best": 95},
       "next_step": {"low": "Read the last answers together with support."}},
      {"name": "tickets", "label": "Support tickets in 30 days", "weight": 0.3, "column": "tickets_30d", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Ticket spike: find the common cause."}}
    ]}
  ]
}$json$);
