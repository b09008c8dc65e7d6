-- An account beside its peers, outliers of the book, and how far frozen references have drifted: against plain SQL.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create table app.accounts (account_id int primary key, company text, since date, left_on date, plan text, arr numeric);
create table app.users (user_id int primary key, account_id int);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
-- 40 accounts of 2 to 41 users; everybody does 1 to 3 things, but in 7 (18) and in 30 (one in ten users does anything). 41 is gone.
insert into app.accounts select i, 'Account ' || i, '2020-01-01', case i when 41 then date '2025-01-01' end, case when i % 3 = 0 then 'pro' when i % 3 = 1 then 'free' end, 1000 * i + i % 7
from generate_series(1, 41) i;
insert into app.users select a * 100 + u, a from generate_series(1, 41) a, generate_series(1, a + 1) u;
insert into app.events select a, a * 100 + u, 'login', timestamptz '2025-02-20 12:00+00' - n * interval '1 day'
from generate_series(1, 41) a, generate_series(1, a + 1) u, generate_series(1, case when a = 7 then 18 when a = 30 then (u % 10 = 0)::int else 1 + abs(hashint4(u + 100 * a)) % 3 end) n;
select '{
  "as_of": "2025-03-03",
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "start": "since", "end": "left_on", "columns": {"plan": "plan", "arr": "arr"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "use", "signals": [
      {"name": "reach", "metric": "activation_rate", "shrink": 3, "normalize": {"kind": "linear", "worst": 0, "best": 1}},
      {"name": "week", "metric": "active_users", "window_days": 14, "normalize": {"kind": "percentile", "segment": "plan"}}]},
    {"name": "worth", "column": "arr", "normalize": {"kind": "percentile"}},
    {"name": "plan", "column": "plan", "normalize": {"kind": "map", "map": {"pro": 90, "free": 30}}}],
  "segments": {"tier": {"column": "plan"}, "size": {"column": "total_users", "steps": [{"name": "large", "from": 21}, {"name": "small"}]},
               "own": {"expression": "account_id"}}
  }' as document \gset
select health.create_model('m', :'document');
select health.create_score_view('m', 'scores.m');

select kind, name, value, peers, low, median, high, percentile, sentence from health.benchmarks('m', 7) where kind <> 'metric' or name in ('total_users', 'active_users', 'events');
select name, peers, median, percentile, sentence from health.benchmarks('m', '7', segment => 'tier') where name in ('events', 'week');
select name, peers, median, percentile, sentence from health.benchmarks('m', 7, 'own') where name in ('events', 'week');
-- Out of the book: beside it, not in it.
select name, value, peers, percentile from health.benchmarks('m', 41) where name in ('events', 'worth', 'total_users');

create table scores.answers as select a.account_id, b.* from unnest('{1,7,20,30,41}'::int[]) a (account_id), health.benchmarks('m', a.account_id) b;
-- Every number of some accounts against percentile_cont and counting, by the whole book and by a segment.
create function scores.check_benchmarks(segment text) returns table (compared bigint, wrong bigint) language sql as $$
  with numbers as (
    select a.account_id, a.in_book, j.key as name, (j.value #>> '{}')::float8 as value from scores.m a, jsonb_each(to_jsonb(a)) j where jsonb_typeof(j.value) = 'number' and j.key <> 'worth'
    union all select s.account_id, a.in_book, s.signal, s.raw from scores.m_signals s join scores.m a using (account_id) where s.raw is not null and s.level > 0),
  grouped as (select n.*, coalesce(g.value, '') as part from numbers n left join scores.m_segments g on g.account_id = n.account_id and g.segment = check_benchmarks.segment),
  wanted as (
    select o.account_id, o.name, o.value, count(p.value) as peers, percentile_cont(0.25) within group (order by p.value) as low, percentile_cont(0.5) within group (order by p.value) as median,
           percentile_cont(0.75) within group (order by p.value) as high,
           case when count(p.value) > 1 then 100 * (count(p.value) filter (where p.value < o.value) + count(p.value) filter (where p.value = o.value) / 2.0) / count(p.value) end as percentile
    from grouped o left join grouped p on p.name = o.name and p.part = o.part and p.in_book group by o.account_id, o.name, o.value)
  select count(*), count(*) filter (where b.name is null or b.peers is distinct from w.peers or abs(b.value - w.value) > 1e-9 or abs(b.low - w.low) > 1e-9 or abs(b.median - w.median) > 1e-9
    or abs(b.high - w.high) > 1e-9 or abs(b.percentile - w.percentile) > 1e-9 or (b.percentile is null) <> (w.percentile is null) or (b.median is null) <> (w.median is null))
  from wanted w left join scores.answers b on b.account_id = w.account_id and b.name = w.name
  where w.account_id in (select account_id from scores.answers) and w.name in (select m.name from health_internal.measured_columns(health.model_definition('m')) m) and w.name <> 'plan' $$;
select compared > 100 as many, wrong from scores.check_benchmarks(null);
truncate scores.answers;
insert into scores.answers select a.account_id, b.* from unnest('{1,7,20,30,41}'::int[]) a (account_id), health.benchmarks('m', a.account_id, 'size') b;
select compared > 100 as many, wrong from scores.check_benchmarks('size');

-- Far from usual: what is strange was put there, at the size and at the revenue; exactly at the limit is in.
select account, name, comparison, x, round(y::numeric, 3) as y, round(expected::numeric, 3) as expected, sentence from health.outliers('m');
select comparison, count(*) as accounts, percentile_cont(0.5) within group (order by abs(distance)) as half_beyond from health.outliers('m', at_least => 0) group by 1 order by 1;
select distance as far from health.outliers('m') where account = '7' and comparison like '%size' \gset
select count(*) filter (where account = '7') as at_limit from health.outliers('m', at_least => :far) where comparison like '%size';
select count(*) filter (where account = '7') as above_limit from health.outliers('m', at_least => :far + 1e-9) where comparison like '%size';
-- The line by brute force in SQL.
with points as (select account_id, ln(total_users) as x, ln(events::float8 / total_users) as y from scores.m where in_book and total_users > 0 and events > 0),
  slope as (select percentile_cont(0.5) within group (order by (b.y - a.y) / (b.x - a.x)) as b from points a join points b on a.account_id < b.account_id and a.x <> b.x),
  rests as (select p.account_id, p.y - slope.b * p.x as r from points p, slope), usual as (select percentile_cont(0.5) within group (order by r) as m from rests),
  unit as (select percentile_cont(0.5) within group (order by abs(r - m)) as mad from rests, usual)
select count(*) as accounts, count(*) filter (where abs(o.distance - (r - m) / (1.4826 * mad)) > 1e-9 or o.account is null) as wrong
from rests cross join usual cross join unit left join health.outliers('m', at_least => 0) o on o.account = account_id::text and o.comparison like '%size';
select count(*) from health.outliers('m', revenue => 'total_users') where comparison like '%revenue';
select * from health.outliers('m', revenue => 'plan');
select * from health.outliers('m', at_least => -1);
select * from health.outliers('m', at_least => 'NaN');
select * from health.outliers('m', at_least => null);

-- Nothing has drifted on the day that it was frozen; then half of the accounts grow, and one plan is new.
select * from health.reference_drift('m');
update app.accounts set arr = arr * 10 where account_id <= 30;
update app.accounts set plan = 'new' where account_id in (1, 2, 3);
delete from app.events where account_id < 20;
select signal, reference, segment, frozen_accounts as was, accounts as is, frozen_median, median, percentile, sentence from health.reference_drift('m');
-- What refreeze_references() would take, and then nothing has drifted again.
select health.refreeze_references('m');
select count(*), count(*) filter (where frozen_median is distinct from median or frozen_accounts <> accounts) as drifted from health.reference_drift('m');

-- Tracked, the same.
create table scores.places as select a, b.* from unnest('{1,7,20,30,41}'::int[]) a, health.benchmarks('m', a, 'tier') b;
create table scores.far as select * from health.outliers('m', at_least => 0);
create table scores.drift as select * from health.reference_drift('m');
select health.track('m');
call health.backfill('m');
call health.refresh('m');
select count(*) > 100 as many, count(*) filter (where to_jsonb(p) is distinct from to_jsonb(b)) as other
from scores.places p full join (select a, b.* from unnest('{1,7,20,30,41}'::int[]) a, health.benchmarks('m', a, 'tier') b) b using (a, kind, name);
select count(*) > 20 as many, count(*) filter (where to_jsonb(f) is distinct from to_jsonb(o)) as other from scores.far f full join health.outliers('m', at_least => 0) o using (account, comparison);
select count(*), count(*) filter (where to_jsonb(f) is distinct from to_jsonb(o)) as other
from scores.drift f full join health.reference_drift('m') o on (o.signal, o.reference, coalesce(o.segment, '')) = (f.signal, f.reference, coalesce(f.segment, ''));

-- One account, and nobody.
select health.untrack('m');
delete from app.accounts where account_id <> 5;
select name, value, peers, median, percentile, sentence from health.benchmarks('m', 5) where name in ('worth', 'total_users');
select count(*) from health.outliers('m');
update app.accounts set left_on = '2025-01-01';
select name, value, peers, median, percentile, sentence from health.benchmarks('m', 5) where name in ('worth', 'total_users');
delete from app.accounts;
select * from health.benchmarks('m', 5);
select count(*) from health.outliers('m', at_least => 0);
select signal, reference, segment, frozen_accounts, accounts, median, sentence from health.reference_drift('m') order by 1, 2, 3;
insert into app.accounts (account_id) values (5);
-- NULL values are in a group of their own, and numbers that are none are left out.
insert into app.accounts (account_id, arr) values (6, 'NaN'), (8, 3);
select name, value, peers, median, percentile, sentence from health.benchmarks('m', 5, 'tier') where name in ('worth', 'total_users');

select * from health.benchmarks('m', 99);
select * from health.benchmarks('m', null::text);
select * from health.benchmarks('m', 5, 'tiers');
select health.alter_model('m', '{"segments": null}');
select * from health.benchmarks('m', 5, 'tier');
select * from health.benchmarks('n', 5);
create role benchmarks_other;
set role benchmarks_other;
select * from health.benchmarks('m', 5);
select * from health.outliers('m');
select * from health.reference_drift('m');
reset role;
drop role benchmarks_other;
select health.drop_model('m', cascade => true);
drop schema app, scores cascade;
