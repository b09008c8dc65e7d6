-- Whether the score predicts, over two years, and what another model would do: whole calls over all accounts, from events. Prints rows: name,
-- milliseconds. :rounds. The events are those of events.sql, four times as far apart.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

CREATE TABLE bench.events_years AS
SELECT account_id, user_id, event_name, timestamptz '2025-07-02 00:00+00' - 4 * (timestamptz '2025-07-02 00:00+00' - occurred_at) AS occurred_at
FROM events;
VACUUM (ANALYZE) bench.events_years;
SELECT health.create_model('bench_years', bench.fixed(bench.model('bench.events_years'))) \g /dev/null

SELECT format('CALL bench.take_time(%L, %s, %L)', s.name, round, s.query)
FROM generate_series(1, :rounds) AS round, (VALUES
    ('years_floor', $$SELECT account_id, count(*), max(occurred_at) FROM bench.events_years GROUP BY account_id$$),
    ('backtest', $$SELECT * FROM health.backtest('bench_years', horizon => 28, from_date => '2023-08-28')$$),
    ('what_if', $$SELECT * FROM health.what_if('bench_years', '{"minimum_coverage": 0.2}')$$)) AS s (name, query)
ORDER BY round, s.name \gexec
SELECT name, round(ms::numeric, 1) FROM bench.median WHERE name IN ('years_floor', 'backtest', 'what_if') ORDER BY 1;
