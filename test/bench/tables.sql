-- What the measurements of tracked ledgers need besides the events: accounts, a longer history, models, clocks. Schema bench.
--
-- The events are those of events.sql (182 days up to 2025-07-01); :bench.events_4x has the same and three times as many before them.
CREATE SCHEMA bench;

CREATE TABLE bench.accounts AS
SELECT id AS account_id, 'Account ' || id AS name, (ARRAY['free', 'team', 'business', 'enterprise'])[1 + id % 4] AS plan, 5 + id % 40 AS seats,
       date '2023-01-01' + (id % 500)::int AS started
FROM generate_series(1::bigint, (:scale * 20000)::bigint) AS id;
ALTER TABLE bench.accounts ADD PRIMARY KEY (account_id);
VACUUM (ANALYZE) bench.accounts;

CREATE FUNCTION bench.model(events text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'preset', 'collaboration', 'as_of', '2025-07-02', 'history', jsonb_build_object('days', 0),
        'accounts', jsonb_build_object('table', 'bench.accounts', 'id', 'account_id', 'name', 'name', 'start', 'started', 'seats', 'seats',
                                       'columns', jsonb_build_object('plan', 'plan')),
        'events', jsonb_build_object('table', events, 'account', 'account_id', 'user', 'user_id', 'event', 'event_name', 'occurred_at', 'occurred_at'),
        'catalog', '{"search_performed": {"role": "session"}, "folder_opened": {"role": "consume"}, "link_copied": {"role": "interact", "value": 3},
                     "video_downloaded": {"role": "consume", "value": 3}, "comment_resolved": {"role": "interact", "value": 2},
                     "video_embedded": {"role": "interact", "value": 5}, "profile_updated": {}, "video_trimmed": {"role": "create", "value": 4}}'::jsonb)
$$;

-- Events of the last day that is scored: 250 visits of 8 events each, or 2,000 single events, of random accounts. `round` seeds.
CREATE FUNCTION bench.new_events(round int, visits int, per_visit int, accounts bigint) RETURNS SETOF events LANGUAGE sql AS $$
    SELECT account_id, account_id * 64 + floor(power(who, 2) * (5 + account_id % 40))::bigint,
           (ARRAY['video_viewed', 'video_emoji_reaction_added', 'comment_left', 'session_started', 'video_viewed_by_team_member', 'video_created',
                  'video_shared', 'search_performed'])[1 + (hashint8extended(visit, round * 31 + e) & 7)],
           timestamptz '2025-07-01 07:00+00' + visit * interval '2 minutes' * 250 / visits + e * interval '40 seconds'
    FROM (SELECT visit, 1 + (hashint8extended(visit, round) & 2147483647) % accounts AS account_id,
                 (hashint8extended(visit, round + 1000) & 1048575) / 1048576.0 AS who
          FROM generate_series(1::bigint, visits) AS visit) AS v, generate_series(1, per_visit) AS e
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

CREATE TABLE bench.events_4x (LIKE events);
SELECT format('INSERT INTO bench.events_4x SELECT account_id, user_id, event_name, occurred_at - interval %L FROM events', 182 * part || ' days')
FROM generate_series(3, 0, -1) AS part \gexec
VACUUM (ANALYZE) bench.events_4x;

\o /dev/null
SELECT health.create_model('bench_1x', bench.model('public.events'));
SELECT health.create_model('bench_4x', bench.model('bench.events_4x'));
SELECT health.create_model('bench_recompute', bench.model('public.events'));
\o
