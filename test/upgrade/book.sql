-- What users have in a database when a release comes: models of two owners, tracked and not, score views of every kind with grants and
-- with views on top of them, history, and captured changes that no refresh has folded in. By documented names only: every release runs it.
set client_min_messages = warning;
select format('create role %I', r.name) from (values ('upgrade_ann'), ('upgrade_bob'), ('upgrade_reader')) as r (name)
where not exists (select from pg_roles where rolname = r.name) \gexec
create schema app authorization upgrade_ann;
create schema bob authorization upgrade_bob;
grant usage on schema app to public;
grant usage on schema bob to upgrade_reader;

set role upgrade_ann;
set search_path = app;
create table accounts (account_id int primary key, company text, customer_since date, seats int, plan text);
create table users (user_id int primary key, account_id int, joined_at date, robot boolean default false);
create table events (account_id int, user_id int, event_name text, occurred_at timestamptz, seconds float8);
create table visits (account_id int, user_id int, page text, at timestamptz) partition by range (at);
create table visits_1 partition of visits for values from (minvalue) to ('2025-05-01');
create table visits_2 partition of visits for values from ('2025-05-01') to (maxvalue);
insert into accounts
select a, 'Account ' || a, '2024-01-01', 3 + a % 4, (array['free', 'pro', 'team'])[1 + a % 3] from generate_series(1, 12) a;
insert into users select u, 1 + u % 12, '2024-01-01', u % 17 = 0 from generate_series(1, 48) u;
insert into events
select 1 + u % 12, u, (array['made', 'read', 'shared'])[1 + (u + d) % 3], timestamptz '2025-06-29 12:00+00' - d * interval '1 day', d % 7
from generate_series(1, 48) u, generate_series(0, 120) d where (u * 7 + d * 5) % (2 + u % 5) = 0;
insert into visits
select 1 + u % 12, u, 'read', timestamptz '2025-06-29 18:00+00' - d * interval '1 day'
from generate_series(1, 48) u, generate_series(0, 90, 3) d;
grant select on all tables in schema app to upgrade_bob;

-- A name that only the author's search_path finds.
create function worth(plan text) returns int immutable language sql as
  $$ select case plan when 'free' then 30 when 'pro' then 70 else 90 end $$;
grant execute on function worth(text) to upgrade_bob;
create function definition() returns jsonb language sql as $$ select '{
  "as_of": "2025-06-30", "time_zone": "Europe/Berlin",
  "accounts": {"table": "accounts", "id": "account_id", "name": "company", "start": "customer_since", "seats": "seats",
               "columns": {"plan": "plan"}},
  "users": {"table": "users", "id": "user_id", "account": "account_id", "joined": "joined_at", "exclude": "robot"},
  "events": [{"table": "events", "account": "account_id", "user": "user_id", "event": {"sql": "lower(event_name)"},
              "occurred_at": "occurred_at", "amount": "seconds", "filter": "worth(event_name) > 0"},
             {"table": "visits", "account": "account_id", "user": "user_id", "event": "page", "occurred_at": "at"}],
  "catalog": {"made": {"role": ["create", "activate"], "value": 8}, "read": {"role": "consume", "value": 2},
              "shared": {"role": "interact", "value": 5}},
  "signals": [
    {"name": "adoption", "weight": 3, "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "trend", "weight": 2, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.2}},
    {"name": "tenure", "weight": 1, "expression": "as_of - customer_since", "normalize": {"kind": "linear", "worst": 0, "best": 900}},
    {"name": "plan", "weight": 1, "expression": "worth(plan)", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}'::jsonb $$;

-- Tracked by triggers, with a view on top of its score view; and of a version that changed the weights.
select health.create_model('kept', definition()) \g /dev/null
select health.create_score_view('kept', 'kept') \g /dev/null
select health.track('kept') \g /dev/null
call health.backfill('kept');
select health.alter_model('kept', jsonb_set('{}', '{signals}', jsonb_set(definition() -> 'signals', '{0,weight}', '4'))) \g /dev/null
call health.refresh('kept');
grant select on kept to upgrade_reader with grant option;
grant select on kept_signals to public;
create view worst as select account_id, score from kept order by score limit 3;
-- Tracked, and never read.
select health.create_model('unread', definition()) \g /dev/null
select health.track('unread') \g /dev/null
-- Plain views.
select health.create_model('computed', definition()) \g /dev/null
select health.create_score_view('computed', 'computed', materialized => false) \g /dev/null
grant select on computed_history to upgrade_reader;
create view computed_worst as select account_id, score from computed order by score limit 3;

-- Of another owner: materialized views, one of them under a view; and a window that is read again.
reset role;
set role upgrade_bob;
set search_path = bob, app;
select health.create_model('stored', definition()) \g /dev/null
select health.create_score_view('stored', 'stored') \g /dev/null
grant select on stored, stored_signals, stored_history to upgrade_reader;
select health.create_model('under', definition()) \g /dev/null
select health.create_score_view('under', 'under') \g /dev/null
create view over as select account_id, score, main_reason from under;
select health.create_model('window', definition()) \g /dev/null
select health.create_score_view('window', 'windowed') \g /dev/null
select health.track('window', window_days => 30) \g /dev/null
call health.backfill('window');
reset role;

-- Captured and waiting.
set role upgrade_ann;
insert into app.events values (1, 1, 'made', '2025-06-28 10:00+00', 4), (2, 1000, 'READ', '2025-03-01 10:00+00', null);
update app.events set account_id = 3 where user_id = 12;
delete from app.events where user_id in (20, 21);
update app.visits set at = '2025-06-25' where user_id = 5 and at < '2025-04-15';
