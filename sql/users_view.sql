-- People of accounts: name_users of plain, materialized and tracked models, users() of any day, and who may read them.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create table app.accounts (id uuid primary key, name text, start date, gone date);
insert into app.accounts values ('00000000-0000-0000-0000-00000000000a', 'Acme', '2024-01-01', null), ('00000000-0000-0000-0000-00000000000b', 'Bolt', '2024-01-01', '2025-02-01'),
  ('00000000-0000-0000-0000-00000000000c', 'Calm', '2024-01-01', null);
create table app.people (id int, account uuid, joined date, gone date, invited date, department text, title text, mail text, contact boolean, staff boolean);
insert into app.people select n, '00000000-0000-0000-0000-00000000000a', '2024-06-01', case n when 5 then date '2025-02-20' end, null, case when n % 2 = 0 then 'Sales' else 'Ops' end,
  'user', 'U' || n || '@acme.example', n = 2, n = 6 from generate_series(1, 7) n;
insert into app.people values (8, '00000000-0000-0000-0000-00000000000a', null, null, '2025-02-20', 'Ops', 'admin', 'u8@acme.example', null, null),
  (9, '00000000-0000-0000-0000-00000000000a', '2025-02-25', null, '2025-02-20', null, null, null, null, null), (20, '00000000-0000-0000-0000-00000000000b', '2024-06-01', null, null, 'Ops', 'user', null, true, null);
-- A person with two rows is one: the first text by order, and one row that is a main contact is enough.
insert into app.people values (4, '00000000-0000-0000-0000-00000000000a', '2024-06-01', null, null, 'Art', 'user', null, true, null);
create table app.events (account uuid, usr int, name text, at timestamptz, actor text);
insert into app.events select '00000000-0000-0000-0000-00000000000a', 1 + n % 6, case when n % 4 = 0 then 'made' else 'seen' end, timestamptz '2024-07-01 12:00+00' + n * interval '31 hours', null
from generate_series(1, 190) n where not (n > 160 and n % 6 = 2);
insert into app.events select '00000000-0000-0000-0000-00000000000a', 1, 'made', timestamptz '2025-02-05 12:00+00' + n * interval '12 hours', null from generate_series(1, 40) n;
insert into app.events select '00000000-0000-0000-0000-00000000000a', 99, 'seen', timestamptz '2025-02-05 12:00+00' + n * interval '12 hours', 'agent' from generate_series(1, 40) n;
insert into app.events values ('00000000-0000-0000-0000-00000000000a', 30, 'seen', '2025-02-28 12:00+00', ''), ('00000000-0000-0000-0000-00000000000a', 31, 'seen', '2025-03-02 12:00+00', ''),
  ('00000000-0000-0000-0000-00000000000b', 20, 'seen', '2025-01-10 12:00+00', null);
\set sources '"accounts": {"table": "app.accounts", "id": "id", "start": "start", "end": "gone", "name": "name"}, "events": {"table": "app.events", "account": "account", "user": "usr", "event": "name", "occurred_at": "at", "actor": "actor"}, "catalog": {"made": {"role": "create", "value": 5}, "seen": {"role": "consume", "value": 1}}, "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]'
\set people '"users": {"table": "app.people", "id": "id", "account": "account", "joined": "joined", "deactivated": "gone", "invited": "invited", "exclude": "staff", "department": "department", "role": "title", "email": {"sql": "lower(mail)"}, "main_contact": "contact"}'
select health.create_model('m', ('{"as_of": "2025-03-02", ' || :'sources' || ', ' || :'people' || '}')::jsonb);
select health.create_score_view('m', 'scores.kept'), health.create_score_view('m', 'scores.live', materialized => false);
-- 1 has twice the median of the active (of 50, 17, 13, 12, 1 points), 8 was invited, 9 has joined and was not seen, 7 never was; 6 is staff, 99 an agent, 31 comes later. Bolt is out of the book.
select account_id, user_id::int, standing, entitled as ent, events, value_points as points, round(share::numeric, 3) as share, active_days as days, recency_days as ago, round(baseline::numeric, 3) as baseline,
       first_day, last_day, department, role, email, main_contact from scores.kept_users order by 1, 2;
-- What the account view says of all of them together.
select v.name, v.total_users = count(*) filter (where entitled) as entitled, v.dormant_users = count(*) filter (where entitled and u.active_days = 0) as dormant,
       v.events = sum(u.events) as events, v.value_points = sum(u.value_points) as points, round(sum(u.share)::numeric, 6) as shares
from scores.kept v join scores.kept_users u using (account_id) group by v.account_id, v.name, v.total_users, v.dormant_users, v.events, v.value_points order by 1;
select c.relname, c.relkind, c.reloptions, count(*) filter (where col_description(c.oid, a.attnum) is null) as without_comment
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relname ~ '_users$' and c.relnamespace = 'scores'::regnamespace group by c.oid order by 1;
create table app.as_made as table scores.kept_users;
select 'differ', * from ((table app.as_made except table scores.live_users) union all (table scores.live_users except table app.as_made)) d;

-- Attributes are read when the view is: no refresh is needed.
update app.people set department = 'Finance' where id = 7;
select user_id, department from scores.kept_users where user_id = '7';
update app.people set department = 'Ops' where id = 7;

-- Tracked it is the same; users() gives it for any day, of every kind of model.
select health.track('m') \g /dev/null
call health.backfill('m');
call health.refresh('m');
select 'differ', * from ((table app.as_made except table scores.kept_users) union all (table scores.kept_users except table app.as_made)) d;
select health.create_model('plain', ('{"as_of": "2025-03-02", ' || :'sources' || ', ' || :'people' || '}')::jsonb) \g /dev/null
create table app.days as select d::date as day, u.* from generate_series(date '2024-06-20', '2025-03-10', interval '3 weeks') d, health.users('plain', null::text, d::date) u;
select count(distinct day) as days, count(*) > 80 as many, count(distinct standing) as standings from app.days;
select 'differ', * from ((table app.days except select d::date, u.* from generate_series(date '2024-06-20', '2025-03-10', interval '3 weeks') d, health.users('m', as_of => d::date) u)) d;
select 'differ', * from (select account_id::text, name, as_of, user_id, standing, entitled, events, value_points, share, active_days, recency_days, baseline, first_day, last_day, department, role, email,
  main_contact from app.as_made except select * from health.users('m')) d;
select user_id, standing from health.users('m', uuid '00000000-0000-0000-0000-00000000000a', '2024-09-01') limit 3;
select user_id, standing, recency_days from health.users('m', '00000000-0000-0000-0000-00000000000B');
select * from health.users('m', '00000000-0000-0000-0000-00000000000f');
select * from health.users('m', 'Acme');
select * from health.users('m', as_of => 'infinity');
select * from health.users('n');

-- Readers need SELECT on the view and nothing else; who may not act as the owner asks for nothing more.
create role users_reader;
grant usage on schema scores to users_reader;
grant select on scores.kept_users, scores.live_users to users_reader;
set role users_reader;
select count(*) from scores.kept_users;
select count(*) from scores.live_users;
select * from health.users('m');
select count(*) from app.people;
select count(*) from scores.kept_ledger;
reset role;

-- Who is forgotten is gone. A rename and another version keep the grants.
select health.create_model('w', ('{"as_of": "2025-03-02", ' || :'sources' || ', ' || :'people' || '}')::jsonb) \g /dev/null
select health.track('w', window_days => 30), health.create_score_view('w', 'scores.window') \g /dev/null
call health.backfill('w');
delete from app.events where usr = 3;
delete from app.people where id = 3;
call health.refresh('m');
call health.refresh('w');
select user_id, standing, last_day, department from scores.window_users where user_id = '3';
select health.forget_user('w', '3') > 0 as had_rows, health.forget_user('m', '3') as rows;
select (select count(*) from scores.kept_users where user_id = '3') as kept, (select count(*) from scores.window_users where user_id = '3') as windowed;
select health.drop_model('w', cascade => true);
select health.rename_model('m', 'renamed');
select health.alter_model('renamed', jsonb_set(('{' || :'people' || '}')::jsonb, '{users,department}', '"title"'));
select health.refresh_score_views('renamed');
set role users_reader;
select user_id, department from scores.kept_users where user_id = '1';
reset role;

-- A loader that replaces the table takes the view with it; the next refresh makes it again, without its grants.
create table app.loaded (like app.people);
insert into app.loaded table app.people;
drop table app.people cascade;
select to_regclass('scores.kept_users'), to_regclass('scores.kept') is not null as kept;
alter table app.loaded rename to people;
call health.refresh('renamed');
select count(*) > 0 from scores.kept_users;
select health.untrack('renamed');
drop view scores.kept_users;
select health.refresh_score_view('scores.kept');
select count(*) > 0 from scores.kept_users;
-- Somebody's own relation of that name, which a view of release 0.1.0 may have beside it, is left alone.
drop view scores.kept_users, scores.live_users;
create table scores.kept_users as select 1 as own;
create view scores.live_users as select 1 as own;
set client_min_messages = notice;
update health_internal.score_view set compiled_by = 'older';
select health.refresh_score_view('scores.kept'), health.refresh_score_view('scores.live');
set client_min_messages = warning;
select * from scores.kept_users, scores.live_users;
select health.drop_score_view('scores.kept'), health.drop_score_view('scores.live');
select relname from pg_class where relnamespace = 'scores'::regnamespace order by 1;
drop table scores.kept_users;
drop view scores.live_users;
select health.drop_model('renamed'), health.drop_model('plain');

-- Without a user source, without the account of each user, and with nothing named of a user nothing hangs on the table.
select health.create_model('none', ('{"as_of": "2025-03-02", ' || :'sources' || '}')::jsonb);
select health.create_score_view('none', 'scores.none');
select user_id, standing, entitled, department, main_contact from scores.none_users where name = 'Acme' order by user_id::int;
select health.alter_model('none', '{"users": {"table": "app.people", "id": "id", "email": "mail", "exclude": "staff"}}');
select health.refresh_score_view('scores.none');
select user_id, standing, email, department from scores.none_users where name = 'Acme' order by user_id::int;
select health.create_model('bare', ('{"as_of": "2025-03-02", ' || :'sources' || ', "users": {"table": "app.people", "id": "id", "account": "account"}}')::jsonb);
select health.create_score_view('bare', 'scores.bare') \g /dev/null
select health.track('bare') \g /dev/null
call health.backfill('bare');
select count(*) from pg_depend d join pg_rewrite r on r.oid = d.objid and r.ev_class = 'scores.bare_users'::regclass where d.refobjid = 'app.people'::regclass;

-- What is wrong with the fields is told with its place.
select path, problem, hint from health.validate_model(('{"as_of": "2025-03-02", ' || :'sources' || ', "users": {"table": "app.people", "id": "id", "account": "account", "departmint": "x", "department": "dept", "role": "title",
  "main_contact": "contakt", "email": {"sql": "array[mail]"}}}')::jsonb);
select health.drop_model('none', cascade => true), health.drop_model('bare', cascade => true);
drop schema app cascade;
drop schema scores cascade;
drop role users_reader;
