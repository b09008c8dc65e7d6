-- Five fact sources of a million rows each (scaled by :scale) over three years of the bench's accounts, and two models over a copy of the
-- events: bench_usage without and bench_facts with eleven measures of those facts. The days are before the server's.

-- Seeded by what it is for.
CREATE TABLE bench.events_facts (LIKE events);
INSERT INTO bench.events_facts SELECT * FROM events;
CREATE TABLE bench.tickets (ticket_id bigint, account_id bigint, opened_at timestamptz, resolved_at timestamptz, category text);
CREATE TABLE bench.answers (account_id bigint, user_id bigint, answered_at timestamptz, score int);
CREATE TABLE bench.subscriptions (account_id bigint, starts_on date, ends_on date, mrr numeric, plan text);
CREATE TABLE bench.invoices (account_id bigint, issued_on date, paid_on date, amount numeric);
CREATE TABLE bench.trainings (account_id bigint, user_id bigint, held_at timestamptz, topic text);

-- Rows i of the facts, of days from the first one on: as many a day as the days allow.
CREATE FUNCTION bench.fact_rows(rows bigint, from_day date, days int, scale float8, seed int,
    OUT i bigint, OUT account_id bigint, OUT at timestamptz, OUT one float8, OUT two float8) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT i, 1 + floor(bench.random(i, seed) * scale * 20000)::bigint, from_day::timestamp AT TIME ZONE 'UTC' + i * (interval '1 day' * days / (rows + 1)),
           bench.random(i, seed + 1), bench.random(i, seed + 2)
    FROM generate_series(1, rows) AS i
$$;
CREATE FUNCTION bench.add_facts(rows bigint, from_day date, days int, scale float8, seed int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bench.tickets SELECT i, account_id, at, CASE WHEN one < 0.95 THEN at + interval '1 hour' * (1 + 200 * two) END,
        (ARRAY['bug', 'question', 'billing', 'outage', 'request'])[1 + floor(one * 5)::int]
    FROM bench.fact_rows(rows, from_day, days, scale, seed + 10);
    INSERT INTO bench.answers SELECT account_id, account_id * 64 + floor(one * (5 + account_id % 40))::bigint, at, floor(power(two, 0.5) * 11)::int
    FROM bench.fact_rows(rows, from_day, days, scale, seed + 20);
    INSERT INTO bench.subscriptions SELECT account_id, at::date, at::date + 30 + floor(one * 12)::int * 30, (5 + account_id % 40) * (ARRAY[9, 19, 49])[1 + floor(two * 3)::int],
        (ARRAY['basic', 'team', 'pro'])[1 + floor(two * 3)::int]
    FROM bench.fact_rows(rows, from_day, days, scale, seed + 30);
    INSERT INTO bench.invoices SELECT account_id, at::date, CASE WHEN one < 0.97 THEN at::date + floor(two * 40)::int END, (5 + account_id % 40) * 19
    FROM bench.fact_rows(rows, from_day, days, scale, seed + 40);
    INSERT INTO bench.trainings SELECT account_id, account_id * 64 + floor(one * (5 + account_id % 40))::bigint, at, (ARRAY['start', 'expert', 'admin'])[1 + floor(two * 3)::int]
    FROM bench.fact_rows(rows, from_day, days, scale, seed + 50)
$$;
SELECT bench.add_facts(ceil(:scale * 1000000)::bigint, current_date - 1095, 1095, :scale, 100) \g /dev/null
VACUUM (ANALYZE) bench.events_facts, bench.tickets, bench.answers, bench.subscriptions, bench.invoices, bench.trainings;

CREATE FUNCTION bench.with_facts(model jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT model || jsonb_build_object('facts', '{
        "tickets": {"table": "bench.tickets", "account": "account_id", "at": "opened_at", "until": "resolved_at", "kind": "category"},
        "answers": {"table": "bench.answers", "account": "account_id", "user": "user_id", "at": "answered_at", "value": "score", "scale": "nps"},
        "subscriptions": {"table": "bench.subscriptions", "account": "account_id", "at": "starts_on", "until": "ends_on", "value": "mrr", "kind": "plan"},
        "invoices": {"table": "bench.invoices", "account": "account_id", "at": "issued_on", "until": "paid_on", "value": "amount"},
        "trainings": {"table": "bench.trainings", "account": "account_id", "user": "user_id", "at": "held_at", "kind": "topic"}}'::jsonb,
        'revenue', '{"fact": "subscriptions"}'::jsonb,
        'signals', (SELECT p.definition -> 'signals' FROM health.presets() AS p WHERE p.name = model ->> 'preset') || '[
        {"name": "open_tickets", "fact": "tickets", "measure": "open", "normalize": {"kind": "linear", "worst": 20, "best": 0}},
        {"name": "bugs", "fact": "tickets", "measure": "share", "kind": "bug", "window_days": 90, "normalize": {"kind": "linear", "worst": 1, "best": 0}},
        {"name": "resolution", "fact": "tickets", "measure": "mean_days", "normalize": {"kind": "linear", "worst": 10, "best": 0}},
        {"name": "tickets_change", "fact": "tickets", "measure": "change", "normalize": {"kind": "linear", "worst": 1, "best": -1}},
        {"name": "nps", "fact": "answers", "measure": "nps", "normalize": {"kind": "linear", "worst": -100, "best": 100}},
        {"name": "mrr", "fact": "subscriptions", "measure": "open_sum", "normalize": {"kind": "linear", "worst": 0, "best": 9000}},
        {"name": "renewal", "fact": "subscriptions", "measure": "days_left", "normalize": {"kind": "linear", "worst": 0, "best": 90}},
        {"name": "unpaid", "fact": "invoices", "measure": "open_sum", "normalize": {"kind": "linear", "worst": 1000, "best": 0}},
        {"name": "trained", "fact": "trainings", "measure": "days_since", "normalize": {"kind": "linear", "worst": 90, "best": 0}},
        {"name": "trainings", "fact": "trainings", "measure": "count", "window_days": 90, "normalize": {"kind": "linear", "worst": 0, "best": 5}}]'::jsonb)
$$;

\o /dev/null
SET client_min_messages = warning;
SELECT health.create_model('bench_usage', bench.model('bench.events_facts'));
SELECT health.create_model('bench_facts', bench.with_facts(bench.model('bench.events_facts')));
SELECT health.track('bench_usage'), health.track('bench_facts');
CALL health.backfill('bench_usage');
CALL health.backfill('bench_facts');
\o
