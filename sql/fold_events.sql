-- fold_events: rows of tables and partitions to chunks of ledgers.
SET client_min_messages = warning;
CREATE SCHEMA fold;
CREATE FUNCTION fold.chunk_table(account text) RETURNS regclass LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS fold.chunk;
    EXECUTE format('CREATE TABLE fold.chunk (account_id %s NOT NULL, period date NOT NULL, part integer NOT NULL, usage health.usage NOT NULL, '
                   'PRIMARY KEY (account_id, period, part))', account);
    RETURN 'fold.chunk';
END $$;
CREATE FUNCTION fold.source(id integer, relation regclass, account text, user_id text, event text, moment text, amount text DEFAULT NULL, filter text DEFAULT NULL,
                            account_kind text DEFAULT 'bigint', user_kind text DEFAULT 'bigint', time_zone text DEFAULT 'UTC') RETURNS void LANGUAGE sql AS $$
    DELETE FROM health_internal.ledger_source;
    INSERT INTO health_internal.model (name, current_version) VALUES ('fold', 1) ON CONFLICT DO NOTHING;
    INSERT INTO health_internal.ledger_source (id, model, path, relation, chunk_table, account, user_id, event, moment, amount, filter, account_kind, user_kind, time_zone,
                                      search_path, event_rows)
    VALUES (id, 'fold', id::text, relation, fold.chunk_table(account_kind), account, user_id, event, moment, amount, filter, account_kind, user_kind, time_zone,
            'pg_catalog', '');
$$;

-- A plain table, with rows that are no events and rows that are bad.
CREATE TABLE fold.events (account_id bigint, user_id int, name text, at timestamptz, amount float8, uid uuid, internal boolean);
INSERT INTO fold.events
SELECT i % 53, i % 7, 'event_' || i % 5, timestamptz '2025-01-01 00:30+00' + i * interval '1 hour', CASE WHEN i % 3 = 0 THEN i / 4.0 END,
       md5((i % 11)::text)::uuid, i % 10 = 0
FROM generate_series(1, 8000) AS i;
DELETE FROM fold.events WHERE account_id = 13;
INSERT INTO fold.events VALUES (NULL, 1, 'x', '2025-01-01'), (1, NULL, 'x', '2025-01-01'), (1, 1, NULL, '2025-01-01'), (1, 1, 'x', NULL);
SELECT fold.source(1, 'fold.events', 'src.account_id', 'src.user_id::bigint', 'src.name', 'src.at');
SELECT events, bad_rows FROM health_internal.fold_events(1, 'fold.events'::regclass, 0, 1000000, 0);
-- 0: the sums of the chunks are the ledgers of the table.
SELECT count(*)
FROM (SELECT account_id, health.rollup(usage) AS usage FROM fold.chunk GROUP BY account_id) AS a
     FULL JOIN (SELECT account_id, health.usage_agg(user_id, name, at) AS usage FROM fold.events WHERE account_id IS NOT NULL GROUP BY account_id) AS b USING (account_id)
WHERE a.usage OPERATOR(health.=) b.usage IS NOT TRUE;
SELECT period, count(*), bool_and(health.validate(usage)) AS valid FROM fold.chunk GROUP BY period ORDER BY period;
SELECT count(*) AS out_of_period FROM fold.chunk AS k, health.cells(k.usage) AS c WHERE date_trunc('quarter', c.day::timestamp) <> k.period;
-- The same part twice is refused.
SELECT events, bad_rows FROM health_internal.fold_events(1, 'fold.events'::regclass, 0, 1000000, 0);

-- Block ranges, each a part of its own.
TRUNCATE fold.chunk;
SELECT sum(f.events) AS events FROM generate_series(0, 200, 20) AS b, health_internal.fold_events(1, 'fold.events'::regclass, b, b + 20, b) AS f;
SELECT events, bad_rows FROM health_internal.fold_events(1, 'fold.events'::regclass, 100000, 200000, 1000);
SELECT events, bad_rows FROM health_internal.fold_events(1, 'fold.events'::regclass, 20, 10, 1000);
SELECT count(DISTINCT part) > 2 AS several_parts, count(*) FILTER (WHERE part = 1000) AS empty_part FROM fold.chunk;
SELECT count(*)
FROM (SELECT account_id, health.rollup(usage) AS usage FROM fold.chunk GROUP BY account_id) AS a
     FULL JOIN (SELECT account_id, health.usage_agg(user_id, name, at) AS usage FROM fold.events WHERE account_id IS NOT NULL GROUP BY account_id) AS b USING (account_id)
WHERE a.usage OPERATOR(health.=) b.usage IS NOT TRUE;

-- Amounts, a filter, a time zone; text accounts and uuid users.
SELECT fold.source(2, 'fold.events', 'upper(''a'' || src.account_id::text)', 'src.uid', 'lower(src.name)', 'src.at', 'src.amount', 'NOT src.internal', 'text', 'uuid',
                   'America/New_York');
SELECT events, bad_rows FROM health_internal.fold_events(2, 'fold.events'::regclass, 0, 1000000, 0);
SELECT count(*)
FROM (SELECT account_id, health.rollup(usage) AS usage FROM fold.chunk GROUP BY account_id) AS a
     FULL JOIN (SELECT 'A' || account_id AS account_id, health.usage_agg(uid, name, at, amount, 'America/New_York') AS usage
                FROM fold.events WHERE account_id IS NOT NULL AND NOT internal GROUP BY account_id) AS b USING (account_id)
WHERE a.usage OPERATOR(health.=) b.usage IS NOT TRUE;

-- Bad rows are counted and left out: infinite time, impossible amounts, an empty name.
CREATE TABLE fold.odd (account uuid, who text, name text, day date, amount float8);
INSERT INTO fold.odd
VALUES ('11111111-1111-1111-1111-111111111111', 'anna', 'paid', '2025-03-31', 1.5), ('11111111-1111-1111-1111-111111111111', 'anna', 'paid', '2025-04-01', NULL),
       ('11111111-1111-1111-1111-111111111111', 'anna', 'paid', 'infinity', 1), ('11111111-1111-1111-1111-111111111111', 'anna', 'paid', '2025-03-31', 'NaN'),
       ('11111111-1111-1111-1111-111111111111', 'anna', 'paid', '2025-03-31', 1e15), ('11111111-1111-1111-1111-111111111111', 'anna', '', '2025-03-31', 1),
       ('00000000-0000-0000-0000-000000000001', repeat('bob ', 3000), 'paid', '0044-03-15 BC', 2);
SELECT fold.source(3, 'fold.odd', 'src.account', 'src.who', 'src.name', 'src.day', 'src.amount', NULL, 'uuid', 'text', NULL);
SELECT events, bad_rows FROM health_internal.fold_events(3, 'fold.odd'::regclass, 0, 1000000, 0);
SELECT account_id, period, left(usage::text, 40) AS begins, length(usage::text) FROM fold.chunk ORDER BY 1, 2;

-- Partitions, whose columns need not be in the same order.
CREATE TABLE fold.parted (account_id bigint, user_id bigint, name varchar(20), at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE fold.parted_1 (at timestamptz, dropped int, name varchar(20), user_id bigint, account_id bigint);
ALTER TABLE fold.parted_1 DROP COLUMN dropped;
ALTER TABLE fold.parted ATTACH PARTITION fold.parted_1 FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE fold.parted_2 PARTITION OF fold.parted DEFAULT;
INSERT INTO fold.parted SELECT account_id, user_id, name, at FROM fold.events WHERE at IS NOT NULL;
SELECT fold.source(4, 'fold.parted', 'src.account_id', 'src.user_id', 'src.name::text', 'src.at');
SELECT l.n, f.events, f.bad_rows FROM (VALUES (1, 'fold.parted_1'::regclass), (2, 'fold.parted_2')) AS l (n, leaf), health_internal.fold_events(4, l.leaf, 0, 1000000, l.n) AS f;
SELECT count(*)
FROM (SELECT account_id, health.rollup(usage) AS usage FROM fold.chunk GROUP BY account_id) AS a
     FULL JOIN (SELECT account_id, health.usage_agg(user_id, name, at) AS usage FROM fold.parted WHERE account_id IS NOT NULL GROUP BY account_id) AS b USING (account_id)
WHERE a.usage OPERATOR(health.=) b.usage IS NOT TRUE;

-- What is refused: another table, a table without rows, no such source, expressions that do not fit.
SELECT events, bad_rows FROM health_internal.fold_events(4, 'fold.events'::regclass, 0, 1, 9);
SELECT events, bad_rows FROM health_internal.fold_events(4, 'fold.parted'::regclass, 0, 1, 9);
SELECT events, bad_rows FROM health_internal.fold_events(77, 'fold.events'::regclass, 0, 1, 9);
SELECT fold.source(5, 'fold.events', 'src.account_id', 'src.name', 'src.name', 'src.at');
SELECT events, bad_rows FROM health_internal.fold_events(5, 'fold.events'::regclass, 0, 1, 9);
SELECT fold.source(5, 'fold.events', 'src.account_id', '(SELECT 1::bigint)', 'src.name', 'src.at');
SELECT events, bad_rows FROM health_internal.fold_events(5, 'fold.events'::regclass, 0, 1, 9);
SELECT fold.source(5, 'fold.events', '1 / (src.account_id - 20)', '1::bigint', 'src.name', 'src.at');
SELECT events, bad_rows FROM health_internal.fold_events(5, 'fold.events'::regclass, 0, 1000000, 9);
SELECT count(*) FILTER (WHERE account_id <> 20) AS events, count(*) FILTER (WHERE account_id = 20) AS bad_rows FROM fold.events
WHERE account_id IS NOT NULL AND name <> '' AND at IS NOT NULL AND isfinite(at);

-- Rights: only the owner of the chunks, and only with rights on the rows.
CREATE ROLE regress_fold;
GRANT USAGE ON SCHEMA fold TO regress_fold;
SELECT fold.source(6, 'fold.events', 'src.account_id', 'src.user_id::bigint', 'src.name', 'src.at');
SET ROLE regress_fold;
SELECT events, bad_rows FROM health_internal.fold_events(6, 'fold.events'::regclass, 0, 1, 0);
RESET ROLE;
ALTER TABLE fold.chunk OWNER TO regress_fold;
SELECT events, bad_rows FROM health_internal.fold_events(6, 'fold.events'::regclass, 0, 1, 0);
UPDATE health_internal.model SET owner = 'regress_fold' WHERE name = 'fold';
SET ROLE regress_fold;
SELECT events, bad_rows FROM health_internal.fold_events(6, 'fold.events'::regclass, 0, 1, 0);
RESET ROLE;
GRANT SELECT ON fold.events TO regress_fold;
ALTER TABLE fold.events ENABLE ROW LEVEL SECURITY;
SET ROLE regress_fold;
SELECT events, bad_rows FROM health_internal.fold_events(6, 'fold.events'::regclass, 0, 1, 0);
RESET ROLE;
ALTER TABLE fold.events DISABLE ROW LEVEL SECURITY;
SET ROLE regress_fold;
SELECT bad_rows FROM health_internal.fold_events(6, 'fold.events'::regclass, 0, 1, 0);
RESET ROLE;

DELETE FROM health_internal.ledger_source;
DELETE FROM health_internal.model;
DROP SCHEMA fold CASCADE;
DROP ROLE regress_fold;
