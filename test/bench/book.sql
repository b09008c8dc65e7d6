-- The raw values of all signals of the preset for every account, as of the three days that the turn of a day reads: 2025-07-02, 7 and 28
-- days before; from the ledger, nothing stored. Prints a row: name, milliseconds. :rounds. Needs model bench_1x tracked and backfilled.
--
-- The query is in this one place, bench.book_query, for test/bench/peers.mjs too. Its columns: account_id, as_of, and the signals in the
-- order of the preset. A series of five days reads a ledger once; the two signals about creators alone are asked apart.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

\o /dev/null
SELECT health.create_score_view('bench_1x', 'bench.book');
\o
SELECT format('VACUUM (ANALYZE) %s', name) FROM bench.data_table \gexec

CREATE VIEW bench.catalog_role AS
SELECT e.key AS event, r.role
FROM jsonb_each(health.model_definition('bench_1x', complete => true) -> 'catalog') AS e,
     LATERAL jsonb_array_elements_text(CASE jsonb_typeof(e.value -> 'role')
         WHEN 'array' THEN e.value -> 'role' WHEN 'string' THEN jsonb_build_array(e.value -> 'role') ELSE '[]' END) AS r (role);

CREATE TABLE bench.book_query AS SELECT format($$
    SELECT l.account_id, s.as_of, s.coverage, s.onboarding_activation, s.invite_conversion, s.interaction, s.reply_ratio, s.cadence,
           health.events_per_user_week(l.usage, s.as_of, %1$L, 28, %2$L), s.spread,
           health.power_user_dependency(l.usage, s.as_of, %1$L, 28, %2$L),
           s.trend_4w, s.dropoff, s.dip_streak, s.growth
    FROM (SELECT account_id, usage, account_start FROM bench.book_ledger OFFSET 0) AS l,
         LATERAL health.metrics_series(l.usage, '2025-06-04', '2025-07-02', 7, %1$L, account_start => l.account_start) AS s
    WHERE s.as_of IN ('2025-06-04', '2025-06-25', '2025-07-02')$$,
    health.model_definition('bench_1x', complete => true) -> 'catalog',
    ARRAY(SELECT event FROM bench.catalog_role WHERE role = 'create')) AS query;

SELECT format('CALL bench.take_time(%L, %s, %L)', 'book_ledger', round, query)
FROM generate_series(0, :rounds) AS round, bench.book_query ORDER BY round \gexec
SELECT name, round(ms::numeric, 1) FROM bench.median WHERE name = 'book_ledger';
