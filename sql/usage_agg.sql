-- usage_agg: events become a ledger, whatever their types, order and time zone.
set datestyle = 'ISO';
set search_path = public, health;

-- Users are bigint, uuid or text; smaller integers and varchar go along. Time is timestamptz or date.
select usage_agg(7::bigint, 'view', timestamptz '2025-01-03 10:00+00'), usage_agg(7::int, 'view', date '2025-01-03'), usage_agg(7::smallint, 'view'::varchar, date '2025-01-03');
select usage_agg('anna'::text, 'view', timestamptz '2025-01-03 10:00+00'), usage_agg('anna'::varchar, 'view', date '2025-01-03');
select usage_agg('00000000-0000-0000-0000-000000000007'::uuid, 'view', timestamptz '2025-01-03 10:00+00');

-- Local days: of UTC, or of the zone that is named; never of the session's.
set timezone = 'America/New_York';
select usage_agg(7, 'view', at) as utc, usage_agg(7, 'view', at, 'Europe/Berlin') as berlin, usage_agg(7, 'view', at, 'Asia/Kolkata') as kolkata
from (values (timestamptz '2025-01-03 23:30+00')) v (at);
reset timezone;
-- A zone is what AT TIME ZONE takes it for: CET and EST are abbreviations, without daylight saving time; MSK has moved.
create table moments as
    select zone, t from unnest(array['CET', 'EST', 'pst', 'MSK', 'Europe/Berlin', '+05:30', 'UTC']) as z (zone),
        generate_series(timestamptz '2009-12-31 00:07+00', '2011-12-31', '5 hours 23 min') as t;
select zone, sum(c.count) as times, count(*) as days, bool_and(exists (
    select 1 from moments m where m.zone = g.zone and (m.t at time zone m.zone)::date = c.day having count(*) = c.count)) as same
from (select zone, usage_agg(1, 'a', t, zone) as u from moments group by zone) as g, cells(u) as c group by zone order by zone collate "C";
drop table moments;
select usage_agg(1, 'a', timestamptz '2025-01-01 00:00+00', 'Europe/Berln');
-- The days around a change of the clocks have 23 and 25 hours; each hour is in the day that people there had.
select usage_agg(1, 'hour', at, 'Europe/Berlin') from generate_series(timestamptz '2025-03-29 23:00+00', timestamptz '2025-03-30 21:59+00', interval '1 hour') at;
select usage_agg(1, 'hour', at, 'Europe/Berlin') from generate_series(timestamptz '2025-10-25 22:00+00', timestamptz '2025-10-26 22:59+00', interval '1 hour') at;
-- The day that Samoa did not have.
select usage_agg(1, 'hour', at, 'Pacific/Apia') from generate_series(timestamptz '2011-12-30 00:00+00', timestamptz '2011-12-30 23:00+00', interval '1 hour') at;

-- Amounts: to 10^-6, exact in any order; NULL is an event without one.
select usage_agg(1, 'minutes', date '2025-01-03', amount) from (values (0.1::float8), (0.2), (null), (1e-7)) v (amount);
select usage_agg(1, 'minutes', timestamptz '2025-01-03 23:30+00', 1.5, 'Europe/Berlin');

-- A NULL user, event or time is no event; no events are the empty ledger.
select usage_agg(u, e, d) from (values (1, 'a', date '2025-01-03'), (null, 'a', '2025-01-03'), (1, null, '2025-01-03'), (1, 'a', null)) v (u, e, d);
select usage_agg(1, 'a', date '2025-01-03') where false;
select usage_agg(null::bigint, 'a', date '2025-01-03');

-- Mistakes.
select usage_agg(1, '', date '2025-01-03');
select usage_agg(1, 'a', 'infinity'::date);
select usage_agg(1, 'a', '-infinity'::timestamptz);
select usage_agg(1, 'a', date '2025-01-03', 'NaN'::float8);
select usage_agg(1, 'a', date '2025-01-03', '-Infinity'::float8);
select usage_agg(1, 'a', date '2025-01-03', 1e13);
select usage_agg(1, 'a', now(), 'Europe/Berlyn');
select usage_agg(1, 'a', now(), null::text);
select usage_agg(1.5, 'a', date '2025-01-03');

-- Many names, long names, far users: nothing is lost.
create table e as select n as id, n % 3 as account, n % 17 * 1000000007::bigint as u, 'event ' || n % 300 || repeat('x', n % 90) as event, date '2025-01-01' + n % 40 as d from generate_series(1, 20000) n;
select sum(count), count(*), count(distinct event), count(distinct user_id) from cells((select usage_agg(u, event, d) from e));
select count(*) as wrong from (select user_id::bigint, day, event, count from cells((select usage_agg(u, event, d) from e))) l full join (select u, d, event, count(*) from e group by 1, 2, 3) o
  on (l.user_id, l.day, l.event) = (o.u, o.d, o.event) where l.count is distinct from o.count;
-- As a window function, with FILTER and DISTINCT.
select id, usage_agg(u, 'x', d) over (order by id rows between 1 preceding and current row) from e where id <= 3 order by id;
select usage_agg(u, 'x', d) filter (where id = 5), usage_agg(distinct account, 'x', date '2025-01-01') from e;
-- In parallel as in one process.
create table serial as select account, usage_agg(u, event, d) as u from e group by account;
set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
create table parallel as select account, usage_agg(u, event, d) as u from e group by account;
select bool_and(s.u = p.u), count(*) from serial s join parallel p using (account);
drop table e, serial, parallel;
