-- An expression that is sound but fails for some row: its value is unknown. A query that fails cannot be mended row by row, and the error
-- names its place in the document, wherever it comes to light.
create schema app;
create table app.accounts (account_id int primary key, company text, seats int, arr numeric);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz, amount text);
insert into app.accounts values (1, 'Acme', 10, 12000), (2, 'Bolt', 0, 500);
insert into app.events values (1, 1, 'login', '2025-02-20 12:00+00', '1.5'), (1, 2, 'login', '2025-02-21 12:00+00', 'two');
create function app.sound() returns jsonb language sql as $$
  select '{
    "as_of": "2025-03-03",
    "accounts": {"table": "app.accounts", "id": "account_id", "name": "company"},
    "events": [{"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"}],
    "signals": [{"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]
  }'::jsonb $$;

select health.create_model('m', app.sound());
select health.create_score_view('m', 'app.health');
-- A signal, in a new view, in one that is refreshed, in an explanation; accounts for which it works can be explained.
select health.alter_model('m', '{"signals": [{"name": "per_seat", "expression": "arr / seats", "normalize": {"kind": "linear", "worst": 0, "best": 1200}}]}');
select health.create_score_view('m', 'app.other');
select health.refresh_score_view('app.health');
select health.explain('m', 2);
select round(normalized) as score from health.explain('m', 1) where signal = 'score';
-- The row is there, its value unknown.
select account_id, model_version from app.health order by 1;
-- A filter leaves the row out.
select health.alter_model('m', '{"accounts": {"table": "app.accounts", "id": "account_id", "filter": "seats > 0"}}');
select health.refresh_score_view('app.health');
select account_id, model_version, round(score) as score from app.health order by 1;
-- Percentiles are read when the model is made.
select health.create_model('p', app.sound() || '{"signals": [{"name": "per_seat", "expression": "arr / seats", "normalize": {"kind": "percentile"}}]}');
-- Columns, amounts, queries.
select health.create_model('c', jsonb_set(app.sound(), '{accounts,columns}', '{"size": {"sql": "company::int"}}'));
select health.create_score_view('c', 'app.c');
select health.create_model('e', jsonb_set(app.sound(), '{events,0,amount}', '{"sql": "amount::numeric"}'));
select health.create_score_view('e', 'app.e');
set search_path = app;
select health.create_model('q', app.sound() || '{"signals": [{"name": "q", "query": "select account_id, 1 / seats from accounts", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
reset search_path;
select health.create_score_view('q', 'app.q');
-- A day of the past is one day.
select health.create_model('d', app.sound() || '{"signals": [{"name": "d", "expression": "1.0 / (as_of - date ''2025-02-20'')", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
select round(normalized) as score from health.explain('d', 1) where signal = 'score';
select health.create_score_view('d', 'app.d');
-- An account that is not there is asked for under the author's search_path as well.
select health.explain('q', 'x');

select count(health.drop_model(name, cascade => true)::text) as dropped from health_internal.model;
set client_min_messages = warning;
drop schema app cascade;

-- A subquery that finds two rows: whatever asks says where it stands.
create schema two;
create table two.acc (id int primary key, since date, gone date);
insert into two.acc select g, date '2025-01-01', null from generate_series(1, 4) g;
create table two.plans (account int, plan text);
insert into two.plans values (1, 'a'), (2, 'a'), (2, 'b');
create table two.ev (account int, who int, name text, at date);
insert into two.ev select 1 + g % 4, g % 3, 'made', date '2025-03-02' - g from generate_series(1, 40) g;
create table two.subs (account int, b date, e date, mrr int);
insert into two.subs values (1, '2025-01-01', null, 10);
select health.create_model('two', '{"as_of": "2025-03-03", "accounts": {"table": "two.acc", "id": "id", "start": "since", "end": "gone",
    "columns": {"plan": {"sql": "(select p.plan from two.plans p where p.account = src.id)"}}},
  "events": {"table": "two.ev", "account": "account", "user": "who", "event": "name", "occurred_at": "at"}, "catalog": {"made": {"role": "activate"}},
  "facts": {"subs": {"table": "two.subs", "account": "account", "at": "b", "until": "e", "value": "mrr"}}, "revenue": {"fact": "subs"},
  "signals": [{"name": "u", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 3}}]}');
select health.create_score_view('two', 'two.v');
select * from health.mrr_movements('two', '2025-01-01', '2025-03-01', segment => 'plan');
select * from health.cohorts('two', 'plan', 'active');
select * from health.time_to_value_summary('two', 'plan');
-- Of a start, which everything reads; the second row comes later.
delete from two.plans where plan = 'b';
select health.alter_model('two', '{"accounts": {"table": "two.acc", "id": "id", "start": {"sql": "(select date ''2025-01-01'' from two.plans p where p.account = src.id)"}}}');
insert into two.plans values (2, 'b');
select * from health.tracking_plan('two');
select * from health.score_at('two', '2025-03-01');
select health.drop_model('two');
drop schema two cascade;
