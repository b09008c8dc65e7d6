-- rename_model: a model keeps everything that was made of it under another name.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create role regress_reader;
create table app.accounts (account_id int primary key);
insert into app.accounts values (1), (2);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
insert into app.events select 1 + n % 2, n % 3, 'e', timestamptz '2025-03-01 12:00+00' - n * interval '9 hours' from generate_series(1, 150) n;
\set document '{"as_of": "2025-03-03", "accounts": {"table": "app.accounts", "id": "account_id"}, "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"}, "signals": [{"name": "a", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}'
select health.create_model('plain', :'document'), health.create_model('kept', :'document'), health.create_model('taken', :'document');
select health.create_score_view('plain', 'app.plain'), health.create_score_view('kept', 'app.kept');
select health.track('kept');
call health.backfill('kept');
-- A version that the score view has not seen yet.
select health.alter_model('plain', '{"window_days": 30}');
grant select on app.plain, app.kept_history to regress_reader;
create temporary table before as select 'plain' as of, p::text as row from app.plain p union all select 'kept', k::text from app.kept k
    union all select 'history', h::text from app.kept_history h union all select 'signals', s::text from app.kept_signals s;

select health.rename_model('plain', 'plain customers'), health.rename_model('kept', 'kept customers');
-- Everything is there, but for the name.
select of, count(*), count(*) filter (where b.row is null or a.row is null) as differences
from before b full join (select 'plain' as of, replace(p::text, '"plain customers"', 'plain') as row from app.plain p
                         union all select 'kept', replace(k::text, '"kept customers"', 'kept') from app.kept k
                         union all select 'history', h::text from app.kept_history h union all select 'signals', s::text from app.kept_signals s) a using (of, row)
group by of order by of;
select distinct model, model_version from app.plain union all select distinct model, model_version from app.kept order by 1;
select has_table_privilege('regress_reader', 'app.plain', 'select') and has_table_privilege('regress_reader', 'app.kept_history', 'select') as grants_stay;
select count(*) as lacking from pg_class where relnamespace = 'health_data'::regnamespace and relkind in ('r', 'p') and relname !~ '_\d{4}_\d\d$'
   and obj_description(oid, 'pg_class') !~ 'kept customers';
select model, owner = current_user as is_mine, version, tracked from health.models();
select version, created_by = current_user as by_me from health.model_versions('plain customers');
select * from health.model_versions('plain');
-- It goes on: changes are captured, refreshes and versions work, the old name is free.
insert into app.events values (1, 7, 'e', '2025-03-02 10:00+00');
call health.refresh('kept customers');
select active_users from app.kept order by account_id;
select * from health.verify('kept customers');
select health.refresh_score_view('app.plain');
select distinct model_version from app.plain;
select signal, round(points::numeric, 2) as points from health.explain('kept customers', 1);
select health.create_model('plain', :'document');
-- What cannot be.
select health.rename_model('nobody', 'x');
select health.rename_model('plain', 'taken');
select health.rename_model('plain', '');
select health.rename_model('plain', null);
create view app.mine as select * from app.plain;
select health.rename_model('plain customers', 'other');
select count(*) from health.model_definition('plain customers');
-- What touches the catalog by hand.
\set SHOW_CONTEXT never
update health_internal.model_version set version = 9 where model = 'plain';

\set SHOW_CONTEXT errors
select count(health.drop_model(name, cascade => true)::text) as dropped from health_internal.model;
drop schema app cascade;
drop role regress_reader;
