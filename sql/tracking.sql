-- Tracked models: the same scores as from the events, whatever happens to them; history, past days, frozen scores, clean removal.
set client_min_messages = warning;
select setval('health_internal.ledger_source_id_seq', 7000) \g /dev/null
create schema app;
create table app.accounts (account_id int primary key, company text, customer_since date, seats int, plan text);
create table app.users (user_id int primary key, account_id int, joined_at date, left_on date, robot boolean default false);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz, seconds float8);
insert into app.accounts select a, 'Account ' || a, '2024-01-01', 3 + a % 4, (array['free', 'pro', 'team'])[1 + a % 3] from generate_series(1, 12) a;
insert into app.users select u, 1 + u % 12, '2024-01-01' from generate_series(1, 48) u;
insert into app.events
select 1 + u % 12, u, (array['made', 'read', 'shared'])[1 + (u + d) % 3], timestamptz '2025-06-29 12:00+00' - d * interval '1 day', d % 7
from generate_series(1, 48) u, generate_series(0, 120) d where (u * 7 + d * 5) % (2 + u % 5) = 0;

create function app.model() returns jsonb language sql return '{
  "as_of": "2025-06-30", "time_zone": "Europe/Berlin",
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "start": "customer_since", "seats": "seats", "columns": {"plan": "plan"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id", "joined": "joined_at", "deactivated": "left_on", "exclude": "robot"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at", "amount": "seconds"},
  "catalog": {"made": {"role": ["create", "activate"], "value": 8}, "read": {"role": "consume", "value": 2}, "shared": {"role": "interact", "value": 5}},
  "signals": [
    {"name": "adoption", "weight": 3, "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "trend", "weight": 2, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.2}},
    {"name": "seconds", "weight": 1, "metric": "amount_mean", "normalize": {"kind": "linear", "worst": 0, "best": 6}},
    {"name": "tenure", "weight": 1, "expression": "as_of - customer_since", "normalize": {"kind": "linear", "worst": 0, "best": 900}},
    {"name": "plan", "weight": 1, "column": "plan", "normalize": {"kind": "map", "map": {"free": 30, "pro": 70, "team": 90}}}]}'::jsonb;
select health.create_model('t', app.model()), health.create_model('plain', app.model());
select health.create_score_view('t', 'app.t'), health.create_score_view('plain', 'app.plain', materialized => false);

-- How many rows of the tracked score view are not those of a plain view over the events, and the other way round.
create function app.differences(out accounts bigint, out signals bigint, out history bigint, out ledger bigint) language sql as $$
  with t as (select to_jsonb(x) - 'model' as row from app.t x), p as (select to_jsonb(x) - 'model' as row from app.plain x)
  select (select count(*) from ((table t except table p) union all (table p except table t)) x),
         (select count(*) from ((select * from app.t_signals except select * from app.plain_signals) union all (select * from app.plain_signals except select * from app.t_signals)) x),
         (select count(*) from (select * from app.plain_history except select * from app.t_history) x),
         (select count(*) from health.verify('t'))
$$;

select health.track('t');
select * from health.verify('t');    -- not read yet
select phase, percent from health.status('t');
call health.backfill('t');
select * from app.differences();
select c.relname, c.relkind from pg_class c where c.relnamespace = 'app'::regnamespace and c.relname ~ '^t(_|$)' and c.relkind <> 'i' order by 1;
select source, mode, phase, percent, events_read, changes_waiting, bad_rows, tracking_broke, accounts_rescored, scored_as_of, error from health.status('t');

-- Changes of events.
insert into app.events values (1, 1, 'made', '2025-06-28 10:00+00', 4), (2, 1000, 'read', '2025-03-01 10:00+00', null), (99, 5, 'read', '2025-06-01', 1);
update app.events set event_name = 'made' where user_id = 7 and event_name = 'read';
update app.events set account_id = 3 where user_id = 12;
update app.events set user_id = 13 where user_id = 14 and seconds = 3;
update app.events set occurred_at = occurred_at - interval '100 days' where user_id = 15;
update app.events set seconds = seconds * 1.25 where user_id = 16;
delete from app.events where user_id in (20, 21);
begin; delete from app.events; rollback;
begin; savepoint a; delete from app.events; rollback to a; insert into app.events values (4, 4, 'shared', '2025-06-20', 1); commit;
select changes_waiting > 0 as waiting from health.status('t');
select count(*) from health.verify('t');    -- with what waits
call health.refresh('t');
select * from app.differences();
select accounts_rescored between 5 and 11 as only_some from health.status('t');
-- Changes are added to what was read last: a row per account and quarter.
select 'health_data.chunk_' || id as chunks from health_internal.ledger_source where model = 't' \gset
select count(*) > 0 as some, count(*) = count(distinct (account_id, period)) as one_each from :chunks;
call health.refresh('t');
select accounts_rescored from health.status('t');
select * from health.verify('t', '7');
select * from health.verify('t', 'seven');

-- Scores are written so many accounts at a time, all of them once; those that are gone are left out.
begin;
create temporary table before as table app.t;
select 'health_data.stale_' || id as stale, 'health_data.score_' || id as scores, 'health_data.book_' || id as book from health_internal.tracking where model = 't' \gset
insert into :stale select account_id from :book union all select 999;
delete from :scores where account_id % 2 = 0;
select health_internal.write_scores(t, 5) = (select count(*) from before) as all_written from health_internal.tracking t where model = 't';
select (select count(*) from :stale) as left_over, (select count(*) from app.t) = (select count(*) from before) as all_there,
       (select count(*) from (select n::text from app.t n except select n::text from before n) d) as differences;
rollback;

-- Changes of accounts and users have no triggers; the refresh sees them all the same.
update app.accounts set plan = 'team', seats = 9 where account_id = 5;
insert into app.accounts values (13, 'New', '2025-06-20', 2, 'pro'), (99, 'Late', '2025-01-01', 5, 'pro');
delete from app.accounts where account_id = 12;
update app.users set left_on = '2025-06-10' where user_id = 30;
update app.users set robot = true where user_id = 31;
insert into app.users values (60, 13, '2025-06-21', null);
call health.refresh('t');
select accounts, signals, ledger from app.differences();
select accounts_rescored from health.status('t');
update app.users set robot = false;
select health.refresh_score_view('app.t');
select accounts, signals, ledger from app.differences();

-- Explanations read the ledger; past days have the account data of the day once it is recorded.
select count(*) as differences from ((select * from health.explain('t', 5)) except (select * from health.explain('plain', 5))) x;
select count(*) from ((select account_id, name, as_of_date, score, band from health.score_at('t', '2025-06-30')) except (select account_id::text, name, as_of, score, band from app.t)) x;
select count(*) from health.score_at('t', '2025-06-30');
select h.plan as recorded, x.plan as present
from (select round(score) as plan from health.score_at('t', '2025-06-20') where account_id = '5') h, (select round(score) as plan from health.score_at('plain', '2025-06-20') where account_id = '5') x;
select signal, raw_from, raw_to from health.explain('t', 5, '2025-06-20', '2025-06-30') where signal in ('plan', 'tenure') order by 1;
select min(as_of), max(as_of), count(*), count(distinct account_id) from app.t_history;
select health.backfill_history('t', '2025-01-01', '2025-03-31', 30);
select as_of, round(score::numeric, 2) = (select round(score::numeric, 2) from health.score_at('plain', h.as_of) where account_id = '1') as same from app.t_history h where account_id = 1 and as_of < '2025-04-01' order by 1;
select health.backfill_history('t', '2025-07-01', '2025-07-02');
select health.backfill_history('t', '2025-03-02', '2025-03-01');
select health.backfill_history('t', '2025-03-01', '2025-03-02', 0);
select * from health.score_at('t', null);

-- Rows that are no events never stop a writer. They are said until they are mended.
insert into app.events values (1, 1, 'made', 'infinity', 1), (1, 1, 'made', '2025-06-01', 'NaN'), (1, 1, '', '2025-06-01', 1), (null, 1, 'made', '2025-06-01', 1);
call health.refresh('t');
select bad_rows from health.status('t');
select count(*) from health.verify('t');
delete from app.events where occurred_at = 'infinity' or seconds = 'NaN' or event_name = '' or account_id is null;
call health.refresh('t');
select bad_rows, (select count(*) from health.verify('t')) from health.status('t');

-- Truncated, rewritten, or without its trigger: the events are read from the start.
vacuum full app.events;
call health.refresh('t');
select accounts, signals, ledger from app.differences();
create table app.kept as select * from app.events;
truncate app.events;
insert into app.events select * from app.kept where user_id % 2 = 0;
call health.refresh('t');
select accounts, signals, ledger from app.differences();
select 'alter table app.events disable trigger ' || tgname from pg_trigger where tgrelid = 'app.events'::regclass \gexec
insert into app.events select * from app.kept where user_id % 2 = 1;
select phase from health.status('t');
call health.refresh('t');
select 'alter table app.events enable trigger ' || tgname from pg_trigger where tgrelid = 'app.events'::regclass \gexec
call health.refresh('t');
select accounts, signals, ledger from app.differences();
alter table app.events rename column event_name to name;
insert into app.events values (1, 1, 'made', '2025-06-28 11:00+00', 4);    -- the writer goes on
call health.refresh('t');
select error is not null as failed, phase from health.status('t');
alter table app.events rename column name to event_name;
call health.refresh('t');
select error, phase, (select count(*) from health.verify('t')) from health.status('t');

-- A new version with the same sources keeps the ledger; with others it is another.
select health.alter_model('t', '{"description": "second"}');
select health.alter_model('plain', '{"description": "second"}');
call health.refresh('t');
select health.refresh_score_view('app.plain');
select accounts, signals, ledger from app.differences();
select model_version, count(*) from app.t group by 1;
select health.alter_model('t', '{"time_zone": "Asia/Tokyo"}');
select health.alter_model('t', '{"time_zone": "Asia/Tokyo"}', restart => true), health.alter_model('plain', '{"time_zone": "Asia/Tokyo"}');
call health.refresh('t');
select health.refresh_score_view('app.plain');
select accounts, signals, ledger from app.differences();

-- GDPR: the rows first, then what is left.
select health.forget_user('t', '7');
delete from app.events where user_id = 7;
delete from app.users where user_id = 7;
select health.forget_user('t', '7');
-- What was read in several batches may have a user in one part that is taken out again in another.
select 'health_data.chunk_' || id as chunks from health_internal.ledger_source where model = 't' \gset
insert into :chunks
select 1, '2025-04-01', part, case part when 98 then u else '{}' operator(health.-) u end
from (select health.usage_agg(7, 'made', '2025-04-02 00:00+00'::timestamptz, 'UTC') as u) as one, generate_series(98, 99) as part;
select health.forget_user('t', '7');
select count(*) from :chunks where usage operator(health.<>) health.without_user(usage, '7');
select count(*) from health.verify('t');
select health.forget_user('t', null);

-- Taken off, the view reads the events again; nothing is left behind.
select health.untrack('t');
select c.relname, c.relkind from pg_class c where c.relnamespace = 'app'::regnamespace and c.relname ~ '^t(_|$)' and c.relkind <> 'i' order by 1;
select count(*) from ((select to_jsonb(x) - 'model' from app.t x) except (select to_jsonb(x) - 'model' from app.plain x)) x;
select (select count(*) from pg_class where relnamespace = 'health_data'::regnamespace), (select count(*) from pg_trigger where tgrelid = 'app.events'::regclass), (select count(*) from health_internal.ledger_source);
select health.untrack('t');
select * from health.status('t');
select health.track(null);
call health.backfill(null);
call health.refresh(null);
select health.track('nothing');

-- Window mode: the last days are read again, the rest stays in the ledger.
select health.track('t', window_days => 0);
select health.track('t', window_days => 30);
call health.backfill('t');
select accounts, signals, history from app.differences();
select mode, phase, percent, changes_waiting from health.status('t');
select health.track('t');
call health.backfill('plain');
call health.refresh('plain');
select health.drop_model('t', cascade => true);
select (select count(*) from pg_class where relnamespace = 'health_data'::regnamespace), (select count(*) from health_internal.tracking);
select health.drop_model('plain', cascade => true);

-- Tracking that broke is not churn: scores are frozen, with the reason, until the volume is usual again or somebody says that this is how it is.
insert into app.events select 1 + n % 3, n % 9, 'made', timestamptz '2025-06-29 12:00+00' - d * interval '1 day' from generate_series(1, 60) n, generate_series(0, 69) d;
select health.create_model('f', app.model() || '{"history": {"retention_months": 1}}');
select health.create_score_view('f', 'app.f');
select health.track('f');
call health.backfill('f');
select chunk_table::regclass as chunk from health_internal.ledger_source where model = 'f' \gset
select (select min(period) from :chunk) as first_quarter, (select min(as_of) from app.f_history) as first_day;
create table app.before as select * from app.f;
delete from app.events where occurred_at > '2025-06-29' and user_id <> 1;
set client_min_messages = notice;
call health.refresh('f');
call health.refresh('f');
select phase, tracking_broke from health.status('f');
select count(*) as frozen from app.f join app.f_history h using (account_id) where h.as_of = '2025-06-29' and f.as_of = h.as_of and f.score is not distinct from h.score and f.unknown_reason ~ '^tracking_broke';
select count(*) from health.verify('f');
call health.refresh('f', ignore_volume => true);
select phase, tracking_broke from health.status('f');
select count(*) filter (where f.score is distinct from b.score) > 0 as moved, count(f.unknown_reason) from app.f join app.before b using (account_id);
call health.refresh('f');
set client_min_messages = warning;
-- Keeping more than before means to read what was dropped.
select health.alter_model('f', '{"history": {"retention_months": 24}}');
call health.refresh('f', ignore_volume => true);
select (select min(period) from :chunk) as first_quarter, (select count(*) from health.verify('f')) as differences;
select health.drop_model('f', cascade => true);

-- What cannot be followed is refused, with the mode that fits.
create view app.recent as select * from app.events;
create unlogged table app.fast (like app.events);
create table app.parent (like app.events);
create table app.child () inherits (app.parent);
create table app.secret (like app.events);
create function app.try_track(events jsonb) returns void language plpgsql as $$
declare hint text; detail text;
begin
  perform health.create_model('w', app.model() || jsonb_build_object('events', events || '{"user": "user_id", "event": "event_name", "occurred_at": "occurred_at"}'));
  begin
    perform health.track('w');
  exception when others then
    get stacked diagnostics hint = pg_exception_hint;
    raise warning '% % (%)', sqlstate, sqlerrm, hint;
  end;
  perform health.drop_model('w', cascade => true);
end $$;
select app.try_track('{"table": "app.recent", "account": "account_id"}');
select app.try_track('{"table": "app.fast", "account": "account_id"}');
select app.try_track('{"table": "app.parent", "account": "account_id"}');
select app.try_track('{"query": "select * from app.events", "account": "account_id"}');
select app.try_track('{"table": "app.events"}');
select app.try_track('{"table": "app.events", "account": "account_id", "filter": "occurred_at > now() - interval ''1 year''"}');
select app.try_track('{"table": "app.events", "account": "account_id", "filter": "user_id not in (select user_id from app.users where robot)"}');
select app.try_track('{"table": "app.events", "account": "account_id", "filter": "random() > 0.5"}');
create role tracking_owner;
grant usage, create on schema app to tracking_owner;
grant select on all tables in schema app to tracking_owner;
set role tracking_owner;
select app.try_track('{"table": "app.events", "account": "account_id"}');
reset role;
grant trigger on app.events to tracking_owner;
alter table app.events enable row level security;
set role tracking_owner;
select app.try_track('{"table": "app.events", "account": "account_id"}');
reset role;
alter table app.events disable row level security;

-- The ledgers belong to the owner of the model; whoever writes events needs no right on them, and nobody else gets at them.
set role tracking_owner;
select health.create_model('o', app.model()), health.track('o');
call health.backfill('o');
reset role;
create role tracking_writer;
grant usage on schema app to tracking_writer;
grant insert, delete, select on app.events to tracking_writer;
set role tracking_writer;
insert into app.events values (1, 1, 'made', '2025-06-20', 1);
delete from app.events where user_id = 2;
select * from health.status('o');
call health.refresh('o');
select health.untrack('o');
select count(*) from health_data.chunk_7004;
select (select count(*) from health_internal.ledger_source) + (select count(*) from health_internal.tracking);
-- What touches the catalog by hand.
\set SHOW_CONTEXT never
insert into health_internal.ledger_source (model, path, chunk_table, account, user_id, event, moment, account_kind, user_kind, search_path, event_rows)
values ('o', 'x', 1, '', '', '', '', 'text', 'text', '', '');
insert into health_internal.ledger_source (model, path, chunk_table, account, user_id, event, moment, account_kind, user_kind, search_path, event_rows)
values ('of nobody', 'x', 1, '', '', '', '', 'text', 'text', '', '');
\set SHOW_CONTEXT errors
update health_internal.tracking set error = 'mine';
delete from health_internal.ledger_batch;
reset role;
select error from health_internal.tracking where model = 'o';
call health.refresh('o');    -- as its owner, whoever calls
set role tracking_owner;
call health.refresh('o');
select count(*) from health.verify('o');
select health.drop_model('o');    -- dropping a trigger is for the owner of the table
reset role;
select 'drop trigger ' || tgname || ' on app.events' from pg_trigger where tgrelid = 'app.events'::regclass \gexec
set role tracking_owner;
select health.drop_model('o');
reset role;
-- A version that is taken over days late: the history has the days between.
select health.create_model('late', app.model() || '{"as_of": "2025-06-25"}'), health.create_score_view('late', 'app.late'), health.track('late');
call health.backfill('late');
select health.alter_model('late', '{"as_of": "2025-06-28"}');
call health.refresh('late');
select as_of, model_version, count(score) > 0 as scored from app.late_history where as_of >= '2025-06-24' group by 1, 2 order by 1;
select health.drop_model('late', cascade => true);
drop schema app cascade;
drop owned by tracking_owner, tracking_writer;
drop role tracking_owner, tracking_writer;
