-- Trends: the vector of METRICS, thresholds compared exactly, young accounts, the aggregate trend_4w.
SET extra_float_digits = 0;
SET datestyle = iso;
\pset null '(null)'

-- Oldest to newest 100,100,100,100,95,90,80,75: -0.15, -0.178, -0.0824, 4.
CREATE TEMP TABLE weeks AS
SELECT date '2025-03-31' - 7 * week::int AS day, n FROM unnest(ARRAY[75, 80, 90, 95, 100, 100, 100, 100]) WITH ORDINALITY t(n, week);
CREATE TEMP TABLE vector AS SELECT i % 10 AS user_id, day FROM weeks, generate_series(1, n) i;
SELECT health.trend_4w(u, '2025-03-31') AS trend_4w, round(health.dropoff(u, '2025-03-31')::numeric, 3) AS dropoff,
       round(health.slope_4w(u, '2025-03-31')::numeric, 4) AS slope_4w, health.dip_streak(u, '2025-03-31') AS dip_streak,
       health.cadence(u, '2025-03-31') AS cadence, health.trend_4w_users(u, '2025-03-31') AS users, health.trend_4w_value(u, '2025-03-31') AS value
  FROM (SELECT health.usage_agg(user_id, 'view', day) AS u FROM vector) x;
SELECT health.trend_4w(day, date '2025-03-31') AS of_dates,
       health.trend_4w(day::timestamp AT TIME ZONE 'UTC', date '2025-03-31') AS of_times,
       health.trend_4w(day::timestamp AT TIME ZONE 'Asia/Tokyo', date '2025-03-31', 'Asia/Tokyo') AS of_local_times FROM vector;

-- 360 of 400 is down 10 %, although 360/400 - 1 <= -0.1 fails in doubles; down 15 % includes 15 %.
SELECT 360.0::float8 / 400 - 1 <= -0.1 AS in_doubles, health.down_at_least(360, 400, 10) AS exactly, health.down_at_least(361, 400, 10) AS not_quite,
       health.down_at_least(85, 100, 15) AS down_15, health.down_at_least(0, 0, 15) AS from_nothing, health.up_at_least(115, 100, 15) AS up_15,
       health.down_at_least(9223372036854775807, 9223372036854775807, 1) AS huge;
SELECT health.down_at_least(1, 1, -5);

-- Too young, just old enough, something after nothing, nothing after nothing.
SELECT start, health.trend_4w(u, '2025-03-31', account_start => start), health.dropoff(u, '2025-03-31', account_start => start),
       health.cadence(u, '2025-03-31', account_start => start)
  FROM (SELECT health.usage 'bigint{1:2025-02-24/a*4,2025-03-28/a*2}' AS u) x,
       (VALUES (date '2025-02-03'), ('2025-02-04'), ('2025-02-24'), ('2025-02-25'), ('2025-03-24'), ('2025-03-25')) t(start);
SELECT health.trend_4w('bigint{1:2025-03-28/a}', '2025-03-31', account_start => '2024-01-01') AS after_nothing,
       health.trend_4w(health.usage '{}', '2025-03-31', account_start => '2024-01-01') AS nothing,
       health.trend_4w(health.usage '{}', '2025-03-31') AS unknown_account;

-- The aggregate takes the first event for the account's start.
SELECT health.trend_4w(d, date '2025-03-31') AS first_at_56_days FROM (VALUES (date '2025-02-03'), ('2025-03-30')) t(d);
SELECT health.trend_4w(d, date '2025-03-31') AS first_at_55_days FROM (VALUES (date '2025-02-04'), ('2025-03-30')) t(d);
SELECT health.trend_4w(day, date '2025-03-31') FILTER (WHERE false) AS of_no_rows, health.trend_4w(NULL::date, date '2025-03-31') AS of_nulls,
       health.trend_4w(day, NULL) AS without_date FROM vector;
SELECT d, health.trend_4w(d, date '2025-03-31') OVER (ORDER BY d) FROM (VALUES (date '2025-02-03'), ('2025-02-10'), ('2025-03-11'), ('2025-03-12'), ('2025-03-31')) t(d);
SELECT health.trend_4w(d, d) FROM (VALUES (date '2025-02-03'), ('2025-02-10')) t(d);
SELECT health.trend_4w(d, date '2025-03-31') FROM (VALUES (date 'infinity')) t(d);
SELECT health.trend_4w(now(), date '2025-03-31', 'Europe/Berlyn');
SELECT health_internal.trend_4w_final('{1,2}');

-- The clocks changed on 2025-03-30: an evening event in Berlin stays on its day.
SELECT health.trend_4w(t, date '2025-03-31', 'Europe/Berlin') AS seen, health.trend_4w(t + interval '1 hour', date '2025-03-31', 'Europe/Berlin') AS next_day
  FROM (VALUES (timestamptz '2025-01-01 12:00+00'), ('2025-02-20 12:00+00'), ('2025-03-30 21:30+00')) v(t);
