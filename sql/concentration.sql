-- Concentration: the table of METRICS, as an aggregate and read from a ledger.
SET extra_float_digits = 0;
\pset null '(null)'

CREATE TEMP TABLE x (account int, user_id bigint, n int);
INSERT INTO x SELECT account, u, n FROM (VALUES (1, ARRAY[80,5,5,5,5]), (2, ARRAY[20,20,20,20,20]), (3, ARRAY[7]),
    (4, ARRAY[1000,202,90,33,332,343,42,433])) t(account, ns), unnest(ns) WITH ORDINALITY s(n, u);

-- With weights.
SELECT account, users, total, round(top1::numeric, 4) AS top1, round(top2::numeric, 4) AS top2, round(hhi::numeric, 4) AS hhi,
       round(effective_users::numeric, 3) AS effective, round(hhi_normalized::numeric, 4) AS normalized, round(gini::numeric, 4) AS gini, absence_factor
  FROM (SELECT account, (health.concentration(user_id, n)).* FROM x GROUP BY account) c ORDER BY account;
-- One row per event.
SELECT account, users, total, round(top1::numeric, 4) AS top1, round(top2::numeric, 4) AS top2, round(hhi::numeric, 4) AS hhi,
       round(effective_users::numeric, 3) AS effective, round(hhi_normalized::numeric, 4) AS normalized, round(gini::numeric, 4) AS gini, absence_factor
  FROM (SELECT account, (health.concentration(user_id)).* FROM x, generate_series(1, n) GROUP BY account) c ORDER BY account;
-- From the ledger.
CREATE TEMP TABLE ledgers AS
SELECT account, health.usage_agg(user_id, 'made', date '2025-03-30') AS u FROM x, generate_series(1, n) GROUP BY account;
SELECT account, users, total, round(top1::numeric, 4) AS top1, round(top2::numeric, 4) AS top2, round(hhi::numeric, 4) AS hhi,
       round(effective_users::numeric, 3) AS effective, round(hhi_normalized::numeric, 4) AS normalized, round(gini::numeric, 4) AS gini, absence_factor
  FROM ledgers, health.concentration(u, '2025-03-31') c ORDER BY account;
SELECT account, m.top_user, round(m.power_user_dependency::numeric, 4) AS top1, round(m.top2_share::numeric, 4) AS top2,
       round(m.top3_share::numeric, 4) AS top3, m.hhi_normalized IS NULL AS one_user
  FROM ledgers, health.metrics(u, '2025-03-31') m ORDER BY account;
SELECT t.* FROM ledgers, health.top_users(u, '2025-03-31', 3) t WHERE account = 4;
SELECT round(health.power_user_dependency(u, '2025-03-31', top_k => 4)::numeric, 4) AS top4 FROM ledgers WHERE account = 4;
SELECT account, round(health.gini(health.without_user(u, health.top_user(u, '2025-03-31')), '2025-03-31')::numeric, 4) AS gini_without_top
  FROM ledgers ORDER BY account;

-- By value points.
SELECT t.*, health.top_user(u, '2025-03-31', c) AS by_events, health.power_user_dependency(u, '2025-03-31', c, by_value => true) AS by_value
  FROM (SELECT health.usage 'text{ann:2025-03-30/record;bob:2025-03-30/view*3}' AS u,
               '{"record": {"role": "create", "value": 10}, "view": {"role": "consume"}}'::jsonb AS c) x,
       health.top_users(u, '2025-03-31', 1, c, by_value => true) t;

-- power_user_dependency alone.
SELECT account, round(health.power_user_dependency(user_id, n)::numeric, 4) AS weighted, round(health.power_user_dependency(user_id)::numeric, 4) AS plain,
       round(health.power_user_dependency(user_id::text, n)::numeric, 4) AS by_text,
       round(health.power_user_dependency(md5(user_id::text)::uuid, n)::numeric, 4) AS by_uuid FROM x GROUP BY account ORDER BY account;
SELECT user_id, round(health.power_user_dependency(user_id, n) OVER (ORDER BY user_id)::numeric, 4) AS running FROM x WHERE account = 1 ORDER BY user_id;
SELECT health.power_user_dependency(user_id, n) FILTER (WHERE account = 3) AS filtered, health.power_user_dependency(user_id) FILTER (WHERE false) AS of_no_rows,
       health.concentration(user_id, n) FILTER (WHERE false) IS NULL AS no_record, health.power_user_dependency(user_id, NULL) AS without_weights,
       health.power_user_dependency(user_id, 0) AS of_zeros, (health.concentration(user_id, 0)).users AS zero_users,
       (health.concentration(user_id, 0)).hhi AS zero_hhi FROM x;
SELECT (health.concentration(u, w)).total, (health.concentration(u, w)).top1 FROM (VALUES (1, 0.1), (1, 0.2), (2, 0.3), (NULL, 9), (3, NULL)) v(u, w);
SELECT health.power_user_dependency(u, w) FROM (VALUES (1, 1.0), (2, -0.5)) v(u, w);
SELECT health.concentration(u, w) FROM (VALUES (1, 1.0), (2, 'NaN')) v(u, w);
SELECT health.concentration(u, w) FROM (VALUES (1, 1.0), (2, 'infinity'::float8)) v(u, w);
SELECT health.concentration(u, w) FROM (VALUES (1, 1e13::float8)) v(u, w);
