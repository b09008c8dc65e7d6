-- Why a score moved: parts that add up to the change, and a sentence. docs/reference/scoring.md, "Why a score moved".
SET extra_float_digits = 0;
SELECT '{"signals": [
    {"name": "usage_score", "weight": 0.4, "column": "u", "normalize": {"kind": "identity"}},
    {"name": "revenue", "weight": 0.3, "column": "r", "normalize": {"kind": "identity"}},
    {"name": "survey_answer", "weight": 0.3, "query": "select 1, 2", "normalize": {"kind": "identity"}}]}' AS model \gset

-- Weights .4/.3/.3, scores 80/60/50 -> 40/60/NULL: 65.0 -> 48.571; values -16.000 (all from signal 1), availability -0.429, total -16.429
SELECT "position", step, signal, raw_from, raw_to, normalized_from, round(normalized_to::numeric, 3) AS normalized_to, round(points::numeric, 3) AS points, phrase
FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{40,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT step, round(sum(points)::numeric, 3) AS points
FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{40,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state)
GROUP BY step ORDER BY min("position");
-- and back again
SELECT step, signal, round(points::numeric, 3) AS points, phrase
FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{40,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- A stale answer is told with its month
SELECT step, signal, round(points::numeric, 2) AS points, phrase
FROM health.score_change(jsonb_set(:'model', '{signals,2,missing}', '{"carry_forward_days": 90}'), jsonb_set(:'model', '{signals,2,missing}', '{"carry_forward_days": 90}'),
                         ROW(NULL, '2025-06-01', NULL, NULL, '{80,60,90}', '{NULL,NULL,2025-05-20}', NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-09-01', NULL, NULL, '{75,60,90}', '{NULL,NULL,2025-05-20}', NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- Nothing changed
SELECT * FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- One end unknown: said clearly, no numbers
SELECT step, normalized_from, normalized_to, points, phrase
FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{NULL,NULL,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT step, normalized_from, normalized_to, points, phrase
FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{NULL,NULL,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- The model changed too: its weights are the model's part; a signal that only one of them has belongs to it as well
SELECT jsonb_set(:'model', '{signals,0,weight}', '0.1') AS other \gset
SELECT step, signal, round(points::numeric, 3) AS points, phrase
FROM health.score_change(:'model', :'other',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{40,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT jsonb_set(:'model', '{signals}', (:'model'::jsonb -> 'signals') #- '{0}') AS shorter \gset
SELECT step, signal, round(points::numeric, 3) AS points, phrase
FROM health.score_change(:'model', :'shorter',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{70,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- Overrides come last
SELECT step, signal, round(normalized_from::numeric, 3) AS normalized_from, normalized_to, round(points::numeric, 3) AS points, phrase
FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{80,60,50}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{40,60,NULL}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, NULL, 90);

-- From a ledger
SELECT 'bigint{1:2025-01-02/use,2025-03-20/use*3,2025-05-20/use;2:2025-01-02/use,2025-03-20/use;3:2025-01-02/use,2025-03-21/use*2;4:2025-01-02/use,2025-03-25/use*9}' AS usage \gset
SELECT '{"minimum_coverage": 0.2, "signals": [
    {"name": "active_users", "metric": "active_users", "weight": 2, "normalize": {"kind": "linear", "worst": 0, "best": 5}},
    {"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "one_person", "label": "Share of the top user", "metric": "power_user_dependency", "normalize": {"kind": "linear", "worst": 1, "best": 0.2}},
    {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}}]}' AS metrics \gset
SELECT step, signal, label, raw_from, raw_to, round(normalized_from::numeric, 2) AS "from", round(normalized_to::numeric, 2) AS "to", round(points::numeric, 3) AS points
FROM health.score_change(:'metrics', :'metrics',
                         ROW(ARRAY[:'usage'], '2025-04-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(ARRAY[:'usage'], '2025-06-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT phrase FROM health.score_change(:'metrics', :'metrics',
                         ROW(ARRAY[:'usage'], '2025-04-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(ARRAY[:'usage'], '2025-06-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);

-- For any two days: the parts add up to the difference of the two scores
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(parts - total) > 1e-9) AS off, count(*) FILTER (WHERE abs(total - (b.score - a.score)) > 1e-9) AS wrong
FROM generate_series(date '2025-02-01', '2025-06-01', '9 days') AS f, generate_series(date '2025-02-01', '2025-06-01', '9 days') AS t,
     health.score_account(:'metrics', ROW(ARRAY[:'usage'], f::date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS a,
     health.score_account(:'metrics', ROW(ARRAY[:'usage'], t::date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state) AS b,
     LATERAL (SELECT coalesce(sum(points) FILTER (WHERE step <> 'total'), 0) AS parts, sum(points) FILTER (WHERE step = 'total') AS total
              FROM health.score_change(:'metrics', :'metrics',
                         ROW(ARRAY[:'usage'], f::date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(ARRAY[:'usage'], t::date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state)) AS c
WHERE a.score IS NOT NULL AND b.score IS NOT NULL;

-- What is refused
SELECT * FROM health.score_change(NULL, :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT * FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT * FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{1}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state);
SELECT * FROM health.score_change(:'model', :'model',
                         ROW(NULL, '2025-05-01', NULL, NULL, '{1,2,3}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state,
                         ROW(NULL, '2025-06-01', NULL, NULL, '{1,2,3}', NULL, NULL, NULL, NULL, NULL, null, null, null, null, null, null)::health.account_state, 'NaN');
