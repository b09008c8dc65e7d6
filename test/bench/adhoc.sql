-- The ad-hoc query (all metrics of all accounts from raw events) beside the floor (one count and one max per account), interleaved.
-- Prints rows: name, milliseconds. Times are the server's execution times without output, one session, no parallel workers.
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TEMPORARY TABLE timing (name text, round int, ms numeric);

CREATE PROCEDURE pg_temp.take_time(name text, round int, query text) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    INSERT INTO timing VALUES (name, round, (plan -> 0 ->> 'Execution Time')::numeric);
END $$;

\set floor 'SELECT account_id, count(*), max(occurred_at) FROM events GROUP BY account_id'
\set adhoc 'SELECT a.account_id, m.* FROM (SELECT account_id, health.usage_agg(user_id, event_name, occurred_at) AS u FROM events GROUP BY account_id) AS a, health.metrics(a.u, DATE ''2025-07-01'') AS m'
\set ledger 'SELECT account_id, health.usage_agg(user_id, event_name, occurred_at) AS u FROM events GROUP BY account_id'

SELECT format('CALL pg_temp.take_time(%L, %s, %L)', q.name, round, q.query)
FROM generate_series(0, :rounds) AS round,
     (VALUES (1, 'floor', :'floor'), (2, 'adhoc', :'adhoc'), (3, 'ledger', :'ledger')) AS q (position, name, query)
ORDER BY round, q.position \gexec

-- Round 0 warms up.
SELECT name, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) FROM timing WHERE round > 0 GROUP BY name;

SELECT 'ledger_bytes', sum(octet_length(health.usage_send(u)) + 4) FROM (SELECT health.usage_agg(user_id, event_name, occurred_at) AS u FROM events GROUP BY account_id) AS l
UNION ALL
SELECT 'cells', count(*)
FROM (SELECT DISTINCT account_id, user_id, event_name, (occurred_at AT TIME ZONE 'UTC')::date AS day FROM events) AS c;
