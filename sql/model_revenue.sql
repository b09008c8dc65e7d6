-- Revenue of a model: per account, by month, and the pipeline of renewals, from the fact that the model names as its revenue.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA model_revenue;
SET search_path = model_revenue;
CREATE TABLE accounts (id text PRIMARY KEY, size text, started date);
CREATE TABLE subscriptions (account text, starts date, ends date, mrr numeric, currency text DEFAULT 'EUR');
\set document '{"accounts": {"table": "accounts", "id": "id", "start": "started", "columns": {"size": "size"}}, "as_of": "2025-03-02", "facts": {"subscriptions": {"table": "subscriptions", "account": "account", "at": "starts", "until": "ends", "value": "mrr", "currency": "currency"}}, "revenue": {"fact": "subscriptions"}, "signals": [{"name": "renewal", "fact": "subscriptions", "measure": "days_left", "normalize": {"kind": "linear", "worst": 0, "best": 90}}]}'

-- The vector of the reference: a100 b200 c50 d150 at the start, a150 b180 d150 e500 at the end.
INSERT INTO accounts SELECT a, CASE WHEN a < 'd' THEN 'small' ELSE 'large' END, '2024-01-01' FROM unnest('{a,b,c,d,e}'::text[]) AS a;
INSERT INTO subscriptions (account, starts, ends, mrr) VALUES
    ('a', '2024-02-01', '2025-01-10', 100), ('a', '2025-01-10', NULL, 150), ('b', '2024-02-01', '2025-01-20', 200),
    ('b', '2025-01-20', '2025-03-20', 180), ('c', '2024-02-01', '2025-01-15', 50), ('d', '2024-02-01', '2025-05-01', 150),
    ('e', '2025-01-03', 'infinity', 500);
SELECT health.create_model('rev', :'document');
SELECT * FROM health.revenue('rev', '2025-01-01', '2025-02-01');
SELECT mrr_start, new_mrr, expansion, contraction, churn, reactivation, mrr_end, round(nrr::numeric, 6) AS nrr,
       round(grr::numeric, 6) AS grr, logo_churn, arpa FROM health.mrr_movements('rev', '2025-01-01', '2025-02-01');
SELECT segment_value, mrr_start, mrr_end, customers_end, nrr FROM health.mrr_movements('rev', '2025-01-01', '2025-02-01', segment => 'size');
-- As of 1 March the first price holds, as of the 2nd the second: METRICS, measures of facts.
INSERT INTO accounts VALUES ('v', 'small', '2024-01-01');
INSERT INTO subscriptions (account, starts, ends, mrr) VALUES ('v', '2025-01-01', '2025-03-01', 100), ('v', '2025-03-01', NULL, 150);
SELECT mrr FROM health_internal.mrr_at('rev', '{2025-02-01,2025-03-01,2025-03-02}') WHERE account_id = 'v';
-- Lost and back; in two currencies, one of which is to be named; below 0.
INSERT INTO accounts VALUES ('w', 'small', '2024-01-01'), ('x', 'small', '2024-01-01'), ('y', NULL, '2024-01-01');
INSERT INTO subscriptions (account, starts, ends, mrr) VALUES ('w', '2024-03-01', '2024-06-01', 30), ('w', '2025-02-10', NULL, 40);
INSERT INTO subscriptions VALUES ('x', '2025-01-01', NULL, 10, 'EUR'), ('x', '2025-01-01', '2025-02-15', 10, 'USD');
SELECT account_id, mrr_start, mrr_end, movement FROM health.revenue('rev', '2025-02-01', '2025-03-01') WHERE account_id >= 'w';
SELECT account_id, mrr_start, mrr_end, movement FROM health.revenue('rev', '2025-02-01', '2025-03-01', 'EUR') WHERE account_id >= 'w';
SELECT account_id, mrr_start, mrr_end, movement FROM health.revenue('rev', '2025-02-01', '2025-03-01', 'USD') WHERE mrr_start > 0;
SELECT mrr_start FROM health.mrr_movements('rev', '2025-02-01', '2025-03-01', currency => 'JPY');
SELECT health.report_html('rev') LIKE '<!DOCTYPE html>%' AS a_page_all_the_same;
DELETE FROM subscriptions WHERE account = 'x';
-- Without a currency none is to be named.
SELECT health.create_model('plain', :'document'::jsonb #- '{facts,subscriptions,currency}');
SELECT mrr_start, mrr_end FROM health.mrr_movements('plain', '2025-02-01', '2025-03-01');
SELECT mrr_start FROM health.mrr_movements('plain', '2025-02-01', '2025-03-01', currency => 'EUR');
SELECT health.drop_model('plain');
INSERT INTO subscriptions VALUES ('y', '2025-01-01', NULL, -5, 'EUR');
SELECT period_start, period_end, reactivation, reactivated_customers, unknown_accounts
FROM health.mrr_movements('rev', '2025-01-01', '2025-03-15') ORDER BY 1;
SELECT account_id, renews_on, days_left, renewal_window, mrr FROM health.renewals('rev');
SELECT account_id, days_left, renewal_window FROM health.renewals('rev', '2025-06-01') WHERE renewal_window <> 'none';

SELECT period_start, period_end FROM health.mrr_movements('rev', '2025-01-31', '2025-04-30');

-- Against plain SQL, in both kinds of store.
SELECT setseed(0.25);
INSERT INTO accounts SELECT 'r' || n, 'size ' || n % 3, '2023-01-01' FROM generate_series(1, 300) AS n;
INSERT INTO subscriptions (account, starts, ends, mrr)
SELECT 'r' || (random() * 300)::int, s.starts, CASE WHEN random() < 0.7 THEN s.starts + (random() * 400)::int END, (random() * 1000)::numeric(8, 2)
FROM (SELECT date '2023-01-01' + (random() * 900)::int AS starts FROM generate_series(1, 900)) AS s;
CREATE FUNCTION expected() RETURNS TABLE (period_start date, mrr_start numeric, new_mrr numeric, expansion numeric, contraction numeric,
    churn numeric, reactivation numeric, mrr_end numeric) LANGUAGE sql AS $$
    WITH months AS (SELECT m::date AS first, (m + interval '1 month')::date AS next FROM generate_series(timestamp '2023-01-01', '2025-06-01', '1 month') AS m),
    paid AS (
        SELECT m.first, a.id, coalesce(sum(s.mrr) FILTER (WHERE s.starts < m.first AND (s.ends IS NULL OR s.ends >= m.first)), 0) AS a,
               coalesce(sum(s.mrr) FILTER (WHERE s.starts < m.next AND (s.ends IS NULL OR s.ends >= m.next)), 0) AS b,
               coalesce(bool_or(s.starts < m.first), false) AS had
        FROM months AS m CROSS JOIN accounts AS a LEFT JOIN subscriptions AS s ON s.account = a.id
        WHERE a.id <> 'y' GROUP BY 1, 2)
    SELECT first, sum(a), sum(b) FILTER (WHERE a = 0 AND NOT had), sum(b - a) FILTER (WHERE a > 0 AND b > a),
           sum(a - b) FILTER (WHERE b > 0 AND b < a), sum(a) FILTER (WHERE b = 0), sum(b) FILTER (WHERE a = 0 AND had), sum(b)
    FROM paid GROUP BY first $$;
CREATE VIEW differences AS
SELECT count(*) AS months, count(*) FILTER (WHERE (m.mrr_start, m.new_mrr, m.expansion, m.contraction, m.churn, m.reactivation, m.mrr_end)
    IS DISTINCT FROM (e.mrr_start::float8, coalesce(e.new_mrr, 0)::float8, coalesce(e.expansion, 0)::float8, coalesce(e.contraction, 0)::float8,
                      coalesce(e.churn, 0)::float8, coalesce(e.reactivation, 0)::float8, e.mrr_end::float8)) AS different
FROM health.mrr_movements('rev', '2023-01-01', '2025-07-01') AS m FULL JOIN expected() AS e USING (period_start);
SELECT * FROM differences;
SELECT health.track('rev');
CALL health.backfill('rev');
SELECT * FROM differences;
UPDATE subscriptions SET ends = starts + 100 WHERE account IN ('r1', 'r2', 'r3') AND ends IS NULL;
DELETE FROM subscriptions WHERE account IN ('r4', 'r5');
INSERT INTO subscriptions (account, starts, mrr) VALUES ('r6', '2024-01-15', 77);
CALL health.refresh('rev');
SELECT * FROM differences;
SELECT count(*) FROM health.verify('rev');

-- What cannot be asked.
SELECT * FROM health.revenue('rev', '2025-02-01', '2025-02-01');
SELECT * FROM health.revenue('rev', NULL, '2025-02-01');
SELECT * FROM health.mrr_movements('rev', '2025-01-01', '2025-02-01', 'fortnight');
SELECT * FROM health.mrr_movements('rev', '0900-01-01', '2025-02-01', 'week');
SELECT * FROM health.mrr_movements('rev', '2025-01-01', '2025-02-01', segment => 'plan');
SELECT health.create_model('none', :'document'::jsonb - 'revenue');
SELECT * FROM health.revenue('none', '2025-01-01', '2025-02-01');
SELECT path, problem FROM health.validate_model(jsonb_set(:'document', '{revenue,fact}', '"subscription"'));
SELECT path, problem FROM health.validate_model(:'document'::jsonb #- '{facts,subscriptions,until}');
CREATE ROLE revenue_stranger;
GRANT USAGE ON SCHEMA model_revenue TO revenue_stranger;
SET ROLE revenue_stranger;
SELECT * FROM health.revenue('rev', '2025-01-01', '2025-02-01');
RESET ROLE;
SELECT health.drop_model('rev');
SELECT health.drop_model('none');
DROP SCHEMA model_revenue CASCADE;
DROP ROLE revenue_stranger;
