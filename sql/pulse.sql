-- Five figures of the last 56 days: pulse() is metrics() of the sum of the parts.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set extra_float_digits = 0;
set search_path = public, health;

select p.* from pulse('bigint{1:2025-02-03/a*100,2025-02-10/a*100,2025-02-17/a*100,2025-02-24/a*100,2025-03-03/a*95,2025-03-10/a*90,2025-03-17/a*80,2025-03-24/a*60;2:2025-03-24/b*15,2025-03-31/b}'::usage, '2025-03-31') as p;
-- Unknown: too young, something after nothing, nothing at all. A start that is known from elsewhere goes before the first event.
select n, p.* from (values (1, 'bigint{1:2025-02-04/a,2025-03-30/a}'::usage), (2, 'bigint{1:2020-01-01/a,2025-03-30/a}'), (3, '{}'), (4, 'bigint{1:2020-01-01/a}'), (5, 'bigint{1:2025-03-31/a}')) as v (n, u), pulse(u, '2025-03-31') as p order by n;
select (pulse('bigint{1:2025-02-20/a*2,2025-03-30/a}'::usage, '2025-03-31')).trend_4w as young, (pulse('bigint{1:2025-02-20/a*2,2025-03-30/a}'::usage, '2025-03-31', '2025-01-01')).trend_4w as known_start, (pulse('bigint{1:2024-02-20/a*2,2025-03-30/a}'::usage, '2025-03-31', '2025-03-01')).trend_4w as later_start;
-- Markers are no events.
select p.* from pulse('bigint{1:2024-01-01/$joined,2025-03-30/$deactivated,2025-03-30/"!",2025-03-30/a;2:2025-03-01/$invited}'::usage, '2025-03-31') as p;
-- Parts with users and days in common, NULL and empty ones, negative counts.
select p.* from pulse(array['bigint{1:2025-03-01/a*3;2:2025-03-01/a}', null, 'bigint{1:2025-03-30/b*-1;3:2025-03-30/a*4}', '{}', 'bigint{1:2024-01-01/a,2025-03-30/b}']::usage[], '2025-03-31') as p;
select p.* from pulse('{}'::usage[], '2025-03-31') as p;
select (pulse_agg(u, '2025-03-31')).* from unnest(array['bigint{1:2025-03-01/a*3;2:2025-03-01/a}', null, 'bigint{1:2025-03-30/b*-1;3:2025-03-30/a*4}', '{}', 'bigint{1:2024-01-01/a,2025-03-30/b}']::usage[]) as u;
select pulse_agg(u, '2025-03-31') is null as of_nothing from unnest(array[null]::usage[]) as u;
select pulse(null::usage, '2025-03-31') is null as no_usage, pulse(null::usage[], '2025-03-31') is null as no_usages, pulse('{}'::usage, null) is null as no_date;

-- Against metrics(): accounts of bigint, uuid and text users, their events in up to a dozen parts by quarter and at random, some of them
-- taken away again by another part.
create table part as
select kind, account, quarter, part,
       case kind when 1 then usage_agg(who::bigint, event, day)
                 when 2 then usage_agg(('00000000-0000-0000-0000-0000000000' || lpad(who::text, 2, '0'))::uuid, event, day)
                 else usage_agg('user ' || who, event, day) end as u
from (select kind, account, i, abs(hashint4(i * 13 + account)) % (1 + account % 12) as who, date '2025-01-01' + abs(hashint4(i * 7 + account)) % 180 as day,
             (array['a', 'b', '$joined', '!odd', 'zz', '$x', 'c'])[1 + abs(hashint4(i + account * 3)) % (1 + account % 7)] as event
      from generate_series(1, 3) as kind, generate_series(1, 60) as account, generate_series(1, 3 * account) as i) as e,
     lateral (select date_trunc('quarter', day)::date as quarter, abs(hashint4(i)) % 3 as part) as p
group by kind, account, quarter, part;
insert into part select kind, account, quarter, 10, '{}'::usage - u from part where part = 1;
insert into part select kind, account, quarter, 11, u from part where part = 1;
select count(*) as parts, count(*) filter (where u - '{}' <> u) as broken from part;
create table compared as
select kind, account, as_of, p.trend_4w, p::text as of_parts, w::text as of_whole,
       row (m.active_users, m.events, m.trend_4w, least(m.dip_streak, 7), m.power_user_dependency)::text as metrics
from (select kind, account, array_agg(u order by md5(part::text || quarter)) as parts, rollup(u) as whole from part group by 1, 2) as a,
     (select date '2025-01-01' + 9 * i as as_of from generate_series(0, 24) as i) as d,
     lateral pulse(a.parts, as_of) as p, lateral pulse(a.whole, as_of) as w, lateral metrics(a.whole, as_of) as m;
select count(*) filter (where a.p::text <> c.metrics) as aggregates_differ
from (select kind, account, as_of, pulse_agg(u, as_of) as p from part, (select distinct as_of from compared) as d group by 1, 2, 3) as a join compared as c using (kind, account, as_of);
select count(*) as compared, count(*) filter (where of_parts <> metrics) as parts_differ, count(*) filter (where of_whole <> metrics) as wholes_differ,
       count(trend_4w) between 1 and count(*) - 1 as some_unknown from compared;

select pulse('bigint{42:2025-01-03/view*-1}'::usage, '2025-02-01');
select pulse(array['bigint{42:2025-01-20/view*-1}', 'bigint{1:2025-01-03/view}']::usage[], '2025-02-01');
select pulse(array['bigint{42:2025-01-20/view}', 'text{1:2025-01-03/view}']::usage[], '2025-02-01');
select pulse_agg(u, d) from (values ('bigint{1:2025-01-03/view}'::usage, date '2025-02-01'), ('bigint{1:2025-01-03/view}', '2025-03-01')) as v (u, d);
select health_internal.pulse_agg_final('\x00'), health_internal.pulse_agg_final(null);
select pulse('{}'::usage, 'infinity');
select pulse('{}'::usage, '2025-01-01', '-infinity');
drop table part, compared;
