-- The five figures in several ways, as of 2025-07-02, for accounts that are known to be older than 8 weeks: table bench.rescore_query.
--
-- ledger: from the ledger of the tracked model. plain_once: one pass, by user, then by account. plain_twice: weeks by account and users
-- of four weeks, each in a pass of its own.
CREATE TABLE bench.rescore_query (name text PRIMARY KEY, query text);

INSERT INTO bench.rescore_query VALUES ('rescore_ledger', $$
    SELECT account_id, active_users, events, trend_4w, dip_streak, power_user_dependency
    FROM health.pulse_at('bench_1x', date '2025-07-02')$$);

INSERT INTO bench.rescore_query
SELECT 'rescore_plain_once', format($$
    SELECT account_id, active_users, events,
           CASE WHEN before > 0 THEN (events - before)::float8 / before WHEN events = 0 THEN 0 END AS trend_4w,
           %s AS dip_streak, most::float8 / nullif(events, 0) AS power_user_dependency
    FROM (SELECT account_id, count(*) FILTER (WHERE recent > 0) AS active_users, sum(recent)::bigint AS events,
                 sum(n - recent)::bigint AS before, max(recent) AS most, %s
          FROM (SELECT account_id, user_id, count(*) AS n, %s, %s
                FROM events WHERE occurred_at >= '2025-05-07 00:00+00' AND occurred_at < '2025-07-02 00:00+00'
                GROUP BY account_id, user_id) AS u
          GROUP BY account_id) AS a$$, dips, sums, recent, counts)
FROM (SELECT 'CASE ' || string_agg(format('WHEN w%s >= w%s THEN %s', w, w + 1, w - 1), ' ' ORDER BY w) FILTER (WHERE w < 8)
             || ' ELSE 7 END' AS dips,
             string_agg(format('sum(w%s) AS w%1$s', w), ', ' ORDER BY w) AS sums,
             'count(*) FILTER (WHERE occurred_at >= ''2025-06-04 00:00+00'') AS recent' AS recent,
             string_agg(format('count(*) FILTER (WHERE occurred_at >= ''%s 00:00+00'' AND occurred_at < ''%s 00:00+00'') AS w%s',
                               date '2025-07-02' - 7 * w, date '2025-07-02' - 7 * w + 7, w),
                        ', ' ORDER BY w) AS counts
      FROM generate_series(1, 8) AS w) AS parts;

INSERT INTO bench.rescore_query
SELECT 'rescore_plain_twice', format($$
    SELECT account_id, coalesce(u.active_users, 0) AS active_users, events,
           CASE WHEN before > 0 THEN (events - before)::float8 / before WHEN events = 0 THEN 0 END AS trend_4w,
           %s AS dip_streak, most::float8 / nullif(events, 0) AS power_user_dependency
    FROM (SELECT account_id, w1 + w2 + w3 + w4 AS events, w5 + w6 + w7 + w8 AS before, w.*
          FROM (SELECT account_id AS account, %s FROM events
                WHERE occurred_at >= '2025-05-07 00:00+00' AND occurred_at < '2025-07-02 00:00+00' GROUP BY account_id) AS w,
               LATERAL (SELECT account AS account_id) AS i) AS w
    LEFT JOIN (SELECT account_id, count(*) AS active_users, max(n) AS most
               FROM (SELECT account_id, user_id, count(*) AS n FROM events
                     WHERE occurred_at >= '2025-06-04 00:00+00' AND occurred_at < '2025-07-02 00:00+00' GROUP BY account_id, user_id) AS n
               GROUP BY account_id) AS u USING (account_id)$$, dips, counts)
FROM (SELECT 'CASE ' || string_agg(format('WHEN w%s >= w%s THEN %s', w, w + 1, w - 1), ' ' ORDER BY w) FILTER (WHERE w < 8)
             || ' ELSE 7 END' AS dips,
             string_agg(format('count(*) FILTER (WHERE occurred_at >= ''%s 00:00+00'' AND occurred_at < ''%s 00:00+00'') AS w%s',
                               date '2025-07-02' - 7 * w, date '2025-07-02' - 7 * w + 7, w),
                        ', ' ORDER BY w) AS counts
      FROM generate_series(1, 8) AS w) AS parts;
