-- The shape of a model document: every problem with its path and what would be right.
\pset format unaligned
\pset tuples_only on
SELECT '{"accounts": {"table": "crm.accounts", "id": "account_id"},
  "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 0.8}}]}' AS least \gset
-- the least that is a model
SELECT count(*) FROM health.model_problems(:'least');
SELECT count(*) FROM health.model_inputs(:'least');

-- all that a document can say
SELECT '{"preset": "collaboration", "description": "all of it", "time_zone": "Europe/Berlin", "as_of": "2023-12-31",
  "accounts": {"query": "select 1 as id", "id": "id", "name": "company", "start": "customer_since", "seats": {"sql": "coalesce(seats, 0)"},
               "filter": "not is_test", "columns": {"plan_tier": "plan", "arr": {"sql": "mrr * 12"}}, "time_zone": "UTC"},
  "users": {"table": "users", "id": "id", "account": "account_id", "joined": "j", "deactivated": "d", "invited": "i", "exclude": "is_bot", "filter": "true", "time_zone": "UTC"},
  "events": [{"table": "events", "account": "a", "user": "u", "event": "e", "occurred_at": "t", "amount": "minutes", "time_zone": "UTC", "filter": "true"},
             {"query": "select 1", "account": {"sql": "a"}, "user": "u", "event": {"sql": "''video''"}, "occurred_at": "t"}],
  "catalog": {"video_created": {"role": ["create", "activate"], "value": 10, "feature": "record", "label": "Video", "description": "d"}, "video_viewed": {"role": "consume"}},
  "unlisted_events": "ignore", "window_days": 30, "onboarding": {"days": 7, "events": 1, "window_days": 28}, "features": ["record"], "daily_cap": 50,
  "signals": [
    {"name": "coverage", "label": "Coverage", "description": "d", "weight": 0.25, "next_step": {"low": "a", "high": "b"}, "metric": "coverage", "window_days": 30,
     "events": ["video_created"], "role": "create", "by_value": true, "top_k": 1, "normalize": {"kind": "linear", "worst": 0, "best": 0.8}, "missing": "ignore"},
    {"name": "revenue", "weight": 0.3, "missing": "required", "signals": [
      {"name": "arr", "column": "arr", "optional": true, "normalize": {"kind": "percentile", "segment": "plan_tier"}, "missing": "neutral"},
      {"name": "per_seat", "expression": "arr / nullif(seats, 0)", "normalize": {"kind": "linear", "worst": 0, "best": 100, "direction": "higher"}, "missing": "zero"}]},
    {"name": "nps", "query": "select account_id, avg(score) from nps group by 1", "normalize": {"kind": "linear", "worst": 0, "best": 10}, "missing": {"carry_forward_days": 90}},
    {"name": "peers", "metric": "depth", "weight": 0, "normalize": {"kind": "percentile", "segment": "plan_tier"}}],
  "bands": [{"name": "healthy", "from": 80}, {"name": "critical"}], "minimum_coverage": 0.5, "history": {"days": 56}}' AS whole \gset
SELECT * FROM health.model_problems(:'whole');
SELECT * FROM health.model_inputs(:'whole');

-- everything wrong at once, each at its place
SELECT * FROM health.model_problems('{"acounts": {}, "accounts": {"tabel": "a", "id": 7, "columns": {"x": 3}}, "users": {"table": "u", "query": "q"},
  "events": [{"table": "e", "account": "a", "user": "u", "evnt": "e", "occurred_at": {"sq": "x"}}],
  "as_of": "2023-02-30", "catalog": {"a": {"role": "creat", "value": 11}, "$b": {}, "c": 5, "d": {"valu": 3, "role": ["create", "x"]}},
  "unlisted_events": "ignored", "window_days": 0, "onboarding": {"day": 3, "events": 1.5}, "features": ["a", "a", "z", 3], "daily_cap": -1,
  "signals": [
    {"name": "one", "metric": "activation_rat", "normalise": {"kind": "identity"}},
    {"name": "one", "metric": "spread", "events": ["b", "aa"], "role": "session", "normalize": {"kind": "linear", "worst": 1, "best": 1}},
    {"metric": "spread", "column": "x", "normalize": {"kind": "lineer"}},
    {"name": "score", "weight": "1", "column": "x", "normalize": {"kind": "steps", "steps": [{"from": 2, "score": 1}, {"from": 1, "score": 200}]}},
    {"name": "two", "weight": -1, "signals": []},
    {"name": "three", "missing": "neutral", "signals": [{"name": "x", "weight": 0, "column": "x", "normalize": {"kind": "identity"}, "missing": "zeros"}]},
    {"name": "four", "metric": "spread", "window_days": 1.5, "top_k": 0, "by_value": 1, "optional": true, "next_step": {"lo": "x"}, "normalize": {"kind": "map", "map": {"a": 1}}},
    {"name": "five", "query": "", "missing": {"carry_forward": 3}, "normalize": {"kind": "percentile", "reference": {"values": "x"}}},
    7],
  "bands": [{"name": "low", "from": 10}, {"name": "high", "from": 50}, {"name": "low", "from": 20}],
  "minimum_coverage": 2, "history": {"days": -1}}');

-- documents of other shapes
SELECT * FROM health.model_problems('{}');
SELECT * FROM health.model_problems('[]');
SELECT * FROM health.model_problems('null');
SELECT * FROM health.model_problems('3');
SELECT * FROM health.model_problems(:'least'::jsonb || '{"signals": {}}');
SELECT * FROM health.model_problems(:'least'::jsonb || '{"signals": [], "bands": [], "catalog": [], "events": [], "accounts": "crm.accounts"}');
SELECT * FROM health.model_problems(:'least'::jsonb || '{"signals": [{"name": "a", "weight": 0, "column": "x", "normalize": {"kind": "identity"}}]}');
SELECT count(*) FROM health.model_problems(NULL);
-- numbers that are none
SELECT * FROM health.model_problems(jsonb_set(:'least', '{signals,0,weight}', '1e400'));
SELECT * FROM health.model_problems(jsonb_set(:'least', '{signals,0,weight}', '"NaN"'));
-- with an empty catalog, or when unlisted events count, any event may be named
SELECT count(*) FROM health.model_problems(jsonb_set(:'least', '{signals,0,events}', '["anything"]'));
SELECT count(*) FROM health.model_problems(jsonb_set(:'least', '{signals,0,events}', '["anything"]') || '{"catalog": {"a": {}}, "unlisted_events": "count"}');
SELECT * FROM health.model_problems(jsonb_set(:'least', '{signals,0,events}', '["vidoe"]') || '{"catalog": {"video": {}}}');

-- hostile documents: an error or a list of problems, never a crash
SELECT count(*) FROM health.model_problems((repeat('[', 10000) || repeat(']', 10000))::jsonb);
\set VERBOSITY terse
SELECT count(*) FROM health.model_problems((repeat('{"signals": [', 10000) || '1' || repeat(']}', 10000))::jsonb);
\set VERBOSITY default
SELECT health.normalize(1, (repeat('[', 300) || repeat(']', 300))::jsonb);
SELECT path, problem FROM health.model_problems(:'least'::jsonb || jsonb_build_object('signals', (
    WITH RECURSIVE tree (depth, doc) AS (
        SELECT 1, '{"name": "s1", "column": "x", "normalize": {"kind": "identity"}}'::jsonb
        UNION ALL SELECT depth + 1, jsonb_build_object('name', 's' || depth + 1, 'signals', jsonb_build_array(doc)) FROM tree WHERE depth < 100)
    SELECT jsonb_build_array(doc) FROM tree WHERE depth = 100)));
SELECT count(*) FROM health.model_problems(:'least'::jsonb || jsonb_build_object('signals', (SELECT jsonb_agg(i) FROM generate_series(1, 100000) AS i)));
SELECT count(*) FROM health.model_problems(jsonb_set(:'least', '{signals,0,normalize}', jsonb_build_object('kind', 'percentile', 'reference',
    jsonb_build_object('values', (SELECT jsonb_agg(i % 1000) FROM generate_series(1, 200000) AS i)))));
SELECT health.model_inputs('{"signals": [{"name": "a", "column": "x"}]}');
