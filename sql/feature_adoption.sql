-- Which features the accounts of a model use, by tier, and which come before an upgrade.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA feature_adoption;
SET search_path = feature_adoption;
CREATE TABLE accounts (id text PRIMARY KEY, plan text, started date, ended date);
CREATE TABLE events (account text, who text, at timestamptz, name text, agent boolean DEFAULT false);
CREATE INDEX ON events (account, at);
CREATE TABLE subscriptions (account text, starts date, ends date, mrr numeric);
\set document '{"accounts": {"table": "accounts", "id": "id", "start": "started", "end": "ended", "columns": {"plan": "plan"}}, "as_of": "2025-06-01", "events": {"table": "events", "account": "account", "user": "who", "occurred_at": "at", "event": "name", "actor": {"sql": "case when agent then \'bot\' end"}}, "catalog": {"report": {"value": 3, "feature": "reports"}, "export": {"feature": "reports"}, "share": {"value": 2.5}, "hook": {"feature": "api"}, "login": {}}, "facts": {"subscriptions": {"table": "subscriptions", "account": "account", "at": "starts", "until": "ends", "value": "mrr"}}, "revenue": {"fact": "subscriptions"}, "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 20}}]}'

-- By hand: the window is [2025-05-04, 2025-06-01). An empty book has no rate.
SELECT health.create_model('features', :'document');
SELECT feature, accounts, used, adoption FROM health.feature_adoption('features') ORDER BY feature;
INSERT INTO accounts VALUES ('a', 'free', '2024-01-01', NULL), ('b', 'free', NULL, NULL), ('c', 'pro', '2024-01-01', NULL), ('d', NULL, '2024-01-01', 'infinity'),
    ('gone', 'pro', '2024-01-01', '2025-06-01'), ('next', 'pro', '2025-06-02', NULL), ('new', 'pro', '2025-06-01', NULL);
INSERT INTO events SELECT e.account, e.who, e.at::timestamptz, e.name, e.who = 'robot'
FROM (VALUES ('a', 'ann', '2025-05-04', 'report'), ('a', 'ann', '2025-05-31', 'export'), ('a', 'bob', '2025-05-31 23:59', 'report'),
    ('a', 'ann', '2025-05-03 23:59', 'share'), ('a', 'ann', '2025-06-01', 'share'), ('b', 'cy', '2025-05-10', 'share'),
    ('b', 'cy', '2025-05-10', 'share'), ('c', 'robot', '2025-05-10', 'report'), ('c', 'dan', '2024-05-10', 'hook'),
    ('c', 'dan', '2025-05-10', 'hook'), ('c', 'eve', '2025-05-10', 'other'), ('gone', 'fay', '2025-05-10', 'report')) AS e (account, who, at, name);
SELECT feature, accounts, used, round(adoption::numeric, 3) AS adoption, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high,
       users, events, points, new_accounts, unknown_accounts FROM health.feature_adoption('features');
SELECT segment_value, feature, accounts, used, users, events, points, new_accounts FROM health.feature_adoption('features', 'plan');
-- The day before, and what the plan entitles.
SELECT feature, accounts, used, events FROM health.feature_adoption('features', as_of => '2025-05-31') ORDER BY feature;
SELECT health.create_model('entitled', jsonb_set(:'document', '{features}', '["reports", "api"]'));
SELECT feature, accounts, used FROM health.feature_adoption('entitled') ORDER BY feature;

-- Random accounts, against plain SQL.
TRUNCATE accounts, events;
SELECT setseed(0.5);
INSERT INTO accounts
SELECT 'r' || n, (ARRAY['free', 'pro', NULL])[1 + n % 3], CASE WHEN random() < 0.9 THEN date '2024-01-01' + (random() * 550)::int END,
       CASE WHEN random() < 0.2 THEN date '2024-12-01' + (random() * 250)::int END
FROM generate_series(1, 200) AS n;
INSERT INTO events
SELECT 'r' || 1 + floor(random() * 200)::int, 'u' || floor(random() * 6)::int, timestamptz '2025-06-05' - random() * interval '500 days',
       (ARRAY['report', 'export', 'share', 'share', 'login', 'hook', 'other'])[1 + floor(random() * 7 * random())::int], random() < 0.1
FROM generate_series(1, 8000);
CREATE VIEW uses AS
SELECT e.account, e.who, e.at::date AS day, f.feature, f.value
FROM events AS e JOIN (VALUES ('report', 'reports', 3), ('export', 'reports', 1), ('share', 'share', 2.5), ('hook', 'api', 1),
    ('login', 'login', 1)) AS f (name, feature, value) USING (name) WHERE NOT e.agent;
CREATE FUNCTION expected(as_of date) RETURNS TABLE (segment_value text, feature text, accounts bigint, used bigint, users bigint,
    events bigint, points float8, new_accounts bigint) LANGUAGE sql AS $$
    SELECT a.plan, f.feature, count(*), count(*) FILTER (WHERE u.events > 0), coalesce(sum(u.users), 0)::bigint, coalesce(sum(u.events), 0)::bigint,
           coalesce(sum(u.points), 0)::float8, count(*) FILTER (WHERE u.first >= as_of - 28)
    FROM accounts AS a CROSS JOIN (VALUES ('reports'), ('share'), ('api'), ('login')) AS f (feature),
         LATERAL (SELECT count(DISTINCT u.who) FILTER (WHERE u.day >= as_of - 28) AS users, count(*) FILTER (WHERE u.day >= as_of - 28) AS events,
                         sum(u.value) FILTER (WHERE u.day >= as_of - 28) AS points, min(u.day) AS first
                  FROM uses AS u WHERE u.account = a.id AND u.feature = f.feature AND u.day < as_of) AS u
    WHERE coalesce(a.started <= as_of, true) AND coalesce(a.ended > as_of, true) GROUP BY 1, 2 $$;
CREATE VIEW adoption_differences AS
SELECT count(*) AS rows, sum(e.used) > 0 AND sum(e.new_accounts) > 0 AS something,
       count(*) FILTER (WHERE (f.accounts, f.used, f.users, f.events, f.points, f.new_accounts, f.adoption) IS DISTINCT FROM
           (e.accounts, e.used, e.users, e.events, e.points, e.new_accounts, e.used / e.accounts::float8)) AS different
FROM (SELECT d.as_of, f.* FROM (VALUES (date '2025-06-01'), ('2025-03-15'), ('2024-08-01')) AS d (as_of),
          health.feature_adoption('features', 'plan', d.as_of) AS f) AS f
FULL JOIN (SELECT d.as_of, e.* FROM (VALUES (date '2025-06-01'), ('2025-03-15'), ('2024-08-01')) AS d (as_of), expected(d.as_of) AS e) AS e
    ON e.as_of = f.as_of AND coalesce(e.segment_value, '-') = coalesce(f.segment_value, '-') AND e.feature = f.feature;
SELECT * FROM adoption_differences;

-- Before an outcome: every account without one is held against every outcome on its day.
CREATE TABLE upgrades (account text, upgraded_on date);
INSERT INTO upgrades SELECT 'r' || 1 + floor(random() * 60)::int, date '2024-05-01' + (random() * 400)::int FROM generate_series(1, 80);
INSERT INTO upgrades SELECT * FROM upgrades LIMIT 3;
INSERT INTO upgrades VALUES ('elsewhere', '2025-02-01'), (NULL, '2025-02-01'), ('r3', NULL);
CREATE FUNCTION expected_before(days int, from_date date, to_date date) RETURNS TABLE (feature text, outcomes bigint, accounts_with bigint,
    share_before float8, accounts_without bigint, share_otherwise float8) LANGUAGE sql AS $$
    WITH given AS (SELECT DISTINCT u.account, u.upgraded_on AS day FROM upgrades AS u JOIN accounts AS a ON a.id = u.account
                   WHERE u.upgraded_on >= from_date AND u.upgraded_on < to_date
                     AND coalesce(a.started <= u.upgraded_on, true) AND coalesce(a.ended > u.upgraded_on, true)),
    others AS (SELECT a.id AS account, g.day FROM given AS g, accounts AS a
               WHERE coalesce(a.started <= g.day, true) AND coalesce(a.ended > g.day, true) AND a.id NOT IN (SELECT account FROM given)),
    seen AS (SELECT f.feature, x.had, x.account, EXISTS (SELECT FROM uses AS u WHERE u.account = x.account AND u.feature = f.feature
                        AND u.day >= x.day - days AND u.day < x.day) AS used
             FROM (SELECT true AS had, * FROM given UNION ALL SELECT false, * FROM others) AS x,
                  (VALUES ('reports'), ('share'), ('api'), ('login')) AS f (feature))
    SELECT feature, count(*) FILTER (WHERE had), count(DISTINCT account) FILTER (WHERE had),
           count(*) FILTER (WHERE had AND used) / count(*) FILTER (WHERE had)::float8, count(DISTINCT account) FILTER (WHERE NOT had),
           count(*) FILTER (WHERE NOT had AND used) / count(*) FILTER (WHERE NOT had)::float8
    FROM seen GROUP BY 1 $$;
CREATE VIEW before_differences AS
SELECT count(*) AS rows, count(*) FILTER (WHERE (b.outcomes, b.accounts_with, b.share_before, b.accounts_without, b.share_otherwise,
        b.ratio, round(b.low::numeric, 9), round(b.high::numeric, 9)) IS DISTINCT FROM (e.outcomes, e.accounts_with, e.share_before,
        e.accounts_without, e.share_otherwise, e.share_before / e.share_otherwise, round(exp(k.middle - k.reach)::numeric, 9),
        round(exp(k.middle + k.reach)::numeric, 9))) AS different
FROM (VALUES (28, date '2024-06-01', date '2025-06-01'), (7, '2024-06-01', '2025-01-01'), (90, '2024-09-01', '2025-06-01')) AS d (days, since, until),
     LATERAL expected_before(d.days, d.since, d.until) AS e
JOIN LATERAL health.features_before('features', 'select account, upgraded_on from upgrades', d.days, d.since, d.until) AS b
    ON b.feature = e.feature,
     LATERAL (SELECT round(e.share_before * e.accounts_with) AS a, round(e.share_otherwise * e.accounts_without) AS b) AS r,
     LATERAL (SELECT CASE WHEN r.a = 0 OR r.b = 0 THEN 0.5 ELSE 0 END AS half) AS h,
     LATERAL (SELECT CASE WHEN r.a + r.b > 0 AND (r.a < e.accounts_with OR r.b < e.accounts_without) THEN ln((r.a + half) / (e.accounts_with + half) * (e.accounts_without + half) / (r.b + half)) END AS middle,
                     1.959963984540054 * sqrt(1 / (r.a + half) - 1 / (e.accounts_with + half) + 1 / (r.b + half)
                                              - 1 / (e.accounts_without + half)) AS reach) AS k;
SELECT * FROM before_differences;
-- Accounts that come to pay more did reports in the month before, the others did not.
INSERT INTO subscriptions SELECT id, '2024-01-01', CASE WHEN right(id, 1) IN ('1', '2') THEN date '2025-03-10' END, 100 FROM accounts;
INSERT INTO subscriptions SELECT account, ends, NULL, 150 FROM subscriptions WHERE ends IS NOT NULL;
INSERT INTO events SELECT account, 'u1', '2025-02-20', 'report' FROM subscriptions WHERE ends IS NOT NULL;
DELETE FROM events AS e WHERE name IN ('report', 'export') AND at >= '2025-02-01' AND at < '2025-03-01' AND right(account, 1) IN ('3', '4', '5', '6');
SELECT feature, outcomes, accounts_with, round(share_before::numeric, 3) AS share_before, accounts_without,
       round(share_otherwise::numeric, 3) AS share_otherwise, ratio > 1 AS more, low > 1 AS surely, note
FROM health.features_before('features') LIMIT 1;
SELECT outcomes, accounts_with, accounts_without FROM health.features_before('features', from_date => '2025-03-01', to_date => '2025-04-01') LIMIT 1;
SELECT outcomes, accounts_with, share_before, ratio, low, note FROM health.features_before('features', to_date => '2025-03-01') LIMIT 1;

-- The same of what is kept.
SELECT health.track('features');
CALL health.backfill('features');
SELECT * FROM adoption_differences;
SELECT * FROM before_differences;
DELETE FROM events WHERE account IN ('r1', 'r7');
UPDATE events SET name = 'hook' WHERE account IN ('r2', 'r9') AND name = 'share';
INSERT INTO events VALUES ('r4', 'u9', '2025-05-20', 'share');
CALL health.refresh('features');
SELECT * FROM adoption_differences;
SELECT * FROM before_differences;
-- Before the first day that the ledger keeps nothing is known, but of accounts that began later.
SELECT health.create_model('short', jsonb_set(:'document', '{history}', '{"retention_months": 3}'));
SELECT health.track('short');
CALL health.backfill('short');
SELECT feature, accounts + unknown_accounts = (SELECT count(*) FROM accounts WHERE coalesce(started <= '2025-01-15', true) AND coalesce(ended > '2025-01-15', true)) AS all,
       unknown_accounts > 0 AS some_unknown
FROM health.feature_adoption('short', as_of => '2025-01-15') WHERE feature = 'share';
SELECT b.outcomes < a.outcomes AS fewer, b.outcomes + b.unknown_outcomes = a.outcomes AS all_told
FROM health.features_before('short', 'select account, upgraded_on from upgrades') AS b
JOIN health.features_before('features', 'select account, upgraded_on from upgrades') AS a USING (feature) LIMIT 1;

-- An account that the source has twice is one, and nothing is known of it.
SELECT health.create_model('twice', (:'document'::jsonb #- '{accounts,table}') || jsonb_build_object('accounts', (:'document'::jsonb -> 'accounts')
    - 'table' || '{"query": "select * from accounts where id < ''r12'' or id = ''r5'' union all select * from accounts where id = ''r5''"}'));
SELECT feature, accounts, unknown_accounts FROM health.feature_adoption('twice');

-- What cannot be asked.
SELECT * FROM health.feature_adoption('features', 'tier');
SELECT * FROM health.feature_adoption('features', as_of => 'infinity');
SELECT * FROM health.feature_adoption('nothing');
SELECT * FROM health.feature_adoption(NULL);
SELECT * FROM health.features_before('features', days => 0);
SELECT * FROM health.features_before('features', from_date => '2025-05-01', to_date => '2025-05-01');
SELECT * FROM health.features_before('features', 'select account from upgrades');
SELECT * FROM health.features_before('features', 'delete from upgrades returning account, upgraded_on');
SELECT * FROM health.features_before('features', 'select account, upgraded_on from upgrade');
\set VERBOSITY default
SELECT health.create_model('none', :'document'::jsonb - 'catalog' - 'revenue');
SELECT * FROM health.feature_adoption('none');
SELECT health.create_model('unpaid', :'document'::jsonb - 'revenue');
SELECT * FROM health.features_before('unpaid');
SELECT health.create_model('still', '{"accounts": {"table": "accounts", "id": "id"}, "catalog": {"a": {}}, "signals": [{"name": "id", "column": "id", "normalize": {"kind": "map", "map": {"a": 1}}}]}');
SELECT * FROM health.feature_adoption('still');
\set VERBOSITY terse
-- The query for outcomes runs with the rights of whoever asks.
CREATE ROLE features_owner;
CREATE ROLE features_stranger;
GRANT features_owner TO CURRENT_USER;
GRANT ALL ON SCHEMA feature_adoption TO features_owner, features_stranger;
GRANT SELECT ON accounts, events, subscriptions TO features_owner;
SET ROLE features_owner;
SELECT health.create_model('owned', :'document');
SELECT count(*) FROM health.features_before('owned', 'select account, starts from subscriptions');
SELECT count(*) FROM health.features_before('owned', 'select account, upgraded_on from upgrades');
SET ROLE features_stranger;
SELECT * FROM health.feature_adoption('owned');
SELECT * FROM health.features_before('owned');
SELECT * FROM health_internal.feature_adoption_as_owner('owned', NULL, NULL);
RESET ROLE;
SELECT count(health.drop_model(m.model)) FROM health.models() AS m;
DROP SCHEMA feature_adoption CASCADE;
DROP OWNED BY features_owner, features_stranger;
DROP ROLE features_owner, features_stranger;
