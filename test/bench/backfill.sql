-- Backfill of the bench's events beside the floor, one count and one max per account of the same table, interleaved, serial. Prints rows:
-- name, milliseconds. Leaves model bench_1x tracked and scored.
--
-- backfill: until the ledger stands. backfill_call: the whole CALL, which scores every account, too.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

CREATE PROCEDURE pg_temp.note_backfill(round int) LANGUAGE sql AS $$
    INSERT INTO bench.timing
    SELECT 'backfill', round, extract(epoch FROM max(s.read_at) - min(c.at)) * 1000 FROM health_internal.ledger_source AS s, bench.clock AS c WHERE s.model = 'bench_1x'
$$;

SELECT statement
FROM generate_series(0, :rounds) AS round, LATERAL (VALUES
    (1, format('CALL bench.take_time(%L, %s, %L)', 'backfill_floor', round, 'SELECT account_id, count(*), max(occurred_at) FROM events GROUP BY account_id')),
    (2, CASE WHEN round > 0 THEN 'SELECT health.untrack(''bench_1x'')' END),
    (3, 'SELECT health.track(''bench_1x'')'),
    (4, 'SELECT bench.start()'),
    (5, 'CALL health.backfill(''bench_1x'')'),
    (6, format('SELECT bench.stop(''backfill_call'', %s)', round)),
    (7, format('CALL pg_temp.note_backfill(%s)', round))) AS s (step, statement)
WHERE statement IS NOT NULL
ORDER BY round, step
\o /dev/null
\gexec
\o
SELECT name, round(ms::numeric, 1) FROM bench.median WHERE name LIKE 'backfill%';
