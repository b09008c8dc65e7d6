-- The extension's own types and tables are told by what they are, not by their names.
set client_min_messages = warning;
\set VERBOSITY terse
select setval('health_internal.ledger_source_id_seq', 9100) \g /dev/null
create schema app;
create table app.accounts (account_id int primary key);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
insert into app.accounts values (1), (2);
insert into app.events values (1, 1, 'view', '2025-06-01 12:00+00'), (2, 2, 'view', '2025-06-02 12:00+00');
select health.create_model('own', '{
  "as_of": "2025-06-30", "time_zone": "UTC",
  "accounts": {"table": "app.accounts", "id": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "users", "weight": 1, "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 2}}]}');
select health.track('own');
call health.backfill('own');

-- A table whose usage is of another type of that name is no table of chunks: an enum's number is no pointer.
create schema other;
create type other.usage as enum ('a');
create table other.chunks (account_id bigint, period date, part int, usage other.usage);
insert into other.chunks values (1, '2025-01-01', 0, 'a');
begin;
update health_internal.ledger_source set chunk_table = 'other.chunks'::regclass where id = 9101;
select health_internal.fold_events(9101, 'app.events'::regclass, 0, 1, 7);
rollback;

-- Nor is it when its schema took the place of the extension's, or the type was made a member of the extension.
begin;
update health_internal.ledger_source set chunk_table = 'other.chunks'::regclass where id = 9101;
alter schema health rename to renamed;
alter schema other rename to health;
select health_internal.fold_events(9101, 'app.events'::regclass, 0, 1, 7);
rollback;
begin;
update health_internal.ledger_source set chunk_table = 'other.chunks'::regclass where id = 9101;
alter extension account_health add type other.usage;
select health_internal.fold_events(9101, 'app.events'::regclass, 0, 1, 7);
rollback;

-- Writers are captured while schemas have other names, and a table that took the name of the catalog's is not read.
begin;
alter schema health_internal rename to renamed;
create schema health_internal;
create table health_internal.ledger_source_table (id int);
insert into app.events values (1, 3, 'view', '2025-06-03 12:00+00');
commit;
drop schema health_internal cascade;
alter schema renamed rename to health_internal;
select * from health.verify('own');
call health.refresh('own');
select * from health.verify('own');
select account_id, user_id, day from health_data.chunk_9101, health.cells(usage) order by 1, 2;

select health.drop_model('own', cascade => true);
drop schema app, other cascade;
