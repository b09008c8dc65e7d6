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
drop schema app cascade;
