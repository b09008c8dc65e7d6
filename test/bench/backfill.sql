-- Backfill of the bench's events beside the floor, one count and one max per account of the same table, interleaved, serial. Prints rows:
-- name, milliseconds. Leaves model bench_day tracked, scored, and with its history.
--
-- backfill: until the ledger stands, that is until the refresh that scores it begins. backfill_call: the whole CALL, with the scores and
-- the default 56 days of history. backfill_rounds 0: once, unmeasured.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

CREATE PROCEDURE pg_temp.note_backfill(round int) LANGUAGE sql AS $$
    INSERT INTO bench.timing
    SELECT 'backfill', round, extract(epoch FROM s.refreshed_at - c.at) * 1000 FROM health.status('bench_day') AS s, bench.clock AS c
$$;

SELECT statement
FROM generate_series(0, :backfill_rounds) AS round, LATERAL (VALUES
    (1, format('CALL bench.take_time(%L, %s, %L)', 'backfill_floor', round, bench.floor())),
    (2, CASE WHEN round > 0 THEN 'SELECT health.untrack(''bench_day'')' END),
    (3, 'SELECT health.track(''bench_day'')'),
    (4, 'CHECKPOINT'),
    (5, 'SELECT bench.start()'),
    (6, 'CALL health.backfill(''bench_day'')'),
    (7, format('SELECT bench.stop(''backfill_call'', %s)', round)),
    (8, format('CALL pg_temp.note_backfill(%s)', round))) AS s (step, statement)
WHERE statement IS NOT NULL
ORDER BY round, step
\o /dev/null
\gexec
\o
SELECT name, round(ms::numeric, 1) FROM bench.median WHERE name LIKE 'backfill%';
