-- Every mistake in a model document gets an error that names the place and the way out, and leaves nothing behind.
set datestyle = 'ISO';
create schema app;
create table app.accounts (account_id int primary key, company text, customer_since date, plan text, seats int, renewal date, settings jsonb);
create table app.users (user_id uuid primary key, account_id int, joined_at timestamptz);
create table app.events (event_id int, account_id int, user_id uuid, event_name text, occurred_at timestamptz, epoch bigint, note text);
create table app."Mixed Case" (id int);
create index accounts_company on app.accounts (company);

create function app.sound() returns jsonb language sql as $$
  select '{
    "as_of": "2025-03-03",
    "accounts": {"table": "app.accounts", "id": "account_id", "name": "company"},
    "events": [{"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"}],
    "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]
  }'::jsonb $$;
create function app.try(path text[], value jsonb) returns setof record language sql as $$
  select p.path, p.problem, p.hint from health.validate_model(jsonb_set(app.sound(), path, value)) p $$;
\x
select * from health.validate_model(app.sound());

-- Tables.
select * from app.try('{accounts,table}', '"app.acounts"') as (path text, problem text, hint text);
select * from app.try('{accounts,table}', '"accounts"') as (path text, problem text, hint text);
select * from app.try('{accounts,table}', '"zzzzzzzzzz"') as (path text, problem text, hint text);
select * from app.try('{accounts,table}', '"app.accounts_company"') as (path text, problem text, hint text);
select * from app.try('{accounts}', '{"table": "app.Mixed Case", "id": "id"}') as (path text, problem text, hint text);
select * from app.try('{accounts}', '{"query": "select * from app.acounts", "id": "account_id"}') as (path text, problem text, hint text);
select * from app.try('{accounts}', '{"query": "select account_id frm app.accounts", "id": "account_id"}') as (path text, problem text, hint text);
select * from app.try('{accounts}', '{"query": "select account_id as account from app.accounts;", "id": "account_id"}') as (path text, problem text, hint text);

-- Columns, expressions, types.
select * from app.try('{events,0,occurred_at}', '"occured_at"') as (path text, problem text, hint text);
select * from app.try('{events,0,user}', '"qqqqqqq"') as (path text, problem text, hint text);
select * from app.try('{events,0,occurred_at}', '"epoch"') as (path text, problem text, hint text);
select * from app.try('{events,0,occurred_at}', '"note"') as (path text, problem text, hint text);
select * from app.try('{events,0,amount}', '"note"') as (path text, problem text, hint text);
select * from app.try('{events,0,event}', '{"sql": "lower(event_nam)"}') as (path text, problem text, hint text);
select * from app.try('{events,0,event}', '{"sql": "lower(event_name"}') as (path text, problem text, hint text);
select * from app.try('{events,0,filter}', '"event_name"') as (path text, problem text, hint text);
select * from app.try('{events,0,filter}', '"not is_tset"') as (path text, problem text, hint text);
select * from app.try('{events,0,time_zone}', '"Europe/Berlyn"') as (path text, problem text, hint text);
select * from app.try('{time_zone}', '"Asia/Tokio"') as (path text, problem text, hint text);
select * from app.try('{accounts,seats}', '"plan"') as (path text, problem text, hint text);
select * from app.try('{accounts,columns}', '{"events": "plan"}') as (path text, problem text, hint text);
select * from app.try('{users}', '{"table": "app.users", "id": "user_id", "joined": "joined_at"}') as (path text, problem text, hint text);

-- Signals.
select * from app.try('{signals,0}', '{"name": "plan", "column": "plan_tier", "normalize": {"kind": "map", "map": {"pro": 80}}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "plan", "column": "plan", "normalize": {"kind": "linear", "worst": 0, "best": 1}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "renewal", "column": "renewal", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "settings", "column": "settings", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "renewal", "expression": "renewl - as_of", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "renewal", "expression": "days_until(renewal)", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "nps", "query": "select account_id from app.accounts", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "nps", "query": "select account_id, renewal from app.accounts", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "seats", "column": "seats", "normalize": {"kind": "percentile", "segment": "industry"}}') as (path text, problem text, hint text);
select * from app.try('{signals,0,normalize,best}', '0') as (path text, problem text, hint text);
-- Expressions see one row and give one value.
select * from app.try('{accounts,id}', '{"sql": "account_id, 1"}') as (path text, problem text, hint text);
select * from app.try('{accounts,id}', '{"sql": "count(*)"}') as (path text, problem text, hint text);
select * from app.try('{accounts,filter}', '"max(seats) > 1"') as (path text, problem text, hint text);
select * from app.try('{events,0,user}', '{"sql": "unnest(array[user_id])"}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "n", "expression": "row_number() over ()", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "n", "expression": "sum(seats)", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0}', '{"name": "n", "expression": "(select count(*) from app.events e where e.account_id = src.account_id)", "normalize": {"kind": "linear", "worst": 0, "best": 90}}') as (path text, problem text, hint text);
select * from app.try('{signals,0,metric}', '"activation_rat"') as (path text, problem text, hint text);

-- Presets.
select * from health.validate_model('{"preset": "colaboration"}');
select * from health.validate_model('[]');
-- Several at once: all of them, each once.
select * from health.validate_model('{"accounts": {"table": "app.accounts", "id": "acount_id"}, "events": {"table": "app.evnts"}, "signals": []}');
\x

-- create_model raises the first and tells of the others; SQLSTATEs tell them apart.
\set VERBOSITY sqlstate
select health.create_model('m', jsonb_set(app.sound(), '{events,0,occurred_at}', '"occured_at"'));
select health.create_model('m', jsonb_set(app.sound(), '{accounts,table}', '"app.acounts"'));
select health.create_model('m', jsonb_set(app.sound(), '{signals,0,normalize,best}', '0'));
select health.create_model('m', jsonb_set(app.sound(), '{events,0,event}', '{"sql": "lower(event_name"}'));
\set VERBOSITY default
select health.create_model('m', jsonb_set(app.sound(), '{events,0,occurred_at}', '"occured_at"'));
select health.create_model('m', '{"accounts": {"table": "app.accounts", "id": "acount_id"}, "events": {"table": "app.evnts"}, "signals": []}');

-- A source that changes later: the model says what is missing, and works again once it is back.
select health.create_model('m', app.sound());
alter table app.events rename event_name to event;
select * from health.explain('m', 1);
select health.create_score_view('m', 'app.health');
select count(*) from pg_class where relnamespace = 'app'::regnamespace and relname like 'health%';
alter table app.events rename event to event_name;
select health.create_score_view('m', 'app.health');
select health.drop_model('m', cascade => true);
select count(*) from health_internal.model;
set client_min_messages = warning;
drop schema app cascade;
