-- forget_user: whoever the tables still have is not forgotten, since the next refresh would know him again.
\set SHOW_CONTEXT never
create schema app;
create table app.accounts (id int primary key);
insert into app.accounts values (1);
create table app.people (id text, account_id int, is_staff bool, gone bool);
insert into app.people values ('ann', 1, false, false), ('bob', 1, true, false), ('cay', 1, false, true), ('dan', 1, false, false);
create table app.events (account_id int, user_id text, name text, at timestamptz);
insert into app.events select 1, u, 'x', timestamptz '2025-06-20 12:00+00' from unnest('{ann,bob,cay,dan}'::text[]) u;
\set document '{"as_of": "2025-06-30", "accounts": {"table": "app.accounts", "id": "id"}, "users": {"table": "app.people", "id": "id", "account": "account_id", "exclude": "is_staff", "filter": "not gone"}, "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}, "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}'
select health.create_model('captured', :'document'), health.create_model('windowed', :'document');
select health.create_score_view('captured', 'app.captured'), health.create_score_view('windowed', 'app.windowed');
select health.track('captured'), health.track('windowed', window_days => 3000);
select health.refresh_score_views('captured'), health.refresh_score_views('windowed');
-- With events; without, but on the roster; among those who are excluded; in the table, but left out of it all by the filter.
select health.forget_user('captured', 'ann');
delete from app.events where user_id <> 'dan';
select health.forget_user('captured', 'ann');
select health.forget_user('windowed', 'ann');
select health.forget_user('captured', 'bob');
select health.forget_user('windowed', 'bob');
select health.forget_user('captured', 'cay') >= 0, health.forget_user('windowed', 'cay') >= 0;
delete from app.people where id in ('ann', 'bob');
select health.forget_user('captured', 'ann') >= 0, health.forget_user('windowed', 'ann') >= 0,
       health.forget_user('captured', 'bob') >= 0, health.forget_user('windowed', 'bob') >= 0;
select (select usage from app.captured_ledger), (select usage from app.windowed_ledger);
-- A query of users has no name of its own.
select health.alter_model('windowed', '{"users": {"query": "select * from app.people", "id": "id", "account": "account_id"}}');
select health.refresh_score_views('windowed');
delete from app.events;
select health.forget_user('windowed', 'dan');
-- Users without accounts make no roster: nothing goes on naming them.
select health.alter_model('windowed', '{"users": {"table": "app.people", "id": "id"}}');
select health.refresh_score_views('windowed'), health.forget_user('windowed', 'dan') >= 0;
select health.drop_model('captured', cascade => true), health.drop_model('windowed', cascade => true);
set client_min_messages = warning;
drop schema app cascade;
