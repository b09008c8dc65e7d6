-- Preset value_weighted: what users do counts by what it is worth, not by how often. Model D of docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (4, 'value_weighted',
'Every action is worth 1 to 10 points; value delivered, people and voice of the customer make the score. Unlisted events count 1 point. '
    'Optional account '
'columns: main_contact_seen (date of the main contact''s last visit), departments, nps, csat, tickets_30d.',
$json${
  "description": "Actions weighted by value, with thresholds of the practice: under 60 % active is a tough renewal, over 80 % is core.",
  "window_days": 28,
  "minimum_coverage": 0.4,
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
      {"name": "value_per_user", "label": "Value points per active user, among all accounts", "weight": 0.35, "metric": "depth",
       "missing": "zero",
       "normalize": {"kind": "percentile"},
       "next_step": {"low": "They do much that is worth little: show the actions that pay.",
                     "high": "They get more out of it than most: ask for a reference."}},
      {"name": "value_trend", "label": "Value points, last 4 weeks against the 4 before", "weight": 0.35, "metric": "trend_4w_value",
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": "Value is shrinking: start the low-score playbook.",
        "high": "Value is growing: start the expansion playbook."}},
      {"name": "breadth", "label": "Features in use", "weight": 0.3, "metric": "breadth",
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Use is shrinking to one corner of the product: bring a second department in."}}
    ]},
    {"name": "people", "label": "People", "weight": 0.3, "signals": [
      {"name": "active_share", "label": "Active users", "weight": 0.4, "metric": "activation_rate",
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.6, 50], [0.8, 80], [1, 100]]},
       "next_step": {"low": "Under 60 % active makes a tough renewal: agree on a plan with the sponsor.",
                     "high": "Over 80 % active: the product is core; ask for a referral."}},
      {"name": "concentration", "label": "Value from the busiest user", "weight": 0.25, "metric": "power_user_dependency", "by_value": true,
       "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
       "next_step": {"low": "One power user carries the account: know who follows when that person leaves."}},
      {"name": "main_contact", "label": "Days since the main contact was seen", "weight": 0.2,
       "expression": "as_of - main_contact_seen::date",
       "optional": true, "normalize": {"kind": "recency", "half_life_days": 7},
       "next_step": {"low": "The main contact has gone quiet: write today."}},
      {"name": "departments", "label": "Departments that use it", "weight": 0.15, "column": "departments", "optional": true,
       "normalize": {"kind": "linear", "worst": 1, "best": 4},
       "next_step": {"low": "Only one department left: find a use case next door.",
        "high": "Growing across departments: propose a company plan."}}
    ]},
    {"name": "voice", "label": "Voice of the customer", "weight": 0.2, "signals": [
      {"name": "nps", "label": "Net promoter score", "weight": 0.4, "column": "nps", "optional": true,
       "normalize": {"kind": "linear", "worst": -100, "best": 100},
       "next_step": {"low": "Call the detractors within two days.", "high": "Ask the promoters for a review."}},
      {"name": "csat", "label": "Satisfaction, percent of answers 4 or 5", "weight": 0.3, "column": "csat", "optional": true,
       "normalize": {"kind": "linear", "worst": 50, "best": 95},
       "next_step": {"low": "Read the last answers together with support."}},
      {"name": "tickets", "label": "Support tickets in 30 days", "weight": 0.3, "column": "tickets_30d", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Ticket spike: find the common cause."}}
    ]}
  ]
}$json$);
