-- The ad-hoc query (all metrics of all accounts from raw events) beside the floor (one count and one max per account), interleaved.
-- Prints rows: name, milliseconds. Times are the server's execution times without output, one session, no parallel workers. The states
-- of 20,000 accounts take about 25 MB: with work_mem = 64MB, on both sides, they stay in memory; the *_4mb figures show the query with
-- PostgreSQL's default, where most of the groups go to disk and come back.
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TEMPORARY TABLE timing (name text, round int, ms numeric);

CREATE PROCEDURE pg_temp.take_time(name text, round int, memory text, query text) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    PERFORM set_config('work_mem', memory, false);
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    INSERT INTO timing VALUES (name, round, (plan -> 0 ->> 'Execution Time')::numeric);
END $$;

\set floor 'SELECT account_id, count(*), max(occurred_at) FROM events GROUP BY account_id'
\set ledger 'SELECT account_id, health.usage_agg(user_id, event_name, occurred_at) AS u FROM events GROUP BY account_id'
\set adhoc 'SELECT a.account_id, m.* FROM (' :ledger ') AS a, health.metrics(a.u, DATE ''2025-07-01'') AS m'

SELECT format('CALL pg_temp.take_time(%L, %s, %L, %L)', q.name, round, q.memory, q.query)
FROM generate_series(0, :rounds) AS round,
     (VALUES (1, 'floor', '64MB', :'floor'), (2, 'adhoc', '64MB', :'adhoc'), (3, 'ledger', '64MB', :'ledger'),
             (4, 'floor_4mb', '4MB', :'floor'), (5, 'adhoc_4mb', '4MB', :'adhoc')) AS q (position, name, memory, query)
ORDER BY round, q.position \gexec

-- Round 0 warms up.
SELECT name, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) FROM timing WHERE round > 0 GROUP BY name;

SELECT 'ledger_bytes', sum(pg_column_size(u))
FROM (SELECT health.usage_agg(user_id, event_name, occurred_at) AS u FROM events GROUP BY account_id) AS l
UNION ALL
SELECT 'cells', count(*)
FROM (SELECT DISTINCT account_id, user_id, event_name, (occurred_at AT TIME ZONE 'UTC')::date AS day FROM events) AS c;
