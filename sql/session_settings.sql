-- Scores, captured ids and compiled SQL are the same in every session, whatever its settings are.
\set SHOW_CONTEXT never
-- A planner that is kept from what it would do takes every plan for a costly one, worth compiling.
set jit = off;
create schema app;
create table app.accounts (id float8, nps float8, cohort date, cohort_at timestamptz, naive timestamp, size float4, renewal text, seats int);
insert into app.accounts select i, 57.4 + i / 10.0, date '2025-01-31' + (i % 2)::int, timestamptz '2025-01-31 22:00+00' + (i % 2) * interval '1 day',
  timestamp '2025-01-31 22:00' + (i % 2) * interval '1 day', (i % 2) / 3.0, '2025-07-' || 10 + i, 10 from generate_series(1, 6) i;
create table app.users (id float8, account_id numeric, joined timestamp);
insert into app.users select u + 0.1, 1 + u % 6, timestamp '2025-06-01 23:30' from generate_series(1, 12) u;
create table app.events (account_id bigint, user_id float8, name text, raw text, at timestamp, seen timestamptz);
insert into app.events select 1 + u % 6, u + 0.1, 'x', '2025-06-2' || u % 9 || ' 23:30:00', timestamp '2025-06-20 23:30', timestamptz '2025-06-20 23:30+00' from generate_series(1, 12) u;
\set document '{"as_of": "2025-06-30", "time_zone": "Europe/Berlin", "history": {"days": 10}, "accounts": {"table": "app.accounts", "id": "id", "start": "naive", "seats": "seats", "time_zone": "America/New_York", "columns": {"left": {"sql": "renewal::date - as_of"}, "cents": {"sql": "nps::text::numeric"}}}, "users": {"table": "app.users", "id": "id", "account": "account_id", "joined": "joined", "time_zone": "America/New_York"}, "events": [{"table": "app.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at", "filter": "raw <> $$a\\b$$"}, {"table": "app.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "seen"}], "signals": [{"name": "nps_points", "column": "nps", "normalize": {"kind": "linear", "worst": 0, "best": 100}}, {"name": "third", "column": "size", "normalize": {"kind": "linear", "worst": 0, "best": 1}}, {"name": "by_cohort", "column": "nps", "normalize": {"kind": "percentile", "segment": "cohort"}}, {"name": "by_time", "column": "nps", "normalize": {"kind": "percentile", "segment": "cohort_at"}}, {"name": "by_naive", "column": "nps", "normalize": {"kind": "percentile", "segment": "naive"}}, {"name": "by_size", "column": "nps", "normalize": {"kind": "percentile", "segment": "size"}}, {"name": "days", "column": "left", "normalize": {"kind": "linear", "worst": 0, "best": 30}}, {"name": "recency", "metric": "recency_days", "normalize": {"kind": "linear", "worst": 30, "best": 0}}, {"name": "onboarded", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}'
-- A time that is a text is read in UTC, year first: in every mode but that of triggers, which take no expression that settings could change.
\set in_text '{"events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": {"sql": "raw::timestamptz"}}}'
create table app.setting (session int, name text, value text);
insert into app.setting values (1, 'TimeZone', 'Pacific/Kiritimati'), (1, 'DateStyle', 'German'), (1, 'IntervalStyle', 'iso_8601'), (1, 'extra_float_digits', '-14'),
  (1, 'bytea_output', 'escape'), (1, 'standard_conforming_strings', 'off'), (1, 'quote_all_identifiers', 'on'), (1, 'search_path', ''), (1, 'array_nulls', 'off'),
  (1, 'enable_hashjoin', 'off'), (1, 'enable_sort', 'off'), (1, 'timezone_abbreviations', 'Australia'), (1, 'row_security', 'off'),
  (2, 'TimeZone', 'Pacific/Pago_Pago'), (2, 'DateStyle', 'SQL, MDY'), (2, 'extra_float_digits', '0'), (2, 'search_path', 'app'), (2, 'backslash_quote', 'off'),
  (2, 'xmloption', 'document'), (2, 'transform_null_equals', 'on'), (2, 'enable_nestloop', 'off'), (2, 'default_text_search_config', 'pg_catalog.german'),
  (3, 'TimeZone', 'America/New_York'), (3, 'DateStyle', 'Postgres, DMY'), (3, 'extra_float_digits', '3'), (3, 'max_parallel_workers_per_gather', '0');
create procedure app.set_all(wanted int) language plpgsql as $$
begin
  perform set_config(name, value, false) from app.setting where session = wanted;
end $$;
create procedure app.reset_all() language plpgsql as $$
declare
  name text;
begin
  for name in select distinct s.name from app.setting s loop
    execute format('reset %I', name);
  end loop;
end $$;
select health.create_model('s', :'document'), health.create_model('t', :'document'::jsonb || :'in_text'::jsonb);
select health.create_score_view('s', 'app.plain', materialized => false), health.create_score_view('s', 'app.stored'), health.create_score_view('t', 'app.text');

create function app.seen(relation text) returns text language plpgsql as $$
declare
  found text;
begin
  -- The columns that are not numbers would print by settings themselves.
  execute format('select string_agg(md5(row(s.score, s.data_coverage, s.active_users, s.recency_days, s.weekly, s.name, s.main_reason, s.score_without_top_user,
    s.change_28d, s.account_start - date ''2000-01-01'')::text), '' '' order by s.account_id) from %s s', relation) into found;
  return md5(found);
end $$;
-- Compared as text of the session that looks: numbers print by extra_float_digits.
alter function app.seen set extra_float_digits = 1;
alter function app.seen set quote_all_identifiers = off;
alter function app.seen set standard_conforming_strings = on;
create table app.found (what text, seen text, session int);
create procedure app.look(what text, relations text[], refreshed text, session int) language plpgsql as $$
declare
  relation text;
begin
  call app.set_all(session);
  perform health.refresh_score_views(refreshed);
  foreach relation in array relations loop
    insert into app.found values (what || ' ' || relation, app.seen(relation), session);
  end loop;
  insert into app.found values (what || ' score_at', (select md5(string_agg(md5(row(f.account_id, f.name, round(f.score::numeric, 9))::text), ' ' order by f.account_id))
      from health.score_at(refreshed, make_date(2025, 6, 24)) f), session);
  insert into app.found values (what || ' explain', (select md5(string_agg(md5(row(f.step, f.label, f.phrase, round(f.points::numeric, 9))::text), ' ' order by f.step, f.label, f.phrase))
      from health.explain(refreshed, 3, make_date(2025, 6, 20), make_date(2025, 6, 30)) f), session);
  insert into app.found values (what || ' findings', (select count(*) from health.tracking_plan(refreshed))::text, session);
  call app.reset_all();
end $$;
set client_min_messages = warning;
insert into app.found values ('untracked app.plain', app.seen('app.plain'), 0), ('untracked app.stored', app.seen('app.stored'), 0), ('in text app.text', app.seen('app.text'), 0);
-- The SQL that is compiled is the same, too; and so is the version that a document makes.
select md5(pg_get_viewdef('app.plain_ledger'::regclass)) as before \gset
set quote_all_identifiers = on;
set standard_conforming_strings = off;
set datestyle = 'German';
set timezone = 'Asia/Tokyo';
select health.drop_score_view('app.plain'), health.alter_model('s', :'document') as version;
select health.create_score_view('s', 'app.plain', materialized => false);
reset quote_all_identifiers;
reset standard_conforming_strings;
reset datestyle;
reset timezone;
select md5(pg_get_viewdef('app.plain_ledger'::regclass)) = :'before' as same;
select search_path from health_internal.model_version where model = 's';
do $$ begin
  for session in 1..3 loop
    call app.look('untracked', '{app.plain,app.stored}', 's', session);
    call app.look('in text', '{app.text}', 't', session);
  end loop;
end $$;
select health.track('s'), health.track('t', window_days => 40);
select health.refresh_score_views('s'), health.refresh_score_views('t');
do $$ begin
  for session in 1..3 loop
    -- What the writer's session has set does not change what is captured either.
    call app.set_all(session);
    insert into app.events select account_id, user_id + 100, name, raw, at, seen from app.events where user_id < 100;
    delete from app.events where user_id >= 100;
    update app.events set user_id = user_id;
    if exists (select from health.verify('s')) or exists (select from health.verify('t')) then
      insert into app.found values ('verify', 'differs', session);
    end if;
    call app.reset_all();
    call app.look('tracked', '{app.stored}', 's', session);
    call app.look('window', '{app.text}', 't', session);
    if exists (select from health.verify('s')) or exists (select from health.verify('t')) then
      insert into app.found values ('verify', 'differs', session);
    end if;
  end loop;
end $$;
-- One outcome each, and the same one in the modes.
select count(distinct seen), array_agg(distinct what order by what) as what, case when count(distinct seen) > 1 then array_agg(distinct what || ' ' || session || ' ' || seen) end as sessions
from app.found group by case when what like '%app.%' then case when what like '%text%' then 'text' else 'stored' end else split_part(what, ' ', 1 + (what like 'in text%')::int + 1) || (what ~ '^(in text|window)')::text end order by 2;
select count(*) from app.found where seen is null;
-- The triggers say why they cannot follow times that are texts.
select health.untrack('t');
select health.track('t');

-- Dates that are given are those that are meant.
set datestyle = 'German';
select as_of_date from health.score_at('s', '24.06.2025') limit 1;
select count(*) > 0 from health.explain('s', 3, '03.06.2025', '30.06.2025');
select health.drop_model('s', cascade => true), health.drop_model('t', cascade => true);
drop schema app cascade;
