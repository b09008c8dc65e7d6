-- What the measurements of tracked ledgers need besides the events: accounts, a longer history, models, clocks. Schema bench.
--
-- The events are those of events.sql (182 days up to 2025-07-01); bench.events_4x has the same and three times as many before them (when
-- :longer is 1); bench.events_few those of about 1,000 accounts at any scale, for what takes many days. The server's clock stands on
-- 2025-07-02 (test/bench/clock.c).

CREATE TABLE bench.accounts AS
SELECT id AS account_id, 'Account ' || id AS name, (ARRAY['free', 'team', 'business', 'enterprise'])[1 + id % 4] AS plan,
       5 + id % 40 AS seats, date '2023-01-01' + (id % 500)::int AS started
FROM generate_series(1::bigint, (:scale * 20000)::bigint) AS id;
ALTER TABLE bench.accounts ADD PRIMARY KEY (account_id);
VACUUM (ANALYZE) bench.accounts;

-- At least 0, below 1.
CREATE FUNCTION bench.random(i bigint, seed int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(i, seed) & 4294967295) / 4294967296.0::float8
$$;

CREATE FUNCTION bench.model(events text, accounts text DEFAULT 'bench.accounts') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'preset', 'collaboration',
        'accounts', jsonb_build_object('table', accounts, 'id', 'account_id', 'name', 'name', 'start', 'started', 'seats', 'seats',
                                       'columns', jsonb_build_object('plan', 'plan')),
        'events', jsonb_build_object('table', events, 'account', 'account_id', 'user', 'user_id', 'event', 'event_name',
                                     'occurred_at', 'occurred_at'),
        'catalog', '{"search_performed": {"role": "session"}, "folder_opened": {"role": "consume"},
                     "link_copied": {"role": "interact", "value": 3},
                     "video_downloaded": {"role": "consume", "value": 3}, "comment_resolved": {"role": "interact", "value": 2},
                     "video_embedded": {"role": "interact", "value": 5}, "profile_updated": {},
                     "video_trimmed": {"role": "create", "value": 4}}'::jsonb)
$$;

-- As of a day that stays the same while the clock moves, without a history.
CREATE FUNCTION bench.fixed(model jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT model || '{"as_of": "2025-07-02", "history": {"days": 0}}'
$$;

-- A day's events, as many and as they are in events.sql. The day seeds.
CREATE FUNCTION bench.day_events(day date, scale float8) RETURNS SETOF events LANGUAGE sql AS $$
    SELECT account_id, account_id * 64 + floor(power(who, 2) * (5 + account_id % 40))::bigint, bench.event_name(what),
           day::timestamp AT TIME ZONE 'UTC' + i * (interval '1 day' / n)
    FROM (SELECT i, n, 1 + floor(power(bench.random(i, day - date '2000-01-01'), 1.5) * scale * 20000)::bigint AS account_id,
                 bench.random(i, day - date '1900-01-01') AS who, bench.random(i, day - date '1800-01-01') AS what
          FROM (SELECT ceil(scale * 5000000 / 182)::int - 1 AS n) AS size, generate_series(1::bigint, n) AS i) AS e
$$;

-- Events of the last day that is scored: 250 visits of 8 events each, or 2,000 single events, of random accounts. `round` seeds.
CREATE FUNCTION bench.new_events(round int, visits int, per_visit int, accounts bigint) RETURNS SETOF events LANGUAGE sql AS $$
    SELECT account_id, account_id * 64 + floor(power(who, 2) * (5 + account_id % 40))::bigint,
           (ARRAY['video_viewed', 'video_emoji_reaction_added', 'comment_left', 'session_started', 'video_viewed_by_team_member',
                  'video_created', 'video_shared', 'search_performed'])[1 + (hashint8extended(visit, round * 31 + e) & 7)],
           timestamptz '2025-07-01 07:00+00' + visit * interval '2 minutes' * 250 / visits + e * interval '40 seconds'
    FROM (SELECT visit, 1 + (hashint8extended(visit, round) & 2147483647) % accounts AS account_id,
                 (hashint8extended(visit, round + 1000) & 1048575) / 1048576.0 AS who
          FROM generate_series(1::bigint, visits) AS visit) AS v, generate_series(1, per_visit) AS e
$$;

-- What the extension keeps for tracked models.
CREATE VIEW bench.data_table AS
SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = to_regnamespace('health_data') AND relkind = 'r';

-- The least that any query over all events does.
CREATE FUNCTION bench.floor() RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'SELECT account_id, count(*), max(occurred_at) FROM events GROUP BY account_id'
$$;

CREATE TABLE bench.timing (name text, round int, ms float8);
CREATE TABLE bench.clock (at timestamptz);
-- For statements that cannot run inside a function: start, the statement, stop.
CREATE FUNCTION bench.start() RETURNS void LANGUAGE sql AS 'DELETE FROM bench.clock; INSERT INTO bench.clock VALUES (clock_timestamp())';
CREATE FUNCTION bench.stop(name text, round int) RETURNS float8 LANGUAGE sql AS $$
    INSERT INTO bench.timing SELECT stop.name, stop.round, extract(epoch FROM clock_timestamp() - at) * 1000 FROM bench.clock RETURNING ms
$$;
-- The server's time for a query, planning included, output not.
CREATE PROCEDURE bench.take_time(name text, round int, query text) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    INSERT INTO bench.timing VALUES (name, round, (plan -> 0 ->> 'Execution Time')::float8 + (plan -> 0 ->> 'Planning Time')::float8);
END $$;
-- Medians; round 0 warms up.
CREATE VIEW bench.median AS
SELECT name, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM bench.timing WHERE round > 0 GROUP BY name;

\if :longer
CREATE TABLE bench.events_4x (LIKE events);
SELECT format('INSERT INTO bench.events_4x SELECT account_id, user_id, event_name, occurred_at - interval %L FROM events',
              182 * part || ' days')
FROM generate_series(3, 0, -1) AS part \gexec
VACUUM (ANALYZE) bench.events_4x;
\endif

CREATE TABLE bench.accounts_few AS SELECT * FROM bench.accounts WHERE account_id % ceil(20 * :scale)::int = 0;
CREATE TABLE bench.events_few AS
SELECT e.* FROM events AS e WHERE EXISTS (SELECT FROM bench.accounts_few AS a WHERE a.account_id = e.account_id);
VACUUM (ANALYZE) bench.accounts_few, bench.events_few;

\o /dev/null
SELECT health.create_model('bench_day', bench.model('public.events'));
SELECT health.create_model('bench_few', bench.model('bench.events_few', 'bench.accounts_few') || '{"history": {"days": 0}, "volume": "ignore"}');
SELECT health.create_model('bench_1x', bench.fixed(bench.model('public.events')));
\if :longer
SELECT health.create_model('bench_4x', bench.fixed(bench.model('bench.events_4x')));
\endif
SELECT health.create_model('bench_recompute', bench.fixed(bench.model('public.events')));
\o
