-- The aggregate activation_rate, and the interval of a share.
SET extra_float_digits = 0;
\pset null '(null)'

CREATE TEMP TABLE seen (team text, user_id int, active boolean);
INSERT INTO seen VALUES ('a', 1, true), ('a', 1, false), ('a', 2, false), ('a', 3, NULL), ('a', 4, true), ('a', NULL, true), ('b', 7, false);

SELECT health.activation_rate(user_id, active) FROM seen;
SELECT team, health.activation_rate(user_id, active) FROM seen GROUP BY team ORDER BY team;
SELECT health.activation_rate(user_id, active) FILTER (WHERE team = 'b') AS filtered,
       health.activation_rate(user_id, active) FILTER (WHERE team = 'c') AS of_no_rows,
       health.activation_rate(NULL::bigint, active) AS of_nobody FROM seen;
SELECT health.activation_rate(user_id::text, active) AS by_text,
       health.activation_rate(md5(user_id::text)::uuid, active) AS by_uuid FROM seen;
SELECT user_id, health.activation_rate(user_id, active) OVER (PARTITION BY team ORDER BY user_id) FROM seen WHERE team = 'a' AND user_id IS NOT NULL;

-- 3 of 5: 23.1 to 88.2 %; 300 of 500: 55.6 to 64.2 %.
SELECT part, whole, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high
  FROM (VALUES (3, 5), (300, 500), (0, 5), (5, 5), (6, 5), (0, 0)) t(part, whole), health.wilson_interval(part, whole);
