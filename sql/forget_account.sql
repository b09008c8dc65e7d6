-- forget_account: nothing is left of an account whose rows are gone, in any mode; who is still in a table is named with it.
\set SHOW_CONTEXT never
set client_min_messages = warning;
set timezone = 'UTC';
create schema gone;
set search_path = gone;
create table accounts (id int primary key, company text);
insert into accounts values (1, 'Alder'), (2, 'Birch');
create table people (id text, account_id int);
insert into people values ('ann', 1), ('bob', 2);
create table events (account_id int, user_id text, name text, day date);
insert into events select a, case a when 1 then 'ann' else 'bob' end, 'x', date '2025-06-29' - d from generate_series(1, 2) a, generate_series(1, 200, 3) d;
create table tickets (account_id int, opened date, closed date);
insert into tickets values (1, '2025-06-01', '2025-06-05'), (2, '2025-06-02', null), (2, '2023-01-02', '2023-02-01');
\set document '{"as_of": "2025-06-30", "accounts": {"table": "accounts", "id": "id", "name": "company"}, "users": {"table": "people", "id": "id", "account": "account_id"}, "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "day"}, "facts": {"tickets": {"table": "tickets", "account": "account_id", "at": "opened", "until": "closed"}}, "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}, {"name": "open", "fact": "tickets", "measure": "open", "normalize": {"kind": "linear", "worst": 3, "best": 0}}, {"name": "mood", "pulse": {}}]}'
select health.create_model(m, :'document') from unnest('{plain,captured,windowed}'::text[]) m;
select health.create_score_view('plain', 'plain', false), health.create_score_view('captured', 'captured'), health.create_score_view('windowed', 'windowed');
select health.track('captured'), health.track('windowed', window_days => 30);
call health.backfill('captured');
call health.backfill('windowed');
select health.override(m, '2', score => 10, reason => 'left the room') is not null, health.pulse(m, '2', 3) is not null
from unnest('{plain,captured,windowed}'::text[]) m;
-- Where it still is, one table after the other.
select health.forget_account('captured', '2');
delete from accounts where id = 2;
select health.forget_account('captured', '2');
delete from events where account_id = 2;
select health.forget_account('windowed', '2');
delete from tickets where account_id = 2;
select health.forget_account('plain', '2');
delete from people where account_id = 2;
select health.forget_account('plain', '2') as plain, health.forget_account('captured', '2') > 0 as captured, health.forget_account('windowed', '2') > 0 as windowed;
-- Nothing of it is left, and all of the other.
select m, (select count(*) from health.overrides(m)) as overrides, (select count(*) from health.pulses(m)) as pulses
from unnest('{plain,captured,windowed}'::text[]) m;
select account_id, count(*) from captured_history group by 1 union all select account_id, count(*) from windowed_history group by 1;
select account_id, score is not null from plain union all select account_id, score is not null from captured union all select account_id, score is not null from windowed;
\set ECHO none
select 'select count(*) as "rows of it" from (' || string_agg(format('select 1 from health_data.%I as k where k.account_id::text = ''2''', c.relname), ' union all ') || ') as kept'
from pg_class c where c.relnamespace = 'health_data'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^(chunk|book|score|stale|history)_[0-9]+$' \gexec
\set ECHO all
call health.refresh('captured');
call health.refresh('windowed');
select count(*) from health.verify('captured');
select account_id from captured union all select account_id from windowed;
-- What is no account, or no id.
select health.forget_account('captured', '2'), health.forget_account('captured', 'no number'), health.forget_account('plain', 'nobody');
select health.forget_account('captured', null);
select health.forget_account('nothing', '2');
create role gone_stranger;
set role gone_stranger;
select health.forget_account('captured', '1');
reset role;
drop role gone_stranger;
select health.drop_model(m, cascade => true) from unnest('{plain,captured,windowed}'::text[]) m;
drop schema gone cascade;
