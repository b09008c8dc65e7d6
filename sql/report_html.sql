-- report_html: a page about a book or an account. What is in it agrees with the functions that it is made from; everything is escaped.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE SCHEMA report;
SET search_path = report;
CREATE TABLE accounts (id text PRIMARY KEY, company text, started date, ended date, arr numeric, renewal_date date);
CREATE TABLE users (id text, account text, joined timestamptz);
CREATE TABLE events (account text, person text, event text, at timestamptz);
CREATE TABLE subscriptions (account text, starts date, ends date, mrr numeric);
INSERT INTO accounts SELECT 'a' || n, 'Company ' || n, CASE WHEN n = 19 THEN date '2025-07-10' WHEN n = 18 THEN '2025-06-25' ELSE '2024-01-01' END,
    CASE WHEN n = 20 THEN date '2025-06-01' END, 1000 * n, date '2025-06-20' + 17 * n FROM generate_series(1, 20) AS n;
UPDATE accounts SET company = '<script>alert(1)</script> & "Q" ''x'' </td>' WHERE id = 'a1';
UPDATE accounts SET company = repeat('very long name ', 40) WHERE id = 'a2';
UPDATE accounts SET company = E'bell \x07, escape \x1b, \u202eright to left' WHERE id = 'a3';
UPDATE accounts SET arr = 'NaN', renewal_date = 'infinity' WHERE id = 'a4';
UPDATE accounts SET arr = NULL, renewal_date = NULL, company = NULL WHERE id = 'a5';
INSERT INTO accounts VALUES ('<b>&/%' , 'Odd id', '2024-01-01', NULL, 77, '2025-08-01');
INSERT INTO users SELECT a.id || '-' || u, a.id, '2024-01-01' FROM accounts AS a, generate_series(1, 4) AS u;
-- The higher the number the more; account 6 and 7 stopped, 1 to 3 fall.
INSERT INTO events SELECT u.account, u.id, 'viewed', timestamptz '2025-06-29 12:00+00' - d * interval '1 day'
FROM users AS u, generate_series(0, 150) AS d, LATERAL (SELECT nullif(regexp_replace(u.account, '\D', '', 'g'), '')::int) AS a (n)
WHERE d % (1 + (25 - coalesce(a.n, 1)) / 5) = 0 AND (a.n NOT IN (6, 7) OR d > 40) AND (a.n > 3 OR d > 14 OR u.id LIKE '%-1')
  AND (a.n < 18 OR d < 5) AND u.id NOT LIKE '%-4';
INSERT INTO subscriptions SELECT id, '2025-01-01', '2025-06-20'::date + 10 * row_number() OVER (ORDER BY id)::int, 100 FROM accounts;
\set document '{"as_of": "2025-06-30", "description": "Book <of> & tests", "minimum_age_days": 14, "silence": {"next_step": "Call \\"them\\" <now>."}, "accounts": {"table": "accounts", "id": "id", "name": "company", "start": "started", "end": "ended", "columns": {"arr": "arr", "renewal_date": "renewal_date"}}, "users": {"table": "users", "id": "id", "account": "account", "joined": "joined"}, "events": {"table": "events", "account": "account", "user": "person", "event": "event", "occurred_at": "at"}, "signals": [{"name": "group", "label": "A <group>", "weight": 3, "signals": [{"name": "active", "label": "Active & well", "weight": 2, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "next_step": {"low": "Ask <them>."}}, {"name": "trend", "weight": 1, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}}]}, {"name": "renewal", "weight": 1, "expression": "renewal_date - as_of", "normalize": {"kind": "linear", "worst": 0, "best": 180}}]}'
SELECT health.create_model('rep', :'document');

-- Well-formed as XML, where the server can tell.
CREATE FUNCTION well_formed(page text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN xmlparse(DOCUMENT page) IS DOCUMENT;
EXCEPTION WHEN feature_not_supported THEN
    RETURN true;
END $$;
CREATE FUNCTION occurrences(page text, what text) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM regexp_matches($1, $2, ''g'')';
CREATE FUNCTION plain(page text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(replace($1, U&'\202e', ''), '<style>.*</style>', ''), '<[^>]*>', ' ', 'g'), '&#160;', ' ', 'g'),
                          '\s+', ' ', 'g') $$;
CREATE VIEW sound AS
SELECT p.what, well_formed(p.page) AS well_formed, occurrences(p.page, '<h1>') AS h1, occurrences(p.page, '<h2>') AS sections,
       occurrences(p.page, '<table') = occurrences(p.page, '<caption>') AS captions,
       occurrences(p.page, 'role="img"><title>[^<]+</title><desc>[^<]+</desc>') = occurrences(p.page, 'role="img"') AS charts_named,
       occurrences(p.page, '<th ') = occurrences(p.page, '<th scope=') AS scopes,
       occurrences(p.page, 'https?://|<script|javascript:| on[a-z]+=|@import|url\(|srcdoc|<img') AS from_outside,
       replace(p.page, U&'\202e', '') ~ '^[\x20-\x7e\n]*$' AS ascii, p.page ~ '</svg>' AS has_charts, octet_length(p.page) < 100000 AS small
FROM (SELECT 'book' AS what, health.report_html('rep') AS page UNION ALL
      SELECT 'account ' || n, health.report_html('rep', 'a' || n) FROM unnest('{1,2,3,5,6,18,19,20}'::int[]) AS n) AS p;
SELECT * FROM sound;

-- Everything that is not ours is escaped; what no page may have is replaced.
CREATE TABLE pages AS SELECT 'book' AS id, health.report_html('rep', link_pattern => 'account-%s.html?a="<&') AS page
    UNION ALL SELECT a.id, health.report_html('rep', a.id) FROM accounts AS a WHERE a.id IN ('a1', 'a2', 'a3', 'a5', 'a6', '<b>&/%');
SELECT (regexp_matches(page, '<h1>.*?</h1>'))[1] FROM pages WHERE id = 'a1';
SELECT (regexp_matches(page, '<title>[^<]*</title>'))[1] FROM pages WHERE id IN ('a1', 'book') ORDER BY id;
SELECT (regexp_matches(page, '<h1>.*?</h1>'))[1] ~ '^<h1><bdi>very long name.{186}\.\.\.</bdi></h1>$' AS cut FROM pages WHERE id = 'a2';
SELECT replace((regexp_matches(page, '<h1>.*?</h1>'))[1], U&'\202e', '(to the left)') FROM pages WHERE id = 'a3';
SELECT (regexp_matches(page, '<h1>.*?</p>'))[1] FROM pages WHERE id = '<b>&/%';
SELECT count(*) FROM pages WHERE page ~ '[\x01-\x08\x0b\x0c\x0e-\x1f]' OR NOT well_formed(page);
SELECT DISTINCT m[1] FROM pages, regexp_matches(page, '(href="account-[^"]*b[^"]*")', 'g') AS m;
SELECT health_internal.html(E'\t<>&"''\x0b\n'), health_internal.html(NULL), health_internal.url_part(E'a b/%?\u00e4.~-_'),
       health_internal.html_name(NULL);
SELECT m[1] FROM pages, regexp_matches(page, '<p class="[a-z ]*do">(Call[^/]*)</p>') AS m WHERE id = 'a6';

-- What is said is what others say.
SELECT health_internal.report_number(v), health_internal.report_number(v, 1), health_internal.report_change(v), health_internal.report_short(v)
FROM unnest('{0,-0.04,0.05,999.95,1234567.891,-2500000,3.1e9,NaN,Infinity,null}'::float8[]) AS v;
SELECT v, health_internal.axis_top(v) FROM unnest('{0,1,2,3,9,10,11,29,31,101,999,1000,1001,123456,null}'::float8[]) AS v;
SELECT (regexp_matches(plain(page), 'Customers ([0-9].*) Where the book'))[1] AS key_figures FROM pages WHERE id = 'book';
SELECT (regexp_matches(plain(page), 'Customers by band Band (.*) How it moved'))[1] AS bands FROM pages WHERE id = 'book';
SELECT coalesce(band, 'none') AS band, count(*), count(*) FILTER (WHERE state = 'silent') AS silent, round(avg(score)::numeric, 1) AS mean
FROM health.score_at('rep', '2025-06-30') WHERE state NOT IN ('prospect', 'ended') GROUP BY GROUPING SETS ((band), ()) ORDER BY grouping(band), min(score) DESC NULLS LAST;
SELECT coalesce(band, 'none') AS band, count(*) FROM health.score_at('rep', '2025-06-02') WHERE state NOT IN ('prospect', 'ended') GROUP BY 1 ORDER BY min(score) DESC NULLS LAST;
SELECT (regexp_matches(plain(page), 'Customers by band and week(.*?)Whom'))[1] AS flow FROM pages WHERE id = 'book';
SELECT day::date, string_agg(format('%s %s', coalesce(s.band, 'none'), s.n), ', ' ORDER BY s.band)
FROM generate_series(timestamp '2025-04-07', '2025-06-30', '3 weeks') AS day,
     LATERAL (SELECT band, count(*) AS n FROM health.score_at('rep', day::date) WHERE state NOT IN ('prospect', 'ended') GROUP BY 1) AS s GROUP BY 1 ORDER BY 1;
SELECT (regexp_matches(plain(page), '(In the next 12 months .*?) At risk'))[1] AS renewals, (regexp_matches(plain(page), 'Renewals by month(.*?) States'))[1] AS months
FROM pages WHERE id = 'book';
SELECT (regexp_matches(plain(page), 'Whom to call first(.*?)Renewals at risk'))[1] AS calls FROM pages WHERE id = 'book';
SELECT (regexp_matches(plain(page), 'States (.*)'))[1] AS rest FROM pages WHERE id = 'book';

-- The waterfalls begin and end where the scores are, and their parts add up.
CREATE FUNCTION waterfall(page text, heading text) RETURNS TABLE (n bigint, points numeric) LANGUAGE sql AS $$
    SELECT m.n, replace(m.cell[1], '&#8722;', '-')::numeric FROM regexp_matches(split_part(split_part(page, heading, 2), '</table>', 1),
        '<td role="cell" class="n">([^<]*)</td>', 'g') WITH ORDINALITY AS m (cell, n) $$;
SELECT w.heading, max(w.points) FILTER (WHERE w.n = 1) AS first, sum(w.points) FILTER (WHERE w.n < w.rows) - max(w.points) FILTER (WHERE w.n = w.rows) AS off_by_rounding,
       max(w.points) FILTER (WHERE w.n = w.rows) AS last,
       (SELECT array_agg(round(s.score::numeric, 1) ORDER BY s.as_of_date) FROM unnest('{2025-06-02,2025-06-30}'::date[]) AS d, health.score_at('rep', d) AS s WHERE s.account_id = 'a1') AS scores
FROM (SELECT h.heading, f.*, count(*) OVER (PARTITION BY h.heading) AS rows
      FROM pages, (VALUES ('Where the points are lost'), ('What moved it')) AS h (heading), waterfall(page, heading) AS f WHERE id = 'a1') AS w GROUP BY 1;
SELECT plain(page) FROM pages WHERE id = 'a1';
SELECT plain(health.report_html('rep', 'a18'));
SELECT plain(health.report_html('rep', 'a20')) ~ 'There is no score';

-- What people decided.
SELECT health.override('rep', 'a1', cap => 20, reason => 'They said <no> & meant it', owner => '<b>Ann</b>');
SELECT (regexp_matches(plain(health.report_html('rep', 'a1')), 'What people decided.*?Busiest'))[1];
SELECT w.points FROM waterfall(health.report_html('rep', 'a1'), 'Where the points are lost') AS w ORDER BY n DESC LIMIT 2;

-- Tracked it is the same page, once the weeks before are recorded; before that it says how.
SELECT health.track('rep');
CALL health.backfill('rep');
SELECT plain(health.report_html('rep')) ~ 'Recorded since' AS recorded_since;
SELECT health.backfill_history('rep', '2025-04-07', '2025-06-29');
CREATE TABLE tracked AS SELECT 'book' AS id, health.report_html('rep') AS page UNION ALL SELECT a.id, health.report_html('rep', a.id) FROM accounts AS a WHERE a.id IN ('a1', 'a4', 'a6', 'a18', 'a19', 'a20');
SELECT health.untrack('rep');
SELECT t.id FROM tracked AS t
WHERE t.page IS DISTINCT FROM CASE t.id WHEN 'book' THEN health.report_html('rep') ELSE health.report_html('rep', t.id) END ORDER BY 1;

-- Revenue that the model names goes before columns.
SELECT health.alter_model('rep', '{"facts": {"subscriptions": {"table": "subscriptions", "account": "account", "at": "starts", "until": "ends", "value": "mrr"}}, "revenue": {"fact": "subscriptions"}}');
SELECT (regexp_matches(plain(health.report_html('rep')), '(Yearly revenue .*?) Mean'))[1], (regexp_matches(plain(health.report_html('rep')), '(In the next 12 months .*?) At risk'))[1];
SELECT sum(mrr) * 12 AS yearly, sum(mrr) FILTER (WHERE at_risk) * 12 AS at_risk, sum(mrr) FILTER (WHERE days_left >= 0) * 12 AS to_come, sum(mrr) FILTER (WHERE at_risk AND days_left >= 0) * 12 AS to_come_at_risk
FROM health.renewals('rep');
-- Subscriptions without an end: the day of renewal is the column's.
UPDATE subscriptions SET ends = NULL;
SELECT health.refresh_score_views('rep');
SELECT (regexp_matches(plain(health.report_html('rep')), '(In the next 12 months .*?) At risk'))[1];
-- Columns that are no amounts and no days; none at all.
SELECT health.alter_model('rep', '{"facts": null, "revenue": null, "accounts": {"table": "accounts", "id": "id", "name": "company", "columns": {"arr": "company", "renewal_date": "company"}}, "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
SELECT plain(health.report_html('rep')) ~ 'Yearly', (regexp_matches(plain(health.report_html('rep')), 'No customer has a day of renewal[^.]*'))[1];
-- Two bands: the best is not at risk.
SELECT health.alter_model('rep', '{"bands": [{"name": "good <1>", "from": 50}, {"name": "bad"}]}');
SELECT (regexp_matches(plain(health.report_html('rep')), '(Customers .*?) Where the book'))[1];
SELECT health_internal.bands_at_risk(health.model_definition('rep', complete => true));

-- Who may not, what is not there.
SELECT health.report_html('rep', 'a99');
SELECT health.report_html('reb');
SELECT health.report_html(NULL);
SELECT health.report_html('rep', link_pattern => 'account.html');
SELECT health.report_html('rep', link_pattern => 'javascript:alert(%s)');
SELECT health.report_html('rep', link_pattern => 'https://crm.example/%s?x=1') ~ 'href="https://crm.example/a6\?x=1"';
CREATE ROLE report_stranger;
GRANT USAGE ON SCHEMA report TO report_stranger;
SET ROLE report_stranger;
SELECT health.report_html('rep');
RESET ROLE;

-- An empty book, by day and by source.
SELECT health.alter_model('rep', '{"as_of": "2023-01-01", "accounts": {"table": "accounts", "id": "id", "start": "started"}}');
SELECT plain(health.report_html('rep'));
TRUNCATE accounts;
SELECT plain(health.report_html('rep')), well_formed(health.report_html('rep'));
SELECT health.drop_model('rep');
DROP SCHEMA report CASCADE;
DROP ROLE report_stranger;
