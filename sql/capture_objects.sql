-- Capture hangs on roles, rights, tables, triggers, functions and types. Each is removed or altered, one at a time, while somebody writes: the
-- change is captured, or its source is read again, or status says what to do. Never is a model fresh with a gap.
\set VERBOSITY sqlstate
set client_min_messages = error;
create role objects_owner;
create role objects_other;
create role objects_writer;
create schema objects;
grant usage on schema objects to objects_owner, objects_other, objects_writer;
create table objects.verdict (position int generated always as identity, name text, before text, after text, gap text);

-- Another model for each case. Events: a partitioned table with a domain, an enum and a function in its expressions.
create procedure objects.begin_case() language plpgsql as $$
begin
    drop schema if exists objects_data, objects_elsewhere cascade;
    perform health.drop_model(m.name, cascade => true) from health_internal.model as m where m.name = 'objects';
end $$;
create procedure objects.make_case() language plpgsql as $$
begin
    create schema objects_data;
    create table objects_data.accounts (account_id int primary key);
    insert into objects_data.accounts values (1), (2), (3);
    create domain objects_data.person as int check (value > 0);
    create type objects_data.kind as enum ('view', 'create', 'share');
    create function objects_data.label(k objects_data.kind) returns text language sql immutable strict as 'select k::text || ''d''';
    create table objects_data.events (account_id int, user_id objects_data.person, kind objects_data.kind, occurred_at timestamptz)
        partition by range (occurred_at);
    create table objects_data.may partition of objects_data.events for values from ('2025-05-01') to ('2025-06-01');
    create table objects_data.june partition of objects_data.events for values from ('2025-06-01') to ('2025-07-01');
    insert into objects_data.events select 1 + n % 3, 1 + n % 7, 'view', timestamptz '2025-06-30' - n * interval '6 hours' from generate_series(1, 200) n;
    grant usage on schema objects_data to objects_owner, objects_other, objects_writer;
    grant select, trigger on all tables in schema objects_data to objects_owner, objects_other;
    grant select, insert, update, delete on all tables in schema objects_data to objects_writer;
    set local role objects_owner;
    perform health.create_model('objects', '{"as_of": "2025-06-30", "accounts": {"table": "objects_data.accounts", "id": "account_id"},
        "events": {"table": "objects_data.events", "account": "account_id", "user": "user_id",
                   "event": {"sql": "objects_data.label(kind)"}, "occurred_at": "occurred_at"},
        "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}');
    perform health.track('objects');
end $$;
create procedure objects.write() language plpgsql as $$
begin
    set local role objects_writer;
    insert into objects_data.events (account_id, user_id, occurred_at, kind) values (1, 5, '2025-06-29', 'create'), (2, 6, '2025-06-28', 'create');
    delete from objects_data.events where account_id = 3 and user_id = 3;
exception when undefined_table or undefined_column or datatype_mismatch or invalid_schema_name then    -- that case is about
    set local role objects_writer;
    delete from objects_data.june where account_id = 3;
end $$;
create function objects.phase() returns text language plpgsql as $$
begin
    return (select regexp_replace(phase, '_\d+', '_N', 'g') from health.status('objects'));
exception when others then return 'error: ' || regexp_replace(sqlerrm, '_\d+', '_N', 'g');
end $$;
create function objects.difference() returns text language plpgsql as $$
begin
    return (select case when count(*) = 0 then 'none' else 'some' end from health.verify('objects'));
exception when others then return 'unknown';
end $$;
-- The change table, chunk table and the like of the model at hand.
create function objects.data(kind text) returns text language sql as $$
    select format('health_data.%I', kind || '_' || case when kind in ('chunk', 'change') then s.id else t.id end)
    from health_internal.ledger_source as s join health_internal.tracking as t on t.model = s.model where t.model = 'objects' $$;
create procedure objects.on_data(kind text, statement text) language plpgsql as $$
begin
    execute format(statement, objects.data(kind));
end $$;

create table objects.scenario (position int generated always as identity, name text, alterations text[], afterwards text[] default '{}');
insert into objects.scenario (name, alterations, afterwards) values
    ('nothing', '{}', '{}'),
    ('the owner has another name', '{alter role objects_owner rename to objects_renamed}', '{alter role objects_renamed rename to objects_owner}'),
    ('what the owner has is reassigned', '{reassign owned by objects_owner to objects_other}', '{}'),
    ('the owner is no member of anything and has lost SELECT', '{revoke select on all tables in schema objects_data from objects_owner}', '{}'),
    ('SELECT is lost and comes back', '{revoke select on all tables in schema objects_data from objects_owner, call objects.write()}'
        , '{grant select on all tables in schema objects_data to objects_owner}'),
    ('the schema is closed to the owner', '{revoke usage on schema objects_data from objects_owner}', '{}'),
    ('row security', '{alter table objects_data.events enable row level security}', '{}'),
    ('the change table is dropped', array['call objects.on_data(''change'', ''drop table %s'')'], '{}'),
    ('an index on the change table', array['call objects.on_data(''change'', ''create index on %s (leaf)'')'], '{}'),
    ('a key for the change table', array['call objects.on_data(''change'', ''alter table %s add column id bigserial primary key'')'], '{}'),
    ('a column less in the change table', array['call objects.on_data(''change'', ''alter table %s drop column written_at'')'], '{}'),
    ('a check on the change table', array['call objects.on_data(''change'', ''alter table %s add check (leaf is null)'')'], '{}'),
    ('an unlogged change table', array['call objects.on_data(''change'', ''alter table %s set unlogged'')'], '{}'),
    ('row security of the change table', array['call objects.on_data(''change'', ''alter table %s enable row level security'')'], '{}'),
    ('another owner of the change table', array['call objects.on_data(''change'', ''alter table %s owner to objects_other'')'], array['call objects.on_data(''change'', ''alter table %s owner to objects_owner'')']),
    ('the change table is emptied', array['call objects.write()', 'call objects.on_data(''change'', ''truncate %s'')'], '{}'),
    ('the ledger is dropped', array['call objects.on_data(''chunk'', ''drop table %s cascade'')'], '{}'),
    ('the trigger is dropped', array['call objects.on_data(''change'', ''do $do$ begin execute (select format(''''drop trigger %%I on objects_data.events'''', tgname) from pg_trigger where tgrelid = ''''objects_data.events''''::regclass and not tgisinternal); end $do$ --%s'')'], '{}'),
    ('triggers are disabled', '{alter table objects_data.events disable trigger all}', '{}'),
    ('triggers are disabled for a while', '{alter table objects_data.events disable trigger all, call objects.write()}', '{alter table objects_data.events enable trigger all}'),
    ('a partition''s triggers are disabled for a while', '{alter table objects_data.june disable trigger all, call objects.write()}', '{alter table objects_data.june enable trigger all}'),
    ('writes as of a replica', '{set session_replication_role = replica}', '{reset session_replication_role}'),
    ('another table of that name', array['alter table objects_data.events rename to old_events', 'create table objects_data.events (like objects_data.old_events)', 'grant all on objects_data.events to public'], '{}'),
    ('the table has another name', '{alter table objects_data.events rename to moved}', '{}'),
    ('the schema has another name', '{alter schema objects_data rename to objects_elsewhere}', '{alter schema objects_elsewhere rename to objects_data}'),
    ('a column has another name', '{alter table objects_data.events rename column user_id to person_id}', '{}'),
    ('a column is of another type', '{alter table objects_data.events alter column account_id type bigint}', '{}'),
    ('a column is gone', '{alter table objects_data.events drop column user_id}', '{}'),
    ('a column is made again', array['alter table objects_data.events drop column kind', 'alter table objects_data.events add column kind objects_data.kind default ''share'''], '{}'),
    ('two columns swap names', array['alter table objects_data.events rename column account_id to other', 'alter table objects_data.events rename column user_id to account_id', 'alter table objects_data.events rename column other to user_id'], '{}'),
    ('the trigger has another name', array['call objects.on_data(''change'', ''do $do$ begin execute (select format(''''alter trigger %%I on objects_data.events rename to audit'''', tgname) from pg_trigger where tgrelid = ''''objects_data.events''''::regclass and not tgisinternal); end $do$ --%s'')'], '{}'),
    ('a second trigger', array['do $do$ begin execute (select format(''create trigger audit after insert on objects_data.events for each row execute function health_internal.capture(%L)'', id) from health_internal.ledger_source where model = ''objects''); end $do$'], '{}'),
    ('a column more', '{alter table objects_data.events add column note text default 1}', '{}'),
    ('the function is gone', '{alter function objects_data.label(objects_data.kind) rename to lapel}', '{}'),
    ('the function is gone for a while', '{alter function objects_data.label(objects_data.kind) rename to lapel, call objects.write()}', '{alter function objects_data.lapel(objects_data.kind) rename to label}'),
    ('the function is another', array['create or replace function objects_data.label(k objects_data.kind) returns text language sql immutable strict as ''select k::text || ''''!'''''''], '{}'),
    ('the function looks at what is not there', array['create or replace function objects_data.label(k objects_data.kind) returns text language plpgsql immutable strict as ''begin return (select n from nowhere); end'''], '{}'),
    ('the function fails for these rows', array['create or replace function objects_data.label(k objects_data.kind) returns text language plpgsql immutable strict as ''begin if k = ''''create'''' then raise ''''no''''; end if; return k || ''''d''''; end'''], '{}'),
    ('the function fails for a while', array['create or replace function objects_data.label(k objects_data.kind) returns text language plpgsql immutable strict as ''begin raise ''''no''''; end'''], array['create or replace function objects_data.label(k objects_data.kind) returns text language sql immutable strict as ''select k::text || ''''d'''''''] ),
    ('the function is another for a while', array['create or replace function objects_data.label(k objects_data.kind) returns text language sql immutable strict as ''select k::text || ''''!'''''''], array['create or replace function objects_data.label(k objects_data.kind) returns text language sql immutable strict as ''select k::text || ''''d''''''']),
    ('EXECUTE is revoked', '{revoke execute on function objects_data.label(objects_data.kind) from public}', '{}'),
    ('a value of the enum has another name', '{alter type objects_data.kind rename value ''create'' to ''make''}', '{alter type objects_data.kind rename value ''make'' to ''create''}'),
    ('the domain checks more for a while', '{alter domain objects_data.person add constraint few check (value < 5) not valid}', '{alter domain objects_data.person drop constraint few}'),
    ('the domain checks more', '{alter domain objects_data.person add check (value < 1000)}', '{}'),
    ('a partition is emptied', '{truncate objects_data.may}', '{}'),
    ('a partition is away for a while', '{alter table objects_data.events detach partition objects_data.june, delete from objects_data.june where user_id = 5}', '{alter table objects_data.events attach partition objects_data.june for values from (''2025-06-01'') to (''2025-07-01'')}'),
    ('an unlogged partition', array['create unlogged table objects_data.july partition of objects_data.events for values from (''2025-07-01'') to (''2025-08-01'')'], '{}'),
    ('a partition with columns in another order', array['create table objects_data.april (occurred_at timestamptz, gone int, kind objects_data.kind, user_id objects_data.person, account_id int)', 'alter table objects_data.april drop column gone', 'alter table objects_data.events attach partition objects_data.april for values from (''2025-04-01'') to (''2025-05-01'')', 'insert into objects_data.events values (2, 2, ''share'', ''2025-04-15'')'], '{}'),
    ('the table is rewritten', '{vacuum full objects_data.june}', '{}'),
    ('statistics and comments', '{analyze objects_data.events, comment on table objects_data.events is ''c''}', '{}');

-- What is run for each: the model, the alteration, a write, a look, what comes afterwards, a refresh, a look.
\set ECHO none
\o /dev/null
select t.statement
from objects.scenario as s,
     lateral unnest(array['call objects.begin_case()', 'call objects.make_case()', 'call health.backfill(''objects'')'] || s.alterations
                    || array['call objects.write()', format('insert into objects.verdict (name, before) select %L, objects.phase()', s.name)]
                    || s.afterwards
                    || array['call health.refresh(''objects'')',
                             'update objects.verdict set after = objects.phase(), gap = objects.difference() where position = (select max(position) from objects.verdict)'])
         with ordinality as t (statement, position)
order by s.position, t.position \gexec
\o
\set ECHO all
select name, before, after, gap from objects.verdict order by position;
-- None.
select name, before, after, gap from objects.verdict where after = 'fresh' and gap is distinct from 'none';

-- Types and functions of the writer's session are none that an expression means: what is in pg_temp comes last.
call objects.begin_case();
\set VERBOSITY default
create table objects.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
create table objects.accounts (account_id int primary key);
insert into objects.accounts values (1);
grant insert on objects.events to objects_writer;
select health.create_model('objects', '{"as_of": "2025-06-30", "accounts": {"table": "objects.accounts", "id": "account_id"},
    "events": {"table": "objects.events", "account": "account_id", "user": {"sql": "user_id::text"}, "event": "event_name",
               "occurred_at": "occurred_at", "filter": "lower(event_name::varchar) <> ''x''"},
    "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}') \g /dev/null
select health.track('objects') \g /dev/null
call health.backfill('objects');
set role objects_writer;
create function pg_temp.evil(pg_catalog.text) returns boolean language plpgsql as 'begin raise exception ''run as %'', current_user; end';
create domain pg_temp.text as pg_catalog.text check (pg_temp.evil(value));
create domain pg_temp.varchar as pg_catalog.varchar check (pg_temp.evil(value));
insert into objects.events values (1, 1, 'view', '2025-06-28');
reset role;
call health.refresh('objects');
select phase, bad_rows from health.status('objects');
select * from health.verify('objects');
-- A version with another table, and one with a table more.
create table objects.more (like objects.events);
insert into objects.more values (1, 2, 'view', '2025-06-20');
select health.alter_model('objects', jsonb_build_object('events', health.model_definition('objects') -> 'events' || '{"table": "objects.more"}'), restart => true);
call health.refresh('objects');
select source, phase, events_read from health.status('objects');
select health.alter_model('objects', jsonb_build_object('events', jsonb_build_array(health.model_definition('objects') -> 'events',
    health.model_definition('objects') -> 'events' || '{"table": "objects.events"}')), restart => true);
call health.refresh('objects');
select source, phase, events_read from health.status('objects');
select count(*) from health.verify('objects');
select tgrelid::regclass from pg_trigger where tgname like 'account_health%' order by 1;
call objects.begin_case();
drop schema objects cascade;
drop owned by objects_owner, objects_other, objects_writer cascade;
drop role objects_owner, objects_other, objects_writer;
