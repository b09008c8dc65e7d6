-- Cohorts and time to value of a whole book.
set client_min_messages = warning;
set datestyle = 'ISO';
create schema born;
set search_path = born, public;
create table clients (id int primary key, since date, until date, plan text);
insert into clients select g, date '2024-01-31' + (hashint4(g) & 255), case when g % 4 = 0 then date '2024-04-01' + (hashint4(g * 7) & 511) end, case g % 3 when 0 then 'a' when 1 then 'b' end from generate_series(1, 240) g;
update clients set until = null where until <= since;
insert into clients values (901, null, null, 'a'), (902, '-infinity', null, 'a'), (903, 'infinity', null, 'a'), (904, '2025-08-01', null, 'a'), (905, '2023-02-10', null, 'c'), (906, '2023-02-12', '2023-05-01', 'c');
create table uses (client int, person int, name text, at timestamptz);
insert into uses select c.id, c.id * 10 + p, case when p = 1 and d >= since + (hashint4(id * 3) & 63) then 'make' else 'look' end, d + interval '9 hours'
from clients c, generate_series(1, 3) p, generate_series(timestamptz '2024-02-01 00:00+00', '2025-06-29 00:00+00', '1 day') d
where d >= since and d < coalesce(until, 'infinity') and (hashint8(id::bigint * 10007 + p * 101 + extract(epoch from d)::bigint / 86400) & 63) < id % 5 and not (id % 11 = 0 and p = 1);
select '{"as_of": "2025-06-30", "accounts": {"table": "clients", "id": "id", "start": "since", "end": "until", "columns": {"plan": "plan"}},
  "events": {"table": "uses", "account": "client", "user": "person", "event": "name", "occurred_at": "at"}, "catalog": {"make": {"role": ["create", "activate"]}, "look": {"role": "consume"}},
  "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 3}},
    {"name": "age", "expression": "as_of - account_start", "normalize": {"kind": "linear", "worst": 0, "best": 500}}]}' as model \gset
select health.create_model('born', :'model') \g /dev/null

select cohort, starts_on, "interval", units, reached, counted, round(value::numeric, 4) as value, round(low::numeric, 4) as low, round(high::numeric, 4) as high, reason from health.cohorts('born', 'quarter', at_least => 1);
-- The same of plain SQL: an account has reached interval N when N months since its start are over; 28 days before that it was active, or not.
create index on uses (client);
create table oracle as
select c.id, since, plan, n, (since + n * interval '1 month')::date as day, until is null or until > (since + n * interval '1 month')::date as customer,
  (select count(*) from uses where client = c.id and (at at time zone 'UTC')::date >= (since + n * interval '1 month')::date - 28 and (at at time zone 'UTC')::date < (since + n * interval '1 month')::date) as events
from clients c, generate_series(1, 40) n where isfinite(since) and since <= '2025-06-30' and (since + n * interval '1 month')::date <= '2025-06-30';
create table cells as select * , 'retention' as measure from health.cohorts('born') union all select *, 'active' from health.cohorts('born', measure => 'active')
  union all select *, 'engagement' from health.cohorts('born', measure => 'engagement');
create table by_plan as select * , 'retention' as measure from health.cohorts('born', 'plan') union all select *, 'active' from health.cohorts('born', 'plan', 'active')
  union all select *, 'engagement' from health.cohorts('born', 'plan', 'engagement');
with counted as (
  select to_char(since, 'YYYY-MM') as cohort, n, m.measure, count(*) as reached, case m.measure when 'active' then count(*) filter (where events > 0) else count(*) filter (where customer) end as counted,
    avg(events) filter (where customer) as mean from oracle, (values ('retention'), ('active'), ('engagement')) m (measure) group by 1, 2, 3)
select c.measure, count(*) as cells, bool_and(c.reached = o.reached and c.counted = o.counted) as counts,
  bool_and(abs(c.value - case c.measure when 'engagement' then o.mean else o.counted::numeric / o.reached end) < 1e-9) as value, bool_and(c.reached = c.units) as everybody
from cells c join counted o on o.cohort = c.cohort and o.n = c."interval" and o.measure = c.measure where c.reason is null group by 1 order by 1;
with counted as (
  select coalesce(plan, '(none)') as cohort, n, m.measure, count(*) as reached, case m.measure when 'active' then count(*) filter (where events > 0) else count(*) filter (where customer) end as counted,
    avg(events) filter (where customer) as mean from oracle, (values ('retention'), ('active'), ('engagement')) m (measure) group by 1, 2, 3)
select c.measure, count(*) as cells, bool_and(c.reached = o.reached and c.counted = o.counted) as counts,
  bool_and(abs(c.value - case c.measure when 'engagement' then o.mean else o.counted::numeric / o.reached end) < 1e-9) as value
from by_plan c join counted o on o.cohort = c.cohort and o.n = c."interval" and o.measure = c.measure where c.reason is null group by 1 order by 1;
-- Every cohort has one unfinished cell, its last; small cohorts are masked whole; accounts without a start are told, those to come are not there.
select measure, count(distinct cohort) as cohorts, count(*) filter (where reason = 'unfinished') as unfinished,
  bool_and("interval" = (select max(l."interval") from cells l where l.cohort = c.cohort and l.measure = c.measure)) filter (where reason = 'unfinished') as last from cells c where units >= 5 and starts_on is not null group by 1 order by 1;
select distinct cohort, units, reason, counted, value from cells where reason is distinct from 'unfinished' and (units < 5 or starts_on is null) and measure = 'retention' order by 1;
select sum(units) from (select distinct cohort, units from cells) d;
-- The mean score is that of score_at().
select c."interval", c.counted, round(c.value::numeric, 6) as value, round((select avg(s.score) from clients k, lateral health.score_at('born', (k.since + c."interval" * interval '3 months')::date) s
  where k.since between '2024-02-26' and '2024-03-01' and s.account_id = k.id::text and s.state not in ('ended', 'prospect'))::numeric, 6) as score_at
from health.cohorts('born', 'quarter', 'score', '2024-02-26', '2024-03-01', 1) c where c.reason is null and c."interval" in (1, 3, 5) order by 1;
-- Time to value, and by hand: days to the first event, else as long as it was seen.
select n, reached, censored, left_out, first_quartile, median, median_low, median_high, third_quartile, sentence from health.time_to_value_summary('born');
select cohort, n, reached, censored, left_out, first_quartile, median, sentence from health.time_to_value_summary('born', 'year');
select cohort, n, reached, median from health.time_to_value_summary('born', 'plan');
with seen as (
  select id, since, (select min((at at time zone 'UTC')::date) from uses where client = id and name = 'make') - since as days, least(date '2025-06-30', until) - since as followed from clients where isfinite(since) and since <= '2025-06-30'
), counted as (select coalesce(days, followed)::float8 as time, count(*) filter (where days is not null) as reached, count(*) filter (where days is null) as censored from seen group by 1),
curve as (select time, reached, censored, sum(reached + censored) over (order by time desc) as at_risk from counted),
shares as (select *, 1 - exp(sum(ln(1 - reached::float8 / at_risk)) over (order by time)) as share from curve)
select count(*) as steps, bool_and((s.at_risk, s.reached, s.censored) = (c.at_risk, c.reached, c.censored)) as counts, bool_and(abs(s.share - c.share) < 1e-9) as share, bool_and(c.low <= c.share and c.share <= c.high) as inside,
  (select min(time) from shares where share >= 0.5) as median
from shares s full join health.time_to_value_curve('born') c on c.days = s.time;
-- The ledger of a tracked model says the same.
select health.track('born'); call health.backfill('born');
select (select count(*) from ((select * from cells) except (select * , 'retention' from health.cohorts('born') union all select *, 'active' from health.cohorts('born', measure => 'active')
  union all select *, 'engagement' from health.cohorts('born', measure => 'engagement'))) d) as different;
-- What began before the first kept day is not known of it.
select n, left_out from health.time_to_value_summary('born');
select cohort, "interval", units, counted, reason from health.cohorts('born', 'month', 'active', to_date => '2023-12-31', at_least => 1) where "interval" in (1, 9);
-- Nobody reached it; one account; nobody at all.
select health.drop_model('born', cascade => true) \g /dev/null
update uses set name = 'look';
select health.create_model('none', :'model') \g /dev/null
select n, reached, censored, median, sentence from health.time_to_value_summary('none');
select count(*) > 0 as steps, max(share) as share from health.time_to_value_curve('none');
delete from clients where id <> 8; delete from uses;
select cohort, "interval", units, reached, value, reason from health.cohorts('none', 'year');
select cohort, "interval", units, reached, value, reason from health.cohorts('none', 'plan', at_least => 1) where "interval" < 3;
select n, reached, censored, left_out, sentence from health.time_to_value_summary('none');
delete from clients;
select * from health.cohorts('none');
select * from health.time_to_value_summary('none');
-- Wrong input
select * from health.cohorts('none', 'plann');
select * from health.cohorts('none', 'week');
select * from health.cohorts('none', null);
select * from health.cohorts('none', measure => 'love');
select * from health.cohorts('none', at_least => 0);
select * from health.cohorts('none', from_date => '2025-02-01', to_date => '2025-01-01');
select * from health.time_to_value_summary('none', 'plann');
select * from health.cohorts('nope');
select health.alter_model('none', '{"accounts": {"table": "clients", "id": "id", "start": "since"}, "catalog": {"look": {"role": "consume"}}}') \g /dev/null
select * from health.cohorts('none');
select * from health.time_to_value_curve('none');
select health.alter_model('none', '{"accounts": {"table": "clients", "id": "id"}, "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "identity"}}]}') \g /dev/null
select * from health.cohorts('none', measure => 'active');
select * from health.time_to_value_summary('none');
select health.drop_model('none');
reset search_path;
drop schema born cascade;
