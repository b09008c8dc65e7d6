-- Dashboards over a score view: what they hold, on plain and tracked models, and what is said when they cannot be made.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SCHEMA dashboards_test;
CREATE SCHEMA boards;
SET search_path = dashboards_test;
CREATE TABLE accounts (id text, name text, plan text, arr numeric, started date);
CREATE TABLE events (account text, person text, name text, day date);
INSERT INTO accounts SELECT 'a' || n, 'Account ' || n, CASE WHEN n % 3 = 0 THEN 'pro' ELSE 'team' END, n * 1000, '2024-01-01' FROM generate_series(1, 30) AS n;
INSERT INTO events SELECT 'a' || n, 'u' || d % (1 + n % 7), 'made', date '2025-03-31' - d FROM generate_series(1, 25) AS n, generate_series(1, 90, 1 + n % 4) AS d
WHERE n > 3 OR d > 40;
\set document '{"accounts": {"table": "accounts", "id": "id", "name": "name", "start": "started", "columns": {"arr": "arr", "plan": "plan"}}, "events": {"table": "events", "account": "account", "user": "person", "event": "name", "occurred_at": "day"}, "as_of": "2025-03-31", "signals": [{"name": "recency", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 7}}, {"name": "weeks", "metric": "cadence", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}'
SELECT health.create_model('board', :'document');
SELECT * FROM health.create_dashboards('board', 'boards');
SELECT health.create_score_view('board', 'board_view');
SELECT * FROM health.create_dashboards('board', 'nowhere');
SELECT * FROM health.create_dashboards('board', 'boards', 'mrr');
CREATE TABLE boards.product (mine text);
SELECT * FROM health.create_dashboards('board', 'boards');
DROP TABLE boards.product;
SELECT * FROM health.create_dashboards('board', 'boards');
-- Every column of every dashboard says what it is.
SELECT c.relname, count(*) AS columns, count(col_description(c.oid, a.attnum)) AS described
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'boards'::regnamespace GROUP BY 1 ORDER BY 1;
-- Against plain SQL over the score view.
SELECT e.customers = o.n AS customers, e.arr = o.arr AS arr, e.arr_at_risk = o.risk AS arr_at_risk, e.silent = o.silent AS silent,
       abs(e.mean_score - o.mean) < 1e-9 AS mean_score, e.at_risk = o.at_risk AS at_risk
FROM boards.executive AS e,
     (SELECT count(*) AS n, sum(arr) AS arr, sum(arr) FILTER (WHERE band IN ('at_risk', 'critical') OR state = 'silent') AS risk,
             count(*) FILTER (WHERE band IN ('at_risk', 'critical') OR state = 'silent') AS at_risk,
             count(*) FILTER (WHERE state = 'silent') AS silent, avg(score) AS mean FROM board_view) AS o;
SELECT sum(customers), round(sum(share)::numeric, 6) AS share, sum(arr) FROM boards.executive_bands;
SELECT count(*), min(as_of), max(as_of), max(customers) FROM boards.executive_trend;
SELECT priority, account_id, at_risk, arr, plan FROM boards.customer_success ORDER BY priority LIMIT 3;
SELECT count(*), count(opportunity) FROM boards.sales;
SELECT count(*) FROM boards.product WHERE breadth IS NULL;
-- Readers need SELECT on them and nothing else.
CREATE ROLE dashboards_reader;
GRANT USAGE ON SCHEMA boards TO dashboards_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA boards TO dashboards_reader;
SET ROLE dashboards_reader;
SELECT customers FROM boards.executive;
SELECT count(*) FROM boards.customer_success;
SELECT * FROM health.create_dashboards('board', 'boards');
RESET ROLE;
-- Tracked, they are the same; they can be made again.
CREATE TABLE plain AS SELECT * FROM boards.customer_success;
DROP SCHEMA boards CASCADE;
CREATE SCHEMA boards;
SELECT health.track('board');
CALL health.backfill('board');
SELECT count(*) FROM health.create_dashboards('board', 'boards');
SELECT count(*) FROM health.create_dashboards('board', 'boards');
SELECT count(*) FROM (SELECT * FROM plain EXCEPT SELECT * FROM boards.customer_success) AS d;
-- Grants stay; another model's dashboards are not ours to replace; without revenue figures of it are unknown.
GRANT SELECT ON boards.sales TO dashboards_reader;
SELECT count(*) FROM health.create_dashboards('board', 'boards');
SELECT has_table_privilege('dashboards_reader', 'boards.sales', 'SELECT');
SELECT health.create_model('other', :'document'::jsonb #- '{accounts,columns}');
SELECT health.create_score_view('other', 'other_view', false);
SELECT * FROM health.create_dashboards('other', 'boards');
SELECT health.drop_score_view('board_view');
DROP SCHEMA boards CASCADE;
CREATE SCHEMA boards;
SELECT count(*) FROM health.create_dashboards('other', 'boards');
SELECT customers, arr, arr_at_risk FROM boards.executive;
DROP SCHEMA boards CASCADE;
-- Names and bands that look like blanks, or like the end of a name, are names and bands.
CREATE SCHEMA boards;
CREATE TABLE harmed (x int);
SELECT health.create_model('nasty', jsonb_set(jsonb_set(:'document', '{accounts,columns}', '{"arr": "arr", "''x": "name", "{low}": "name", "{arr}": "name"}'),
    '{bands}', '[{"name": "{arr}''", "from": 50}, {"name": "x\" AS q FROM harmed; DROP TABLE harmed; --", "from": 20}, {"name": "%s {best}"}]'));
SELECT health.create_score_view('nasty', '"{at_risk}"', false);
SELECT count(*) FROM health.create_dashboards('nasty', 'boards');
SELECT customers FROM boards.executive;
SELECT count(*), count("{low}") FROM boards.customer_success;
SELECT count(*) FROM harmed;
DROP SCHEMA boards CASCADE;
-- Why there may be more to sell is what the flags of expansion say, also to readers.
CREATE SCHEMA boards;
SELECT health.create_model('flagged', jsonb_set(:'document', '{flags}', '{"*": true}'));
SELECT health.create_score_view('flagged', 'flagged_view', false);
SELECT count(*) FROM health.create_dashboards('flagged', 'boards');
GRANT USAGE ON SCHEMA boards TO dashboards_reader;
GRANT SELECT ON boards.sales, boards.executive TO dashboards_reader;
CREATE TABLE said AS SELECT account_id, string_agg(sentence, '; ' ORDER BY flag) AS opportunity FROM flagged_view_flags WHERE kind = 'expansion' GROUP BY 1;
GRANT SELECT ON said TO dashboards_reader;
GRANT USAGE ON SCHEMA dashboards_test TO dashboards_reader;
SET ROLE dashboards_reader;
SELECT count(*) > 0 AS some, count(*) = count(s.opportunity) AND bool_and(s.opportunity = b.opportunity) AS same
FROM boards.sales AS b LEFT JOIN said AS s USING (account_id) WHERE b.opportunity IS NOT NULL OR s.opportunity IS NOT NULL;
SELECT customers, at_risk FROM boards.executive;
RESET ROLE;
DROP SCHEMA boards CASCADE;
SELECT health.drop_model(m, cascade => true) FROM unnest('{nasty,other,flagged}'::text[]) m;
SELECT health.drop_score_view('board_view');
SELECT health.drop_model('board');
DROP SCHEMA dashboards_test CASCADE;
DROP ROLE dashboards_reader;
