-- Preset renewal_risk: how safe the next renewal is. Weights: docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (5, 'renewal_risk',
'How safe the next renewal is: 0.5 health (regularity, users, trend) + 0.3 days to the renewal + 0.2 dependence on one person; every event '
    'counts. Optional account column: renewal_date. Brings the flags about renewals and falling usage; those about subscriptions and '
    'tickets where the model has these facts.',
$json${
  "description": "How safe the next renewal of each account is: 100 is safe.",
  "minimum_age_days": 14,
  "minimum_coverage": 0.4,
  "unlisted_events": "count",
  "silence": {"next_step": "Nobody uses it and a renewal will come: speak to who signed."},
  "signals": [
    {"name": "health", "label": "Health", "weight": 0.5, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.3, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: find out who still has a use for it.", "at_least": 14}}},
      {"name": "active_share", "label": "Active users", "weight": 0.3, "metric": "activation_rate", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
       "next_step": {"low": {"text": "Under 60 % active: offer a session before the renewal.", "below": 0.6}}},
      {"name": "trend", "label": "Trend", "weight": 0.4, "metric": "trend_4w", "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 75], [0.25, 100]]},
       "next_step": {"low": {"text": "Down 15 % or more: ask what changed before they ask for the price.", "at_most": -0.15}}}
    ]},
    {"name": "renewal", "label": "Days to renewal", "weight": 0.3, "expression": "renewal_date::date - as_of", "optional": true,
     "normalize": {"kind": "steps", "below": 10, "steps": [{"from": 0, "score": 25}, {"from": 31, "score": 50}, {"from": 61, "score": 75},
                                                            {"from": 91, "score": 100}]},
     "next_step": {"low": {"text": "Renewal within 30 days: agree on the terms now.", "at_least": 0, "at_most": 30}}},
    {"name": "one_person", "label": "Busiest user's share", "weight": 0.2, "metric": "power_user_dependency", "shrink": 3,
     "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
     "next_step": {"low": {"text": "Win a second champion before the first one leaves.", "at_least": 0.6}}}
  ],
  "flags": {
    "trend_down": true, "users_down": true, "dipping": true, "few_active": true, "one_person": true, "power_user_quiet": true,
    "power_user_left": {"optional": true}, "renewal_30": {"optional": true}, "renewal_60": {"optional": true},
    "renewal_90": {"optional": true}, "renewal_past": {"optional": true}, "users_dip_before_renewal": {"optional": true},
    "tickets_spike": {"optional": true}, "arpu_dip": {"optional": true}
  }
}$json$);
