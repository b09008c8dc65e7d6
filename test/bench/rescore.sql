-- Five figures of every account over the last 56 days, as at the turn of a day: from the ledger's chunks and by plain SQL over the raw
-- events, interleaved. Prints rows: name, milliseconds, and how many accounts differ. Plain SQL gets its best form (best of
-- rescore_plain_*) with an index on the time, 64 MB of work_mem, and all it reads in memory.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

CREATE INDEX IF NOT EXISTS events_occurred_at ON events (occurred_at);
VACUUM (ANALYZE) events;

SELECT format('health_data.chunk_%s', id) AS chunk FROM health_internal.ledger_source WHERE model = 'bench_1x' \gset
SELECT format('VACUUM (ANALYZE) %s', :'chunk') \gexec
\ir rescore_queries.sql

SELECT format('CALL bench.take_time(%L, %s, %L)', q.name, round, q.query)
FROM generate_series(0, :rounds) AS round, bench.rescore_query AS q
ORDER BY round, q.name \gexec
SELECT name, round(ms::numeric, 1) FROM bench.median WHERE name LIKE 'rescore%';

SELECT format('CREATE TABLE bench.%I AS %s', name || '_answer', query) FROM bench.rescore_query ORDER BY name \gexec
SELECT 'rescore_differences', count(*)
FROM (SELECT account_id::text, p::text FROM bench.rescore_ledger_answer AS p) AS a
FULL JOIN (SELECT account_id::text, p::text FROM bench.rescore_plain_twice_answer AS p) AS b USING (account_id)
FULL JOIN (SELECT account_id::text, p::text FROM bench.rescore_plain_once_answer AS p) AS c USING (account_id)
WHERE a.p IS DISTINCT FROM b.p OR a.p IS DISTINCT FROM c.p;
