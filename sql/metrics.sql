-- All metrics of a ledger: the record, single functions, reasons for what is unknown, and a plain-SQL count to compare with.
SET extra_float_digits = 0;
SET datestyle = iso;
\pset null '(null)'

-- A small account of a video tool: five users on the roster, one of them gone, one new.
CREATE TEMP TABLE video (catalog jsonb);
INSERT INTO video VALUES ('{
  "record": {"role": ["create", "activate"], "value": 10, "feature": "recorder"},
  "view": {"role": "consume", "value": 1, "feature": "player"},
  "comment": {"role": ["interact", "activate"], "value": 3, "feature": "player"},
  "open": {"role": "session", "value": 0}}');
CREATE TEMP TABLE account AS SELECT health.usage_agg(user_id, event, day, amount) AS u FROM (VALUES
  (1, '$joined', date '2024-01-01', NULL::float8), (2, '$joined', '2024-01-01', NULL), (3, '$joined', '2024-01-01', NULL),
  (4, '$joined', '2024-01-01', NULL), (4, '$deactivated', '2025-03-25', NULL), (5, '$joined', '2025-03-05', NULL),
  (5, '$invited', '2025-03-01', NULL), (6, '$invited', '2025-03-01', NULL),
  (1, 'record', '2025-03-30', 2.5), (1, 'record', '2025-03-29', 1.5), (1, 'open', '2025-03-29', NULL),
  (2, 'view', '2025-03-20', NULL), (2, 'comment', '2025-03-20', NULL), (2, 'odd', '2025-03-21', NULL),
  (4, 'view', '2025-03-10', NULL), (5, 'record', '2025-03-06', NULL), (3, 'view', '2025-01-20', NULL),
  (1, 'record', '2024-06-01', NULL), (2, 'view', '2025-02-20', NULL)) e(user_id, event, day, amount);

\x on
SELECT m.* FROM account, video, health.metrics(u, '2025-03-31', catalog, seats => 10) m;
SELECT m.* FROM health.metrics('{}'::health.usage, '2025-03-31') m;
\x off
SELECT w.* FROM account, video, health.unknown_metrics(u, '2025-03-31', catalog) w;
SELECT metric, reason FROM health.unknown_metrics('{}', '2025-03-31') ORDER BY 1;

-- NULL in, NULL out.
SELECT health.metrics(NULL, '2025-03-31') IS NULL AS no_usage, health.metrics('{}', NULL) IS NULL AS no_date,
       health.active_users(NULL, '2025-03-31') AS active_users;

-- The single functions say what the record says.
SELECT m.activation_rate = health.activation_rate(u, d, catalog) AS activation_rate,
       m.coverage = health.coverage(u, d, catalog) AS coverage,
       m.adoption_rate = health.adoption_rate(u, d, 10, catalog) AS adoption_rate,
       m.onboarding_activation = health.onboarding_activation(u, d, catalog) AS onboarding,
       m.invite_conversion = health.invite_conversion(u, d, catalog) AS invites,
       m.trend_4w = health.trend_4w(u, d, catalog) AS trend_4w,
       m.dropoff = health.dropoff(u, d, catalog) AS dropoff,
       m.cadence = health.cadence(u, d, catalog) AS cadence,
       m.stickiness = health.stickiness(u, d, catalog) AS stickiness,
       m.depth = health.depth(u, d, catalog) AS depth,
       m.recency_days = health.recency_days(u, d, catalog) AS recency,
       m.time_to_value = health.time_to_value(u, d, catalog) AS time_to_value,
       m.top_user = health.top_user(u, d, catalog) AS top_user,
       m.first_event = health.first_event(u, d, catalog) AS first_event,
       m.last_event = health.last_event(u, d, catalog) AS last_event,
       m.weekly = health.weekly(u, d, catalog => catalog) AS weekly,
       m.hhi = (health.concentration(u, d, catalog)).hhi AS hhi
  FROM account, video, (SELECT date '2025-03-31') AS t(d), health.metrics(u, d, catalog, seats => 10) m;

-- Windows, chosen events, caps, one person's recency.
SELECT health.active_users(u, '2025-03-31', window_days => 30) AS days_30,
       health.events(u, '2025-03-31', catalog, events => '{odd,view}') AS odd_or_view,
       health.value_points(u, '2025-03-31', catalog) AS points,
       health.value_points(u, '2025-03-31', catalog, daily_cap => 5) AS capped,
       health.recency_days(u, '2025-03-31', catalog, user_id => '2') AS recency_of_2,
       health.breadth(u, '2025-03-31', catalog, features => '{recorder,analytics}') AS breadth,
       health.trial_use(u, '2025-03-31', catalog, account_start => '2025-01-01') AS trial_use
  FROM account, video;

-- A deactivated user leaves the denominator on the day of deactivation.
SELECT as_of, health.total_users(u, as_of), health.active_users(u, as_of)
  FROM account, (VALUES (date '2025-03-24'), ('2025-03-25'), ('2025-03-26')) t(as_of);

-- A local day is a calendar day: 23 and 25 hours long where the clocks change.
WITH e AS (SELECT t FROM generate_series(timestamptz '2025-03-29 00:30+00', '2025-03-31 23:30+00', '30 minutes') t)
SELECT day, count FROM (SELECT health.usage_agg(1, 'x', t, 'Europe/Berlin') AS u FROM e) x, health.cells(u);
SELECT health.events(health.usage_agg(1, 'x', t, 'Europe/Berlin'), '2025-03-31', window_days => 1) AS last_day_utc_plus_2
  FROM generate_series(timestamptz '2025-03-29 12:00+00', '2025-03-31 12:00+00', '1 hour') t;

-- Mistakes.
SELECT health.coverage('{}', '2025-03-31', '{"a": {"role": "creator"}}');
SELECT health.coverage('{}', '2025-03-31', '{"a": {"value": "high"}}');
SELECT health.coverage('{}', '2025-03-31', '[1]');
SELECT health.metrics('{}', 'infinity');
SELECT health.metrics('{}', '2025-03-31', window_days => 0);
SELECT health.metrics('{}', '2025-03-31', seats => 'NaN');
SELECT health.metrics('{}', '2025-03-31', features => '{a,NULL}');
SELECT health.active_users(health.usage '{}' OPERATOR(health.-) health.usage 'bigint{1:2025-03-01/a}', '2025-03-31');
SELECT health.power_user_dependency('{}', '2025-03-31', top_k => 0);
SELECT health.recency_days('bigint{1:2025-03-01/a}', '2025-03-31', user_id => 'ann');

-- Against plain SQL: 300 accounts, no roster, all events qualify.
CREATE TEMP TABLE events AS
SELECT a AS account_id, (abs(hashint4(a * 7919 + i)) % (1 + a % 9))::bigint AS user_id,
       (ARRAY['record', 'view', 'comment'])[1 + abs(hashint4(a * 31 + i * 17)) % 3] AS event,
       date '2025-04-05' - abs(hashint4(a * 101 + i * 13)) % (20 + a % 150) AS day
  FROM generate_series(1, 300) a, generate_series(1, 5 + a % 90) i;
CREATE TEMP VIEW plain AS
WITH d AS (SELECT date '2025-03-31' AS t),
w AS (SELECT e.*, (t - 1 - day) / 7 + 1 AS week, day >= t - 28 AS recent FROM events e, d WHERE day < t),
u AS (SELECT account_id, user_id, count(*) AS n, count(DISTINCT day) AS days FROM w WHERE recent GROUP BY 1, 2),
c AS (SELECT account_id, count(*) AS active, sum(n) AS total, sum(days) AS user_days, max(n) / sum(n) AS top, sum(n * n) / sum(n) ^ 2 AS hhi
        FROM u GROUP BY 1),
a AS (SELECT account_id, count(DISTINCT user_id) AS users, (SELECT t FROM d) - max(day) AS recency, (SELECT t FROM d) - min(day) AS age,
             count(*) FILTER (WHERE week BETWEEN 1 AND 4) AS current, count(*) FILTER (WHERE week BETWEEN 5 AND 8) AS previous,
             count(*) FILTER (WHERE week = 1) AS last_week, count(*) FILTER (WHERE week BETWEEN 2 AND 5) AS before,
             count(DISTINCT user_id) FILTER (WHERE recent AND event IN ('record', 'view')) AS covered,
             count(DISTINCT user_id) FILTER (WHERE recent AND event = 'record') AS creators,
             count(*) FILTER (WHERE recent AND event = 'comment') AS comments,
             count(DISTINCT week) FILTER (WHERE week <= 8) AS busy
        FROM w GROUP BY 1)
SELECT account_id, users, coalesce(active, 0) AS active, coalesce(total, 0) AS total, coalesce(active, 0)::float8 / users AS activation,
       covered::float8 / users AS coverage, creators::float8 / active AS spread, comments::float8 / active / 4 AS interaction,
       total::float8 / active / 4 AS per_user, user_days / 28.0 / active AS stickiness, recency, top::float8, hhi::float8,
       CASE WHEN age >= 56 THEN CASE WHEN previous > 0 THEN (current - previous)::float8 / previous END END AS trend,
       CASE WHEN age >= 35 THEN CASE WHEN before > 0 THEN last_week / (before / 4.0) - 1 END END AS dropoff,
       CASE WHEN age >= 56 THEN busy / 8.0 END AS cadence
  FROM a LEFT JOIN c USING (account_id);

SELECT count(*) AS accounts, count(trend) AS with_trend,
       count(*) FILTER (WHERE users IS DISTINCT FROM m.total_users) AS users,
       count(*) FILTER (WHERE active IS DISTINCT FROM m.active_users) AS active,
       count(*) FILTER (WHERE total IS DISTINCT FROM m.events) AS events,
       count(*) FILTER (WHERE abs(activation - m.activation_rate) < 1e-12 IS NOT TRUE) AS activation,
       count(*) FILTER (WHERE abs(p.coverage - m.coverage) < 1e-12 IS NOT TRUE) AS coverage,
       count(*) FILTER (WHERE coalesce(p.spread, -9) - coalesce(m.spread, -9) NOT BETWEEN -1e-12 AND 1e-12) AS spread,
       count(*) FILTER (WHERE coalesce(p.interaction, -9) - coalesce(m.interaction, -9) NOT BETWEEN -1e-12 AND 1e-12) AS interaction,
       count(*) FILTER (WHERE coalesce(per_user, -9) - coalesce(m.events_per_user_week, -9) NOT BETWEEN -1e-12 AND 1e-12) AS per_user,
       count(*) FILTER (WHERE coalesce(p.stickiness, -9) - coalesce(m.stickiness, -9) NOT BETWEEN -1e-12 AND 1e-12) AS stickiness,
       count(*) FILTER (WHERE recency IS DISTINCT FROM m.recency_days) AS recency,
       count(*) FILTER (WHERE coalesce(top, -9) - coalesce(m.power_user_dependency, -9) NOT BETWEEN -1e-12 AND 1e-12) AS top,
       count(*) FILTER (WHERE coalesce(p.hhi, -9) - coalesce(m.hhi, -9) NOT BETWEEN -1e-12 AND 1e-12) AS hhi,
       count(*) FILTER (WHERE coalesce(trend, -9) - coalesce(m.trend_4w, -9) NOT BETWEEN -1e-12 AND 1e-12) AS trend,
       count(*) FILTER (WHERE coalesce(p.dropoff, -9) - coalesce(m.dropoff, -9) NOT BETWEEN -1e-12 AND 1e-12) AS dropoff,
       count(*) FILTER (WHERE p.cadence IS NOT NULL AND abs(p.cadence - m.cadence) < 1e-12 IS NOT TRUE) AS cadence
  FROM (SELECT account_id, health.usage_agg(user_id, event, day) AS u FROM events GROUP BY 1) e
  JOIN plain p USING (account_id),
       health.metrics(u, '2025-03-31', '{"record": {"role": "create"}, "view": {"role": "consume"}, "comment": {"role": "interact"}}') m;

-- In parallel workers the same comes out.
CREATE TABLE parallel_events AS SELECT * FROM events;
ALTER TABLE parallel_events SET (parallel_workers = 2);
CREATE TEMP TABLE serial AS
SELECT health.metrics(health.usage_agg(user_id, event, day), '2025-03-31')::text AS m, health.activation_rate(user_id, event = 'record') AS a,
       health.trend_4w(day, date '2025-03-31') AS t, health.concentration(user_id)::text AS c FROM parallel_events;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT p = s AS parallel_is_serial
  FROM (SELECT health.metrics(health.usage_agg(user_id, event, day), '2025-03-31')::text AS m, health.activation_rate(user_id, event = 'record') AS a,
               health.trend_4w(day, date '2025-03-31') AS t, health.concentration(user_id)::text AS c FROM parallel_events) p, serial s;
DROP TABLE parallel_events;
