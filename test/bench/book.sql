-- The raw values of all signals of the preset for every account, as of the three days that the turn of a day reads: 2025-07-02, 7 and 28
-- days before; from the ledger, nothing stored. Prints a row: name, milliseconds. :rounds. Needs model bench_1x tracked and backfilled.
--
-- The query is in this one place, bench.book_query, for test/bench/peers.mjs too. Its columns: account_id, as_of, and the signals in the
-- order of the preset, whose groups have no value.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';
SET client_min_messages = warning;

SELECT format('VACUUM (ANALYZE) %s', name) FROM bench.data_table \gexec

-- For the peers, who know of no catalog.
CREATE VIEW bench.catalog_role AS
SELECT e.key AS event, r.role
FROM jsonb_each(health.model_definition('bench_1x', complete => true) -> 'catalog') AS e,
     LATERAL jsonb_array_elements_text(CASE jsonb_typeof(e.value -> 'role')
         WHEN 'array' THEN e.value -> 'role' WHEN 'string' THEN jsonb_build_array(e.value -> 'role') ELSE '[]' END) AS r (role);

CREATE TABLE bench.book_query AS SELECT $$
    SELECT v.account_id::bigint, d.as_of, v.raw[d.n][2], v.raw[d.n][3], v.raw[d.n][4], v.raw[d.n][6], v.raw[d.n][7], v.raw[d.n][9],
           v.raw[d.n][10], v.raw[d.n][12], v.raw[d.n][13], v.raw[d.n][15], v.raw[d.n][16], v.raw[d.n][17]::int, v.raw[d.n][18]
    FROM health.signal_values_at('bench_1x', '{2025-06-04,2025-06-25,2025-07-02}') AS v,
         (VALUES (1, date '2025-06-04'), (2, date '2025-06-25'), (3, date '2025-07-02')) AS d (n, as_of)$$ AS query;

SELECT format('CALL bench.take_time(%L, %s, %L)', 'book_ledger', round, query)
FROM generate_series(0, :rounds) AS round, bench.book_query ORDER BY round \gexec
SELECT name, round(ms::numeric, 1) FROM bench.median WHERE name = 'book_ledger';
