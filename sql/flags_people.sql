-- Flags about departments and main contacts: on every day what plain SQL says over the tables, in plain, tracked and window mode, with late,
-- changed and deleted rows; what they need of the user source; who reads them.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create table app.accounts (id int primary key, name text, start date);
create table app.people (id int, account int, joined date, gone date, invited date, department text, contact boolean);
create table app.events (account int, person int, name text, at timestamptz);
-- The n-th of so many random numbers of a row.
create function dice(id int, n int, sides int) returns int language sql immutable as 'select ((hashint8(id::bigint * 1000003 + n)::bigint + 2147483648) % sides)::int';
insert into app.accounts select g, 'A' || g, date '2025-03-03' - case g % 4 when 0 then 20 + dice(g, 0, 60) else 300 end from generate_series(1, 150) g;
-- Up to nine users of each: one in three is in no department, one in five a main contact, some invited, some gone, some joined late, some with two rows.
insert into app.people
select a * 10 + u, a, case when dice(p, 1, 12) > 0 then case dice(p, 2, 3) when 0 then date '2025-03-03' - dice(p, 3, 80) else '2024-01-01' end end,
  case when dice(p, 1, 12) > 0 and dice(p, 4, 5) = 0 then date '2025-03-03' + dice(p, 5, 60) - 50 end, case when dice(p, 6, 4) = 0 then date '2025-03-03' - dice(p, 7, 80) end,
  (array['Sales', 'Ops', 'Art', 'Ops', null, '', ' '])[1 + dice(p, 8, 7)], case dice(p, 9, 5) when 0 then true when 1 then null else false end
from generate_series(1, 150) a, generate_series(1, 9) u, lateral (select a * 10 + u as p) as n where u <= 4 + a % 6;
update app.people set gone = null where gone <= joined;
insert into app.people select id, account, joined, gone, invited, 'Art', contact is not true from app.people where id % 17 = 0;
-- Bursts of some weeks; one in twenty in an account of which the user source knows nothing.
insert into app.events
select case when dice(g, 1, 20) = 0 then 1 + dice(g, 2, 150) else p.account end, p.id, 'use', timestamptz '2025-03-02 12:00+00' - (dice(p.id, 11, 80) + dice(g, 3, 20)) * interval '1 day'
from generate_series(1, 4500) g join (select distinct id, account from app.people) p on p.id = 10 * (1 + dice(g, 4, 150)) + 1 + dice(g, 5, 9);
insert into app.events select a, a * 10 + u, 'use', timestamptz '2025-03-02 12:00+00' - n * interval '5 days' from generate_series(1, 150, 3) a, generate_series(1, 3) u, generate_series(0, 30) n
where dice(a * 10 + u, 12, 3) > 0 or n > dice(a, 13, 8);
create index on app.events (account);
create index on app.people (account);
analyze app.events, app.people;
select '{
  "as_of": "2025-03-03", "volume": "ignore",
  "accounts": {"table": "app.accounts", "id": "id", "name": "name", "start": "start"},
  "users": {"table": "app.people", "id": "id", "account": "account", "joined": "joined", "deactivated": "gone", "invited": "invited", "department": "department", "main_contact": "contact"},
  "events": {"table": "app.events", "account": "account", "user": "person", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}],
  "flags": {"main_contact_silent": {"users": 6, "days": 8}, "single_department": true, "department_growth": {"at_least": 2}}
  }' as document \gset
select health.create_model(name, :'document') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.create_score_view(name, 'scores.' || name, materialized => name <> 'plain') from unnest('{plain,tracked,windowed}'::text[]) name \g /dev/null
select health.track('tracked'), health.track('windowed', window_days => 20) \g /dev/null
call health.backfill('tracked');
call health.backfill('windowed');

-- What the tables say.
create materialized view app.persons as select account, id, min(joined) as joined, min(gone) as gone, min(invited) as invited, nullif(btrim(min(department)), '') as department, bool_or(coalesce(contact, false)) as contact
from app.people group by 1, 2;
create unique index on app.persons (account, id);
create function app.departments(account int, d date) returns bigint language sql stable as $$
  select count(distinct p.department) from app.events e join app.persons p on p.account = e.account and p.id = e.person where e.account = $1 and e.at >= (d - 28)::timestamp at time zone 'UTC' and e.at < d::timestamp at time zone 'UTC'
$$;
create function app.expected(d date) returns table (account int, flag text, value float8, sentence text) language sql stable as $$
  select a.id, f.flag, f.now, case when f.now = 1 then 'only ' || (select min(p.department) from app.events e join app.persons p on p.account = e.account and p.id = e.person
      where e.account = a.id and e.at >= (d - 28)::timestamp at time zone 'UTC' and e.at < d::timestamp at time zone 'UTC') else f.now || ' departments' end || ' active in 28 days, ' || abs(f.now - f.before)
    || case abs(f.now - f.before) when 1 then ' department' else ' departments' end || case when f.now < f.before then ' fewer' else ' more' end || ' than in the 28 days before'
  from app.accounts a, lateral (select app.departments(a.id, d) as now, app.departments(a.id, d - 28) as before) n,
    lateral (values ('single_department', now, before), ('department_growth', now, before)) as f (flag, now, before)
  where a.start <= d - 56 and case flag when 'single_department' then f.now = 1 and f.before >= 2 else f.now >= 2 and f.now > f.before end
  union all
  select a.id, 'main_contact_silent', c.days, case when cardinality(c.ids) = 1 then 'main contact ' else 'main contacts ' end || array_to_string(c.ids[1:3], ', ')
    || case when cardinality(c.ids) > 3 then ' and ' || cardinality(c.ids) - 3 || ' more' else '' end
    || case when not c.gone then ' silent for ' || c.days || ' days' when cardinality(c.ids) = 1 then ' is no user any more' else ' are no users any more' end || ', of ' || m.members || ' users'
  from app.accounts a, lateral (select count(*) from app.persons p where p.account = a.id and p.joined < d and (p.gone is null or d < p.gone)) as m (members),
    lateral (select k.gone, array_agg(k.id order by k.id) as ids, case when k.gone then greatest(min(k.days), 8) else min(k.days) end as days
      from (select p.id, coalesce(p.joined < d and p.gone <= d, false) as gone, d - coalesce(s.day, greatest(a.start, least(p.joined, p.invited))) as days
            from app.persons p, lateral (select max((e.at at time zone 'UTC')::date) from app.events e where e.account = a.id and e.person = p.id and e.at < d::timestamp at time zone 'UTC') as s (day)
            where p.account = a.id and p.contact and (s.day is not null or p.joined < d or p.invited < d)) as k
      group by k.gone order by k.gone limit 1) as c
  where a.start <= d and m.members >= 6 and c.days >= 8
$$;
create table app.daily as select d::date as day, e.* from generate_series(date '2025-01-13', date '2025-03-03', '1 day') d, app.expected(d::date) e;
select flag, count(*) > 500 as many, count(distinct account) > 20 as accounts, count(*) filter (where sentence ~ 'no user') > 0 as gone from app.daily group by 1 order by 1;
-- The day since when, of the runs of days.
create function app.expected_since(d date) returns table (account int, flag text, since date, value float8, sentence text) language sql stable as $$
  select t.account, t.flag, greatest(d - 28, (select max(n.day::date) + 1 from generate_series(d - 29, d - 1, '1 day') as n (day)
    where n.day::date < d - 28 or not exists (select from app.daily o where o.day = n.day::date and (o.account, o.flag) = (t.account, t.flag)))), t.value, t.sentence
  from app.daily t where t.day = d
$$;
create function app.differ(model text, d date) returns bigint language sql as $$
  select count(*) from app.expected_since(d) e full join health.flags(model, null, d) f on (f.account_id, f.flag) = (e.account::text, e.flag)
  where (e.since, e.value, e.sentence) is distinct from (f.since, f.value, f.sentence)
$$;
select name, sum(app.differ(name, d::date)) as differences, count(*) as days from unnest('{plain,tracked,windowed}'::text[]) name, generate_series(date '2025-02-10', date '2025-03-03', '7 days') d group by 1 order by 1;
create function app.views_differ() returns table (view_name text, differences bigint) language plpgsql as $$
begin
  foreach view_name in array '{plain,tracked,windowed}'::text[] loop
    execute format('select count(*) from ((select account_id, flag, since, value, sentence from scores.%1$I_flags except table expected) union all '
      '(table expected except select account_id, flag, since, value, sentence from scores.%1$I_flags)) f', view_name) into differences;
    return next;
  end loop;
end $$;
create temp table expected as select * from app.expected_since('2025-03-03');
select * from app.views_differ();
select flag, count(*) > 3 as some, min(threshold) as threshold, min(kind) as kind, min(next_step) as next_step from scores.tracked_flags group by 1 order by 1;
select count(*) > 5 as some, count(*) filter (where (f.flag, f.since, f.value, f.sentence) is distinct from (o.flag, o.since, o.value, o.sentence)) as differ
from expected f left join lateral health.flags('tracked', f.account::text) o on o.flag = f.flag where f.account % 5 = 0;

-- Late, changed and deleted rows; departments and main contacts change by themselves, without a refresh.
insert into app.events select account, person, 'use', at - interval '3 days' from app.events where person % 7 = 3 and at > '2025-02-20' and at < '2025-02-28';
update app.events set at = at + interval '2 days' where person % 7 = 4 and at between '2025-02-18' and '2025-02-27';
delete from app.events where person % 7 = 5 and at > '2025-02-18';
update app.people set gone = '2025-03-01' where id % 11 = 1 and gone is null and joined < '2025-02-01';
call health.refresh('tracked');
call health.refresh('windowed');
update app.people set department = (array['Art', 'Ops', null])[1 + dice(id, 20, 3)] where id % 5 = 0;
update app.people set contact = not coalesce(contact, false) where id % 13 = 0;
create function app.note() returns void language sql as $$
  refresh materialized view app.persons;
  truncate app.daily;
  insert into app.daily select d::date as day, e.* from generate_series(date '2025-01-13', date '2025-03-03', '1 day') d, app.expected(d::date) e;
  truncate expected;
  insert into expected select * from app.expected_since('2025-03-03');
$$;
select app.note();
select * from app.views_differ();
select name, sum(app.differ(name, d::date)) as differences from unnest('{plain,tracked,windowed}'::text[]) name, generate_series(date '2025-02-20', date '2025-03-03', '11 days') d group by 1 order by 1;

-- Who is forgotten is named nowhere, though the user source has a row still.
select account_id as account, split_part(sentence, ' ', 3) as person from scores.tracked_flags where sentence like 'main contact % silent %' and account_id > 100 order by 1 limit 1 \gset
delete from app.events where person = :person;
delete from app.people where id = :person;
call health.refresh('tracked');
select health.forget_user('tracked', :'person') >= 0 as forgotten;
select count(*) from scores.tracked_flags where sentence ~ ('\m' || :'person' || '\M');
insert into app.people (id, account, contact) values (:person, :account, true);
select count(*) from scores.tracked_flags where sentence ~ ('\m' || :'person' || '\M');

-- Readers of the view need no right on the user table.
create role flag_reader;
grant usage on schema scores to flag_reader;
grant select on scores.tracked_flags, scores.plain_flags to flag_reader;
set role flag_reader;
select count(*) > 10 as some from scores.tracked_flags;
select count(*) > 10 as some from scores.plain_flags;
select count(*) from app.people;
reset role;
-- A loader that replaces the table takes the view along, and the next refresh makes it again; of a model without such flags it stays.
select health.alter_model('windowed', '{"flags": {"few_active": true}}') \g /dev/null
call health.refresh('windowed');
create table app.loaded (like app.people);
insert into app.loaded table app.people;
select health.drop_score_view('scores.plain');
drop table app.people cascade;
select to_regclass('scores.tracked_flags') as tracked, to_regclass('scores.tracked') as scores, to_regclass('scores.windowed_flags') as windowed;
alter table app.loaded rename to people;
call health.refresh('tracked');
select count(*) > 10 as some, obj_description('scores.tracked_flags'::regclass) as described from scores.tracked_flags;

-- Users without an account each: they belong where they are seen.
create table app.directory as select id, min(department) as department, bool_or(contact) as contact from app.people group by 1;
select health.create_model('unbound', jsonb_set(jsonb_set(:'document', '{users}', '{"table": "app.directory", "id": "id", "department": "department", "main_contact": "contact"}'),
  '{flags,main_contact_silent}', '{"users": 3}'));
create view app.seen as select e.account, e.person, nullif(btrim(d.department), '') as department, d.contact, (e.at at time zone 'UTC')::date as day
from app.events e join app.directory d on d.id = e.person;
create view app.unbound as
select a.id::text as account, 'single_department' as flag, n.now::float8 as value from app.accounts a, lateral (select count(distinct department) filter (where day between '2025-02-03' and '2025-03-02') as now,
  count(distinct department) filter (where day between '2025-01-06' and '2025-02-02') as before from app.seen where account = a.id) n where a.start <= '2025-01-06' and n.now = 1 and n.before > 1
union all
select a.id::text, 'main_contact_silent', n.days from app.accounts a, lateral (select date '2025-03-03' - max(day) filter (where contact) as days, count(distinct person) as users
  from app.seen where account = a.id and day < '2025-03-03') n where a.start <= '2025-03-03' and n.users >= 3 and n.days >= 7;
select health.create_score_view('unbound', 'scores.unbound', materialized => tracked) from (values (false)) as v (tracked) \g /dev/null
select flag, count(*) > 5 as some, count(*) filter (where not exists (select from app.unbound u where (u.account, u.flag, u.value) = (f.account_id::text, f.flag, f.value))) as differ
from scores.unbound_flags f where flag <> 'department_growth' group by 1 order by 1;
select count(*) from app.unbound u where not exists (select from health.flags('unbound') f where (u.account, u.flag, u.value) = (f.account_id, f.flag, f.value));
create temp table as_made as table scores.unbound_flags;
select count(*) from (select * from as_made where account_id % 10 = 5) f left join lateral health.flags('unbound', f.account_id::text) o on o.flag = f.flag where (f.since, f.value, f.sentence) is distinct from (o.since, o.value, o.sentence);
select health.drop_score_view('scores.unbound');
select health.create_score_view('unbound', 'scores.unbound'), health.track('unbound') \g /dev/null
call health.backfill('unbound');
select count(*) from ((table as_made except table scores.unbound_flags) union all (table scores.unbound_flags except table as_made)) f;

-- What is not there is said where a flag is named, and leaves it out of all of them.
select path, problem, hint from health.validate_model(:'document'::jsonb #- '{users,department}' #- '{users,main_contact}');
select path, problem, hint from health.validate_model(:'document'::jsonb - 'users');
select path, problem, hint from health.validate_model(jsonb_set(:'document', '{flags}', '{"main_contact_silent": {"people": 3}, "department_growth": {"users": 3}, "single_department": {"fact": "x"},
  "its": {"about": "data", "measure": "main_contact_silent_days", "window_days": 7, "above": 1}}'));
select health.create_model(name, jsonb_set(:'document'::jsonb #- lacks, '{flags}', '{"*": true}'))
from (values ('all', '{none}'::text[]), ('no_department', '{users,department}'), ('no_contact', '{users,main_contact}'), ('no_users', '{users}')) as v (name, lacks);
select name, array(select jsonb_object_keys(health.model_definition(name, complete => true) -> 'flags') intersect select unnest('{main_contact_silent,single_department,department_growth}'::text[]) order by 1) as flags
from unnest('{all,no_department,no_contact,no_users}'::text[]) name;
select health.model_definition('all', complete => true) #> '{flags,main_contact_silent}' as spelled;
select health.create_model('own', jsonb_set(:'document', '{flags}', '{"spread": {"about": "data", "measure": "departments", "above": 2, "window_days": 90}, "quiet": {"about": "data", "measure": "main_contact_silent_days", "above": 30.5}}'));
select flag, count(*) > 5 as some, min(value) as least, min(sentence) filter (where sentence not like '% 1%') as such_as from health.flags('own') group by 1 order by 1;
drop owned by flag_reader;
drop role flag_reader;
select count(health.untrack(name)) from unnest('{tracked,windowed,unbound}'::text[]) name;
select count(health.drop_model(model, cascade => true)) from health.models() where model in ('plain', 'tracked', 'windowed', 'unbound', 'own', 'all', 'no_department', 'no_contact', 'no_users');
drop schema app, scores cascade;
drop function dice;

-- People of a merged account are those of the account that goes on.
create schema merged;
create table merged.acc (id int primary key, since date, into_id int);
insert into merged.acc values (1, '2024-01-01', null), (2, '2024-01-01', 1);
create table merged.usr (id int, account int, dep text, boss bool);
insert into merged.usr values (11, 1, 'Sales', false), (12, 1, 'Sales', true), (21, 2, 'Ops', true), (22, 2, 'R&D', false);
create table merged.ev (account int, who int, name text, at date);
insert into merged.ev select account, id, 'e', date '2025-03-02' - g from merged.usr, generate_series(0, 60) g where id <> 12 or g > 20;
select health.create_model('merged', '{"as_of": "2025-03-03", "accounts": {"table": "merged.acc", "id": "id", "start": "since", "merged_into": "into_id"},
  "users": {"table": "merged.usr", "id": "id", "account": "account", "department": "dep", "main_contact": "boss"},
  "events": {"table": "merged.ev", "account": "account", "user": "who", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "u", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 10}}],
  "flags": {"departments": {"about": "expansion", "measure": "departments", "at_least": 1}, "main_contact_silent": {"days": 7, "users": 1}}}');
select health.create_score_view('merged', 'merged.m');
select account_id, flag, value, sentence from merged.m_flags;
select account_id, flag, value from health.flags('merged');
select health.drop_model('merged', cascade => true) \g /dev/null
drop schema merged cascade;
