-- Preset expansion_signal: who is ready for more. Weights: docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (6, 'expansion_signal',
'Who is ready for more: 0.5 engagement (active users, days they come, several people) + 0.3 growth + 0.2 seats in use; every event counts. '
    'Brings the flags about expansion; those about seats, features, requests and feedback where the model has them.',
$json${
  "description": "How ready each account is for more: seats, features, another team.",
  "minimum_age_days": 14,
  "minimum_coverage": 0.4,
  "unlisted_events": "count",
  "bands": [{"name": "ready", "from": 75}, {"name": "warming_up", "from": 50}, {"name": "not_now"}],
  "signals": [
    {"name": "engagement", "label": "Engagement", "weight": 0.5, "signals": [
      {"name": "active_share", "label": "Active users", "weight": 0.4, "metric": "activation_rate", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.3, "best": 0.9},
       "next_step": {"high": {"text": "Over 80 % active: show what the next plan adds.", "above": 0.8}}},
      {"name": "days_used", "label": "Active users on an average day", "weight": 0.3, "metric": "stickiness", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.05, "best": 0.4}},
      {"name": "people", "label": "People who carry the usage", "weight": 0.3, "metric": "effective_users",
       "normalize": {"kind": "linear", "worst": 1, "best": 5},
       "next_step": {"high": {"text": "Several people carry it: map who decides.", "at_least": 3}}}
    ]},
    {"name": "growth", "label": "Growth", "weight": 0.3, "signals": [
      {"name": "trend", "label": "Trend", "weight": 0.5, "metric": "trend_4w", "shrink": 20,
       "normalize": {"kind": "linear", "worst": -0.25, "best": 0.25}},
      {"name": "users", "label": "Trend of active users", "weight": 0.5, "metric": "trend_4w_users", "shrink": 20,
       "normalize": {"kind": "linear", "worst": -0.25, "best": 0.25},
       "next_step": {"high": {"text": "More people come: ask which team is next.", "at_least": 0.1}}}
    ]},
    {"name": "seats", "label": "Seats in use", "weight": 0.2, "metric": "adoption_rate", "shrink": 3,
     "normalize": {"kind": "linear", "worst": 0.4, "best": 0.95},
     "next_step": {"high": {"text": "Nearly all seats are in use: offer more.", "at_least": 0.9}}}
  ],
  "flags": {
    "many_active": true, "growing_users": true, "high_engagement": true, "stakeholders": true, "peaking": true, "high_and_rising": true,
    "trial_ready": true, "seats_full": {"optional": true}, "features_full": true, "advanced_requests": {"optional": true},
    "positive_feedback": {"optional": true}, "referrals": {"optional": true}
  }
}$json$);
