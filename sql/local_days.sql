-- Days and windows in zones whose clocks go back over midnight lose no hour, and what is no name of a zone is refused.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
create schema app;
create table app.accounts (id int);
insert into app.accounts values (1);
-- The last day on which the zone put its clocks back, before 2025, and the hours around the two midnights: an event each quarter of an hour.
create table app.zone (name text, change timestamptz);
insert into app.zone values ('America/Havana', '2024-11-03 05:00+00'), ('Atlantic/Azores', '2024-10-27 01:00+00'), ('Asia/Beirut', '2024-10-26 21:00+00'),
  ('America/Sao_Paulo', '2018-02-18 02:00+00'), ('America/Asuncion', '2024-03-24 03:00+00'), ('Europe/Berlin', '2024-10-27 01:00+00'), ('utc', '2024-10-27 01:00+00');
create table app.events (account_id int, user_id int, name text, at timestamptz);
create table app.outcome (zone text, days int, events bigint, differs bigint);
create procedure app.try(zone app.zone) language plpgsql as $$
declare
  first_day date;
  shift int;
begin
  -- The window begins on the day before the change, on its day, and on the day after.
  for shift in -1..1 loop
    first_day := (zone.change at time zone zone.name)::date + shift;
    delete from app.events;
    insert into app.events select 1, 1, 'early', zone.change + n * interval '30 minutes' from generate_series(-100, 100) n;
    perform health.create_model('zoned', jsonb_build_object('as_of', first_day + 7, 'time_zone', zone.name, 'accounts', '{"table": "app.accounts", "id": "id"}'::jsonb,
      'events', '{"table": "app.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}'::jsonb,
      'signals', '[{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]'::jsonb));
    perform health.create_score_view('zoned', 'app.zoned'), health.track('zoned', window_days => 7), health.refresh_score_views('zoned');
    insert into app.events select 1, 2, 'late', zone.change + n * interval '15 minutes' from generate_series(-100, 100) n where ((zone.change + n * interval '15 minutes') at time zone zone.name)::date >= first_day;
    delete from app.events where name = 'early' and extract(minute from at) = 30 and (at at time zone zone.name)::date >= first_day;
    perform health.refresh_score_views('zoned');
    insert into app.outcome
    select zone.name, count(*), sum(coalesce(o.n, 0)), count(*) filter (where o.n is distinct from l.n) + (select count(*) from health.verify('zoned'))
    from (select (e.at at time zone zone.name)::date as day, e.name, count(*) as n from app.events e group by 1, 2) o
    full join (select c.day, c.event as name, sum(c.count)::bigint as n from app.zoned_ledger v, health.cells(v.usage) c group by 1, 2) l on l.day = o.day and l.name = o.name;
    perform health.drop_model('zoned', cascade => true);
  end loop;
end $$;
set client_min_messages = warning;
do $$ declare zone app.zone; begin for zone in select * from app.zone loop call app.try(zone); end loop; end $$;
select count(*) as tried, sum(differs) as differs, min(events) > 100 as some from app.outcome;

select z as zone, p.path, p.problem, p.hint from unnest('{Europe/Berlin,europe/berlin,UTC,Etc/GMT-2,CEST,UTC+2,Foo+9,"<X>-3",Europe/Berlinn}'::text[]) with ordinality z (z, position)
  left join lateral health.validate_model(jsonb_build_object('time_zone', z, 'accounts', '{"table": "app.accounts", "id": "id"}'::jsonb, 'events',
  '{"table": "app.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}'::jsonb,
  'signals', '[{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]'::jsonb)) p on true order by z.position;
select p.path, p.problem from health.validate_model('{"accounts": {"table": "app.accounts", "id": "id"}, "events": [{"table": "app.events", "account": "account_id", "user": "user_id",
  "event": "name", "occurred_at": "at", "time_zone": "MSK"}], "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}') p;

-- Near the ends of time a local time, or the time of a local one, is beyond what PostgreSQL has values for: such rows are left out, in every mode.
select count(*) > 100000 as many, count(*) filter (where health_internal.to_local_day(t, name) is distinct from (t at time zone name)::date) as days_differ,
  count(*) filter (where health_internal.to_moment(t at time zone 'UTC', name) is distinct from (t at time zone 'UTC') at time zone name) as moments_differ
from (select name from pg_timezone_names where name not like 'posix%' union all select unnest('{CET,MSK,EST,UTC,+03}'::text[])) z, (
  select timestamptz '1824-01-01 00:00+00' + random() * interval '400 years' from generate_series(1, 50)
  union all select timestamptz '2024-03-31 00:00+00' + n * interval '13 minutes' from generate_series(-300, 300) n
  union all select timestamptz '4714-11-27 00:00+00 BC' + n * interval '7 hours' from generate_series(0, 20) n
  union all select timestamptz '294276-12-24 00:00+00' + n * interval '7 hours' from generate_series(0, 15) n
  union all select unnest('{infinity,-infinity}'::timestamptz[])) m (t);
select z as zone, health_internal.to_local_day('294276-12-31 23:59:59+00', z) as last_day, health_internal.to_local_day('4714-11-24 00:00+00 BC', z) as first_day,
  health_internal.to_moment('294276-12-31 23:59:59', z) at time zone 'UTC' as last_moment, health_internal.to_moment('4714-11-24 BC', z) at time zone 'UTC' as first_moment
from unnest('{UTC,Pacific/Kiritimati,America/Los_Angeles,MSK}'::text[]) z;
select health_internal.to_moment('2025-01-01', 'Foo');
select health_internal.to_local_day('2025-01-01 00:00+00', 'Foo');

create table app.clients (id int primary key, since timestamp, since_utc timestamptz);
insert into app.clients values (1, '294276-12-31 23:59:59', '294276-12-31 23:59:59+00'), (2, '4714-11-24 BC', '4714-11-24 00:00+00 BC');
create table app.people (id int, client int, joined timestamptz, deactivated timestamp);
insert into app.people values (0, 1, null, null), (1, 1, '294276-12-31 23:59:59+00', '294276-12-31 23:59:59'), (2, 2, '4714-11-24 00:00+00 BC', '4714-11-24 BC');
create table app.uses (client int, person int, name text, at timestamp, at_utc timestamptz);
insert into app.uses select 1 + g % 2, g % 3, 'x', '2025-06-20', '2025-06-20 12:00+00' from generate_series(1, 6) g;
insert into app.uses select client, 1, 'x', t, t at time zone 'UTC' from unnest('{1,2}'::int[], '{294276-12-31 23:59:59,4714-11-24 BC}'::timestamp[]) u (client, t);
create table app.tries as
select 'edge' || row_number() over (order by zone, source_zone, utc, days) as model, zone, source_zone, utc, days
from unnest('{UTC,Pacific/Kiritimati,America/Los_Angeles}'::text[]) zone, unnest('{Pacific/Kiritimati,America/Los_Angeles}'::text[]) source_zone, unnest('{f,t}'::bool[]) utc, unnest('{null,400}'::int[]) days;
select count(health.create_model(model, jsonb_build_object('as_of', '2025-06-30', 'time_zone', zone,
  'accounts', jsonb_build_object('table', 'app.clients', 'id', 'id', 'start', case when utc then 'since_utc' else 'since' end, 'time_zone', source_zone),
  'users', jsonb_build_object('table', 'app.people', 'id', 'id', 'account', 'client', 'joined', 'joined', 'deactivated', 'deactivated', 'time_zone', source_zone),
  'events', jsonb_build_object('table', 'app.uses', 'account', 'client', 'user', 'person', 'event', 'name', 'occurred_at', case when utc then 'at_utc' else 'at' end, 'time_zone', source_zone),
  'signals', '[{"name": "uses", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]'::jsonb))) as models from app.tries;
select health.create_score_view(model, 'app.' || model) from app.tries \g /dev/null
create function app.outcomes() returns table (outcome text, models bigint) language plpgsql as $$
declare
  item record;
  sums text;
  tally text[] := '{}';
begin
  for item in select * from app.tries order by model loop
    execute format('select string_agg(account_id || '': '' || events || '' events, '' || coalesce(''score '' || score, state), ''; '' order by account_id) from app.%I', item.model) into sums;
    tally := tally || sums;
  end loop;
  return query select t, count(*) from unnest(tally) t group by 1 order by 1;
end $$;
select * from app.outcomes();
create table app.left_out as select t.model, (select count(*) from health.tracking_plan(t.model) p where p.finding = 'bad value') as planned from app.tries t;
select t.zone, t.source_zone, t.utc, l.planned from app.tries t join app.left_out l using (model) where t.days is null order by 1, 2, 3;
set client_min_messages = error;
select health.track(model, window_days => days) from app.tries \g /dev/null
select format('call health.backfill(%L)', model) from app.tries order by model \gexec
insert into app.uses select client, 1, 'x', t, t at time zone 'UTC' from unnest('{1,2,2}'::int[], '{294276-12-31 23:59:59,4714-11-24 BC,2025-06-21}'::timestamp[]) u (client, t);
select format('call health.refresh(%L)', model) from app.tries order by model \gexec
set client_min_messages = warning;
select * from app.outcomes();
select count(*) as differs from app.tries t, health.verify(t.model);
-- What is captured is counted like what the plan lists, twice by now; what a window does not reach is not counted.
select t.zone, t.source_zone, t.utc, s.phase, s.bad_rows, s.bad_rows = 2 * l.planned as as_planned from app.tries t join app.left_out l using (model), health.status(t.model) s
where t.days is null order by 1, 2, 3;
select health.drop_model(model, cascade => true) from app.tries \g /dev/null
drop schema app cascade;
