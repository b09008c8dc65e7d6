-- Parents of accounts: a group is scored like one account, told against a model in which its accounts are one, in every mode.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
-- 240 accounts name parents at random: trees of several levels, cycles, themselves, nobody, '' and ids that are no account. Some have ended, some are to come, two have two rows.
create function app.dice(id int, n int, sides int) returns int language sql immutable as 'select ((hashint8(id::bigint * 1000003 + n)::bigint + 2147483648) % sides)::int';
create table app.accounts (id int, name text, start date, gone date, parent text, arr numeric, seats int, csat numeric);
insert into app.accounts select g, 'Account ' || g, case app.dice(g, 1, 4) when 0 then null else date '2024-03-01' - app.dice(g, 2, 400) end + case when g % 23 = 0 then 800 else 0 end,
  case app.dice(g, 3, 9) when 0 then date '2025-02-01' when 1 then date '2025-09-01' when 2 then date 'infinity' end,
  case app.dice(g, 4, 12) when 0 then '' when 1 then g::text when 2 then 'group-' || app.dice(g, 5, 5) when 3 then null when 4 then null when 5 then null when 6 then '0' || g
    else (1 + app.dice(g, 6, 240))::text end,
  case app.dice(g, 7, 6) when 0 then null when 1 then 0 when 2 then numeric 'NaN' when 3 then -5 else 1000 * app.dice(g, 8, 90) end, case when app.dice(g, 9, 3) > 0 then 5 + app.dice(g, 10, 20) end,
  case when g % 3 > 0 then app.dice(g, 11, 101) end from generate_series(1, 240) g;
update app.accounts set parent = case id when 201 then '202' when 202 then '203' when 203 then '201' else '201' end where id between 201 and 205;
insert into app.accounts select * from app.accounts where id in (17, 60);
-- A person may be in two accounts: in a group it is one.
create table app.people (id text, account int, joined date, bot boolean);
insert into app.people select 'u' || app.dice(g, 20, 500), 1 + app.dice(g, 21, 240), date '2024-10-01' + app.dice(g, 22, 150), app.dice(g, 20, 500) % 50 = 0 from generate_series(1, 900) g;
create table app.events (id int, account int, who text, name text, at timestamptz);
insert into app.events select g, account, id, (array['made', 'seen', 'shared'])[1 + app.dice(g, 30, 3)], timestamptz '2024-12-01 00:00+00' + app.dice(g, 31, 93 * 24) * interval '1 hour'
from (select *, row_number() over (order by account, id, joined)::int as n from app.people) p, generate_series(n * 10, n * 10 + app.dice(n, 32, 10)) g where account % 7 > 0;
create table app.tickets (account int, opened date, closed date);
insert into app.tickets select 1 + app.dice(g, 40, 240), date '2024-12-01' + app.dice(g, 41, 93), case when g % 2 = 0 then date '2025-03-10' end from generate_series(1, 400) g;
select '{"as_of": "2025-03-03", "history": {"days": 1},
  "catalog": {"made": {"role": "create", "value": 5}, "seen": {"role": "consume", "value": 1}},
  "signals": [
    {"name": "activation", "weight": 3, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 0.8}},
    {"name": "trend", "weight": 2, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 0.5}},
    {"name": "people", "metric": "effective_users", "normalize": {"kind": "linear", "worst": 1, "best": 8}},
    {"name": "seats", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "tickets", "fact": "tickets", "measure": "open", "normalize": {"kind": "linear", "worst": 9, "best": 0}},
    {"name": "csat", "column": "csat", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}' as shape \gset
select :'shape'::jsonb || '{"accounts": {"table": "app.accounts", "id": "id", "name": "name", "start": "start", "end": "gone", "seats": "seats", "parent": "parent", "columns": {"arr": "arr"}},
  "users": {"table": "app.people", "id": "id", "account": "account", "joined": "joined", "exclude": "bot"},
  "events": {"table": "app.events", "account": "account", "user": "who", "event": "name", "occurred_at": "at"},
  "facts": {"tickets": {"table": "app.tickets", "account": "account", "at": "opened", "until": "closed"}}}' as document \gset
select * from health.validate_model(:'document');
select health.create_model(m, :'document') from unnest('{plain,tracked,windowed}'::text[]) m;
select health.track('tracked'), health.track('windowed', window_days => 200) \g /dev/null
call health.backfill('tracked');
call health.backfill('windowed');
select count(health.create_score_view(m, 'scores.' || m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select health.create_score_view('plain', 'scores.live', materialized => false);

-- By hand: who is above an account, one step after the other.
create view app.named as select id::text as id, min(nullif(parent, '')) as parent from app.accounts group by id having count(*) = 1;
create function app.parent(id text) returns text language sql stable as 'select n.parent from app.named n where n.id = $1';
create function app.above(account text) returns text[] language plpgsql stable as $$
declare path text[] := '{}'; step text := account;
begin
  loop
    if app.is_circular(step) then return path; end if;
    step := app.parent(step);
    if step is null then return path; end if;
    path := path || step;
  end loop;
end $$;
create function app.is_circular(account text) returns boolean language plpgsql stable as $$
declare step text := account;
begin
  for i in 1..300 loop
    step := app.parent(step);
    if step is null then return false; end if;
    if step = account then return true; end if;
  end loop;
  return false;
end $$;
-- Of an account with two rows nothing is known but its usage.
create view app.one as select id, case when count(*) = 1 then min(name) end as name, case when count(*) = 1 then min(start) end as start, case when count(*) = 1 then min(gone) end as gone,
  case when count(*) = 1 then min(seats) end as seats, case when count(*) = 1 then min(csat) end as csat from app.accounts group by id;
create view app.book as select id, id::text as key from app.one where coalesce(start, '-infinity') <= date '2025-03-03' and coalesce(gone, 'infinity') > date '2025-03-03';
create view app.below as select p.parent, b.id, b.key from app.book b, unnest(app.above(b.key)) p (parent);
create table app.members as select parent, id, true as below from app.below;
insert into app.members select distinct m.parent, b.id, false from app.members m join app.book b on b.key = m.parent;
create view app.active as select account from app.events where who not in (select id from app.people where bot) union select account from app.people where not bot union select account from app.tickets;
-- The groups as accounts, and what their members did as theirs.
create table app.groups as select m.parent as id, o.name, o.csat, min(a.start) as start, case when not bool_or(a.seats is null and c.account is not null) then sum(a.seats) end as seats
  from app.members m join app.one a using (id) left join app.active c on c.account = a.id left join app.one o on o.id::text = m.parent group by m.parent, o.name, o.csat;
insert into app.groups select * from app.groups where id in ('17', '60');
create view app.group_people as select m.parent, p.* from app.people p join app.members m on m.id = p.account;
create view app.group_events as select m.parent, e.* from app.events e join app.members m on m.id = e.account;
create view app.group_tickets as select m.parent, t.* from app.tickets t join app.members m on m.id = t.account;
select health.create_model('oracle', :'shape'::jsonb || '{"accounts": {"table": "app.groups", "id": "id", "name": "name", "start": "start", "seats": "seats"},
  "users": {"table": "app.group_people", "id": "id", "account": "parent", "joined": "joined", "exclude": "bot"},
  "events": {"table": "app.group_events", "account": "parent", "user": "who", "event": "name", "occurred_at": "at"},
  "facts": {"tickets": {"table": "app.group_tickets", "account": "parent", "at": "opened", "until": "closed"}}}');
-- What people decide about an account holds for its group.
select parent as chosen from app.members where not below group by 1 order by count(*), 1 limit 1 \gset
select count(health.override(m, :'chosen', cap => 10, reason => 'they told us', owner => 'me')) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select health.create_score_view('oracle', 'scores.oracle');
create view app.expected as select o.account_id, o.name, c.children, o.as_of, o.score, o.band, o.state, o.data_coverage, o.unknown_reason, o.main_reason, round(c.children_score::numeric, 9) as children_score, c.worst_child, c.worst_child_score
  from scores.oracle o join (select m.parent as account_id, count(*) as children, sum(p.score * p.weight) / nullif(sum(p.weight) filter (where p.score is not null), 0) as children_score,
      (array_agg(p.account_id::text order by p.score, p.account_id) filter (where p.score is not null))[1] as worst_child, min(p.score) as worst_child_score
    from app.members m join (select *, greatest(nullif(arr, 'NaN'), 0)::float8 as weight from scores.plain) p on p.account_id = m.id where m.below group by 1) c using (account_id);
select count(*) as parents, count(*) filter (where children > 5) as large, count(*) filter (where name is null) as no_account, count(*) filter (where account_id ~ 'group') as of_text, count(score) as scored, count(distinct band) as bands,
  count(children_score) as weighted, count(distinct state) as states, max(children) as most from app.expected;
select unknown_reason, count(*) from app.expected group by 1 order by 1;
create function app.shown(mode text) returns table (account_id text, name text, children bigint, as_of date, score float8, band text, state text, data_coverage float8, unknown_reason text, main_reason text,
  children_score numeric, worst_child text, worst_child_score float8) language plpgsql as $$ begin
  return query execute format('select account_id, name, children, as_of, score, band, state, data_coverage, unknown_reason, main_reason, round(children_score::numeric, 9), worst_child, worst_child_score from scores.%I', mode || '_parents');
end $$;
create view app.differences as select m.mode, d.* from unnest('{plain,live,tracked,windowed}'::text[]) m (mode),
  lateral ((select 'expected' as kind, e.* from app.expected e except select 'expected', s.* from app.shown(m.mode) s) union all (select 'shown', s.* from app.shown(m.mode) s except select 'shown', e.* from app.expected e)) d;
select * from app.differences;
select account_id = :'chosen' as chosen, score, main_reason from scores.tracked_parents where score = 10 and account_id = :'chosen';
-- No cycle is a tree: who is above himself is a finding, and nobody's child.
select source, name, events, users, advice, account, value from health.tracking_plan('tracked') where finding = 'circular parent' and name ~ '^[pt2]';
select mode, (select sum(events) from health.tracking_plan(mode) where finding = 'circular parent') = (select count(*) from app.named where app.is_circular(id)) as all_named from unnest('{plain,tracked}'::text[]) mode;
select c.relname, c.relkind, obj_description(c.oid, 'pg_class') as comment, count(*) filter (where col_description(c.oid, a.attnum) is null) as without_comment
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relname ~ '_parents$' and c.relnamespace = 'scores'::regnamespace group by c.oid order by 1;

-- What changes is seen at once: parents without a refresh, events after it.
update app.accounts set parent = case when id % 2 = 0 then '7' else '0' || id end where id % 5 = 0;
update app.accounts set gone = '2025-03-03' where id = (select max(id) from app.members where below);
delete from app.events where id % 9 = 0;
update app.events set account = 1 + account % 240 where id % 7 = 0;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
truncate app.members, app.groups;
insert into app.members select parent, id, true from app.below;
insert into app.members select distinct m.parent, b.id, false from app.members m join app.book b on b.key = m.parent;
insert into app.groups select m.parent as id, o.name, o.csat, min(a.start) as start, case when not bool_or(a.seats is null and c.account is not null) then sum(a.seats) end as seats
  from app.members m join app.one a using (id) left join app.active c on c.account = a.id left join app.one o on o.id::text = m.parent group by m.parent, o.name, o.csat;
insert into app.groups select * from app.groups where id in ('17', '60');
select health.refresh_score_views('oracle');
select count(*) > 40 as many from app.expected;
select * from app.differences;
-- Of many the first 20 are named.
update app.accounts set parent = id::text where id > 205;
select count(*), count(account) as named, sum(events) as accounts, max(advice) filter (where account is null) from health.tracking_plan('tracked') where finding = 'circular parent';

-- Ids of other types than those of parents; of columns, expressions and queries that have names of their own. The first row of each: a parent that is an account, but has ended.
create extension if not exists citext;
create table app.small (id uuid primary key, "parent" citext, key text, gone date, n numeric);
insert into app.small values ('00000000-0000-0000-0000-00000000000a', null, 'a', '2025-01-01', 70), ('00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000A', 'b', null, 60),
  ('00000000-0000-0000-0000-00000000000c', 'Else', 'c', null, 20), ('00000000-0000-0000-0000-00000000000d', 'ELSE', 'd', null, null), ('00000000-0000-0000-0000-00000000000e', '', 'e', null, 1);
create view app."$named" as select * from app.small;
select '{"as_of": "2025-03-03", "signals": [{"name": "n", "column": "n", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}' as bare \gset
set search_path = app, public;
select health.create_model('uuids', :'bare'::jsonb || '{"accounts": {"table": "app.small", "id": "id", "end": "gone", "parent": "parent"}}');
select health.create_model('numbers', :'bare'::jsonb || '{"accounts": {"query": "select ascii(key)::smallint as id, key, gone, n from \"$named\"", "id": "id", "name": "key", "end": "gone", "parent": {"sql": "case key when ''b'' then 97.0 when ''e'' then 98.00 else nullif(1 / (ascii(key) - 99), 1) end"}, "columns": {"arr": "n"}}}');
select health.create_model('filtered', :'bare'::jsonb || '{"accounts": {"table": "app.small", "id": "key", "filter": "key <> ''d'' and as_of - 1 > ''2025-03-01''", "parent": {"sql": "case when as_of = ''2025-03-03'' then lower(parent) end"}}}');
reset search_path;
select health.create_score_view(m, 'scores.' || m) from unnest('{uuids,numbers,filtered}'::text[]) m;
select account_id, name, children, score, band, state, data_coverage, unknown_reason, children_score, worst_child, worst_child_score from scores.uuids_parents order by 1;
select account_id, name, children, score, state, unknown_reason, children_score, worst_child from scores.numbers_parents order by 1;
select account_id, name, children, score, state, unknown_reason, children_score, worst_child from scores.filtered_parents order by 1;
select finding, name, value, advice from health.tracking_plan('numbers') where source = 'accounts';

-- What is no id of a parent, and what is no relation of a score view.
select * from health.validate_model(:'bare'::jsonb || '{"accounts": {"table": "app.small", "id": "id", "parent": "gone"}}');
select * from health.validate_model(:'bare'::jsonb || '{"accounts": {"table": "app.small", "id": "id", "parent": "parnt"}}');
select * from health.model_problems(:'bare'::jsonb || '{"accounts": {"table": "app.small", "id": "id", "parent": 7}}');
select health.create_model('later', :'bare'::jsonb || '{"accounts": {"table": "app.small", "id": "id"}, "facts": {"tickets": {"table": "app.tickets", "account": "account", "at": "opened"}}}');
select health.track('later');
call health.backfill('later');
select health.create_score_view('later', 'scores.later'), to_regclass('scores.later_parents');
create table scores.later_parents (mine int);
select health.alter_model('later', '{"accounts": {"table": "app.small", "id": "id", "parent": "parent"}}');
call health.refresh('later');
drop table scores.later_parents;
call health.refresh('later');
select account_id, children, score from scores.later_parents order by 1;
-- Readers need SELECT on it and nothing else; who replaces the table has it made again.
create role parents_reader;
grant usage on schema scores to parents_reader;
grant select on scores.later_parents to parents_reader;
set role parents_reader;
select count(*) from scores.later_parents;
reset role;
drop view app."$named" cascade;
alter table app.small rename to old;
create table app.small as table app.old;
drop table app.old cascade;
select to_regclass('scores.later'), to_regclass('scores.later_parents');
call health.refresh('later');
select count(*) from scores.later_parents;
select health.rename_model('later', 'last');
select obj_description('scores.later_parents'::regclass);
select health.alter_model('last', '{"accounts": {"table": "app.small", "id": "id"}}');
call health.refresh('last');
select to_regclass('scores.later'), to_regclass('scores.later_parents');
select health.drop_model(m, cascade => true) from unnest('{plain,tracked,windowed,oracle,uuids,numbers,filtered,last}'::text[]) m \g /dev/null
drop schema app, scores cascade;
drop role parents_reader;
