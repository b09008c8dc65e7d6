-- One bad row is one bad row: the same odd data in every mode, and everybody else's scores as if it were not there.
set client_min_messages = warning;
create schema app;
set search_path = app, public;
create table accounts (account_id bigint, company text, since date, seats numeric, nps numeric, plan text);
insert into accounts select g, 'Company ' || g, '2025-01-01', 5, g % 10, 'pro' from generate_series(1, 12) as g;
create table users (user_id bigint, account_id bigint, joined date, left_on date, invited date);
insert into users select 10 * a + u, a, '2025-01-01' from generate_series(1, 12) as a, generate_series(1, 3) as u;
create table events (account_id bigint, user_id bigint, event_name text, occurred_at timestamptz, amount numeric);
insert into events select a, 10 * a + u, 'view', timestamptz '2025-06-29 09:00+00' - d * interval '1 day', a
from generate_series(1, 12) as a, generate_series(1, 3) as u, generate_series(0, 80) as d where d % (a + u) = 0;
create table answers (account_id bigint, score float8, answered_on date);
insert into answers select g, g % 5, '2025-06-01' from generate_series(1, 12) as g;

select '{"as_of": "2025-06-30",
  "accounts": {"table": "accounts", "id": "account_id", "name": "company", "start": "since", "seats": "seats", "columns": {"plan": "plan"}},
  "users": {"table": "users", "id": "user_id", "account": "account_id", "joined": "joined", "deactivated": "left_on", "invited": "invited"},
  "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at", "amount": "amount"},
  "history": {"days": 3},
  "signals": [{"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "amount", "metric": "amount_sum", "normalize": {"kind": "linear", "worst": 0, "best": 500}},
              {"name": "nps", "column": "nps", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
              {"name": "survey", "query": "select account_id, score, answered_on from answers", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,computed,tracked,windowed}'::text[]) as name;
select health.track('tracked'), health.track('windowed', window_days => 100);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, name, materialized => name <> 'computed') from unnest('{plain,computed,tracked,windowed}'::text[]) as name;
create table before as select * from plain;

-- Rows that cannot be, each of an account of its own.
insert into events values (1, 11, '', '2025-06-20', 1), (1, 11, 'view', 'infinity', 1), (1, 11, 'view', '-infinity', 1),
    (1, 11, 'view', '2025-06-20', 'NaN'), (1, 11, 'view', '2025-06-20', 1e13), (2, 21, '', '2025-06-21', null);
update accounts set seats = 'NaN' where account_id = 2;
update accounts set seats = -1 where account_id = 3;
update accounts set nps = 'NaN' where account_id = 4;
update answers set score = 'Infinity' where account_id = 5;
insert into accounts values (6, 'Company 6 again', '2025-01-01', 50, 9, 'free');
-- What infinities say: not begun, joined, left, answered yet; or since ever.
update accounts set since = 'infinity' where account_id = 7;
update accounts set since = '-infinity' where account_id = 8;
update users set joined = 'infinity', invited = '2025-02-01' where user_id = 91;
update users set left_on = '-infinity' where user_id = 92;
update users set joined = '-infinity', left_on = 'infinity', invited = 'infinity' where user_id = 93;
update answers set answered_on = 'infinity' where account_id = 10;
update answers set answered_on = '-infinity' where account_id = 11;
set client_min_messages = notice;
call health.refresh('tracked');
call health.refresh('windowed');
-- Not told of again.
call health.refresh('tracked');
call health.refresh('windowed');
set client_min_messages = warning;
select health.refresh_score_view('plain');

select account_id, seats, account_start, total_users, round(score::numeric, 1) as score, data_coverage, unknown_reason from plain order by 1;
select s.account_id, s.signal, s.raw_text, s.reason, s.phrase from plain_signals as s
where s.reason in ('bad_value', 'repeated_account') or s.account_id = 10 and s.signal = 'survey' order by 1, s."position";
-- All others are as they were.
select count(*) from plain as p join before as b using (account_id)
where account_id in (1, 12) and to_jsonb(p) = to_jsonb(b);
-- And every mode says the same; but of the past a tracked model knows what was recorded then.
select mode, count(*) as accounts, count(*) filter (where v - ignored <> to_jsonb(p) - ignored) as different
from plain as p join (select 'computed' as mode, c.account_id, to_jsonb(c) as v from computed as c
                      union all select 'tracked', t.account_id, to_jsonb(t) from tracked as t
                      union all select 'windowed', w.account_id, to_jsonb(w) from windowed as w) as o (mode, account_id, v) using (account_id),
    (select '{model,change_7d,change_28d,main_reason}'::text[]) as i (ignored)
group by mode order by mode;
select mode, count(*) as signals, count(*) filter (where v <> to_jsonb(p)) as different
from plain_signals as p join (select 'computed' as mode, c.account_id, c."position", to_jsonb(c) as v from computed_signals as c
                              union all select 'tracked', t.account_id, t."position", to_jsonb(t) from tracked_signals as t
                              union all select 'windowed', w.account_id, w."position", to_jsonb(w) from windowed_signals as w)
     as o (mode, account_id, "position", v) using (account_id, "position") group by mode order by mode;
select * from health.verify('tracked');
select * from health.verify('windowed');
select mode, bad_rows, phase from health.status('tracked') union all select mode, bad_rows, phase from health.status('windowed');
select s.account_id, s.unknown_reason from health.score_at('tracked', '2025-06-30') as s where s.score is null
except select s.account_id, s.unknown_reason from health.score_at('plain', '2025-06-30') as s where s.score is null;
select signal, normalized, reason, phrase from health.explain('tracked', 6);
select unknown_reason, count(*) from tracked_history where account_id = 6 and as_of = '2025-06-30' group by 1;

-- The tracking plan finds each of them.
select finding, source, name, account, value, events, users, first_day, advice from health.tracking_plan('plain');
select count(*) as different from (
    (select * from health.tracking_plan('plain') except all select * from health.tracking_plan('tracked'))
    union all (select * from health.tracking_plan('windowed') except all select * from health.tracking_plan('plain'))) as d;
-- Of many accounts, the worst.
insert into accounts select g, 'More', '2025-01-01', -1, 5, 'pro' from generate_series(101, 130) as g;
select source, name, count(*), sum(events), max(advice) from health.tracking_plan('plain') where finding = 'bad value' group by 1, 2 order by 1, 2;

-- Rows that are mended are as good as others, and what cannot be does not stand in the way of anything.
select health.untrack('tracked');
select account_id, round(score::numeric, 1) as score, unknown_reason from tracked where account_id <= 6 order by 1;
delete from accounts where account_id = 6 and company like '%again' or account_id > 100;
delete from events where event_name = '' or not isfinite(occurred_at) or amount > 1e12;
set client_min_messages = notice;
call health.refresh('windowed');
select bad_rows from health.status('windowed');
select account_id, round(score::numeric, 1) as score, unknown_reason from windowed where account_id in (1, 2, 6) order by 1;

-- A catalog of one's own is what events are held against, whatever the preset suggests; unlisted events that count are no finding.
set client_min_messages = warning;
select health.create_model('own_catalog', jsonb_build_object('preset', 'collaboration', 'accounts', :'model'::jsonb -> 'accounts', 'as_of', '2025-06-30',
    'events', :'model'::jsonb -> 'events', 'users', :'model'::jsonb -> 'users', 'catalog', '{"view": {"role": "consume"}, "shared": {"role": "interact"}}'::jsonb));
insert into events values (1, 11, 'stray', '2025-06-20', null);
select finding, source, name from health.tracking_plan('own_catalog') where finding in ('missing event', 'unlisted event', 'silent event');
select health.alter_model('own_catalog', '{"unlisted_events": "count"}');
select finding, source, name from health.tracking_plan('own_catalog') where finding in ('missing event', 'unlisted event', 'silent event');
select health.drop_model(name, cascade => true) from unnest('{plain,computed,tracked,windowed,own_catalog}'::text[]) as name;
drop schema app cascade;
-- Expressions that fail on a row: casts, divisions, functions of one's own, in every source.
create schema app;
create function app.checked(value text) returns integer language plpgsql immutable as $$
begin
    if value = 'wrong' then raise exception 'this value is wrong'; end if;
    return length(value);
end $$;
create table accounts (id int, company text, since text, seats text, arr int, users int, kind text);
insert into accounts select g, 'Company ' || g, '2025-01-01', '5', 100 * g, 4, 'ok' from generate_series(1, 9) as g;
create table people (id text, account int, joined text, state text);
insert into people select (10 * a + u)::text, a, '2025-01-01', '1' from generate_series(1, 9) as a, generate_series(1, 2) as u;
create table rows_of_text (account text, who text, name text, day text, amount text, flag text);
insert into rows_of_text select a::text, (10 * a + u)::text, 'view', to_char(date '2025-06-29' - d, 'YYYY-MM-DD'), '1.5', '1'
from generate_series(1, 9) as a, generate_series(1, 2) as u, generate_series(0, 60) as d where d % (a + u) = 0;
create table told (account text, value text);
insert into told select g::text, '3' from generate_series(1, 9) as g;
select '{"as_of": "2025-06-30",
  "accounts": {"table": "accounts", "id": "id", "name": {"sql": "company || left('' '', app.checked(kind) - 2)"}, "start": {"sql": "since::date"},
               "seats": {"sql": "seats::int"}, "filter": "arr / users < 1000", "columns": {"per_user": {"sql": "arr / (users - 3)"}}},
  "users": {"table": "people", "id": {"sql": "id::bigint"}, "account": "account", "joined": {"sql": "joined::date"}, "filter": "state::int > 0"},
  "events": {"table": "rows_of_text", "account": {"sql": "account::int"}, "user": {"sql": "who::bigint"}, "event": "name",
             "occurred_at": {"sql": "day::date"}, "amount": {"sql": "amount::numeric"}, "filter": "flag::int = 1"},
  "history": {"days": 3},
  "signals": [{"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "amount", "metric": "amount_sum", "normalize": {"kind": "linear", "worst": 0, "best": 100}},
              {"name": "per_seat", "expression": "arr / seats", "normalize": {"kind": "linear", "worst": 0, "best": 200}},
              {"name": "checked", "expression": "app.checked(kind)", "normalize": {"kind": "linear", "worst": 0, "best": 4}},
              {"name": "told", "query": "select account, value from told", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,computed,windowed}'::text[]) as name;
select health.track('windowed', window_days => 100);
call health.backfill('windowed');
select health.create_score_view(name, name, materialized => name <> 'computed') from unnest('{plain,computed,windowed}'::text[]) as name;
create table before as select * from plain;
insert into rows_of_text values ('one', '11', 'view', '2025-06-20', '1', '1'), ('1', 'me', 'view', '2025-06-20', '1', '1'),
    ('1', '11', 'view', 'no day', '1', '1'), ('1', '11', 'view', '2025-06-20', 'much', '1'), ('1', '11', 'view', '2025-06-20', '1', 'yes!');
update accounts set seats = 'many' where id = 2;
update accounts set seats = '0' where id = 3;
update accounts set since = 'soon' where id = 4;
update accounts set users = 0 where id = 5;
update accounts set users = 3 where id = 6;
update accounts set kind = 'wrong' where id = 7;
update people set joined = '?' where id = '81';
update people set state = '?' where id = '82';
insert into people values ('nobody', 1, '2025-01-01', '1');
update told set value = 'good' where account = '1';
select health.refresh_score_view('plain');
call health.refresh('windowed');
select account_id, name, account_start, seats, per_user, per_seat, total_users, round(score::numeric, 1) as score, unknown_reason from plain order by 1;
select s.account_id, s.signal, s.raw_text, s.reason from plain_signals as s where s.reason is not null and s.level > 0 order by 1, s."position";
select mode, count(*) as accounts, count(*) filter (where v - ignored <> to_jsonb(p) - ignored) as different
from plain as p join (select 'computed' as mode, c.account_id, to_jsonb(c) as v from computed as c
                      union all select 'windowed', w.account_id, to_jsonb(w) from windowed as w) as o (mode, account_id, v) using (account_id),
    (select '{model,change_7d,change_28d,main_reason}'::text[]) as i (ignored)
group by mode order by mode;
select count(*) as as_before from plain as p join before as b using (account_id) where account_id = 9 and to_jsonb(p) = to_jsonb(b);
select * from health.verify('windowed');
select bad_rows from health.status('windowed');
select finding, source, name, account, value, events from health.tracking_plan('plain') where finding <> 'unknown user';
select signal, normalized, reason from health.explain('plain', 7);
-- A view of guarded expressions follows its columns when they are renamed, and no setting of the reader gets in its way.
alter table accounts rename column arr to revenue;
set search_path = pg_catalog;
select account_id, per_seat from app.computed where account_id = 9;
set search_path = app, public;
-- What is broken for all rows is an error.
alter function app.checked(text) rename to unchecked;
select count(*) from computed where checked > 0;
select health.drop_model(name, cascade => true) from unnest('{plain,computed,windowed}'::text[]) as name;
drop schema app cascade;
-- An id that the account source has twice from the first day on: tracked, with a column for a signal. And a column of a name that stood in the way of one of ours.
create schema app;
create table app.accounts (id int, csat numeric, broken text);
insert into app.accounts values (1, 50, 'arm'), (2, 60, null), (2, 70, null);
create table app.tickets (account int, opened date);
insert into app.tickets values (1, '2025-03-01'), (2, '2025-03-01');
select health.create_model('twice', '{"as_of": "2025-03-03", "accounts": {"table": "app.accounts", "id": "id", "columns": {"broken": "broken"}}, "facts": {"tickets": {"table": "app.tickets", "account": "account", "at": "opened"}},
  "signals": [{"name": "csat", "column": "csat", "normalize": {"kind": "linear", "worst": 0, "best": 100}}, {"name": "tickets", "fact": "tickets", "measure": "count", "normalize": {"kind": "linear", "worst": 9, "best": 0}}]}');
select health.track('twice');
call health.backfill('twice');
select health.create_score_view('twice', 'app.twice');
select account_id, score is not null as scored, unknown_reason, change_28d, broken from app.twice order by 1;
select count(*) as days, count(distinct account_id) as accounts from app.twice_history;
select health.drop_model('twice', cascade => true);
drop schema app cascade;
