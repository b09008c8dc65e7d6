-- Rights: what a role sees, changes, locks and runs is what it has a right to, whoever asks and whatever stands in a model.
\set VERBOSITY terse
set client_min_messages = warning;
set timezone = 'UTC';
set datestyle = 'ISO';
create role rights_owner;
create role rights_member;
create role rights_eve;
grant rights_owner to rights_member;
create schema shop authorization rights_owner;
grant usage, create on schema shop to rights_eve;
create schema eve authorization rights_eve;
select setval('health_internal.ledger_source_id_seq', 7700), setval('health_internal.tracking_id_seq', 7700) \g /dev/null
set role rights_owner;
create table shop.accounts (account_id int primary key, tier text, arr numeric);
insert into shop.accounts values (1, 'gold', 1234567), (2, 'gold', 87654), (3, 'free', 10);
create table shop.users (user_id text primary key, internal boolean);
insert into shop.users values ('ceo@secret.example', true), ('u1', false), ('u2', true);
create table shop.events (account_id int, user_id text, event_name text, occurred_at timestamptz);
insert into shop.events select 1 + n % 3, 'u' || 1 + n % 2, 'e', timestamptz '2025-06-01' + n * interval '2 hours' from generate_series(1, 300) n;
-- Which role an expression runs as, and what else it tries.
create function shop.who() returns int language plpgsql as $$
begin
    if current_user <> 'rights_owner' then
        raise exception 'the expression runs as %', current_user;
    end if;
    begin
        set local role rights_eve;
        raise exception 'a stored expression changed the role';
    exception when insufficient_privilege or feature_not_supported or invalid_parameter_value then null;
    end;
    begin
        create temporary table left_behind (x int);
        raise exception 'a stored expression left a table behind';
    exception when insufficient_privilege or feature_not_supported or invalid_transaction_state then null;
    end;
    begin
        perform health_internal.run_as_owner('rights_member', null, 'select 1');
        raise exception 'a stored expression became another role';
    exception when insufficient_privilege then null;
    end;
    perform set_config('work_mem', '123kB', false), set_config('search_path', 'eve', false);
    return 1;
end $$;
create function shop.model() returns jsonb language sql as $$
    select '{"as_of": "2025-06-20", "history": {"days": 3},
      "accounts": {"table": "shop.accounts", "id": "account_id", "columns": {"tier": "tier", "arr": "arr"}},
      "users": {"table": "shop.users", "id": "user_id", "exclude": "internal"},
      "events": {"table": "shop.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
      "signals": [{"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 2}},
                  {"name": "arr_peer", "column": "arr", "normalize": {"kind": "percentile", "segment": "tier"}},
                  {"name": "who", "expression": "shop.who()", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}'::jsonb
$$;
select health.create_model('m', shop.model());
select health.create_score_view('m', 'shop.scores');
select health.track('m');
call health.backfill('m');
select id as source from health_internal.ledger_source \gset
select id as tracking from health_internal.tracking \gset
reset role;

-- A role without rights sees that a model exists and whose it is, and nothing more: no documents, references, users, volumes, errors.
set role rights_eve;
select name, owner from health_internal.known_model;
select (select count(*) from health_internal.model), (select count(*) from health_internal.model_version),
       (select count(*) from health_internal.score_view), (select count(*) from health_internal.tracking),
       (select count(*) from health_internal.ledger_source), (select count(*) from health_internal.ledger_batch),
       (select count(*) from health_internal.ledger_day);
select health.model_definition('m', complete => true);
select * from health.status('m');
-- Not by a function of its own either, which would see rows before the view has chosen them ...
create function eve.leak(anyelement) returns anyelement language plpgsql cost 0.0001 as $$ begin raise warning 'eve sees %', $1; return $1; end $$;
select count(*) from health_internal.model_version where eve.leak(document) is not null;
select count(*) from health_internal.ledger_day where eve.leak(events) > 0;
update health_internal.tracking set error = 'mine' where eve.leak(score_query) is not null;
-- ... or which ON CONFLICT would show the row that is there.
insert into health_internal.model as x (name, current_version) values ('m', 1) on conflict (name) do update set comment = eve.leak(x.comment);
insert into health_internal.tracking as x (model, ledger_key, account_type, account_kind) values ('m', '{}', 'text', 'text')
on conflict (model) do update set error = eve.leak(x.score_query);
insert into health_internal.ledger_day as x (source, day, event, events) select :source, '2025-06-10', 'made', 1
on conflict (source, day, event) do update set events = eve.leak(x.events);
select health.create_model('eves', '{"accounts": {"query": "select 1 as id", "id": "id"},
    "events": {"query": "select 1 as a, 1 as u, ''x'' as e, now() as t", "account": "a", "user": "u", "event": "e", "occurred_at": "t"},
    "signals": [{"name": "a", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
insert into health_internal.score_view as x (schema_name, view_name, model, model_version, materialized) values ('shop', 'scores', 'eves', 1, true)
on conflict (schema_name, view_name) do update set model = 'eves';
-- It changes nothing of others, and gives nothing to them.
update health_internal.model set owner = 'rights_owner' where name = 'eves';
insert into health_internal.model (name, owner, current_version) values ('theirs', 'rights_owner', 1);
insert into health_internal.model_version (model, version, definition, document, search_path) values ('m', 2, '{}', '{}', '');
insert into health_internal.ledger_source (model, path, chunk_table, account, user_id, event, moment, account_kind, user_kind, search_path, event_rows)
values ('m', 'more', 0, '', '', '', '', 'text', 'text', '', '');
insert into health_internal.ledger_batch (source, leaf, from_block, to_block, part, relfilenode) values (:source, 0, 0, 0, 0, 0);
update health_internal.ledger_source set event = 'null' where model = 'm';
select health_internal.delete_rows('m', 'tracking');
select health.untrack('m'), health.drop_model('m');
select health.drop_score_view('shop.scores');

-- It locks nothing, and takes no numbers and no names.
do $$ begin lock table health_internal.model in share mode; end $$;
do $$ begin lock table health_internal.tracking in row share mode; end $$;
do $$ begin lock table health_internal.ledger_source in access exclusive mode; end $$;
do $$ begin lock table health_internal.ledger_source_table in access share mode; end $$;
do $$ begin execute format('lock table health_data.change_%s in row share mode', (select max(id) from health_internal.known_source)); end $$;
select count(*) from (select from health_internal.tracking for update) x;
select nextval('health_internal.ledger_source_id_seq');
insert into health_internal.ledger_source (id, model, path, chunk_table, account, user_id, event, moment, account_kind, user_kind, search_path, event_rows)
values (7705, 'eves', 'x', 0, '', '', '', '', 'text', 'text', '', '');
create function health.evil() returns int language sql as 'select 1';
create operator health.|| (leftarg = text, rightarg = int, function = pg_catalog.textcat);
create table health_internal.evil ();
select health_internal.create_data_table('book', :tracking, '{account_id}', '{int}');
select health_internal.act_on_model('m', 'make_data_partition', 'history', :'tracking', '2030-01-01');
select health_internal.act_on_model('eves', 'make_data_partition', 'history', :'tracking', '2030-01-01');
select health_internal.act_on_model('eves', 'remove_rows', 'batches', :'source');
select health_internal.act_on_model('eves', 'drop_model_as_owner', 'm');
-- Its own model's tables it may have made, one of each, of names and types.
select health_internal.create_data_table('book', :tracking + 1, '{account_id}', '{int}');
select health.track('eves', 1);
select id as eves from health_internal.tracking \gset
select health_internal.create_data_table('score', :eves, array['a"b); drop table shop.events; --'], '{int}', array['a"b); drop table shop.events; --']);
select attname, pg_get_userbyid(relowner) as owner from pg_attribute join pg_class c on c.oid = attrelid
where attrelid = format('health_data.score_%s', :eves)::regclass and attnum > 0;
select health_internal.create_data_table('score', :eves, '{a}', '{int}');
select 'drop table health_data.score_' || :eves \gexec
select health.drop_model('eves');
reset role;
select (select count(*) from health_internal.ledger_batch) > 0 as still_read, (select count(*) from shop.events) as events;
select has_table_privilege('rights_eve', c.oid, 'select') as selects, has_any_column_privilege('rights_eve', c.oid, 'insert, update') as changes
from pg_class c where relnamespace in ('health_internal'::regnamespace, 'health_data'::regnamespace) and relkind in ('r', 'p') and relname <> 'preset'
group by 1, 2;

-- Whatever runs of a model runs as its owner, whoever calls: a member, a superuser; and leaves no setting behind.
grant select on shop.accounts to rights_member;
create function shop.use_all(statements text[] default array[
        'select count(*) from health.explain(''m'', 1)',
        'select count(*) from health.explain(''m'', 1, ''2025-06-18'', ''2025-06-20'')',
        'select count(*) from health.score_at(''m'', ''2025-06-19'')', 'select count(*) from health.verify(''m'')',
        'select count(*) from health.tracking_plan(''m'')', 'select count(*) from health.status(''m'')',
        'select count(*) from health.signal_values_at(''m'', ''{2025-06-30}'')', 'select health.refresh_score_views(''m'')',
        'select health.refresh_score_view(''shop.scores'')', 'select health.backfill_history(''m'', ''2025-06-18'', ''2025-06-19'')',
        'select health.alter_model(''m'', ''{"description": "another"}'')', 'select health.refreeze_references(''m'')',
        'select health.refresh_score_views(''m'')', 'select health.create_score_view(''m'', ''shop.more'')', 'select health.drop_score_view(''shop.more'')',
        'select health.forget_user(''m'', ''gone'')', 'select health.untrack(''m'')', 'select health.refresh_score_view(''shop.scores'')',
        'select health.alter_model(''m'', ''{"description": null}'')', 'select health.refresh_score_views(''m'')',
        'select health.track(''m'')', 'select health.refresh_score_views(''m'')'])
returns setof text language plpgsql as $$
declare
    statement pg_catalog.text;
begin
    foreach statement in array statements loop
        begin
            execute statement;
        exception when others then
            return next format('%s %s: %s', sqlstate, sqlerrm, statement);
        end;
    end loop;
end $$;
set role rights_member;
select shop.use_all();
call health.refresh('m');
select current_user, current_setting('work_mem') <> '123kB' as work_mem, current_setting('search_path') <> 'eve' as search_path;
reset role;
select shop.use_all();
call health.refresh('m');
select current_user, current_setting('work_mem') <> '123kB' as work_mem, current_setting('search_path') <> 'eve' as search_path;
select pg_get_userbyid(relowner) as owner, count(*) > 8 as has_all from pg_class
where relnamespace in ('shop'::regnamespace, 'health_data'::regnamespace) and relname ~ '^scores|_77' group by 1;

-- No operator or function of another schema is taken for one of pg_catalog or the extension, whatever the search_path of the caller.
set role rights_eve;
create function eve.trap(text, text) returns text language plpgsql as $$ begin raise warning 'trapped %', current_user; return pg_catalog.textcat($1, $2); end $$;
create function eve.trap(jsonb, text) returns jsonb language plpgsql as $$ begin raise warning 'trapped %', current_user; return null; end $$;
create function eve.trap_equal(text, text) returns boolean language plpgsql as $$ begin raise warning 'trapped %', current_user; return true; end $$;
create function eve.trap_equal(oid, oid) returns boolean language plpgsql as $$ begin raise warning 'trapped %', current_user; return true; end $$;
create operator eve.|| (leftarg = text, rightarg = text, function = eve.trap);
create operator eve.-> (leftarg = jsonb, rightarg = text, function = eve.trap);
create operator eve.= (leftarg = text, rightarg = text, function = eve.trap_equal);
create operator eve.= (leftarg = oid, rightarg = oid, function = eve.trap_equal);
create function eve.lower(text) returns text language plpgsql as $$ begin raise warning 'trapped %', current_user; return $1; end $$;
create function eve.jsonb_typeof(jsonb) returns text language plpgsql as $$ begin raise warning 'trapped %', current_user; return 'object'; end $$;
create function eve.quote_ident(text) returns text language plpgsql as $$ begin raise warning 'trapped %', current_user; return $1; end $$;
create domain eve.text as pg_catalog.text check (eve.trap_equal(value, value));
grant usage on schema eve to public;
reset role;
set search_path = eve, pg_catalog;
select shop.use_all(array['select health.create_model(''trapped'', pg_catalog.jsonb_set(shop.model(), ''{signals}'', ''[{"name": "u", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 2}}]''))', 'select pg_catalog.count(*) from health.validate_model(shop.model())',
    'select health.drop_model(''trapped'', cascade => true)', 'select pg_catalog.count(*) from health.explain(''m'', 1)',
    'select pg_catalog.count(*) from health.score_at(''m'', ''2025-06-19'')', 'select pg_catalog.count(*) from health.status(''m'')',
    'select pg_catalog.count(*) from health.tracking_plan(''m'')', 'select pg_catalog.count(*) from health.verify(''m'')',
    'select health.refresh_score_views(''m'')', 'select health.refresh_score_view(''shop.scores'')']);
call health.refresh('m');
reset search_path;

-- To look at somebody's document runs nothing of it, planning included.
set role rights_eve;
create function eve.constant(int) returns int immutable language plpgsql as $$ begin raise warning 'runs as %', current_user; return 1; end $$;
create function eve.nobody(int) returns int language sql as 'select 1';
revoke execute on function eve.nobody(int) from public;
reset role;
select * from health.validate_model(jsonb_set(shop.model(), '{signals,2,expression}', '"eve.constant(1)"'));
select * from health.validate_model(jsonb_set(shop.model(), '{accounts}', '{"query": "select eve.constant(1) as account_id, 1 as arr, 2 as tier", "id": "account_id"}'));
select * from health.validate_model(jsonb_set(shop.model(), '{accounts,filter}', '"eve.constant(1) = 1 and false"'));
select * from health.validate_model(jsonb_set(shop.model(), '{signals,2}', '{"name": "q", "query": "select account_id, eve.constant(1) from shop.accounts", "normalize": {"kind": "linear", "worst": 0, "best": 1}}'));
set role rights_member;
-- What running it would be refused, looking at it says.
select * from health.validate_model(jsonb_set(shop.model(), '{signals,2,expression}', '"eve.nobody(1)"'));
set role rights_eve;
select path, problem from health.validate_model('{"accounts": {"query": "select account_id from shop.accounts", "id": "account_id"},
    "signals": [{"name": "a", "expression": "(select count(*) from shop.events)", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');
reset role;

-- The primitive: for those who may act as the role, and within it for nobody else.
select * from health_internal.rows_as_owner('rights_owner', 'shop', 'select current_user::text, current_setting(''search_path''), $1, $2', 'x', null)
    as r (who text, path text, first text, second text);
select health_internal.run_as_owner('rights_owner', null, 'select 1/0');
select current_user;
set role rights_eve;
select health_internal.run_as_owner('rights_owner', null, 'select 1');
set role rights_owner;
select health_internal.run_as_owner('rights_member', null, 'select 1');
select health_internal.run_as_owner(0, null, 'select 1');
set role rights_member;
select health_internal.run_as_owner('rights_owner', null, 'insert into shop.accounts values (4, ''x'', 1), (5, ''x'', 2)');
select health_internal.run_as_owner('rights_member', null, $$select health_internal.run_as_owner('rights_owner', null, 'select 1')$$);
select health_internal.run_as_owner('rights_owner', null, $$select health_internal.run_as_owner('rights_owner', null, 'select 1')$$);
select health_internal.run_as_owner('rights_owner', null, 'create temporary table t ()');
select health_internal.run_as_owner('rights_owner', null, 'set session authorization rights_eve');
select health_internal.run_as_owner('rights_owner', null, 'prepare p as select 1');
select health_internal.run_as_owner('rights_owner', null, 'commit');
select health_internal.refresh_matview('shop.accounts', true);
reset role;

-- A membership counts as PostgreSQL counts it: from 16 on one that confers nothing confers nothing.
create role rights_hollow;
do $$ begin
    if current_setting('server_version_num')::int >= 160000 then
        execute 'grant rights_owner to rights_hollow with inherit false, set false';
    end if;
end $$;
set role rights_hollow;
select health_internal.may_act_as('rights_owner'::regrole), (select count(*) from health_internal.model);
select health.alter_model('m', '{"description": "changed"}');
reset role;

-- When the owner may not read a table any more, nothing more of it comes to him: not by capture, not by a refresh; and status says so.
create schema feed;
create table feed.events (account_id int, user_id text, event_name text, occurred_at timestamptz);
create role rights_readers;
grant usage on schema feed to rights_owner;
grant select on feed.events to rights_readers;
grant trigger on feed.events to rights_owner;
grant rights_readers to rights_owner;
set role rights_owner;
select health.create_model('f', jsonb_set(shop.model() #- '{signals,1}', '{events,table}', '"feed.events"'));
select health.track('f');
call health.backfill('f');
select 'health_data.change_' || id as changes from health_internal.ledger_source where model = 'f' \gset
reset role;
insert into feed.events values (1, 'u1', 'before', '2025-06-10');
select count(*) as captured, count(*) filter (where changes is null) as marks from :changes;
revoke select on feed.events from rights_readers;
insert into feed.events values (1, 'u9', 'secret', '2025-06-11');
select count(*) filter (where encode(changes, 'escape') ~ 'secret') as captured, count(*) filter (where changes is null) as marks from :changes;
set role rights_owner;
select phase from health.status('f');
call health.refresh('f');
select phase, error from health.status('f');
reset role;
grant select on feed.events to rights_readers;
set role rights_owner;
call health.refresh('f');
select phase, error, (select count(*) from health.verify('f')) as differences from health.status('f');
reset role;
revoke rights_readers from rights_owner;
insert into feed.events values (1, 'u9', 'secret', '2025-06-11');
select count(*) filter (where encode(changes, 'escape') ~ 'secret') as captured, count(*) filter (where changes is null) as marks from :changes;
set role rights_owner;
select phase from health.status('f');
call health.refresh('f');
select phase, error from health.status('f');
reset role;
grant rights_readers to rights_owner;
set role rights_owner;
call health.refresh('f');
select phase, error, (select count(*) from health.verify('f')) as differences from health.status('f');
reset role;
revoke usage on schema feed from rights_owner;
insert into feed.events values (1, 'u9', 'secret', '2025-06-11');
select count(*) filter (where encode(changes, 'escape') ~ 'secret') as captured, count(*) filter (where changes is null) as marks from :changes;
set role rights_owner;
select phase from health.status('f');
call health.refresh('f');
select phase, error from health.status('f');
reset role;
grant usage on schema feed to rights_owner;
set role rights_owner;
call health.refresh('f');
select phase, error, (select count(*) from health.verify('f')) as differences from health.status('f');
reset role;
alter table feed.events enable row level security;
insert into feed.events values (1, 'u9', 'secret', '2025-06-11');
select count(*) filter (where encode(changes, 'escape') ~ 'secret') as captured, count(*) filter (where changes is null) as marks from :changes;
set role rights_owner;
select phase from health.status('f');
call health.refresh('f');
select phase, error from health.status('f');
reset role;
alter table feed.events disable row level security;
set role rights_owner;
call health.refresh('f');
select phase, error, (select count(*) from health.verify('f')) as differences from health.status('f');
reset role;

-- What somebody else has put in the place of a score view is not refreshed, not dropped, not given to anybody.
create schema app authorization rights_eve;
grant usage, create on schema app to rights_owner;
set role rights_owner;
select health.untrack('m');
select health.create_score_view('m', 'app.scores');
reset role;
set role rights_eve;
drop materialized view app.scores_ledger cascade;
create materialized view app.scores_ledger as select 1 as account_id, eve.leak('x'::text) as x;
create materialized view app.scores as select 1 as account_id;
reset role;
select health.refresh_score_view('app.scores');
select health.alter_model('m', '{"description": "the next version"}');
select health.refresh_score_view('app.scores');
select health.drop_score_view('app.scores', cascade => true);
select health.track('m');
call health.backfill('m');
select relname, pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'app'::regnamespace order by 1;
set role rights_eve;
drop materialized view app.scores, app.scores_ledger cascade;
reset role;
call health.refresh('m');
select relname, pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'app'::regnamespace order by 1;

set role rights_owner;
select health.create_model('plain', shop.model() #- '{signals,1}');
select health.create_score_view('plain', 'shop.plain', materialized => false);
reset role;

-- A name that is taken is not used, whoever could take it: what stands there is no table of the owner.
select last_value + 1 as next from health_internal.tracking_id_seq \gset
create view health_data.book_:next as select eve.leak(1) as account_id;
create table health_data.history_:next (account_id int);
select health.create_model('n', shop.model() #- '{signals,1}');
update health_internal.model set owner = 'rights_owner' where name = 'n';
select health.track('n');
select format('alter sequence health_internal.tracking_id_seq restart %s', :next) \gexec
drop table health_data.history_:next;
select health.track('n');
call health.backfill('n');
drop view health_data.book_:next;
call health.backfill('n');
select count(*) from health.status('n') where phase = 'fresh';

-- Readers of a score view need no right but SELECT on it, whichever kind it is of.
grant usage on schema app to rights_member;
create role rights_reader;
grant usage on schema app to rights_reader;
grant select on app.scores, app.scores_ledger, app.scores_signals, app.scores_history to rights_reader;
create temporary table seen as select account_id, score, usage::text from app.scores join app.scores_ledger using (account_id);
grant select on seen to rights_reader;
set role rights_reader;
select count(*), count(*) filter (where s.score is distinct from v.score or s.usage is distinct from l.usage::text) as different
from seen s join app.scores v using (account_id) join app.scores_ledger l using (account_id);
select (select count(*) from app.scores_signals) > 0 as signals, (select count(*) from app.scores_history) > 0 as history;
reset role;
-- The functions that score views call: pure, and for everybody.
select * from (select distinct p.oid::regprocedure::text collate "C" as function, p.provolatile, has_function_privilege('rights_reader', p.oid, 'execute') as may
from pg_class v join pg_rewrite r on r.ev_class = v.oid join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
join pg_proc p on d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid join pg_namespace n on n.oid = p.pronamespace
where v.relnamespace in ('app'::regnamespace, 'shop'::regnamespace) and n.nspname ~ '^health') f order by 1;

alter table feed.events owner to rights_owner;
select health.drop_model(name, cascade => true) from (values ('m'), ('n'), ('f'), ('plain')) v (name);
drop owned by rights_owner, rights_eve, rights_member, rights_hollow, rights_readers, rights_reader cascade;
drop schema if exists shop, eve, app, feed cascade;
drop role rights_owner, rights_eve, rights_member, rights_hollow, rights_readers, rights_reader;
select count(*) from pg_class where relnamespace = 'health_data'::regnamespace and relname ~ '_77';
