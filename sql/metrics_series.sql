-- The history of metrics from one decode.
SET extra_float_digits = 0;
SET datestyle = iso;
\pset null '(null)'

CREATE TEMP TABLE a AS SELECT health.usage_agg(i % 5, 'view', date '2025-01-01' + i % 90) AS u FROM generate_series(1, 400) i;

SELECT as_of, total_users, active_users, events, trend_4w, recency_days, weekly[10:12] AS last_weeks
  FROM a, health.metrics_series(u, '2025-03-01', '2025-04-12', 7);

-- Every row is what metrics() says for its date, both ends included.
SELECT count(*) AS days, min(s.as_of), max(s.as_of), bool_and((to_jsonb(s) - 'as_of') = to_jsonb(m)) AS same
  FROM a, health.metrics_series(u, '2024-12-20', '2025-04-30') s, health.metrics(u, s.as_of) m;

-- Options hold for the series too.
SELECT as_of, active_users, activation_rate, adoption_rate
  FROM a, health.metrics_series(u, '2025-04-01', '2025-04-02', window_days => 7, seats => 10);

SELECT count(*) AS of_nothing FROM health.metrics_series(NULL, '2025-01-01', '2025-01-02');
SELECT count(*) AS backwards FROM health.metrics_series('{}', '2025-01-02', '2025-01-01');
SELECT as_of, total_users, activation_rate FROM health.metrics_series('{}', '2025-01-01', '2025-01-02');
SELECT count(*) FROM health.metrics_series('{}', '2025-01-01', '2025-01-02', 0);
SELECT count(*) FROM health.metrics_series('{}', '-infinity', '2025-01-02');

-- Weeks, oldest first.
SELECT health.weekly(u, '2025-04-01') AS twelve, health.weekly(u, '2025-04-01', 3) AS three, health.weekly('{}', '2025-04-01', 2) AS none FROM a;
SELECT health.weekly('{}', '2025-04-01', 0);
-- No typing mistake fills a disk.
select count(*) from health.metrics_series('{}', '2025-01-01', '20250-01-31');
select count(*) from health.metrics_series('{}', '2025-01-01', '2025-01-31', 0);
