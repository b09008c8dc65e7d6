-- Models over tables that Citus spreads give what they give over local copies of the same rows, and what cannot be had is said clearly.
set client_min_messages = warning;
set timezone = 'UTC';
create schema plain;
create table plain.accounts (account_id int primary key, name text, customer_since date, seats int, plan text, mrr numeric, is_test boolean);
create table plain.users (user_id bigint, account_id int, email text, created_at timestamptz, deactivated_on date, is_bot boolean);
create table plain.events (account_id int, user_id bigint, event_name text, occurred_at timestamptz, amount float8);
create table plain.visits (user_id bigint, page text, visited_at timestamp);
create table plain.surveys (account_id int, score int, answered_on date);
select setseed(0.42) \g /dev/null
insert into plain.accounts
select i, 'account ' || i, case when i % 7 <> 0 then date '2024-01-01' + i * 10 end, 5 + i % 9, (array['free', 'pro', 'enterprise'])[1 + i % 3],
       case when i % 5 <> 0 then round((random() * 1000)::numeric, 2) end, i % 11 = 0
from generate_series(1, 40) i;
-- Account 41 is nowhere else.
insert into plain.users
select u, 1 + u % 41, 'user' || u || case when u % 13 = 0 then '@us.example' else '@them.example' end,
       case when u % 6 <> 0 then timestamptz '2024-06-01 00:00+00' + random() * interval '380 days' end,
       case when u % 17 = 0 then date '2025-05-01' + (random() * 40)::int when u % 17 = 1 then date 'infinity' end, u % 29 = 0
from generate_series(1, 400) u;
insert into plain.events
select account_id, user_id, case when random() >= 0.01 then 'event_' || (random() * 12)::int end,
       '2025-01-01 00:00+00'::timestamptz + random() * interval '200 days', case when random() < 0.3 then round((random() * 100)::numeric, 3) end
from plain.users, generate_series(1, 60);
-- Around a day of which clocks in New York have an hour twice and one that lacks an hour in Berlin.
insert into plain.visits
select user_id, (array['home', 'report', 'settings'])[1 + (random() * 2)::int], timestamp '2024-11-02 12:00' + random() * interval '240 days'
from plain.users, generate_series(1, 15);
insert into plain.surveys select 1 + (random() * 39)::int, (random() * 10)::int, date '2025-03-01' + (random() * 150)::int from generate_series(1, 100);

-- The ways in which a book can lie on a cluster, a schema each.
create function copy_tables(target text) returns void language plpgsql as $$
declare
  name text;
begin
  execute format('create schema %I', target);
  foreach name in array '{accounts,users,events,visits,surveys}'::text[] loop
    execute format('create table %I.%I (like plain.%2$I including all)', target, name);
    execute format('insert into %I.%I table plain.%2$I', target, name);
  end loop;
end $$;
create function spread(name text, distributed_by text) returns void language plpgsql as $$
begin
  if distributed_by = 'all' then
    perform create_reference_table(name);
  else
    perform create_distributed_table(name, distributed_by, shard_count => 8);
  end if;
end $$;
select copy_tables(t) from unnest('{by_account,reference,by_user,beside,one_node}'::text[]) t \g /dev/null
select spread('by_account.' || t, 'account_id') from unnest('{accounts,users,events,surveys}'::text[]) t \g /dev/null
select spread('reference.' || t, 'all') from unnest('{accounts,users,surveys}'::text[]) t \g /dev/null
select spread('by_user.' || t, 'user_id') from unnest('{users,events}'::text[]) t \g /dev/null
select spread(t || '.events', 'account_id') from unnest('{reference,beside}'::text[]) t \g /dev/null
select spread(t || '.visits', 'user_id') from unnest('{by_account,reference,by_user,beside}'::text[]) t \g /dev/null
select citus_schema_distribute('one_node') \g /dev/null
create schema views;
create table views.parted (like plain.events) partition by range (occurred_at);
create table views.parted_1 partition of views.parted for values from ('2024-01-01') to ('2025-04-01');
create table views.parted_2 partition of views.parted for values from ('2025-04-01') to ('2026-04-01');
insert into views.parted table plain.events;
select spread('views.parted', 'account_id') \g /dev/null
create view views.events as select * from views.parted;
create view views.visits as select * from by_user.visits;
create view views.accounts as select * from by_account.accounts;
create view views.users as select * from by_account.users;
create view views.surveys as select * from reference.surveys;
create table lying (name text primary key, note text);
insert into lying values
  ('by_account', 'accounts, users and events distributed by account'),
  ('reference', 'events distributed, accounts and users as reference tables'),
  ('by_user', 'users and events distributed by user, local accounts'),
  ('beside', 'events distributed, local accounts and users'),
  ('one_node', 'all tables on one node'),
  ('views', 'views of distributed and partitioned tables');

create function document(kind text) returns jsonb language sql as $$
  select case kind
  when 'events' then '{"as_of": "2025-07-01", "accounts": {"table": "accounts", "id": "account_id", "name": "name"},
    "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
    "signals": [{"name": "activation", "weight": 2, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
                {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}}]}'::jsonb
  when 'whole' then '{"as_of": "2025-07-01", "time_zone": "America/New_York",
    "accounts": {"table": "accounts", "id": "account_id", "name": "name", "start": "customer_since", "seats": "seats", "filter": "not is_test",
                 "columns": {"plan_tier": "plan", "arr": {"sql": "mrr * 12"}, "age": {"sql": "as_of - customer_since"}}},
    "users": {"table": "users", "id": "user_id", "account": "account_id", "joined": "created_at", "deactivated": "deactivated_on",
              "exclude": "is_bot or email like ''%@us.example''"},
    "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at",
               "amount": "amount", "filter": "event_name <> ''event_3''"},
    "catalog": {"event_1": {"role": ["create", "activate"], "value": 10}, "event_2": {"role": "consume"}, "event_4": {"role": ["interact", "activate"]}},
    "signals": [{"name": "activation", "weight": 2, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
                {"name": "coverage", "metric": "coverage", "normalize": {"kind": "percentile", "segment": "plan_tier"}},
                {"name": "plan", "column": "plan_tier", "normalize": {"kind": "map", "map": {"enterprise": 100, "pro": 70, "free": 20}}},
                {"name": "arr_peers", "column": "arr", "normalize": {"kind": "percentile"}, "missing": "neutral"},
                {"name": "tenure", "expression": "as_of - account_start", "normalize": {"kind": "linear", "worst": 0, "best": 700}},
                {"name": "nps", "query": "select account_id, score, answered_on from surveys", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}'::jsonb
  -- Queries in place of tables, ids as text, events without an account.
  when 'two' then '{"as_of": "2025-07-01", "time_zone": "Europe/Berlin",
    "accounts": {"query": "select account_id, name from accounts where account_id <> 3", "id": {"sql": "account_id::text"}, "name": "name"},
    "users": {"query": "select * from users", "id": "user_id", "account": "account_id", "joined": "created_at", "exclude": "is_bot"},
    "events": [{"query": "select * from events where amount is null", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
               {"table": "visits", "user": "user_id", "event": "page", "occurred_at": "visited_at", "time_zone": "America/New_York"}],
    "signals": [{"name": "activation", "weight": 2, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
                {"name": "answers", "query": "select account_id, count(*) from surveys group by 1", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
                {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}}]}'::jsonb
  end
$$;
create table kind (name text primary key);
insert into kind values ('events'), ('whole'), ('two');

-- Rows that one query has and the other has not, names of models left out; NULL when the first has none at all.
create function differences(one text, other text) returns bigint language plpgsql as $$
declare
  n bigint;
begin
  execute format('with one as materialized (select (to_jsonb(v) - ''model'')::text as line from (%s) as v),
                       other as materialized (select (to_jsonb(v) - ''model'')::text as line from (%s) as v)
                  select (select count(*) from ((table one except all table other) union all (table other except all table one)) as d)
                  where exists (table one)', one, other) into n;
  return n;
end $$;
create function view_differences(one text, other text) returns bigint language sql as $$
  select sum(differences('table ' || one || suffix, 'table ' || other || suffix)) from unnest('{_ledger,"",_signals,_history}'::text[]) suffix
  having count(differences('table ' || one || suffix, 'table ' || other || suffix)) = 4
$$;
create function error_of(statement text) returns text language plpgsql as $$
declare
  detail text;
  hint text;
begin
  execute statement;
  return null;
exception when others then
  get stacked diagnostics detail = pg_exception_detail, hint = pg_exception_hint;
  return concat_ws(' | ', sqlstate, sqlerrm, detail, hint);
end $$;
-- The statements that the workers get for a query.
create function sent(query text) returns setof text language plpgsql as $$
declare
  line text;
begin
  for line in execute 'explain (verbose, costs off) ' || query loop
    if line ~ '^ *Query: ' then
      return next line;
    end if;
  end loop;
end $$;

-- With this Citus refuses what it would have to pull rows to the coordinator for, to aggregate them there.
set citus.coordinator_aggregation_strategy = 'disabled';
select format('set search_path = %I, public', s), format('select health.create_model(%L, public.document(%L))', s || '_' || k.name, k.name),
       format('select health.create_score_view(%L, %L)', s || '_' || k.name, k.name || '_view')
from (select 'plain' union all select l.name from lying l) as l (s), kind k
\o /dev/null
\gexec
\o
set search_path = public;

select format('score views of model "%s": %s', k.name, l.note), view_differences(format('plain.%s_view', k.name), format('%s.%s_view', l.name, k.name)) = 0
from lying l, kind k order by l.name, k.name;
select format('explain, model "%s": %s', k.name, l.note),
  differences(format('select * from health.explain(%L, 7)', 'plain_' || k.name), format('select * from health.explain(%L, 7)', l.name || '_' || k.name)) = 0
from lying l, kind k order by l.name, k.name;
select format('explain of a change, model "%s": %s', k.name, l.note),
  differences(format('select * from health.explain(%L, 7, ''2025-05-01'', ''2025-06-01'')', 'plain_' || k.name),
              format('select * from health.explain(%L, 7, ''2025-05-01'', ''2025-06-01'')', l.name || '_' || k.name)) = 0
from lying l, kind k order by l.name, k.name;
select format('score_at, model "%s": %s', k.name, l.note),
  differences(format('select * from health.score_at(%L, ''2025-04-01'')', 'plain_' || k.name),
              format('select * from health.score_at(%L, ''2025-04-01'')', l.name || '_' || k.name)) = 0
from lying l, kind k order by l.name, k.name;
select format('tracking_plan, model "%s": %s', k.name, l.note),
  differences(format('select * from health.tracking_plan(%L)', 'plain_' || k.name),
              format('select * from health.tracking_plan(%L)', l.name || '_' || k.name)) = 0
from lying l, kind k order by l.name, k.name;

select format('the workers make the ledgers, model "%s": %s', k.name, l.note),
  count(*) filter (where q ~ 'usage_agg\(') > 0 and count(*) filter (where q ~ '\m(events|visits|parted_\d)_\d+\M' and q !~ 'usage_agg\(') = 0
from lying l, kind k, sent(pg_get_viewdef(format('%s.%s_view_ledger', l.name, k.name)::regclass)) q
where l.name <> 'one_node' group by k.name, l.note, l.name order by l.name, k.name;
begin;
set local citus.explain_all_tasks = on;
select health_internal.look_names_up_in('by_account, public') \g /dev/null
select 'explain asks the one shard that has the account',
  count(*) filter (where q ~ '\mevents_\d+\M') = 1 and count(distinct substring(q from '\maccounts_\d+\M')) = 1
  and bool_and(q ~ 'account_id OPERATOR\(pg_catalog.=\) 7') filter (where q ~ '\maccounts_\d+\M')
from sent((select (health_internal.compile_model(health.model_definition('by_account_whole', complete => true), 1, '7')).ledger)) q;
commit;

-- A refresh sees what is new.
create table before as table plain.whole_view;
create table later_events as
select account_id, user_id, 'event_1' as event_name, occurred_at + interval '1 hour' as occurred_at, amount from plain.events where user_id % 50 = 0;
\o /dev/null
select format('insert into %s table later_events', t) from unnest('{plain.events,by_account.events,reference.events,by_user.events,beside.events,one_node.events,views.parted}'::text[]) t
\gexec
select format('update %I.accounts set seats = 99 where account_id = 12', s) from unnest('{plain,by_account,reference,by_user,beside,one_node}'::text[]) s
\gexec
select format('call health.refresh(%L)', s || '_' || k.name) from (select 'plain' union all select l.name from lying l) as l (s), kind k
\gexec
\o
select format('refresh takes in what is new, model "%s": %s', k.name, l.note), differences('table before', 'table plain.whole_view') > 0
  and view_differences(format('plain.%s_view', k.name), format('%s.%s_view', l.name, k.name)) = 0
from lying l, kind k order by l.name, k.name;
select format('set search_path = %I', s), format('select health.alter_model(%L, ''{"window_days": 60}'')', s || '_whole'), format('select health.refresh_score_views(%L)', s || '_whole')
from unnest('{plain,by_account}'::text[]) s
\o /dev/null
\gexec
\o
set search_path = public;
select 'a new version of the model', (select min(model_version) = 2 from by_account.whole_view) and view_differences('plain.whole_view', 'by_account.whole_view') = 0;

set client_min_messages = error;  -- Citus warns of views that it cannot make on the workers
select health.create_score_view(name || '_two', name || '.two_live', materialized => false) from lying \g /dev/null
set client_min_messages = warning;
select 'score views that are not materialized: ' || note, view_differences('plain.two_view', name || '.two_live') = 0 from lying order by name;

-- A model of somebody else, over tables of which he may read the columns that he needs.
create role analyst login;
create role reader login;
grant usage on schema by_account, health to analyst, reader;
grant create on schema by_account to analyst;
grant select on by_account.events, by_account.users, by_account.visits, by_account.surveys to analyst;
grant select (account_id, name, customer_since, seats, plan, mrr, is_test) on by_account.accounts to analyst;
set role analyst;
set search_path = by_account, public;
select health.create_model('analyst_two', public.document('two')) \g /dev/null
select health.create_score_view('analyst_two', 'analyst_view') \g /dev/null
grant select on analyst_view to reader;
set search_path = public;
reset role;
call health.refresh('analyst_two');
select 'a model of a role that may read single columns', view_differences('plain.two_view', 'by_account.analyst_view') = 0;
set role reader;
select 'a reader needs no right but that on the view', count(*) = 39 from by_account.analyst_view;
reset role;

-- What cannot be had.
set search_path = by_account, public;
select health.create_model('correlated', public.document('events') || '{"signals": [{"name": "answers", "normalize": {"kind": "linear", "worst": 0, "best": 9},
  "expression": "(select count(*) from surveys s where s.account_id = src.account_id)"}]}') \g /dev/null
set search_path = public;
select 'a subquery over a distributed table for each account is refused with the way out: ' || what,
  error_of(format(what, 'correlated')) like '0A000 | model "correlated": signals[0].expression: Citus cannot compute it: % | %"query"%'
from unnest(array['select health.create_score_view(%L, ''score'')', 'select * from health.score_at(%L, ''2025-05-01'')', 'select * from health.explain(%L, ''7'')']) as what;
create table refusal (name text, days int, error text);
insert into refusal
select l.name, d.days, error_of(format('select health.track(%L, %L)', l.name || '_two', d.days)) from lying l, (values (null), (7)) as d (days);
select case when days is null then 'track' else 'window mode' end || ' is refused by name: ' || l.note,
  error like format('0A000 | model "%s_two" cannot be tracked: %% by Citus | %% | %%health.create_score_view(%%', name)
from refusal join lying l using (name) order by name, days;
select 'nothing is left of it', not exists (select from health.models() where tracked) and not exists (select from pg_tables where schemaname = 'health_data');

-- Tables that become Citus's while a model is tracked.
select copy_tables(t) from unnest('{later,later_window}'::text[]) t \g /dev/null
set search_path = later, public;
select health.create_model('later', public.document('events')), health.create_score_view('later', 'later.score'), health.track('later') \g /dev/null
set search_path = later_window, public;
select health.create_model('later_window', public.document('events')), health.create_score_view('later_window', 'later_window.score'),
       health.track('later_window', 30) \g /dev/null
set search_path = public;
set client_min_messages = error;
call health.refresh('later');
call health.refresh('later_window');
set client_min_messages = warning;
call health.refresh('plain_events');
select 'a model of local tables is tracked beside Citus', view_differences('plain.events_view', 'later.score') = 0
  and view_differences('plain.events_view', 'later_window.score') = 0;
select 'Citus does not distribute a table that a trigger captures', error_of($$select spread('later.events', 'account_id')$$) like '%trigger%';
select citus_add_local_table_to_metadata('later.events') \g /dev/null
select spread('later_window.accounts', 'all') \g /dev/null
select 'a refresh says by name that the table is now Citus''s: ' || m.name,
  error_of(format('select health.refresh_score_views(%L)', m.name)) like format('0A000 | model "%s" cannot be tracked any more: %s is %% by Citus | %% | %%health.untrack(%%', m.name, m.spread)
from (values ('later', 'later.events'), ('later_window', 'later_window.accounts')) as m (name, spread);
select health.untrack('later'), health.untrack('later_window') \g /dev/null
insert into later.events select 5, 5, 'event_1', '2025-06-30 10:00+00';
insert into later_window.events select 5, 5, 'event_1', '2025-06-30 10:00+00';
insert into plain.events select 5, 5, 'event_1', '2025-06-30 10:00+00';
call health.refresh('later');
call health.refresh('later_window');
call health.refresh('plain_events');
select 'untracked, its score views read the tables where they are', view_differences('plain.events_view', 'later.score') = 0
  and view_differences('plain.events_view', 'later_window.score') = 0;

-- Citus comes into a database that has score views already.
set client_min_messages = error;
create database late;
set client_min_messages = warning;
select jsonb_build_object('whole', document('whole')) as documents \gset
\c late
set client_min_messages = warning;
set timezone = 'UTC';
create extension account_health;
create table accounts (account_id int primary key, name text, customer_since date, seats int, plan text, mrr numeric, is_test boolean);
create table users (user_id bigint, account_id int, email text, created_at timestamptz, deactivated_on date, is_bot boolean);
create table events (account_id int, user_id bigint, event_name text, occurred_at timestamptz, amount float8);
create table surveys (account_id int, score int, answered_on date);
insert into accounts select i, 'account ' || i, '2025-01-01', 5, 'pro', 100, false from generate_series(1, 20) i;
insert into users select u, 1 + u % 20, 'x', '2025-01-01', null, u % 7 = 0 from generate_series(1, 60) u;
insert into events select 1 + u % 20, u, 'event_' || d % 5, timestamptz '2025-06-30 12:00+00' - d * interval '1 day', 1 from generate_series(1, 60) u, generate_series(1, 60) d where d % u < 3;
insert into surveys select a, a % 10, '2025-05-01' from generate_series(1, 20) a;
select health.create_model('whole', :'documents'::jsonb -> 'whole'), health.create_score_view('whole', 'score') \g /dev/null
create table made_before as table score;
create extension citus;
select citus_set_coordinator_host(current_setting('unix_socket_directories'), current_setting('port')::int),
       citus_set_node_property(current_setting('unix_socket_directories'), current_setting('port')::int, 'shouldhaveshards', true) \g /dev/null
set client_min_messages = error;  -- the rows that were there are still there
select create_distributed_table(t, 'account_id', shard_count => 4) from unnest('{accounts,users,events,surveys}'::text[]) t \g /dev/null
set client_min_messages = warning;
call health.refresh('whole');
select 'a score view that was made before Citus reads what was distributed since', (select count(*) = 20 from made_before)
  and not exists (table made_before except table score) and pg_get_viewdef('score_ledger'::regclass) ~ 'OFFSET 0';
