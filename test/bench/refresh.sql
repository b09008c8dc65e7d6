-- What 2,000 new events cost: refresh of a tracked model over 182 days of events and over 728 days of the same accounts, beside a full
-- recompute (the untracked twin's materialized view), interleaved, in one session. Prints rows: name, milliseconds. Needs both models
-- tracked and backfilled.
--
-- visits: 250 visits of 8 events, so some 250 accounts are scored again; singles: 2,000 events of about 1,900 accounts. Each is refreshed
-- three times a round. A machine that others share changes its speed by itself: what two refreshes that followed each other took is
-- compared as a pair (refresh_scaling_pairs, refresh_scaling_singles_pairs: the medians of their ratios).
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

\o /dev/null
SELECT health.create_score_view('bench_recompute', 'bench.recomputed');
\o

SELECT statement
FROM generate_series(0, :rounds) AS round, LATERAL (
    SELECT 100 * case_no + step AS position, statement
    FROM (SELECT 2 * pair + h.number AS case_no, CASE WHEN pair < 3 THEN 'visits' ELSE 'singles' END AS shape, h.history, h.events, pair
          FROM generate_series(0, 5) AS pair, 
               (VALUES (1, '1x', 'public.events'), (2, '4x', 'bench.events_4x')) AS h (number, history, events)) AS c,
         LATERAL (VALUES
            (1, format('INSERT INTO %s SELECT * FROM bench.new_events(%s, %s, %s, %s)', events, 100 * round + case_no,
                       ceil(:scale * CASE shape WHEN 'visits' THEN 250 ELSE 2000 END)::int,
                       CASE shape WHEN 'visits' THEN 8 ELSE 1 END, (:scale * 20000)::bigint)),
            (2, 'SELECT bench.start()'),
            (3, format('CALL health.refresh(''bench_%s'')', history)),
            -- Rounds of three pairs each; none but those of round 0 are numbered 0 or less.
            (4, format('SELECT bench.stop(''refresh_%s_%s'', %s)', shape, history, 3 * round - 2 + pair % 3))) AS s (step, statement)
    UNION ALL VALUES (9001, 'SELECT bench.start()'), (9002, 'SELECT health.refresh_score_view(''bench.recomputed'')'),
                     (9003, format('SELECT bench.stop(''recompute'', %s)', round))) AS s
ORDER BY round, position
\o /dev/null
\gexec
\o
SELECT name, round(ms::numeric, 2) FROM bench.median WHERE name LIKE 'refresh%' OR name = 'recompute';

SELECT kind.name, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY long.ms / short.ms))::numeric, 3)
FROM (VALUES ('refresh_scaling_pairs', 'refresh_visits'), ('refresh_scaling_singles_pairs', 'refresh_singles')) AS kind (name, prefix)
JOIN bench.timing AS long ON long.name = kind.prefix || '_4x'
JOIN bench.timing AS short ON short.name = kind.prefix || '_1x' AND short.round = long.round
WHERE long.round > 0 GROUP BY kind.name;

-- The two ways give the same scores.
SELECT 'refresh_differences', count(*)
FROM (SELECT account_id::text, score, band, data_coverage FROM bench.recomputed) AS r
FULL JOIN (SELECT account_id::text, score, band, data_coverage FROM health.score_at('bench_1x', date '2025-07-02')) AS t USING (account_id)
WHERE row (r.score, r.band, r.data_coverage)::text IS DISTINCT FROM row (t.score, t.band, t.data_coverage)::text;
