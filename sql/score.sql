-- The score of an account by a model: tree, null policies, coverage, gate, words. docs/reference/scoring.md.
SET extra_float_digits = 0;

-- Three values from outside: 80 (.4), 60 (.3), NULL (.3) -> 71.43, coverage .70
SELECT '{"signals": [
    {"name": "arr", "label": "ARR", "weight": 0.4, "column": "arr", "normalize": {"kind": "identity"}},
    {"name": "support_load", "weight": 0.3, "expression": "tickets / seats", "normalize": {"kind": "identity"}},
    {"name": "nps", "label": "NPS", "weight": 0.3, "query": "select 1, 2", "normalize": {"kind": "identity"}}]}' AS three \gset
SELECT round(score::numeric, 2) AS score, band, coverage, unknown_reason, main_reason
FROM health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{80,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT signal, raw, raw_text, normalized, round(weight::numeric, 4) AS weight, round(points::numeric, 3) AS points, reason, phrase
FROM health.score_signals(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{80,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
-- the points of the leaves are the score
SELECT round(sum(points) FILTER (WHERE level > 0)::numeric, 9) = round(max(points) FILTER (WHERE level = 0)::numeric, 9) AS adds_up
FROM health.score_signals(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{80,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- The reference formula of the feedback preset, nested: 51.0, 85.0, 58.0 -> 63.3, stable
SELECT '{"signals": [
  {"name": "engagement", "weight": 0.4, "signals": [
    {"name": "activation", "weight": 40, "column": "a", "normalize": {"kind": "identity"}},
    {"name": "feedback", "weight": 30, "column": "b", "normalize": {"kind": "identity"}},
    {"name": "votes", "weight": 30, "column": "c", "normalize": {"kind": "identity"}}]},
  {"name": "revenue", "weight": 0.3, "signals": [
    {"name": "arr_percentile", "weight": 50, "column": "d", "normalize": {"kind": "identity"}},
    {"name": "plan_tier", "weight": 30, "column": "e", "normalize": {"kind": "identity"}},
    {"name": "revenue_trend", "weight": 20, "column": "f", "normalize": {"kind": "identity"}}]},
  {"name": "lifecycle", "weight": 0.3, "signals": [
    {"name": "renewal", "weight": 40, "column": "g", "normalize": {"kind": "identity"}},
    {"name": "tenure", "weight": 30, "column": "h", "normalize": {"kind": "identity"}},
    {"name": "tickets", "weight": 30, "column": "i", "normalize": {"kind": "identity"}}]}]}' AS feedback \gset
SELECT "position", level, parent, signal, normalized, round(weight::numeric, 3) AS weight, round(points::numeric, 3) AS points
FROM health.score_signals(:'feedback', ROW(NULL, '2025-06-02', NULL, NULL, '{60,50,40,90,100,50,70,80,20}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT score, band, coverage FROM health.score_account(:'feedback', ROW(NULL, '2025-06-02', NULL, NULL, '{60,50,40,90,100,50,70,80,20}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
-- a group without any known member is unknown itself; one with some counts in full, and its coverage in part
SELECT score, coverage FROM health.score_account(:'feedback', ROW(NULL, '2025-06-02', NULL, NULL, '{NULL,NULL,NULL,90,100,50,70,80,20}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT round(score::numeric, 3) AS score, coverage FROM health.score_account(:'feedback', ROW(NULL, '2025-06-02', NULL, NULL, '{60,NULL,NULL,90,100,50,70,80,20}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- The gate: never a confident number made of one signal
SELECT score, band, coverage, unknown_reason, main_reason
FROM health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{NULL,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT phrase FROM health.score_signals(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{NULL,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) WHERE signal = 'score';
SELECT unknown_reason FROM health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
-- a coverage that meets the minimum exactly passes, whatever the weights are in binary
SELECT score, coverage, unknown_reason
FROM health.score_account(:'three'::jsonb || '{"minimum_coverage": 0.3}', ROW(NULL, '2025-06-02', NULL, NULL, '{NULL,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT m AS minimum, score IS NOT NULL AS passes
FROM (VALUES (0.8), (0.80001)) AS v (m),
     health.score_account(jsonb_build_object('minimum_coverage', m, 'signals',
         (SELECT jsonb_agg(jsonb_build_object('name', n, 'weight', w, 'column', n, 'normalize', '{"kind": "identity"}'::jsonb))
          FROM (VALUES ('a', .7), ('b', .1), ('c', .2)) AS s (n, w))), ROW(NULL, '2025-06-02', NULL, NULL, '{1,2,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- Null policies of an unknown signal: left out, counted as 50, as 0, or the whole score unknown
SELECT p AS policy, round(score::numeric, 3) AS score, coverage, unknown_reason
FROM (VALUES ('"ignore"'::jsonb), ('"neutral"'), ('"zero"'), ('"required"'), ('{"carry_forward_days": 30}')) AS v (p),
     health.score_account(jsonb_set(:'three', '{signals,2,missing}', p), ROW(NULL, '2025-06-02', NULL, NULL, '{80,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
-- observed values: known from the day after; carried forward for so many days
SELECT o AS observed, score, coverage, s.reason, s.phrase
FROM (VALUES (date '2025-06-02'), ('2025-06-01'), ('2025-05-03'), ('2025-05-02')) AS v (o),
     health.score_account(jsonb_set(:'three', '{signals,2,missing}', '{"carry_forward_days": 30}'), ROW(NULL, '2025-06-02', NULL, NULL, '{80,60,70}', ARRAY[NULL, NULL, o], NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS a,
     health.score_signals(jsonb_set(:'three', '{signals,2,missing}', '{"carry_forward_days": 30}'), ROW(NULL, '2025-06-02', NULL, NULL, '{80,60,70}', ARRAY[NULL, NULL, o], NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS s
WHERE s.signal = 'nps';

-- A ledger: three of five users active, one creates most
SELECT 'bigint{1:2025-03-03/$joined,2025-04-08/create*4,2025-05-20/create*16,2025-05-28/create*16;2:2025-03-03/$joined,2025-04-10/view*6,2025-05-21/view*4;3:2025-03-03/$joined,2025-04-10/view*6,2025-05-14/view*4;4:2025-03-03/$joined,2025-04-10/view*12;5:2025-03-03/$joined,2025-04-10/view*12}' AS usage \gset
SELECT '{"catalog": {"create": {"role": ["create", "activate"], "value": 10}, "view": {"role": ["consume", "interact"]}},
  "signals": [
    {"name": "activation", "metric": "activation_rate", "weight": 3, "normalize": {"kind": "linear", "worst": 0, "best": 0.8},
     "next_step": {"low": "Who else should see the value?", "high": "Ask for a story."}},
    {"name": "spread", "metric": "spread", "normalize": {"kind": "linear", "worst": 0, "best": 0.5}, "next_step": {"low": "Run a record-your-first challenge."}},
    {"name": "cadence", "metric": "cadence", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}},
    {"name": "one_person", "label": "Dependency", "metric": "power_user_dependency", "normalize": {"kind": "linear", "worst": 1, "best": 0.3}},
    {"name": "creators", "metric": "active_users", "role": "create", "window_days": 14, "normalize": {"kind": "steps", "steps": [{"from": 1, "score": 30}, {"from": 3, "score": 100}]}},
    {"name": "recency", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 7}},
    {"name": "seats", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "plan", "column": "plan", "normalize": {"kind": "map", "map": {"pro": 80, "free": 20}}}]}' AS model \gset
SELECT signal, round(raw::numeric, 4) AS raw, raw_text, round(normalized::numeric, 2) AS normalized, round(points::numeric, 2) AS points, reason, phrase
FROM health.score_signals(:'model', ROW(ARRAY[:'usage'], '2025-06-02', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
\x on
SELECT round(score::numeric, 3) AS score, band, round(coverage::numeric, 3) AS coverage, round(change_7d::numeric, 3) AS change_7d,
       round(change_28d::numeric, 3) AS change_28d, main_reason, next_step, round(score_without_top_user::numeric, 3) AS without_top
FROM health.score_account(:'model', ROW(ARRAY[:'usage'], '2025-06-02', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
\x off
-- without the top user: by hand, and as the account's row says
SELECT health.score_without_user(:'model', ROW(ARRAY[:'usage'], '2025-06-02', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '1') = a.score_without_top_user AS same,
       health.score_without_user(:'model', ROW(ARRAY[:'usage'], '2025-06-02', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '99') = a.score AS nobody
FROM health.score_account(:'model', ROW(ARRAY[:'usage'], '2025-06-02', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS a;
-- nothing is compared with a day before the account's start
SELECT round(change_7d::numeric, 3) AS change_7d, change_28d, main_reason
FROM health.score_account(:'model', ROW(ARRAY[:'usage'], '2025-06-02', '2025-05-20', 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
-- an account without events is scored, not dropped: that nobody is active is known, and as bad as it gets
SELECT score, round(coverage::numeric, 3) AS coverage, unknown_reason, main_reason, next_step, score_without_top_user
FROM health.score_account(:'model', ROW(ARRAY['{}'], '2025-06-02', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- The series is what score_account says day by day, from one decode
SELECT * FROM health.score_series(:'three', ROW(NULL, '2025-06-03', NULL, NULL, '{80,60,70}', '{NULL,NULL,2025-06-01}', NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '2025-05-31', '2025-06-03', 1);
SELECT count(*), bool_and(s.score IS NOT DISTINCT FROM a.score AND s.band IS NOT DISTINCT FROM a.band AND s.coverage = a.coverage
                          AND s.unknown_reason IS NOT DISTINCT FROM a.unknown_reason) AS same
FROM health.score_series(:'model', ROW(ARRAY[:'usage'], '2025-06-30', NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '2025-04-01', '2025-06-30', 3) AS s,
     health.score_account(:'model', ROW(ARRAY[:'usage'], s.as_of, NULL, 20, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS a;
SELECT count(*) FROM health.score_series(:'three', ROW(NULL, '2025-06-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '2025-06-03', '2025-06-01');

-- A percentile in the account's segment, for a metric too
SELECT '{"minimum_coverage": 0, "signals": [{"name": "a", "metric": "active_users", "normalize": {"kind": "percentile", "segment": "plan",
   "reference": {"segments": {"free": {"values": [1, 2, 3]}, "pro": {"values": [3, 4, 5]}, "solo": {"values": [3]}}}}}]}' AS peers \gset
SELECT * FROM health.model_inputs(:'peers');
SELECT s AS segment, score, unknown_reason
FROM (VALUES ('free'), ('pro'), ('solo'), ('other'), (NULL)) AS v (s),
     health.score_account(:'peers', ROW(ARRAY[:'usage'], '2025-06-02', NULL, NULL, NULL, NULL, ARRAY[s], NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- Carry-forward of a metric: the last day on which it was known stands in
SELECT d AS days, s.normalized, s.reason, s.phrase
FROM (VALUES (5), (60)) AS v (d),
     health.score_signals(jsonb_build_object('onboarding', '{"days": 38}'::jsonb, 'catalog', '{"create": {"role": "activate"}, "view": {}}'::jsonb, 'signals', jsonb_build_array(jsonb_build_object('name', 'start', 'metric', 'onboarding_activation',
         'normalize', '{"kind": "linear", "worst": 0, "best": 1}'::jsonb, 'missing', jsonb_build_object('carry_forward_days', d)))), ROW(ARRAY[:'usage'], '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS s WHERE s.level = 1;
-- but not where nobody is active: that is no gap
SELECT d AS days, s.normalized, s.reason, s.phrase
FROM (VALUES (5), (60)) AS v (d),
     health.score_signals(jsonb_build_object('window_days', 7, 'signals', jsonb_build_array(jsonb_build_object('name', 'top', 'metric', 'power_user_dependency',
         'normalize', '{"kind": "linear", "worst": 1, "best": 0}'::jsonb, 'missing', jsonb_build_object('carry_forward_days', d)))), ROW(ARRAY[:'usage'], '2025-06-20', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS s WHERE s.level = 1;

-- The order of signals does not matter to the last bit
SELECT count(DISTINCT score) FROM (
    SELECT (health.score_account(jsonb_build_object('signals', jsonb_agg(jsonb_build_object('name', 's' || i, 'weight', i * 0.1,
            'metric', 'active_users', 'normalize', jsonb_build_object('kind', 'linear', 'worst', 0, 'best', 3 + i * 0.7)) ORDER BY i * k % 13)), ROW(ARRAY[:'usage'], '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state)).score
    FROM generate_series(1, 12) AS i, generate_series(1, 12) AS k GROUP BY k) AS orders;

-- What is refused
SELECT health.score_account(NULL, ROW(NULL, '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{1,2}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{1,2,3}', '{2025-01-01}', NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{1,2,NaN}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{1,2,Infinity}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{1,pro,2}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, 'NaN', '{1,2,3}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(:'three', ROW(NULL, '2025-06-02', NULL, NULL, '{{1,2,3}}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account('[]', ROW(NULL, '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account('{"signals": [{"name": "a", "metric": "activation_rat", "normalize": {"kind": "identity"}}]}', ROW(NULL, '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health.score_account(jsonb_set(:'three', '{signals,1,weight}', '-1'), ROW(NULL, '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT * FROM health.score_series(:'three', ROW(NULL, '2025-06-03', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '2025-06-01', '2025-06-03', 0);
SELECT * FROM health.score_series(:'three', ROW(NULL, '9999-12-31', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, '0001-01-01', '9999-12-31');

-- All of it in one go, from ledgers that add up: none, NULLs, one, several that take from each other.
SELECT '{"catalog": {"create": {"role": ["create", "activate"]}, "view": {"role": "consume"}},
  "signals": [{"name": "activation", "weight": 3, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "plan", "weight": 1, "column": "plan", "normalize": {"kind": "map", "map": {"pro": 80}}}]}' AS small \gset
CREATE TEMPORARY TABLE part AS SELECT * FROM (VALUES
  (1, health.usage 'bigint{1:2025-05-20/create*2;2:2025-05-21/view;3:2025-01-10/view}'), (2, NULL),
  (3, 'bigint{1:2025-05-28/view*3;4:2025-05-29/$joined}'), (4, '{}'), (5, 'bigint{2:2025-05-21/view*-1;4:2025-05-29/$joined*-1}')) AS p (number, usage);
SELECT numbers, d.score, d.data_coverage AS coverage, d.total_users, d.active_users, d.events, array_length((d.signals).raw, 1) AS signals,
       to_jsonb(d) || jsonb_build_object('coverage', d.data_coverage) @> to_jsonb(health.score_account(:'small', r.state)) AS same_score,
       ARRAY(SELECT s FROM health_internal.signal_rows(:'small', '2025-06-02', d.signals) AS s)
           = ARRAY(SELECT s FROM health.score_signals(:'small', r.state) AS s) AS same_signals,
       to_jsonb(d) @> to_jsonb(m) AND d.weekly = m.weekly AS same_metrics
FROM (VALUES ('{}'::int[]), ('{1}'), ('{1,3}'), ('{1,2,3,4}'), ('{5,3,1}')) AS n (numbers),
     LATERAL (SELECT array_agg(p.usage) AS parts, health.rollup(p.usage) AS usage FROM part AS p WHERE p.number = ANY (numbers)) AS u,
     LATERAL (SELECT ROW(u.parts, '2025-06-02', '2025-01-01', 10, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state AS parts,
                     ROW(ARRAY[u.usage], '2025-06-02', '2025-01-01', 10, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state AS state) AS r,
     health_internal.score_details(:'small', r.parts) AS d,
     health.metrics(u.usage, '2025-06-02', catalog => :'small'::jsonb -> 'catalog', account_start => '2025-01-01', seats => 10) AS m;
SELECT health_internal.score_details(:'small', ROW(ARRAY[usage], '2025-06-02', NULL, NULL, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) FROM part WHERE number = 5;
SELECT health_internal.score_details(:'small', ROW(ARRAY['bigint{1:2025-05-20/view}', 'text{a:2025-05-20/view}']::health.usage[], '2025-06-02', NULL, NULL, '{pro}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health_internal.score_details(NULL, ROW('{}', '2025-06-02', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT health_internal.score_details(:'small', ROW('{}', 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- Signals are told again from their values, to the last bit and letter: known and unknown ones, texts, what was carried forward, groups; and that
-- nobody is active.
CREATE TEMPORARY TABLE told AS
SELECT number, m.model, a.state FROM (VALUES
    (1, :'model'::jsonb, '{pro}'::text[], NULL::date[], 20::float8), (2, :'model', '{other}', NULL, 10.5), (3, :'model', NULL, NULL, NULL), (4, :'model', '{pro}', NULL, 0),
    (5, :'three', '{80,9.50,1e1}', NULL, 5), (6, jsonb_set(:'three', '{signals,2,missing}', '{"carry_forward_days": 30}'), '{80.0,t,3}', '{NULL,2025-06-01,2025-01-01}', 5),
    (7, jsonb_set(:'three', '{signals,2,missing}', '"neutral"'), '{NULL,60,70}', '{NULL,2025-06-01,2025-07-01}', 5), (8, :'feedback', '{60,NULL,NULL,90,100,50,70,80,20}', NULL, 1),
    (9, '{"minimum_coverage": 0, "catalog": {"create": {"role": "create"}, "view": {"role": "consume"}}, "window_days": 7, "features": ["create", "view"], "signals": [
          {"name": "u", "metric": "dormant_users", "normalize": {"kind": "identity"}, "missing": "zero"},
          {"name": "g", "signals": [{"name": "b", "metric": "breadth", "normalize": {"kind": "identity"}},
                                    {"name": "v", "metric": "coverage", "normalize": {"kind": "percentile", "reference": {"values": [1]}}}]},
          {"name": "s", "metric": "spread", "events": ["view"], "normalize": {"kind": "identity"}, "missing": {"carry_forward_days": 90}},
          {"name": "t", "metric": "trial_use", "normalize": {"kind": "identity"}},
          {"name": "c", "metric": "cadence", "normalize": {"kind": "identity"}}]}', NULL, NULL, 1),
    (10, '{"onboarding": {"days": 38}, "catalog": {"create": {"role": "activate"}, "view": {}}, "signals": [
          {"name": "o", "metric": "onboarding_activation", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "missing": {"carry_forward_days": 90}}]}', NULL, NULL, 1)) AS m (number, model, inputs, observed, seats),
    LATERAL (SELECT ROW(ARRAY[:'usage'::health.usage], '2025-06-20', NULL, seats, inputs, observed, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state AS state) AS a;
SELECT number, d.signals,
       (SELECT count(*) FROM health.score_signals(model, told.state)) AS rows,
       NOT EXISTS ((SELECT s::text FROM health.score_signals(model, told.state) AS s) EXCEPT ALL
                   (SELECT s::text FROM health_internal.signal_rows(model, '2025-06-20', d.signals) AS s)) AS same
FROM told, health_internal.score_details(model, told.state) AS d ORDER BY number;
SELECT count(*) FROM health_internal.signal_rows(:'small', '2025-06-02', NULL);
SELECT * FROM health_internal.signal_rows(:'small', '2025-06-02', ROW('{1}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::health_internal.signal_values);
SELECT * FROM health_internal.signal_rows(:'small', '2025-06-02', ROW('{1,2}', '{a}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::health_internal.signal_values);
SELECT * FROM health_internal.signal_rows(:'small', '2025-06-02', ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::health_internal.signal_values);
SELECT health.score_account(:'small', NULL);
