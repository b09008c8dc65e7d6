-- What accounts ask for, by tier, and whether it helped to give it to them.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA requests;
SET search_path = requests;
CREATE TABLE accounts (id text PRIMARY KEY, plan text, arr numeric, started date, ended date);
CREATE TABLE events (account text, who text, at date, name text DEFAULT 'a');
CREATE INDEX ON events (account, at);
CREATE TABLE subscriptions (account text, starts date, ends date, mrr numeric);
CREATE TABLE asked (account text, asked_on date, done_on date, feature text);
\set document '{"accounts": {"table": "accounts", "id": "id", "start": "started", "end": "ended", "columns": {"plan": "plan", "arr": "arr"}}, "as_of": "2025-06-01", "events": {"table": "events", "account": "account", "user": "who", "occurred_at": "at", "event": "name"}, "facts": {"requests": {"table": "asked", "account": "account", "at": "asked_on", "until": "done_on", "kind": "feature"}, "subscriptions": {"table": "subscriptions", "account": "account", "at": "starts", "until": "ends", "value": "mrr"}}, "revenue": {"fact": "subscriptions"}, "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 20}}]}'

-- By hand. What is done on the day itself is not done yet; what is done on the day on which it was asked for took no day.
INSERT INTO accounts VALUES ('a', 'pro', 1200, '2024-01-01', NULL), ('b', 'free', 0, NULL, NULL), ('c', 'pro', NULL, '2024-01-01', NULL),
    ('gone', 'pro', 9999, '2024-01-01', '2025-05-01');
INSERT INTO subscriptions VALUES ('a', '2024-01-01', NULL, 100), ('b', '2024-01-01', '2025-01-01', 10), ('gone', '2024-01-01', NULL, 800);
SELECT health.create_model('asked', :'document');
SELECT * FROM health.requests('asked');
SELECT * FROM health.implementation_rates('asked');
SELECT measure, accounts_fulfilled, change_fulfilled, accounts_open, note FROM health.fulfilment_effect('asked');
INSERT INTO asked VALUES ('a', '2025-01-01', '2025-01-11', 'sso'), ('a', '2025-03-01', NULL, 'sso'), ('b', '2025-02-01', '2025-06-01', 'sso'),
    ('b', '2025-02-01', '2025-05-31', 'api'), ('c', '2025-05-31', '2025-05-31', 'api'), ('c', '2025-06-01', NULL, 'api'),
    ('c', '2025-05-31', 'infinity', NULL), ('gone', '2025-01-01', NULL, 'sso'), ('c', '2025-02-01', '2025-01-01', 'sso');
SELECT * FROM health.requests('asked');
SELECT kind, revenue, open_revenue, mean_days FROM health.requests('asked', amount => 'arr');
SELECT segment_value, kind, requests, open, fulfilled FROM health.requests('asked', segment => 'plan');
SELECT kind, requests, accounts, open FROM health.requests('asked', as_of => '2025-01-11');
SELECT kind, requests, accounts, open, fulfilled FROM health.requests('asked', as_of => '2025-01-12');
SELECT segment_value, requests, accounts, fulfilled, rate, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high, mean_days
FROM health.implementation_rates('asked', 'plan');

-- Random accounts, against plain SQL.
TRUNCATE accounts, subscriptions, asked;
SELECT setseed(0.25);
INSERT INTO accounts
SELECT 'r' || n, (ARRAY['free', 'pro', NULL])[1 + n % 3], CASE WHEN n % 7 > 0 THEN n END,
       CASE WHEN random() < 0.9 THEN date '2024-01-01' + (random() * 400)::int END, CASE WHEN random() < 0.1 THEN date '2025-02-01' + (random() * 200)::int END
FROM generate_series(1, 150) AS n;
INSERT INTO subscriptions SELECT id, '2024-01-01', CASE WHEN random() < 0.3 THEN date '2025-01-01' + (random() * 200)::int END, 1 + floor(random() * 100) FROM accounts;
INSERT INTO asked
SELECT 'r' || 1 + floor(random() * 150)::int, d, CASE WHEN random() < 0.4 THEN d + (random() * 120)::int END, (ARRAY['sso', 'api', 'dark mode'])[1 + floor(random() * 3)::int]
FROM (SELECT date '2024-03-01' + (random() * 470)::int AS d FROM generate_series(1, 220)) AS x;
INSERT INTO events SELECT 'r' || 1 + floor(random() * 150)::int, 'u' || floor(random() * 4)::int, date '2024-03-01' + (random() * 480)::int FROM generate_series(1, 4000);
CREATE FUNCTION expected(as_of date, amount text) RETURNS TABLE (segment_value text, kind text, requests bigint, accounts bigint, revenue float8, open bigint,
    open_accounts bigint, open_revenue float8, fulfilled bigint, mean_days float8) LANGUAGE sql AS $$
    WITH r AS (SELECT a.*, r.feature, r.asked_on, coalesce(r.done_on < as_of, false) AS done, r.done_on - r.asked_on AS days,
                      CASE WHEN amount IS NULL THEN (SELECT coalesce(sum(s.mrr), 0) FROM subscriptions AS s WHERE s.account = a.id AND s.starts < as_of
                                                     AND (s.ends IS NULL OR s.ends >= as_of)) ELSE a.arr END AS money
               FROM asked AS r JOIN accounts AS a ON a.id = r.account
               WHERE r.asked_on < as_of AND coalesce(a.started <= as_of, true) AND coalesce(a.ended > as_of, true))
    SELECT plan, feature, count(*), count(DISTINCT id), (SELECT sum(m.money) FROM (SELECT DISTINCT x.id, x.money FROM r AS x
               WHERE x.plan IS NOT DISTINCT FROM r.plan AND x.feature = r.feature) AS m)::float8, count(*) FILTER (WHERE NOT done),
           count(DISTINCT id) FILTER (WHERE NOT done), (SELECT CASE WHEN count(*) > 0 THEN sum(m.money) ELSE 0 END FROM (SELECT DISTINCT x.id, x.money FROM r AS x
               WHERE x.plan IS NOT DISTINCT FROM r.plan AND x.feature = r.feature AND NOT x.done) AS m)::float8,
           count(*) FILTER (WHERE done), (avg(days) FILTER (WHERE done))::float8
    FROM r GROUP BY 1, 2 $$;
CREATE VIEW differences AS
SELECT d.as_of, d.amount, count(*) AS rows, count(*) FILTER (WHERE e IS DISTINCT FROM q) AS different
FROM (VALUES (date '2025-06-01', NULL), ('2025-01-01', NULL), ('2025-03-15', 'arr')) AS d (as_of, amount),
     LATERAL (SELECT e, q FROM (SELECT (e.segment_value, e.kind, e.requests, e.accounts, e.revenue, e.open, e.open_accounts, e.open_revenue, e.fulfilled, round(e.mean_days::numeric, 9)) AS e,
                     e.segment_value, e.kind FROM expected(d.as_of, d.amount) AS e) AS e
              FULL JOIN (SELECT (q.segment_value, q.kind, q.requests, q.accounts, q.revenue, q.open, q.open_accounts, q.open_revenue, q.fulfilled, round(q.mean_days::numeric, 9)) AS q,
                     q.segment_value, q.kind FROM health.requests('asked', 'requests', 'plan', d.amount, d.as_of) AS q) AS q
                  ON coalesce(e.segment_value, '-') = coalesce(q.segment_value, '-') AND e.kind = q.kind) AS x
GROUP BY 1, 2 ORDER BY 1;
SELECT * FROM differences;
SELECT count(*) AS rows, count(*) FILTER (WHERE (i.requests, i.fulfilled, i.rate) IS DISTINCT FROM (e.requests, e.fulfilled, e.fulfilled / e.requests::float8)) AS different
FROM health.implementation_rates('asked', 'plan') AS i
JOIN (SELECT segment_value, sum(requests)::bigint AS requests, sum(fulfilled)::bigint AS fulfilled FROM expected('2025-06-01', NULL) GROUP BY 1) AS e
    ON e.segment_value IS NOT DISTINCT FROM i.segment_value;
-- Each account once: the mean of its changes, those of open requests weighted by how many were fulfilled on the day.
CREATE FUNCTION expected_effect(days int) RETURNS TABLE (measure text, n bigint, change numeric, n_open bigint, change_open numeric) LANGUAGE sql AS $$
    WITH r AS (SELECT r.* FROM asked AS r JOIN accounts AS a ON a.id = r.account
               WHERE r.asked_on < '2025-06-01' AND coalesce(a.started <= '2025-06-01', true) AND coalesce(a.ended > '2025-06-01', true)),
    done AS (SELECT DISTINCT account, done_on AS day FROM r WHERE done_on BETWEEN '2024-06-01' AND date '2025-06-01' - days),
    compared AS (SELECT account, day, 1 AS n, true AS had FROM done
                 UNION ALL SELECT DISTINCT r.account, d.day, d.n, false FROM r, (SELECT day, count(*) AS n FROM done GROUP BY 1) AS d
                 WHERE r.asked_on < d.day AND (r.done_on IS NULL OR r.done_on >= least(d.day + days, date '2025-06-01')) AND r.account NOT IN (SELECT account FROM done)),
    seen AS (SELECT c.*, m.measure, m.later - m.before AS change
             FROM compared AS c JOIN accounts AS a ON a.id = c.account,
                  LATERAL (SELECT count(*) FILTER (WHERE e.at >= c.day - days AND e.at < c.day) AS before, count(*) FILTER (WHERE e.at >= c.day AND e.at < c.day + days) AS after,
                                  count(DISTINCT e.who) FILTER (WHERE e.at >= c.day - days AND e.at < c.day) AS who_before, count(DISTINCT e.who) FILTER (WHERE e.at >= c.day AND e.at < c.day + days) AS who_after,
                                  count(*) FILTER (WHERE e.at >= c.day - 28 AND e.at < c.day) AS score_before, count(*) FILTER (WHERE e.at >= c.day + days - 28 AND e.at < c.day + days) AS score_after
                           FROM events AS e WHERE e.account = c.account) AS e,
                  LATERAL (VALUES ('score', least(100, score_before * 5), least(100, score_after * 5)), ('events', before, after), ('active_users', who_before, who_after)) AS m (measure, before, later)
             WHERE coalesce(a.started <= c.day, true) AND coalesce(a.ended > c.day + days, true)),
    means AS (SELECT account, had, measure, sum(n * change) / sum(n) AS change FROM seen GROUP BY 1, 2, 3)
    SELECT measure, count(*) FILTER (WHERE had), avg(change) FILTER (WHERE had), count(*) FILTER (WHERE NOT had), avg(change) FILTER (WHERE NOT had)
    FROM means GROUP BY 1 $$;
CREATE VIEW effect_differences AS
SELECT d.days, x.measure, x.accounts_fulfilled >= 10 AND x.accounts_open >= 10 AS enough,
       (x.accounts_fulfilled, round(x.change_fulfilled::numeric, 8), x.accounts_open, round(x.change_open::numeric, 8), round(x.difference::numeric, 8))
           IS DISTINCT FROM (e.n, round(e.change, 8), e.n_open, round(e.change_open, 8), round(e.change - e.change_open, 8)) AS different,
       x.low < x.difference AND x.difference < x.high AS within
FROM (VALUES (28), (14)) AS d (days), LATERAL health.fulfilment_effect('asked', days => d.days) AS x JOIN LATERAL expected_effect(d.days) AS e USING (measure);
SELECT * FROM effect_differences;

-- The same of what is kept.
SELECT health.track('asked');
CALL health.backfill('asked');
SELECT * FROM differences;
SELECT * FROM effect_differences;
UPDATE asked SET done_on = asked_on + 30 WHERE done_on IS NULL AND account IN ('r1', 'r2', 'r3', 'r4', 'r5');
DELETE FROM asked WHERE account IN ('r6', 'r7');
INSERT INTO asked VALUES ('r8', '2025-04-01', NULL, 'sso');
CALL health.refresh('asked');
SELECT * FROM differences;
SELECT * FROM effect_differences WHERE days = 28;

-- Where it helped it shows: whoever was given something does ten things more.
DELETE FROM asked;
DELETE FROM events;
UPDATE accounts SET started = '2024-01-01', ended = NULL;
INSERT INTO asked SELECT id, '2025-01-01', CASE WHEN right(id, 1) IN ('1', '2') THEN date '2025-03-01' END, 'sso' FROM accounts;
INSERT INTO events SELECT a.account, 'u1', '2025-03-05' FROM asked AS a, generate_series(1, 10) WHERE a.done_on IS NOT NULL;
INSERT INTO events SELECT a.account, 'u1', '2025-02-10' FROM asked AS a, generate_series(1, 1 + right(a.account, 1)::int % 2);
CALL health.refresh('asked');
SELECT measure, accounts_fulfilled, change_fulfilled, accounts_open, round(change_open::numeric, 3) AS change_open,
       round(difference::numeric, 3) AS difference, low > 0 AS surely, note FROM health.fulfilment_effect('asked');
DELETE FROM asked WHERE done_on IS NOT NULL AND account NOT IN ('r1', 'r2', 'r11');
CALL health.refresh('asked');
SELECT measure, accounts_fulfilled, difference, low IS NULL AS unsure, note FROM health.fulfilment_effect('asked');

-- What cannot be asked.
\set VERBOSITY default
SELECT * FROM health.requests('asked', 'request');
SELECT * FROM health.requests('asked', segment => 'tier');
SELECT * FROM health.requests('asked', amount => 'plan');
SELECT * FROM health.requests('asked', amount => 'mrr');
SELECT * FROM health.requests('asked', as_of => 'infinity');
SELECT * FROM health.fulfilment_effect('asked', days => 0);
SELECT health.create_model('endless', (:'document'::jsonb #- '{facts,requests,until}') - 'revenue');
SELECT * FROM health.implementation_rates('endless');
SELECT health.create_model('unpaid', (:'document'::jsonb #- '{facts,subscriptions}' #- '{facts,requests,kind}') - 'revenue');
SELECT segment_value, kind, accounts > 100 AS many, revenue, open_revenue FROM health.requests('unpaid');
SELECT health.create_model('none', :'document'::jsonb - 'facts' - 'revenue'::text);
SELECT * FROM health.requests('none');
\set VERBOSITY terse
CREATE ROLE requests_stranger;
SET ROLE requests_stranger;
SELECT * FROM health.requests('asked');
SELECT * FROM health.implementation_rates('asked');
SELECT * FROM health.fulfilment_effect('asked');
SELECT * FROM health_internal.requests_as_owner('asked', 'requests', NULL, NULL, '2025-06-01');
SELECT * FROM health_internal.observe_accounts_as_owner('asked', 28, '{r1}', '{2025-03-01}');
RESET ROLE;
SELECT count(health.drop_model(m.model)) FROM health.models() AS m;
DROP SCHEMA requests CASCADE;
DROP ROLE requests_stranger;
