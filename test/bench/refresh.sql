-- What 2,000 new events cost: refresh of a tracked model over 182 days of events and over 728 days of the same accounts, beside a full recompute
-- (the untracked twin's materialized view), interleaved, in one session. Prints rows: name, milliseconds. Needs both models tracked and backfilled.
--
-- visits: 250 visits of 8 events, so some 250 accounts are scored again; singles: 2,000 events of about 1,900 accounts.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

\o /dev/null
SELECT health.create_score_view('bench_recompute', 'bench.recomputed');
\o

SELECT statement
FROM generate_series(0, :rounds) AS round, LATERAL (
    SELECT 10 * case_no + step AS position, statement
    FROM (VALUES (1, 'visits', '1x', 'public.events', ceil(:scale * 250)::int, 8), (2, 'visits', '4x', 'bench.events_4x', ceil(:scale * 250)::int, 8),
                 (3, 'singles', '1x', 'public.events', ceil(:scale * 2000)::int, 1), (4, 'singles', '4x', 'bench.events_4x', ceil(:scale * 2000)::int, 1)) AS c (case_no, shape, history, events, visits, per_visit),
         LATERAL (VALUES
            (1, format('INSERT INTO %s SELECT * FROM bench.new_events(%s, %s, %s, %s)', events, 10 * round + case_no, visits, per_visit, (:scale * 20000)::bigint)),
            (2, 'SELECT bench.start()'),
            (3, format('CALL health.refresh(''bench_%s'')', history)),
            (4, format('SELECT bench.stop(''refresh_%s_%s'', %s)', shape, history, round))) AS s (step, statement)
    UNION ALL VALUES (91, 'SELECT bench.start()'), (92, 'SELECT health.refresh_score_view(''bench.recomputed'')'), (93, format('SELECT bench.stop(''recompute'', %s)', round))) AS s
ORDER BY round, position
\o /dev/null
\gexec
\o
SELECT name, round(ms::numeric, 2) FROM bench.median WHERE name LIKE 'refresh%' OR name = 'recompute';

-- The two ways give the same scores.
SELECT 'refresh_differences', count(*)
FROM (SELECT account_id::text, score, band, data_coverage FROM bench.recomputed) AS r
FULL JOIN (SELECT account_id::text, score, band, data_coverage FROM health.score_at('bench_1x', date '2025-07-02')) AS t USING (account_id)
WHERE row (r.score, r.band, r.data_coverage)::text IS DISTINCT FROM row (t.score, t.band, t.data_coverage)::text;
