-- The story of an account: usage by person and day, facts, who joined and left, how the score moved and why, what people decided.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create table app.accounts (id text primary key, start date, gone date, arr numeric);
insert into app.accounts values ('a', '2024-01-01', null, 5), ('b', '2024-01-01', '2025-02-20', 6), ('c', '2024-06-01', null, 7);
create table app.people (id text, account text, joined date, gone date, invited date, staff boolean default false);
insert into app.people values ('u0', 'a', '2024-06-01', null, null, false), ('u1', 'a', '2024-06-01', null, null, false), ('u2', 'a', '2024-06-01', '2025-02-21', null, false),
  ('ivy', 'a', null, null, '2025-02-19', false), ('joe', 'a', '2025-02-19', null, '2025-02-18', false), ('us', 'a', '2024-06-01', null, null, true);
create table app.events (account text, usr text, name text, at timestamptz, mins numeric, actor text, loaded timestamptz);
insert into app.events select 'a', 'u' || n % 3, 'x', timestamptz '2025-01-01' + n * interval '7 hours', n % 7, case when n % 40 = 0 then 'agent' end, timestamptz '2025-01-01' + n * interval '7 hours'
from generate_series(1, 150) n;
insert into app.events select 'a', 'u1', 'x', timestamptz '2025-02-10' + n * interval '50 hours', n % 7, null, timestamptz '2025-02-10' + n * interval '50 hours' from generate_series(1, 8) n;
-- Three on one day, one of them known late; an agent; one of us, whose events do not count; one without an amount.
insert into app.events values ('a', 'u1', 'x', '2025-02-20 10:00+00', 2.5, null, '2025-02-20'), ('a', 'u1', 'x', '2025-02-20 11:00+00', null, null, '2025-02-27'), ('a', 'bot', 'sync', '2025-02-20 10:00+00', null, 'agent', '2025-02-20'),
  ('a', 'us', 'x', '2025-02-20 10:00+00', null, null, '2025-02-20'), ('a', 'u0', 'plain', '2025-02-20 10:00+00', null, null, '2025-02-20');
insert into app.events select 'b', 'u9', 'x', timestamptz '2025-01-01' + n * interval '7 hours', null, null, timestamptz '2025-01-01' + n * interval '7 hours' from generate_series(1, 150) n;
create table app.subs (account text, plan text, starts date, ends date, mrr numeric, cur text);
insert into app.subs values ('a', 'pro', '2025-01-01', '2025-02-20', 100, 'EUR'), ('a', 'pro', '2025-02-20', '2025-04-01', 150, 'EUR'), ('b', 'x', '2025-01-01', '2026-01-01', 10, 'EUR');
create table app.answers (account text, email text, at date, score int);
insert into app.answers values ('a', 'ann', '2025-02-01', 9), ('a', 'ann', '2025-02-25', 6), ('a', 'bob', '2025-02-03', 10), ('a', null, '2025-02-25', 7);
create table app.tickets (account text, opened timestamptz, closed timestamptz, kind text);
insert into app.tickets values ('a', '2025-02-01 10:00+00', '2025-02-25 12:00+00', 'bug'), ('a', '2025-02-22 10:00+00', null, 'how/to'), ('a', '2025-02-22 10:00+00', null, 'how/to');
\set document '{"as_of": "2025-03-02", "accounts": {"table": "app.accounts", "id": "id", "start": "start", "end": "gone"}, "users": {"table": "app.people", "id": "id", "account": "account", "joined": "joined", "deactivated": "gone", "invited": "invited", "exclude": "staff"}, "events": {"table": "app.events", "account": "account", "user": "usr", "event": "name", "occurred_at": "at", "amount": "mins", "actor": "actor", "known_at": "loaded"}, "facts": {"subs": {"table": "app.subs", "account": "account", "at": "starts", "until": "ends", "value": "mrr", "kind": "plan", "currency": "cur"}, "answers": {"table": "app.answers", "account": "account", "user": "email", "at": "at", "value": "score", "scale": "nps"}, "tickets": {"table": "app.tickets", "account": "account", "at": "opened", "until": "closed", "kind": "kind"}}, "signals": [{"name": "open", "fact": "tickets", "measure": "open", "normalize": {"kind": "linear", "worst": 10, "best": 0}}, {"name": "csm", "pulse": {"valid_days": 30}, "normalize": {"kind": "linear", "worst": 1, "best": 5}}, {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 0.5}}, {"name": "per_arr", "expression": "arr + (as_of - date ''2025-01-01'')", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}'
select health.create_model('m', :'document');
select health.override('m', 'a', cap => 20, reason => 'they told us', expires => '2025-04-01', owner => 'mia');
select health.pulse('m', 'a', 2, note => 'annoyed');
select * from health.story('m', 'a', '2025-02-18', '2025-04-10');

-- What it says of the scores is what score_at says of each day: every change of band and state is told, and a move by 5 points within 7 days since the last told day.
create table app.story as select row_number() over () as n, s.* from health.story('m', 'a', '2025-01-01', '2025-04-10') s;
create table app.series as select d::date as day, round(s.score::numeric, 1) as score, s.band, s.state, lag(s.band) over w as band_before, lag(s.state) over w as state_before, s.score as exact
from generate_series(date '2025-01-28', '2025-03-02', interval '1 day') d, health.score_at('m', d::date) s where s.account_id = 'a' window w as (order by d);
select 'wrong', * from app.story t left join app.series s using (day) where day >= '2025-01-28' and (t.kind = 'score' and (t.amount, t.what) is distinct from (s.score, s.band) or t.kind = 'state' and t.what is distinct from s.state);
select 'untold', * from app.series s where band is distinct from band_before and band_before is not null and not exists (select from app.story t where t.day = s.day and t.kind = 'score')
  or state is distinct from state_before and state_before is not null and not exists (select from app.story t where t.day = s.day and t.kind = 'state');
select count(*) as untold_moves from app.series s join app.series b on b.day between s.day - 7 and s.day - 1
where abs(s.exact - b.exact) >= 5 and not exists (select from app.story t where t.kind = 'score' and t.day > b.day and t.day <= s.day);
select day, kind, what, amount, details from app.story where kind in ('score', 'state') order by n;

-- Usage is that of the table, facts those of theirs.
select 'differ', * from (select day, who, what, amount, coalesce(details ~ 'by agent', false) from app.story where kind = 'usage' except
  select (at at time zone 'UTC')::date, usr, name, count(*), actor is not null from app.events where account = 'a' and usr <> 'us' group by 1, 2, 3, 5) d;
select kind, count(*), sum(amount) from app.story where kind in ('usage', 'started', 'ended', 'joined', 'invited', 'deactivated') group by 1 order by 1;
select count(*) from app.events where account = 'a' and usr <> 'us';

-- Tracked it is the same story, also after days have been recorded.
select health.track('m') \g /dev/null
call health.backfill('m');
create table app.tracked as select row_number() over () as n, s.* from health.story('m', 'a', '2025-01-01', '2025-04-10') s;
select 'differ', * from ((table app.story except table app.tracked) union all (table app.tracked except table app.story)) d;
-- What is recorded stands: the account data of a day are those that it was scored with.
select health.create_model('live', jsonb_set(jsonb_set(:'document', '{as_of}', '"2025-02-27"'), '{signals}', '[{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]')) \g /dev/null
select health.track('live') \g /dev/null
call health.backfill('live');
update app.accounts set arr = 9 where id = 'a';
select health.alter_model('live', '{"as_of": "2025-03-02"}') \g /dev/null
call health.refresh('live');
select day, kind, what, amount, details from health.story('live', 'a', '2025-02-26', '2025-03-02') where kind = 'score';
select as_of_date, score from generate_series(date '2025-02-26', '2025-03-02', interval '1 day') day, health.score_at('live', day::date) where account_id = 'a';
update app.accounts set arr = 5 where id = 'a';

-- Who has left, and nobody ever there; days before everything; by default the last 90 days.
select day, kind, what, amount, details from health.story('m', 'b', '2025-02-10', '2025-03-02') where kind <> 'usage';
select day, kind, what, amount, details from health.story('m', 'c', '2025-02-25');
select * from health.story('m', 'a', '2020-01-01', '2020-01-31');
select min(day), max(day) from health.story('m', 'a');
select min(day), max(day) from health.story('m', 'a', to_date => '2025-01-20');
select * from health.story('m', 'a', '2030-01-01', '2030-02-01');

-- Numeric and uuid ids; a model without usage.
create table app.numbered as select row_number() over (order by id) as id, start from app.accounts;
create table app.deeds as select case account when 'a' then 1 else 2 end as account, md5(usr)::uuid as usr, name, at from app.events;
create table app.named as select md5(id)::uuid as id, start, arr from app.accounts;
select health.create_model('numbered', '{"as_of": "2025-03-02", "accounts": {"table": "app.numbered", "id": "id", "start": "start"}, "events": {"table": "app.deeds", "account": "account", "user": "usr", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "active", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}'),
       health.create_model('named', '{"as_of": "2025-03-02", "accounts": {"table": "app.named", "id": "id"}, "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}');
select * from health.story('numbered', 1, '2025-02-26', '2025-03-01');
select * from health.story('named', md5('a')::uuid, '2025-02-26', '2025-03-01');

-- Errors, and whose it is.
select * from health.story('m', 'zz');
select * from health.story('m', null::text);
select * from health.story('numbered', 'one');
select * from health.story('m', 'a', '2022-01-01', '2025-01-01');
select count(*) > 0 from health.story('m', 'a', '2022-01-02', '2025-01-01');
select * from health.story('m', 'a', '2025-02-01', '2025-01-01');
select * from health.story('m', 'a', '-infinity', '2025-01-01');
select * from health.story('nobody', 'a');
create role story_reader;
set role story_reader;
select * from health.story('m', 'a');
reset role;
select health.drop_model(m) from unnest('{m,live,numbered,named}'::text[]) m;
drop schema app cascade;
drop role story_reader;
