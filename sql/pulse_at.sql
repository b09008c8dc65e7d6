-- Five figures of all accounts of a table of chunks, and of a tracked model: as pulse(array_agg(usage)) by account, and as metrics().
set client_min_messages = warning;
\set SHOW_CONTEXT never
set datestyle = 'ISO';
select setval('health_internal.ledger_source_id_seq', 7300) \g /dev/null
create schema book;
set search_path = book, health, public;

-- Chunks of accounts of bigint, uuid and text: several parts, some of them negative, accounts whose only chunks are old, later, cancelled, or nothing but markers.
create table part as
select account, period, part, usage_agg(who::bigint, event, day) as usage
from (select account, i, abs(hashint4(i * 13 + account)) % (1 + account % 12) as who, date '2024-01-01' + abs(hashint4(i * 7 + account)) % (60 + 25 * (account % 30)) as day,
             (array['a', 'b', '$joined', '!odd', 'zz', '$x', 'c'])[1 + abs(hashint4(i + account * 3)) % (1 + account % 7)] as event
      from generate_series(1, 90) as account, generate_series(1, 2 * account) as i) as e,
     lateral (select date_trunc('quarter', day)::date as period, abs(hashint4(i)) % 3 as part) as p
group by account, period, part;
insert into part select account, period, 10, '{}'::usage - usage from part where part = 1;
insert into part select account, period, 11, usage from part where part = 1 and account % 3 > 0;
insert into part values (1001, '2024-01-01', 1, 'bigint{1:2024-01-05/a}'), (1002, '2024-01-01', 1, 'bigint{1:2024-01-05/$invited}'), (1003, '2024-01-01', 1, 'bigint{1:2024-01-05/$joined}'),
    (1004, '2024-01-01', 1, 'bigint{1:2024-01-05/a}'), (1004, '2024-01-01', 2, 'bigint{1:2024-01-05/a*-1}'), (1005, '2024-01-01', 1, '{}'), (1006, '2027-01-01', 1, 'bigint{1:2027-01-05/a}'),
    (1007, '2024-01-01', 1, 'bigint{1:2024-01-05/a}'), (1007, '2024-01-01', 2, 'bigint{1:2024-01-05/a*-1}'), (1007, '2025-04-01', 1, 'bigint{1:2025-06-29/a}');
insert into part select 1008, '2025-04-01', 1, usage_agg(u, repeat(md5(u::text), 4), date '2025-05-01' + u % 60) from generate_series(1, 4000) as u;    -- toasted
create function account_name(kind text, account bigint) returns text language sql return
    case kind when 'bigint' then account::text when 'uuid' then overlay(md5('x') placing lpad(account::text, 8, '0') from 1)::uuid::text else 'account ' || account end;
create table chunk_bigint (account_id bigint, period date, part integer, usage usage);
create table chunk_uuid (account_id uuid, period date, part integer, usage usage);
create table chunk_text (account_id text, period date, part integer, usage usage);
insert into chunk_bigint select account, period, part, usage from part order by account, period, part;
insert into chunk_uuid select account_name('uuid', account)::uuid, period, part, usage from part order by md5(account::text || period || part);
insert into chunk_text select account_name('text', account), period, part, usage from part order by part, account, period;
insert into chunk_text values (null, '2025-01-01', 1, '{}'), ('nothing', null, 1, '{}'), ('nothing', '2025-04-01', 1, null);
delete from chunk_text where account_id = 'nothing' or account_id is null;

create table compared as
select kind, as_of, start, e.account_id as expected_account, c.account_id as account, row (e.active_users, e.events, e.trend_4w, e.dip_streak, e.power_user_dependency)::text as expected,
       row (c.active_users, c.events, c.trend_4w, c.dip_streak, c.power_user_dependency)::text as figures, e.trend_4w
from (values ('bigint'), ('uuid'), ('text')) as k (kind), (select date '2024-02-01' + 37 * i from generate_series(0, 20) as i) as d (as_of), (values (null::date), ('2024-06-01')) as s (start),
     lateral (select coalesce(e.account_id, c.account_id) as account_id, e.account_id as e_id, c.account_id as c_id, e as e, c as c
              from (select account_name(kind, account) as account_id, (p).* from (select account, pulse(array_agg(usage), as_of, start) as p from part group by account) as a) as e
              full join pulse_chunks(format('book.chunk_%s', kind), as_of, start) as c using (account_id)) as j,
     lateral (select (j.e).*) as e, lateral (select (j.c).*) as c;
select kind, count(*) as rows, count(*) filter (where expected_account is distinct from account or expected is distinct from figures) as differ,
       count(trend_4w) between 1 and count(*) - 1 as some_unknown from compared group by kind order by kind;
select * from pulse_chunks('chunk_bigint', '2025-07-01') where account_id::bigint between 1001 and 1008 order by account_id::bigint;
select * from pulse_chunks('chunk_bigint', null);
select * from pulse_chunks(null, '2025-07-01');

-- What is no table of chunks, or not the caller's to read.
create view seen as table chunk_bigint;
create table other (account_id bigint, period date, usage usage);
create table numbered (account_id integer, period date, part integer, usage usage);
select * from pulse_chunks('seen', '2025-07-01');
select * from pulse_chunks('other', '2025-07-01');
select * from pulse_chunks('numbered', '2025-07-01');
select * from pulse_chunks('chunk_bigint_missing', '2025-07-01');
select * from pulse_chunks(0, '2025-07-01');
select * from pulse_chunks('chunk_bigint', 'infinity');
insert into numbered values (1, '2025-04-01', 1, 'bigint{1:2025-06-20/a*-1}');
alter table numbered alter account_id type bigint;
select * from pulse_chunks('numbered', '2025-07-01');
create role regress_pulse_reader;
grant usage on schema book to regress_pulse_reader;
grant select on chunk_uuid to regress_pulse_reader;
alter table chunk_uuid enable row level security;
set role regress_pulse_reader;
select * from pulse_chunks('chunk_bigint', '2025-07-01');
select * from pulse_chunks('chunk_uuid', '2025-07-01');
reset role;

-- A tracked model, whose ledger has parts of changes; a second one with two sources and users who do not count.
create table accounts (account_id int primary key);
create table users (user_id int primary key, account_id int, robot boolean);
create table events (account_id int, user_id int, event_name text, occurred_at timestamptz);
create table calls (account_id int, user_id int, occurred_at timestamptz);
insert into accounts select generate_series(1, 30);
insert into users select u, 1 + u % 30, u % 4 = 0 from generate_series(1, 120) as u;
insert into events select 1 + u % 30, u, (array['made', 'read'])[1 + (u + d) % 2], timestamptz '2025-06-29 12:00+00' - d * interval '1 day'
from generate_series(1, 120) as u, generate_series(0, 200) as d where (u * 7 + d * 5) % (2 + u % 9) = 0 and d >= 3 * (u % 30);
insert into calls select account_id, user_id, occurred_at + interval '3 days' from events where user_id % 3 = 0 and occurred_at < '2025-06-20';
select create_model('pulse_one', '{"as_of": "2025-06-30", "accounts": {"table": "book.accounts", "id": "account_id"},
  "events": {"table": "book.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "events", "weight": 1, "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}');
select create_model('pulse_two', '{"as_of": "2025-06-30", "accounts": {"table": "book.accounts", "id": "account_id"}, "users": {"table": "book.users", "id": "user_id", "account": "account_id", "exclude": "robot"},
  "events": [{"table": "book.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
             {"table": "book.calls", "account": "account_id", "user": "user_id", "event": {"sql": "''call''"}, "occurred_at": "occurred_at"}],
  "signals": [{"name": "events", "weight": 1, "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}');
select * from pulse_at('pulse_one');
select track('pulse_one'), track('pulse_two');
select * from pulse_at('pulse_one');
call backfill('pulse_one');
call backfill('pulse_two');
delete from events where user_id % 7 = 0 and occurred_at < '2025-05-20';
update events set user_id = user_id + 1 where user_id % 11 = 0;
insert into events select 1 + u % 30, u, 'made', timestamptz '2025-06-01 12:00+00' + u * interval '3 hours' from generate_series(1, 200) as u;
call refresh('pulse_one');
call refresh('pulse_two');
create view counted as
  select 'pulse_one' as model, account_id, user_id, event_name, occurred_at from events
  union all select 'pulse_two', e.account_id, e.user_id, e.event_name, e.occurred_at
  from (select account_id, user_id, event_name, occurred_at from events union all select account_id, user_id, 'call', occurred_at from calls) as e left join users as u using (user_id) where u.robot is not true;
select model, as_of, count(*) as accounts, count(*) filter (where p.figures is distinct from m.figures) as differ
from (values ('pulse_one', null::date), ('pulse_one', '2025-04-11'), ('pulse_two', null), ('pulse_two', '2025-05-02')) as v (model, as_of),
     lateral (select account_id::text, row (m.active_users, m.events, m.trend_4w, least(m.dip_streak, 7), m.power_user_dependency)::text as figures
              from (select account_id, usage_agg(user_id::bigint, event_name, occurred_at) as usage from counted as c where c.model = v.model group by account_id) as u,
                   metrics(u.usage, coalesce(as_of, '2025-06-30')) as m) as m
     full join lateral (select account_id, row (a.active_users, a.events, a.trend_4w, a.dip_streak, a.power_user_dependency)::text as figures from pulse_at(v.model, v.as_of) as a) as p using (account_id)
group by model, as_of order by model, as_of;
select * from pulse_at('pulse_one') where account_id in ('1', '2') order by account_id;
select * from pulse_at('pulse_one', 'infinity');
select * from pulse_at('nothing');
set role regress_pulse_reader;
select * from pulse_at('pulse_one');
reset role;

select untrack('pulse_one'), untrack('pulse_two') \g /dev/null
select drop_model('pulse_one'), drop_model('pulse_two') \g /dev/null
drop schema book cascade;
drop role regress_pulse_reader;
