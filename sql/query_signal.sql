-- Query signals with dates: each date sees the answer that was the last one then.
set datestyle = 'ISO';
create schema app;
create table app.accounts (account_id int primary key, company text);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
create table app.surveys (account_id int, score int, answered_at timestamptz);
insert into app.accounts values (1, 'Acme'), (2, 'Bolt'), (3, 'Calm'), (4, 'Dune');
insert into app.surveys values (1, 9, '2025-01-10'), (1, 4, '2025-02-20'), (1, 1, '2025-04-01'), (2, 3, '2025-03-20'), (2, 5, '2025-03-10'),
  (3, 7, null), (4, 6, '2025-03-02 23:30+00');
select health.create_model('m', '{
  "as_of": "2025-03-03", "time_zone": "Europe/Berlin", "minimum_coverage": 0,
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "survey", "query": "select account_id, score, answered_at from app.surveys", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]
}');
-- The last answer before as_of, not one of the future; without a date it holds always. Dune answered at half past midnight of as_of, in Berlin.
select a.account_id, e.raw_text, e.reason, e.phrase from app.accounts a, health.explain('m', a.account_id) e where e.signal = 'survey' order by 1;
-- On 3 February the first answer stood.
select step, raw_from, raw_to, round(points::numeric, 3) as points from health.explain('m', 1, '2025-02-03', '2025-03-03');
-- Later the future has come.
select a.account_id, round(e.points::numeric, 3) as points, e.phrase from app.accounts a, health.explain('m', a.account_id, '2025-03-03', '2025-04-02') e
where e.step = 'total' order by 1;
-- The session's time zone does not matter.
set timezone = 'Asia/Tokyo';
select raw_text, reason from health.explain('m', 4) where signal = 'survey';
-- Without dates, the highest of several values.
select health.create_model('undated', health.model_definition('m') ||
  '{"signals": [{"name": "survey", "query": "select account_id, score from app.surveys", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}');
select raw_text from health.explain('undated', 1) where signal = 'survey';
select count(health.drop_model(name, cascade => true)::text) as dropped from health_internal.model;
set client_min_messages = warning;
drop schema app cascade;
