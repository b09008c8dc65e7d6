-- Preset collaboration: a tool in which teams make things for each other to see. Model A of the reference page docs/reference/presets.md.

INSERT INTO health_internal.preset (position, name, description, definition) VALUES (1, 'collaboration',
'Usage health of a collaboration product, shown on video messages: coverage, interaction, cadence, spread and trend. Needs accounts and '
    'events; '
'a user source makes rates exact and adds new-member activation and invite conversion. Other event names: override the catalog.',
$json${
  "description": "Is the team getting value out of working together? Five roll-ups of usage, no business data needed.",
  "window_days": 28,
  "minimum_age_days": 14,
  "silence": {
    "next_step": "Nobody has been active for weeks: call the sponsor, ask what changed, and agree on one first video."},
  "minimum_coverage": 0.4,
  "onboarding": {"days": 7, "events": 1, "window_days": 28},
  "catalog": {
    "video_created":               {"role": ["create", "activate"],   "value": 10, "feature": "record"},
    "video_reply_recorded":        {"role": ["create", "interact"],   "value": 8,  "feature": "record"},
    "screenshot_taken":            {"role": "create",                 "value": 3,  "feature": "record"},
    "video_edited":                {"role": "create",                 "value": 4,  "feature": "edit"},
    "video_shared":                {"role": ["interact", "activate"], "value": 8,  "feature": "share"},
    "video_shared_internally":     {"role": "interact",               "value": 6,  "feature": "share"},
    "video_shared_externally":     {"role": "interact",               "value": 6,  "feature": "share"},
    "comment_left":                {"role": ["interact", "activate"], "value": 6,  "feature": "comment"},
    "video_first_replied_to":      {"role": ["interact", "activate"], "value": 7,  "feature": "comment"},
    "video_emoji_reaction_added":  {"role": "interact",               "value": 2,  "feature": "react"},
    "video_viewed_by_team_member": {"role": ["consume", "interact", "activate"], "value": 5, "feature": "watch"},
    "video_viewed":                {"role": ["consume", "interact"],  "value": 2,  "feature": "watch"},
    "video_view_completed":        {"role": ["consume", "interact"],  "value": 4,  "feature": "watch"},
    "call_to_action_clicked":      {"role": "consume",                "value": 5,  "feature": "watch"},
    "video_saved_to_folder":       {                                  "value": 3,  "feature": "organize"},
    "integration_connected":       {                                  "value": 8,  "feature": "integrate"},
    "member_invited":              {                                  "value": 7,  "feature": "invite"},
    "session_started":             {"role": "session",                "value": 1,  "feature": "app"}
  },
  "features": ["record", "edit", "share", "comment", "react", "watch", "organize", "integrate", "invite"],
  "signals": [
    {"name": "coverage", "label": "Coverage", "weight": 0.25, "signals": [
      {"name": "team_coverage", "label": "Members who create or watch", "weight": 0.6, "metric": "coverage", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.2, 30], [0.5, 70], [0.8, 100]]},
       "next_step": {"low": {"text": "Ask the champion: who else should see the value? Offer to invite that team.", "below": 0.5},
                     "high": {"text": "Nearly everybody takes part: ask for a customer story.", "at_least": 0.8}}},
      {"name": "new_member_activation", "label": "New members active in their first week", "weight": 0.25,
       "metric": "onboarding_activation", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.7},
       "next_step": {"low": "Send new members the five-minute start: watch one, comment on one, record one.",
                     "high": "Onboarding works: ask what they tell new members and reuse it."}},
      {"name": "invite_conversion", "label": "Invited members who take part", "weight": 0.15, "metric": "invite_conversion", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.6},
       "next_step": {"low": "Have the inviter share one video with each open invitation."}}
    ]},
    {"name": "interaction", "label": "Interaction", "weight": 0.15, "signals": [
      {"name": "interactions", "label": "Views, comments, shares and reactions per active member and week", "weight": 0.6,
       "metric": "interaction", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [1, 30], [3, 60], [10, 100]]},
       "next_step": {"low": "Share the async best practice: end each video with a question and tag who should answer."}},
      {"name": "reply_ratio", "label": "Interactions per thing created", "weight": 0.4, "metric": "reply_ratio",
       "normalize": {"kind": "linear", "worst": 0, "best": 5},
       "next_step": {"low": "Videos go unanswered: suggest sharing them in the channel where the team already talks."}}
    ]},
    {"name": "cadence", "label": "Cadence", "weight": 0.25, "signals": [
      {"name": "last_seen", "label": "Days since anybody was active", "weight": 0.4, "metric": "recency_days",
       "normalize": {"kind": "recency", "half_life_days": 14},
       "next_step": {"low": {"text": "Two weeks without anybody: ask the champion what got in the way.", "at_least": 14}}},
      {"name": "active_weeks", "label": "Weeks with activity", "weight": 0.4, "metric": "cadence",
       "normalize": {"kind": "linear", "worst": 0, "best": 1},
       "next_step": {"low": "Offer the stand-up template: one recurring video a week makes the habit."}},
      {"name": "creation_rate", "label": "Things created per active member and week", "weight": 0.2, "metric": "events_per_user_week",
       "role": "create", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[0, 0], [0.5, 50], [2, 100]]},
       "next_step": {"low": "Offer the stand-up template and the library of use cases."}}
    ]},
    {"name": "spread", "label": "Spread", "weight": 0.15, "signals": [
      {"name": "creator_share", "label": "Active members who create", "weight": 0.5, "metric": "spread", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0, "best": 0.5},
       "next_step": {"low": "Run the \"record your first\" challenge with the members who only watch."}},
      {"name": "power_user_dependency", "label": "Share of the busiest creator", "weight": 0.5, "metric": "power_user_dependency",
       "role": "create", "shrink": 3,
       "normalize": {"kind": "linear", "worst": 0.8, "best": 0.25},
       "next_step": {"low": {"text": "One person makes most of it: find a second champion before this one leaves.", "at_least": 0.6}}}
    ]},
    {"name": "trend", "label": "Trend", "weight": 0.2, "signals": [
      {"name": "trend_4w", "label": "Activity, last 4 weeks against the 4 before", "weight": 0.4, "metric": "trend_4w",
       "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.5, 0], [-0.15, 40], [0, 70], [0.25, 100]]},
       "next_step": {"low": {"text": "Down 15 % or more: start the save play and call the champion this week.", "at_most": -0.15},
                     "high": {"text": "Engagement is peaking: the moment to talk about more seats.", "at_least": 0.25}}},
      {"name": "dropoff", "label": "Last week against the prior four", "weight": 0.2, "metric": "dropoff", "shrink": 20,
       "normalize": {"kind": "piecewise", "points": [[-0.6, 0], [-0.2, 50], [0, 75], [0.25, 100]]},
       "next_step": {"low": {"text": "Check for a holiday or an incident, then ask the champion what changed.", "at_most": -0.2}}},
      {"name": "dip_streak", "label": "Weeks of decline in a row", "weight": 0.2, "metric": "dip_streak",
       "normalize": {"kind": "steps", "below": 100, "steps": [{"from": 1, "score": 75}, {"from": 2, "score": 35}, {"from": 3,
        "score": 10}]},
       "next_step": {"low": {"text": "Two dips in a row: start the save play.", "at_least": 2}}},
      {"name": "growth", "label": "New members who engage", "weight": 0.2, "metric": "growth", "shrink": 3,
       "normalize": {"kind": "piecewise", "points": [[-1, 0], [0, 50], [0.1, 80], [0.25, 100]]},
       "next_step": {"high": {"text": "The team is growing: propose the plan that fits its new size.", "at_least": 0.1}}}
    ]}
  ]
}$json$);
