-- Ids and names of events of many types: equal ones are one, on every side and in every mode.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set client_min_messages = warning;
create extension if not exists citext;
create schema ids;
create type ids.letter as enum ('a', 'b', 'c', 'd');
create domain ids.code as text check (value <> '');
create domain ids.number as bigint;
create collation ids.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation ids.other (provider = icu, locale = 'de');

-- One book in every type: account n has the users 1 to n + 1, of whom n are active and one is staff.
create table ids.fact (account int, person int);
insert into ids.fact select a, 10 * a + u from generate_series(1, 3) a, generate_series(1, a + 1) u;
create table ids.outcome (what text, mode text, book jsonb);

-- Scores of a model over tables whose ids are of these types, made by these expressions over account and person; in all modes.
create procedure ids.try(what text, account_type text, account_value text, user_account_type text, user_account_value text, user_type text, user_value text,
  event_account_type text, event_account_value text, event_user_type text, event_user_value text, event_type text default 'text', event_value text default '''seen''',
  window_only boolean default false)
language plpgsql as $$
declare
  document jsonb;
  mode text;
begin
  drop table if exists ids.accounts, ids.people, ids.events, ids.answers cascade;
  execute format('create table ids.accounts (id %s)', account_type);
  execute format('insert into ids.accounts select distinct (%s)::%s from (select distinct account from ids.fact) f', account_value, account_type);
  execute format('create table ids.people (id %s, account_id %s, is_staff bool)', user_type, user_account_type);
  execute format('insert into ids.people select (%s)::%s, (%s)::%s, person = 11 * account + 1 from ids.fact', user_value, user_type, user_account_value, user_account_type);
  execute format('create table ids.events (account_id %s, user_id %s, name %s, at timestamptz)', event_account_type, event_user_type, event_type);
  execute format('insert into ids.events select (%s)::%s, (%s)::%s, (%s)::%s, ''2025-06-20 12:00+00'' from ids.fact where person %% 10 <> 1',
    event_account_value, event_account_type, event_user_value, event_user_type, event_value, event_type);
  execute format('create table ids.answers as select (%s)::%s as account_id, account as answer from (select distinct account from ids.fact) f',
    event_account_value, event_account_type);
  document := '{"as_of": "2025-06-30", "accounts": {"table": "ids.accounts", "id": "id"}, "catalog": {"seen": {"role": "create"}},
    "users": {"table": "ids.people", "id": "id", "account": "account_id", "exclude": "is_staff"},
    "events": {"table": "ids.events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"}, "signals": [
    {"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "answer", "query": "select account_id, answer from ids.answers", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}';
  perform health.create_model('ids', document), health.create_score_view('ids', 'ids.plain', materialized => false), health.create_score_view('ids', 'ids.stored');
  insert into ids.outcome select what, 'plain', jsonb_agg(jsonb_build_array(s.total_users, s.active_users, s.creators, s.answer, round(s.score::numeric, 2)) order by s.answer) from ids.plain s;
  insert into ids.outcome select what, 'stored', jsonb_agg(jsonb_build_array(s.total_users, s.active_users, s.creators, s.answer, round(s.score::numeric, 2)) order by s.answer) from ids.stored s;
  insert into ids.outcome select what, 'findings', jsonb_agg(p.finding || ': ' || p.name) from health.tracking_plan('ids') p;
  insert into ids.outcome select what, 'score_at', jsonb_agg(round(s.score::numeric, 2) order by s.account_id) from health.score_at('ids', '2025-06-30') s;
  insert into ids.outcome select what, 'explain', jsonb_agg(round(e.raw::numeric, 2) order by s.account_id)
    from health.score_at('ids', '2025-06-30') s, health.explain('ids', s.account_id) e where e.signal = 'active';
  foreach mode in array case when window_only then '{window}' else '{tracked,window}' end::text[] loop
    perform health.track('ids', window_days => case mode when 'window' then 3000 end), health.refresh_score_views('ids');
    -- Events that come and go under the triggers.
    execute format('insert into ids.events select account_id, user_id, name, at + interval ''1 day'' from ids.events');
    delete from ids.events where at >= '2025-06-21';
    insert into ids.outcome select what, mode || ' gaps', to_jsonb(count(*)) from health_internal.capture_gap having count(*) > 0;
    perform health.refresh_score_views('ids');
    insert into ids.outcome select what, mode, jsonb_agg(jsonb_build_array(s.total_users, s.active_users, s.creators, s.answer, round(s.score::numeric, 2)) order by s.answer) from ids.stored s;
    insert into ids.outcome select what, mode || ' verify', jsonb_agg(v) from health.verify('ids') v;
    insert into ids.outcome select what, mode || ' findings', jsonb_agg(p.finding || ': ' || p.name) from health.tracking_plan('ids') p;
    insert into ids.outcome select what, mode || ' explain', jsonb_agg(round(e.raw::numeric, 2) order by s.account_id)
      from health.score_at('ids', '2025-06-30') s, health.explain('ids', s.account_id) e where e.signal = 'active';
    perform health.untrack('ids');
  end loop;
  perform health.drop_model('ids', cascade => true);
exception when others then
  insert into ids.outcome values (what, sqlerrm, null);
  if exists (select from health.models() m where m.model = 'ids') then perform health.drop_model('ids', cascade => true); end if;
end $$;

call ids.try('integers', 'int', 'account', 'bigint', 'account', 'smallint', 'person', 'bigint', 'account', 'int', 'person');
call ids.try('numeric against integers', 'numeric(38,9)', 'account', 'numeric(38,9)', 'account', 'numeric(38,9)', 'person', 'bigint', 'account', 'int', 'person');
call ids.try('integers against numeric', 'bigint', 'account', 'numeric', 'account', 'bigint', 'person', 'numeric(10,2)', 'account', 'numeric(10,1)', 'person');
call ids.try('numeric of several scales', 'numeric(10,1)', 'account', 'numeric(10,2)', 'account', 'numeric(10,3)', 'person', 'numeric(10,4)', 'account', 'numeric', 'person');
call ids.try('floats', 'float8', 'account', 'float4', 'account', 'float8', 'person', 'bigint', 'account', 'numeric(9,3)', 'person');
call ids.try('large floats against text', 'float8', 'account * 1e16', 'text', 'account || repeat(''0'', 16)', 'float8', 'person * 1e16', 'numeric', 'account * 1e16', 'text', 'person || repeat(''0'', 16)');
call ids.try('text against integers', 'text', 'account', 'int', 'account', 'text', 'person', 'int', 'account', 'int', 'person');
call ids.try('character(n) against text', 'char(8)', 'account', 'text', 'account', 'char(9)', 'person', 'varchar', 'account', 'text', 'person', 'char(7)');
call ids.try('uuid', 'uuid', 'md5(account::text)', 'uuid', 'md5(account::text)', 'uuid', 'md5(person::text)', 'uuid', 'md5(account::text)', 'uuid', 'md5(person::text)');
call ids.try('uuid against text', 'uuid', 'md5(account::text)', 'text', 'md5(account::text)::uuid', 'uuid', 'md5(person::text)', 'text', 'upper(md5(account::text)::uuid::text)', 'text', 'md5(person::text)::uuid');
call ids.try('citext', 'citext', '''Acme'' || account', 'citext', '''ACME'' || account', 'citext', '''Ann'' || person', 'citext', '''acme'' || account', 'citext', '''ANN'' || person', 'citext', '''Seen''');
call ids.try('citext against text', 'citext', '''Acme'' || account', 'text', '''Acme'' || account', 'text', '''Ann'' || person', 'text', '''Acme'' || account', 'citext', '''ANN'' || person');
call ids.try('enum', 'ids.letter', 'substr(''abcd'', account, 1)', 'ids.letter', 'substr(''abcd'', account, 1)', 'text', 'person', 'ids.letter', 'substr(''abcd'', account, 1)', 'text', 'person');
call ids.try('enum against text', 'text', 'substr(''abcd'', account, 1)', 'ids.letter', 'substr(''abcd'', account, 1)', 'text', 'person', 'ids.letter', 'substr(''abcd'', account, 1)', 'text', 'person');
call ids.try('domains', 'ids.number', 'account', 'int', 'account', 'ids.code', 'person', 'ids.number', 'account', 'ids.code', 'person', 'ids.code');
call ids.try('a collation that takes capitals for small letters', 'text collate ids.any_case', '''Acme'' || account', 'text collate ids.any_case', '''Acme'' || account',
  'text collate ids.any_case', '''Ann'' || person', 'text collate ids.any_case', '''Acme'' || account', 'text collate ids.any_case', '''Ann'' || person', 'text collate ids.any_case');
call ids.try('sources of several collations', 'text collate ids.other', '''Acme'' || account', 'text collate "C"', '''Acme'' || account', 'text collate ids.any_case',
  '''Ann'' || person', 'text', '''Acme'' || account', 'text collate ids.other', '''Ann'' || person', 'varchar collate "C"');
call ids.try('addresses', 'inet', '''10.0.0.'' || account', 'inet', '''10.0.0.'' || account', 'macaddr', 'lpad(to_hex(person), 12, ''0'')', 'inet', '''10.0.0.'' || account', 'text', 'lpad(to_hex(person), 12, ''0'')::macaddr', window_only => true);
reset client_min_messages;
select book, array_agg(distinct o.what order by o.what) as types from ids.outcome o where mode in ('plain', 'stored', 'tracked', 'window') group by 1;
select what, mode, book from ids.outcome where mode not in ('plain', 'stored', 'tracked', 'window') and mode !~ 'explain|score_at' and book is not null
union all select what, mode, null from ids.outcome where mode !~ '^(plain|stored|tracked|window)|^(findings|explain|score_at)$' order by 1, 2;
select array_agg(distinct o.mode), book from ids.outcome o where mode ~ 'explain|score_at' group by 2 order by 2;

-- What is no id, no name, no number and no group is refused, with the way out.
create table ids.odd (id int, at date, period interval, bytes bytea, list int[], doc jsonb, price money, flag bool, span int4range, place point, rel regclass, stamp timestamp);
select p.* from health.validate_model('{"accounts": {"table": "ids.odd", "id": "price", "seats": "price", "columns": {"arr": "price"}},
  "users": {"table": "ids.odd", "id": "bytes", "account": "period"}, "events": [
  {"table": "ids.odd", "account": "at", "user": "list", "event": "doc", "occurred_at": "at", "amount": "price"},
  {"table": "ids.odd", "account": "span", "user": "place", "event": "flag", "occurred_at": "at", "amount": "rel"}],
  "signals": [{"name": "active", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}') p;
select p.* from health.validate_model('{"accounts": {"table": "ids.odd", "id": "id", "columns": {"since": "period"}},
  "events": {"table": "ids.odd", "account": "id", "user": "id", "event": "id", "occurred_at": "at"}, "signals": [
  {"name": "price", "column": "price", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
  {"name": "rel", "column": "rel", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
  {"name": "sum", "expression": "price * 2", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
  {"name": "asked", "query": "select bytes, price from ids.odd", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
  {"name": "group", "column": "id", "normalize": {"kind": "percentile", "segment": "since"}},
  {"name": "bytes", "column": "id", "normalize": {"kind": "percentile", "segment": "bytes"}}]}') p;
-- Events of citext are in lower case, and so are those that a catalog lists.
create table ids.calls (account_id int, user_id int, name citext, at timestamptz);
select p.* from health.validate_model('{"accounts": {"table": "ids.odd", "id": "id"}, "catalog": {"Seen": {"role": "create"}, "heard": {}},
  "events": {"table": "ids.calls", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "active", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}') p;
-- The ways out are ways.
select count(*) from health.validate_model('{"accounts": {"table": "ids.odd", "id": {"sql": "encode(bytes, ''hex'')"}, "seats": {"sql": "(price)::numeric"}},
  "events": {"table": "ids.odd", "account": {"sql": "to_char(at, ''YYYY-MM-DD'')"}, "user": {"sql": "list[1]"}, "event": {"sql": "doc ->> ''id''"}, "occurred_at": "at",
    "amount": {"sql": "(price)::numeric"}}, "signals": [{"name": "price", "expression": "(price)::numeric", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}');

-- explain, verify and forget_user take an id as it is written in any of the types.
create table ids.customers (id numeric(38, 9) primary key);
insert into ids.customers values (1), (2);
create table ids.actions (account_id bigint, user_id citext, name text, at timestamptz);
insert into ids.actions select a, 'Ann' || a, 'x', '2025-06-20' from generate_series(1, 2) a;
select health.create_model('customers', '{"as_of": "2025-06-30", "accounts": {"table": "ids.customers", "id": "id"}, "events": {"table": "ids.actions", "account": "account_id",
  "user": "user_id", "event": "name", "occurred_at": "at"}, "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}');
select health.create_score_view('customers', 'ids.customers_view');
select account_id, name, top_user from ids.customers_view order by 1;
select account_id, name from health.score_at('customers', '2025-06-25');
select raw from health.explain('customers', 1) where signal = 'people' union all select raw from health.explain('customers', '1.0') where signal = 'people'
union all select raw from health.explain('customers', '1.000000000') where signal = 'people';
select raw from health.explain('customers', 'one');
select health.track('customers'), health.refresh_score_views('customers');
insert into ids.customers values (3);
insert into ids.actions values (3, 'BOB', 'x', '2025-06-21');
select health.refresh_score_views('customers');
select account_id, active_users, top_user from ids.customers_view order by 1;
delete from ids.actions where user_id = 'ann2';
select health.verify('customers', '2.00');
select health.forget_user('customers', 'BoB');
delete from ids.actions where user_id = 'bob';
select health.forget_user('customers', 'BoB') >= 0;
select account_id, usage from ids.customers_view_ledger order by 1;
select account_id, raw from health.signal_values_at('customers', '{2025-06-25}') order by 1;
select health.drop_model('customers', cascade => true);

-- What triggers capture at commit, of types that PostgreSQL compares in its own ways.
create table ids.clients (id ids.letter);
insert into ids.clients values ('a'), ('b');
create table ids.steps (client ids.letter, who ids.code, how text collate ids.any_case, weight float8, at timestamptz);
select health.create_model('captured', '{"as_of": "2025-06-30", "accounts": {"table": "ids.clients", "id": "id"}, "events": {"table": "ids.steps", "account": "client",
  "user": {"sql": "who || weight::text"}, "event": "how", "occurred_at": "at"}, "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 5}}]}');
select health.create_score_view('captured', 'ids.captured');
select health.track('captured'), health.refresh_score_views('captured');
set extra_float_digits = -10;
insert into ids.steps values ('a', 'Ann', 'Seen', 1.0 / 3, '2025-06-20'), ('a', 'ann', 'seen', 1, '2025-06-20'), ('b', 'Bob', 'seen', 2e16, '2025-06-20');
reset extra_float_digits;
select count(*) as gaps from health_internal.capture_gap;
select health.refresh_score_views('captured');
select account_id, usage from ids.captured_ledger order by 1;
select count(*) as differs from health.verify('captured');
update ids.steps set who = 'Cay' where who = 'ann';
select health.refresh_score_views('captured');
select account_id, usage from ids.captured_ledger order by 1;
select count(*) as differs from health.verify('captured', 'a');
select health.drop_model('captured', cascade => true);
set client_min_messages = warning;
drop schema ids cascade;
drop extension citext;
