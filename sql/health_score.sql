-- Weighted means, data coverage and bands: docs/reference/scoring.md, "The weighted mean", "Bands".
\pset format unaligned
\pset tuples_only on

-- 80 (.4), 60 (.3), NULL (.3): 71.43 with coverage .70
SELECT round(health.health_score(ARRAY[80, 60, NULL], ARRAY[.4, .3, .3])::numeric, 2), health.score_coverage(ARRAY[80, 60, NULL], ARRAY[.4, .3, .3]);
SELECT round(health.health_score(v, w)::numeric, 2), health.score_coverage(v, w) FROM (VALUES (80::float8, .4), (60, .3), (NULL, .3)) AS t (v, w);

-- the reference formula of the feedback preset: 51.0, 85.0, 58.0, then 63.3: stable
WITH part AS (
    SELECT health.health_score(ARRAY[60, 50, 40], ARRAY[40, 30, 30]) AS engagement,
           health.health_score(ARRAY[90, 100, 50], ARRAY[50, 30, 20]) AS revenue,
           health.health_score(ARRAY[70, 80, 20], ARRAY[40, 30, 30]) AS lifecycle)
SELECT engagement, revenue, lifecycle, health.health_score(ARRAY[engagement, revenue, lifecycle], ARRAY[.4, .3, .3]) AS health,
       health.band(health.health_score(ARRAY[engagement, revenue, lifecycle], ARRAY[.4, .3, .3]))
FROM part;

-- bands are half-open on the unrounded score
SELECT s, health.band(s) FROM (VALUES (100::float8), (80), (79.999999), (79.5), (60), (59.999), (40), (39.9), (0), (-1)) AS v (s);
-- .7 and .3 of 80 is 80 and healthy, although it is a shade less in binary
SELECT health.band(.7::float8 * 80 + .3::float8 * 80), health.band(health.health_score(ARRAY[80, 80], ARRAY[.7, .3]));
SELECT s, health.band(s, '[{"name": "good", "from": 50}, {"name": "bad"}]') FROM (VALUES (50::float8), (49.99)) AS v (s);
SELECT health.band(10, '[{"name": "all"}]'), health.band(NULL) IS NULL, health.band(0, '[{"name": "up", "from": 1}, {"name": "down", "from": 0}]');

-- nothing known is unknown; nothing at all is unknown too
SELECT health.health_score(ARRAY[NULL, NULL]::float8[], ARRAY[1, 1]) IS NULL, health.score_coverage(ARRAY[NULL, NULL]::float8[], ARRAY[1, 1]),
       health.health_score('{}'::float8[], '{}') IS NULL, health.score_coverage('{}'::float8[], '{}') IS NULL;
SELECT health.health_score(v, w) IS NULL, health.score_coverage(v, w) IS NULL FROM (SELECT 1::float8, 1::float8 WHERE false) AS t (v, w);
-- known values that weigh nothing are no score; a weight of 0 is fine beside others
SELECT health.health_score(ARRAY[50, NULL], ARRAY[0, 1]) IS NULL, health.health_score(ARRAY[50, 10], ARRAY[0, 1]);
-- weights need not sum to 1
SELECT health.health_score(ARRAY[80, 60], ARRAY[400, 300]) = health.health_score(ARRAY[80, 60], ARRAY[4, 3]);

-- as an aggregate with FILTER and in a window
SELECT health.health_score(v, w) FILTER (WHERE w < .4), round(health.health_score(v, w)::numeric, 3)
FROM (VALUES (80::float8, .4), (60, .3), (50, .3)) AS t (v, w);
SELECT i, health.health_score(i, 1) OVER (ORDER BY i ROWS 1 PRECEDING), health.health_score(i, i) OVER (ORDER BY i) FROM generate_series(1, 4) AS i;
-- rows without a weight are no part
SELECT health.health_score(v, w) FROM (VALUES (80::float8, 1::float8), (10, NULL)) AS t (v, w);

-- the order of rows does not matter, to the last bit: 10^16 swallows the 1 in an ordinary sum
SELECT health.health_score(v, 1 ORDER BY v), health.health_score(v, 1 ORDER BY v DESC), avg(v ORDER BY v)
FROM (VALUES (1e16::float8), (1), (-1e16), (1)) AS t (v);
CREATE TEMPORARY TABLE parts AS
    SELECT i, sin(i) * 10.0 ^ (i % 20) AS v, abs(cos(i)) AS w FROM generate_series(1, 2000) AS i;
SELECT count(DISTINCT s) FROM (
    SELECT health.health_score(v, w ORDER BY i) AS s FROM parts
    UNION ALL SELECT health.health_score(v, w ORDER BY v) FROM parts
    UNION ALL SELECT health.health_score(v, w ORDER BY w DESC) FROM parts
    UNION ALL SELECT health.health_score(array_agg(v ORDER BY v), array_agg(w ORDER BY v)) FROM parts) AS orders;

-- the same in parallel workers
CREATE TABLE parallel_parts AS SELECT i, sin(i) * 10.0 ^ (i % 20) AS v, abs(cos(i)) AS w FROM generate_series(1, 20000) AS i;
ALTER TABLE parallel_parts SET (parallel_workers = 2);
ANALYZE parallel_parts;
SELECT health.health_score(v, w) AS serial, health.score_coverage(v, w) AS serial_coverage FROM parallel_parts \gset
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT health.health_score(v, w) = :serial, health.score_coverage(v, w) = :serial_coverage FROM parallel_parts;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
DROP TABLE parallel_parts;

-- what is refused
SELECT health.health_score(ARRAY[80, 60], ARRAY[.4, 'NaN']);
SELECT health.health_score(ARRAY[80, 60], ARRAY[.4, 'Infinity']);
SELECT health.health_score(ARRAY[80, 60], ARRAY[.4, -.1]);
SELECT health.health_score(ARRAY[80, 60], ARRAY[0, 0]);
SELECT health.health_score(ARRAY[80, 'NaN'::float8], ARRAY[1, 1]);
SELECT health.health_score(ARRAY[80, 60], ARRAY[1]);
SELECT health.health_score(ARRAY[80, 60], ARRAY[1, NULL]);
SELECT health.health_score(ARRAY[[80, 60], [1, 2]], ARRAY[[1, 1], [1, 1]]);
SELECT health.health_score(v, w) FROM (VALUES (80::float8, 'NaN'::float8)) AS t (v, w);
SELECT health.health_score(v, w) FROM (VALUES (80::float8, -1::float8)) AS t (v, w);
SELECT health.health_score(v, w) FROM (VALUES ('Infinity'::float8, 1::float8)) AS t (v, w);
SELECT health.health_score(v, w) FROM (VALUES (80::float8, 0::float8)) AS t (v, w);
SELECT health.health_score(v, w) FROM (VALUES (1e308::float8, 1e308::float8)) AS t (v, w);
SELECT health.band('NaN');
SELECT health.band(50, '[]');
SELECT health.band(50, '[{"name": "low", "from": 10}, {"name": "high", "from": 50}, {"name": "none"}]');
SELECT health.band(50, '[{"name": "good", "from": 50}]');
SELECT health.band(50, '[{"name": "good", "form": 50}, {"name": "bad"}]');
-- states are for the aggregate only; made up ones are refused or harmless
SELECT health_internal.health_score_result('{}');
SELECT health_internal.health_score_result('{1,2}');
SELECT health_internal.health_score_result('{NULL,2,3}');
SELECT health_internal.health_score_result('{NaN,2,3}');
SELECT health_internal.health_score_result('{120,2,3}'), health_internal.score_coverage_result('{120,2,4}');
SELECT health_internal.health_score_combine('{120,2,3}', NULL), health_internal.health_score_combine(NULL, NULL) IS NULL, health_internal.health_score_combine('{1,2,3}', '{1,2,3}');
-- a million values
SELECT health.health_score(array_agg(i % 101), array_agg(1)) BETWEEN 49 AND 51, health.score_coverage(array_agg(i), array_agg(1)) FROM generate_series(1, 1000000) AS i;
