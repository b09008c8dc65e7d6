-- Do accounts like these fare better? compare()
set client_min_messages = warning;
set datestyle = 'ISO';
create schema fare;
set search_path = fare, public;
create table clients (id int primary key, since date, until date, plan text, seats int);
insert into clients select g, '2024-01-01', case when (hashint4(g * 31) & 7) < case when g % 3 = 0 then 1 else 3 end then date '2025-03-01' + (hashint4(g) & 127) end,
  case when g % 5 = 0 then 'pro' end, 5 from generate_series(1, 400) g;
update clients set since = '2025-04-20' where id > 390;
create table uses (client int, person int, name text, at timestamptz);
insert into uses select c.id, c.id * 100 + p, case when p = 1 then 'make' else 'look' end, d + interval '9 hours'
from clients c, generate_series(1, 6) p, generate_series(timestamptz '2025-01-01 00:00+00', '2025-06-29 00:00+00', '3 days') d
where p <= 1 + (c.id % 3 = 0)::int * 4 + c.id % 2 and d >= c.since and d < coalesce(until, 'infinity') and (hashint8(c.id::bigint * 10007 + p + extract(epoch from d)::bigint / 86400) & 7) < 5;
select '{"as_of": "2025-06-30", "accounts": {"table": "clients", "id": "id", "start": "since", "end": "until", "seats": "seats", "columns": {"plan": "plan"}},
  "events": {"table": "uses", "account": "client", "user": "person", "event": "name", "occurred_at": "at"}, "catalog": {"make": {"role": "create"}, "look": {"role": "consume"}},
  "signals": [{"name": "made", "metric": "events", "role": "create", "normalize": {"kind": "linear", "worst": 0, "best": 20}}]}' as model \gset
select health.create_model('fare', :'model'), health.create_model('unending', :'model'::jsonb #- '{accounts,end}') \g /dev/null
select as_of, outcome, n, events, others_n, others_events, round(ratio::numeric, 3) as ratio, round(ratio_low::numeric, 3) as low, round(ratio_high::numeric, 3) as high,
  round(difference::numeric, 4) as difference, round(difference_low::numeric, 4) as d_low, round(difference_high::numeric, 4) as d_high, unknown, note from health.compare('fare', 'active_users >= 4');
select sentence from health.compare('fare', 'active_users >= 4');
select sentence from health.compare('fare', 'active_users < 4');
-- What plain queries say: usage before the day, losses in the 90 days after it, of customers on the day.
with usage as (
  select c.id, until > '2025-04-01' and until <= date '2025-04-01' + 90 as lost, count(distinct person) as people, count(*) filter (where name = 'make') as made
  from clients c left join uses u on u.client = c.id and (at at time zone 'UTC')::date >= date '2025-04-01' - 28 and (at at time zone 'UTC')::date < '2025-04-01'
  where since <= '2025-04-01' and (until is null or until > '2025-04-01') group by 1
), counted as (
  select count(*) filter (where people >= 4) as n, count(*) filter (where people >= 4 and lost) as events, count(*) filter (where people < 4) as others_n, count(*) filter (where people < 4 and lost) as others_events,
    count(*) filter (where made > 5) as made_n, count(*) filter (where made > 5 and lost) as made_events from usage)
select c.*, (c.n, c.events, c.others_n, c.others_events) = (f.n, f.events, f.others_n, f.others_events) and (made_n, made_events) = (m.n, m.events) as same,
  abs(ln(f.ratio_high / f.ratio) - 1.959963984540054 * sqrt(1.0 / c.events - 1.0 / c.n + 1.0 / c.others_events - 1.0 / c.others_n)) < 1e-9 as katz
from counted c, health.compare('fare', 'active_users >= 4') f, health.compare('fare', 'made > 5') m;
-- Outcomes of three kinds: a query, with accounts that nobody knows; the end; silence.
select outcome, n, events, others_n, others_events, note from health.compare('fare', 'active_users >= 4', 'select id, until from clients where until is not null union all select 7000 + g, ''2025-05-01'' from generate_series(1, 3) g;');
select outcome, n, events, others_n, others_events from health.compare('unending', 'active_users >= 4', horizon => 28);
with usage as (
  select c.id, (select count(distinct person) from uses where client = c.id and (at at time zone 'UTC')::date between date '2025-06-02' - 28 and '2025-06-01') as people,
    not exists (select from uses where client = c.id and (at at time zone 'UTC')::date between '2025-06-02' and date '2025-06-02' + 27) as silent from clients c where since <= '2025-06-02')
select count(*) filter (where people >= 4) as n, count(*) filter (where people >= 4 and silent) as events, count(*) filter (where people < 4) as others_n, count(*) filter (where people < 4 and silent) as others_events from usage;
-- Another day and horizon; a condition that is unknown; columns that stand as they are today; nothing in a cell; empty groups.
select as_of, horizon, n, events, others_n, others_events from health.compare('fare', 'active_users >= 4', horizon => 30, as_of => '2025-05-01');
select n, others_n, unknown, note from health.compare('fare', 'plan = ''pro''');
select n, note from health.compare('fare', 'seats > 4 and "plan" is null');
select note from health.compare('fare', '(select true) and exists (select from clients where plan is null)');
select sentence, note from health.compare('fare', 'account_id in (3, 6, 9, 12, 15) and active_users > 4');
select sentence from health.compare('fare', 'true');
select sentence, ratio from health.compare('fare', 'account_id < 0');
select sentence from health.compare('fare', 'account_id > 100', 'select 1, date ''2024-01-01'' where false');
select health_internal.tell_ratio(ratio, low, high) from (values (0.3::float8, 0.1::float8, 0.8::float8), (3, 1.2, 14), (0.8, 0.4, 1.6), (null, 1.3, 90), (0, 0.01, 0.7), (null, null, null)) v (ratio, low, high);
-- The tracked model says the same.
create table plain as select * from health.compare('fare', 'active_users >= 4 and score > 20');
select health.track('fare'); call health.backfill('fare');
select p = c as same from plain p, health.compare('fare', 'active_users >= 4 and score > 20') c;
-- The condition and the outcome are the caller's: they see what the caller sees, not what the owner does.
create role fare_owner; create role fare_reader; grant fare_owner to fare_reader;
grant usage on schema fare to fare_owner, fare_reader;
grant select on clients, uses to fare_owner;
create table notes (client int); insert into notes values (3); grant select on notes to fare_reader;
create table secret (client int); grant select on secret to fare_owner;
set role fare_owner;
select health.create_model('owned', :'model') \g /dev/null
select n from health.compare('owned', 'account_id in (select client from secret)');
select n from health.compare('owned', 'account_id in (select client from notes)');
set role fare_reader;
select n from health.compare('owned', 'account_id in (select client from notes)');
select n, events from health.compare('owned', 'account_id in (select client from notes)', 'select client, date ''2025-05-05'' from notes');
reset role;
create role fare_other; grant usage on schema fare to fare_other;
set role fare_other;
select n from health.compare('owned', 'true');
reset role;
-- A type of the model's owner comes as text: none of its casts or operators is looked at.
create type mood as enum ('good', 'bad');
alter table clients add mood mood default 'bad';
select health.alter_model('fare', '{"accounts": {"table": "clients", "id": "id", "start": "since", "end": "until", "columns": {"mood": "mood"}}}', restart => true) \g /dev/null
select n, others_n from health.compare('fare', 'mood = ''bad''');
select n, others_n from health.compare('fare', 'mood = ''bad''::mood');
-- Wrong input
select n from health.compare('fare', 'activ_users > 10');
select n from health.compare('fare', 'nonsense > 10');
select n from health.compare('fare', 'active_users');
select n from health.compare('fare', 'active_users >');
select n from health.compare('fare', 'active_users > 0) or (score > 1000');
select n from health.compare('fare', '$1 is null');
select n from health.compare('fare', '"$place" > 3');
select n from health.compare('fare', 'events / (events - events) > 1');
select n from health.compare('fare', 'count(*) > 1');
select n from health.compare('fare', 'active_users > generate_series(1, 2)');
select n from health.compare('fare', ' ');
select n from health.compare('fare', null);
select n from health.compare('fare', 'true', horizon => 0);
select n from health.compare('fare', 'true', as_of => '2025-06-01');
select n from health.compare('fare', 'true', as_of => 'infinity');
select n from health.compare('fare', 'true', 'select 1');
select n from health.compare('fare', 'true', 'select * from nowhere');
select n from health.compare('nope', 'true');
select health.drop_model('owned'), health.drop_model('unending'), health.drop_model('fare', cascade => true) \g /dev/null
reset search_path;
drop schema fare cascade;
drop role fare_reader; drop role fare_owner; drop role fare_other;
