-- Which figures of the accounts go together.
set client_min_messages = warning;
create schema pairs;
set search_path = pairs, public;
create table clients (id int primary key, since date, until date, arr numeric, staff int, plan text, flat int);
insert into clients select g, '2024-01-01', case when g > 195 then date '2025-01-01' end, case when g % 11 > 0 then (g * 7919) % 1000 end, g % 13, case when g % 2 = 0 then 'a' else 'b' end,
  case when g <= 3 then g else 0 end from generate_series(1, 200) g;
create table uses (client int, person int, name text, at timestamptz);
insert into uses select c.id, c.id * 10 + p, case when p = 1 then 'make' else 'look' end, d + interval '9 hours'
from clients c, generate_series(1, 4) p, generate_series(timestamptz '2025-04-01 00:00+00', '2025-06-29 00:00+00', '1 day') d
where (hashint8(c.id::bigint * 100003 + p * 1009 + extract(epoch from d)::bigint / 86400) & 255) < 10 + coalesce(c.arr, 0) / 20 + 5 * (c.id % 7);
select '{"as_of": "2025-06-30", "accounts": {"table": "clients", "id": "id", "start": "since", "end": "until", "columns": {"arr": "arr", "staff": "staff", "plan": "plan", "flat": "flat"}},
  "events": {"table": "uses", "account": "client", "user": "person", "event": "name", "occurred_at": "at"}, "catalog": {"make": {"role": "create"}, "look": {"role": "consume"}},
  "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 4}},
    {"name": "events", "metric": "events", "role": "create", "normalize": {"kind": "linear", "worst": 0, "best": 20}},
    {"name": "half", "expression": "staff / 2.0", "normalize": {"kind": "linear", "worst": 0, "best": 6}}]}' as model \gset
select health.create_model('pairs', :'model') \g /dev/null
select health.create_score_view('pairs', 'pairs_view') \g /dev/null

-- r is what corr() says, rho what corr() says of mid-ranks, of accounts in the book of which both are known.
create table found as select * from health.correlations('pairs');
create table numbers as select account_id, n.key as figure, n.value::text::float8 as value from pairs_view v, jsonb_each(to_jsonb(v)) n
where in_book and jsonb_typeof(n.value) = 'number' and n.key not in ('account_id', 'model_version');
with both_known as (
  select a.figure as first, b.figure as second, a.value as x, b.value as y from numbers a join numbers b using (account_id) where a.figure <> b.figure
), ranks as (
  select first, second, x, y, rank() over wx + (count(*) over ex - 1) / 2.0 as rx, rank() over wy + (count(*) over ey - 1) / 2.0 as ry from both_known
  window wx as (partition by first, second order by x), wy as (partition by first, second order by y), ex as (partition by first, second, x), ey as (partition by first, second, y)
), counted as (select first, second, count(*) as n, corr(x, y) as r, corr(rx, ry) as rho from ranks group by 1, 2)
select count(*) > 300 as many, count(*) filter (where c.n = f.n) = count(*) as n, bool_and(abs(c.r - f.pearson) < 1e-9) as r, bool_and(abs(c.rho - f.spearman) < 1e-9) as rho,
  bool_and(abs(tanh(atanh(least(f.pearson, 0.999999)) - 1.959963984540054 / sqrt(f.n - 3)) - f.pearson_low) < 1e-6) filter (where abs(f.pearson) < 0.999) as fisher,
  bool_and(abs(tanh(atanh(f.spearman) + 1.959963984540054 * sqrt((1 + f.spearman ^ 2 / 2) / (f.n - 3))) - f.spearman_high) < 1e-9) filter (where abs(f.spearman) < 0.999) as bonett_wright,
  bool_and((f.p_value < 0.05) = (f.spearman_low > 0 or f.spearman_high < 0)) as p
from found f join counted c on c.first = f.first and c.second = f.second where f.p_value is not null;
-- Benjamini and Hochberg over all pairs that were looked at.
with ordered as (select p_value, significant, row_number() over (order by p_value) as k, count(*) over () as m from found where p_value is not null)
select bool_and(significant = (p_value <= (select coalesce(max(p_value), -1) from ordered where p_value <= 0.05 * k / m))) as same, count(*) filter (where significant) > 10 as some from ordered;
-- The same, constant, unknown: named, once; what is part of the score says so.
select first, second, n, note from found where p_value is null and first not in (select unnest(health_internal.metric_columns())) order by first;
select second, note from found where first = 'active_users' and second = 'people';
select first, second, note from found where 'score' in (first, second) and note is not null and first || second ~ 'active_users|half|events_value|arr|staff' order by 1, 2;
select first, second, round(pearson::numeric, 3) as r, note from found where 'events_value' in (first, second) and 'events' in (first, second);
-- One figure with each other: fewer pairs were looked at.
select count(*) as pairs, bool_and('arr' in (f.first, f.second)) as with_arr, bool_and(exists (select from found a where a.first = f.first and a.second = f.second and a.pearson = f.pearson)) as same
from health.correlations('pairs', 'arr') f where p_value is not null;
select first, second, n, round(pearson::numeric, 3) as r, round(spearman::numeric, 3) as rho, significant from health.correlations('pairs', 'arr') where second in ('events', 'staff') or first in ('events', 'staff');
set client_min_messages = notice;
select count(*) > 0 as warned from health.correlations('pairs');
-- A past day, and the ledger of a tracked model.
set client_min_messages = warning;
create table past as select * from health.correlations('pairs', as_of => '2025-06-01');
select max(n) as accounts from past;
select health.track('pairs'); call health.backfill('pairs');
select (select count(*) from (table found except select * from health.correlations('pairs')) d) as today, (select count(*) from (table past except select * from health.correlations('pairs', as_of => '2025-06-01')) d) as past;
-- One account, nobody, wrong input.
delete from clients where id > 1; delete from uses where client > 1;
select health.create_model('one', :'model') \g /dev/null
select count(*) filter (where p_value is not null) as pairs, count(*) > 5 as named from health.correlations('one');
delete from clients;
select count(*) filter (where p_value is not null) as pairs, max(n) as n from health.correlations('one');
select * from health.correlations('one', 'activ_users');
select * from health.correlations('one', 'plan');
select * from health.correlations('one', at_least => 3);
select * from health.correlations('one', as_of => 'infinity');
select * from health.correlations('nope');
select health.drop_model('one'), health.drop_model('pairs', cascade => true) \g /dev/null
reset search_path;
drop schema pairs cascade;
