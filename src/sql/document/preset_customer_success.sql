-- Preset customer_success: usage, adoption, engagement with the vendor, contract. Model C of docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (3, 'customer_success',
'Account health for a customer-success team of any product: usage (frequency, depth, breadth), adoption (active seats of licensed seats), '
    'engagement '
'(support, training, check-ins), contract (renewal, invoices, tier). Every event counts, listed or not. accounts.seats gives adoption; '
    'optional account '
'columns: open_tickets, trainings_90d, last_check_in, renewal_date, outstanding_invoices, plan_tier.',
$json${
  "description": "Usage, adoption, engagement and contract in one score.",
  "window_days": 28,
  "minimum_age_days": 14,
  "minimum_coverage": 0.3,
  "silence": {
    "next_step": "Nobody has been active for weeks: call the sponsor now, ask what changed, and offer to set the product up again."},
  "onboarding": {"days": 14, "events": 2, "window_days": 28},
  "unlisted_events": "count",
  "catalog": {
    "session_started":       {"role": "session",                "value": 1,  "feature": "app"},
    "record_created":        {"role": ["create", "activate"],   "value": 6,  "feature": "records"},
    "record_updated":        {"role": "create",                 "value": 3,  "feature": "records"},
    "record_viewed":         {"role": "consume",                "value": 1,  "feature": "records"},
    "report_viewed":         {"role": "consume",                "value": 3,  "feature": "reports"},
    "report_exported":       {"role": ["consume", "activate"],  "value": 5,  "feature": "reports"},
    "comment_added":         {"role": "interact",               "value": 4,  "feature": "collaboration"},
    "item_shared":           {"role": ["interact", "activate"], "value": 6,  "feature": "collaboration"},
    "automation_created":    {"role": ["create", "activate"],   "value": 9,  "feature": "automation"},
    "integration_connected": {"role": "activate",               "value": 9,  "feature": "integrations"},
    "user_invited":          {"role": "activate",               "value": 7,  "feature": "administration"}
  },
  "features": ["records", "reports", "collaboration", "automation", "integrations", "administration"],
  "signals": [
    {"name": "usage", "label": "Usage", "weight": 0.35, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.25, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: ask the administrator what got in the way.", "at_least": 14}}},
      {"name": "frequency", "label": "Weeks with activity", "weight": 0.25, "metric": "cadence",
       "normalize": {"kind": "linear", "worst": 0, "best": 1},
       "next_step": {"low": "Usage comes and goes: find the weekly task that the product should carry."}},
      {"name": "depth", "label": "Value points per active user, among all accounts", "weight": 0.2, "metric": "depth", "shrink": 3,
       "normalize": {"kind": "percentile"},
       "next_step": {"low": "Shallow use: show two advanced workflows of a similar customer."}},
      {"name": "breadth", "label": "Features in use", "weight": 0.15, "metric": "breadth",
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Pick the one unused feature that fits their goal and demonstrate it.",
                     "high": "They use nearly everything: a candidate for the beta programme."}},
      {"name": "trend", "label": "Activity, last 4 weeks against the 4 before", "weight": 0.15, "metric": "trend_4w",
       "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": {"text": "Usage falls: call before the next business review.", "at_most": -0.15},
                     "high": {"text": "Usage is rising: prepare the expansion talk.", "at_least": 0.25}}}
    ]},
    {"name": "adoption", "label": "Adoption", "weight": 0.25, "signals": [
      {"name": "seat_adoption", "label": "Active users of licensed seats", "weight": 0.6, "metric": "adoption_rate", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.3, 25], [0.6, 50], [0.8, 80], [1, 100]]},
       "next_step": {"low": {"text": "Paid seats stand empty: plan a rollout with the administrator before they count seats themselves.",
                             "below": 0.6},
                     "high": {"text": "Usage near capacity: offer more seats.", "at_least": 0.9}}},
      {"name": "user_activation", "label": "Active users of all users", "weight": 0.25, "metric": "activation_rate",
       "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": "Ask the administrator which of the dormant users still need access."}},
      {"name": "onboarding", "label": "New users who got going", "weight": 0.15, "metric": "onboarding_activation",
       "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.7},
       "next_step": {"low": "Offer a training date to the newcomers."}}
    ]},
    {"name": "engagement", "label": "Engagement", "weight": 0.2, "signals": [
      {"name": "support", "label": "Open support tickets", "weight": 0.35, "column": "open_tickets", "optional": true,
       "normalize": {"kind": "linear", "worst": 10, "best": 0},
       "next_step": {"low": "Escalate the open tickets and send one summary with dates."}},
      {"name": "training", "label": "Trainings in 90 days", "weight": 0.25, "column": "trainings_90d", "optional": true,
       "normalize": {"kind": "linear", "worst": 0, "best": 3},
       "next_step": {"low": "Invite them to the next training for their role."}},
      {"name": "check_in", "label": "Days since the last check-in", "weight": 0.4, "expression": "as_of - last_check_in::date",
       "optional": true,
       "normalize": {"kind": "recency", "half_life_days": 60},
       "next_step": {"low": {"text": "It has been two months: book a check-in.", "at_least": 60}}}
    ]},
    {"name": "contract", "label": "Contract", "weight": 0.2, "signals": [
      {"name": "days_to_renewal", "label": "Days to renewal", "weight": 0.5, "expression": "renewal_date::date - as_of", "optional": true,
       "normalize": {"kind": "steps", "below": 10, "steps": [{"from": 0, "score": 25}, {"from": 31, "score": 50}, {"from": 61, "score": 75},
                                                              {"from": 91, "score": 100}]},
       "next_step": {"low": {"text": "Renewal is near: align goals, sponsor and terms.", "at_least": 0, "at_most": 60}}},
      {"name": "invoices", "label": "Outstanding invoices", "weight": 0.3, "column": "outstanding_invoices", "optional": true,
       "normalize": {"kind": "linear", "worst": 3, "best": 0},
       "next_step": {"low": "Ask whether the invoice is late or disputed; a dispute is a product problem first."}},
      {"name": "tier", "label": "Plan tier", "weight": 0.2, "expression": "lower(plan_tier::text)", "optional": true,
       "normalize": {"kind": "map", "map": {"free": 10, "trial": 20, "starter": 40, "basic": 40, "team": 60, "growth": 60,
        "professional": 75,
                                             "pro": 75, "business": 85, "scale": 85, "enterprise": 100}}}
    ]}
  ]
}$json$);
