-- Flags: ready-made and own ones, beside plain and tracked score views, as of any day, for readers without other rights.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create table app.accounts (account_id int primary key, company text, since date, ends date, seats int);
create table app.users (user_id int primary key, account_id int, left_at date);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
create table app.tickets (account_id int, opened date, closed date, category text);
create table app.subscriptions (account_id int, starts date, ends date, mrr numeric);
create table app.feedback (account_id int, user_id int, given date, mood text);
-- 1 falls, 2 does well, 3 is silent, 4 is young, 5 has ended, 6 is to come, 7 has nobody.
insert into app.accounts values (1, 'Falls', '2023-01-01', null, 10), (2, 'Grows', '2023-01-01', null, 9), (3, 'Silent', '2023-01-01', null, 5), (4, 'Young', '2025-02-20', null, 5),
  (5, 'Ended', '2023-01-01', '2025-03-03', 5), (6, 'To come', '2025-03-04', null, 5), (7, 'Nobody', '2023-01-01', null, 5);
insert into app.users select a * 100 + u, a, case when a = 1 and u = 1 then date '2025-02-20' end from generate_series(1, 6) a, generate_series(1, 10) u;
insert into app.events select 1, 101, 'login', d from generate_series(timestamptz '2025-01-06 12:00+00', '2025-02-17', '12 hours') d;
insert into app.events select 1, 100 + u, 'login', timestamptz '2025-02-24 12:00+00' from generate_series(2, 5) u;
insert into app.events select 2, 200 + u, 'login', d from generate_series(timestamptz '2024-12-01 12:00+00', '2025-03-02 12:00+00', '1 day') d, generate_series(1, 9) u where u < 8 or d >= '2025-02-10';
insert into app.events select 3, 301, 'login', timestamptz '2025-01-20 12:00+00';
insert into app.events select 4, 400 + u, 'login', timestamptz '2025-03-01 12:00+00' from generate_series(1, 3) u;
insert into app.events select 5, 501, 'login', timestamptz '2025-01-20 12:00+00';
insert into app.tickets select 1, date '2025-02-25' + n, null, 'bug' from generate_series(0, 3) n;
insert into app.subscriptions values (1, '2024-04-01', '2025-03-20', 100), (2, '2024-01-01', '2025-05-02', 100), (3, '2024-01-01', '2025-02-01', 100);
insert into app.feedback values (1, 102, '2025-01-02', 'negative'), (2, 201, '2025-03-01', 'positive');
select '{
  "as_of": "2025-03-03", "minimum_age_days": 14,
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "start": "since", "end": "ends", "seats": "seats"},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id", "deactivated": "left_at"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "facts": {"tickets": {"table": "app.tickets", "account": "account_id", "at": "opened", "until": "closed", "kind": "category"},
            "subscriptions": {"table": "app.subscriptions", "account": "account_id", "at": "starts", "until": "ends", "value": "mrr"},
            "feedback": {"table": "app.feedback", "account": "account_id", "user": "user_id", "at": "given", "kind": "mood"}},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}],
  "flags": {"*": true, "few_active": {"below": 0.5}, "stakeholders": false,
            "bugs": {"about": "data", "fact": "tickets", "measure": "count", "kind": "bug", "window_days": 7, "at_least": 4,
                     "sentence": "{finding}, the limit is {threshold}", "next_step": "Tell engineering."}}
  }' as document \gset
select * from health.validate_model(:'document');
select health.create_model('m', :'document');
select health.create_model('plain', :'document');
select health.create_score_view('m', 'scores.m');
select health.create_score_view('plain', 'scores.plain', materialized => false);
select account_id, name, as_of, model_version, flag, kind, since, round(value::numeric, 3) as value, threshold, sentence from scores.m_flags order by account_id, kind, flag;
select account_id, flag, next_step from scores.m_flags where kind = 'data';
-- The same in every form, and of any day.
create table known as select * from scores.m_flags;
create function differ() returns table (form text, n bigint) language sql as $$
  select 'a plain view', count(*) from (table known except table scores.plain_flags union all (table scores.plain_flags except table known)) f
  union all
  select 'flags()', count(*) from (select account_id::text, name, flag, kind, since, value, threshold, sentence, next_step from known
    except select account_id, name, flag, kind, since, value, threshold, sentence, next_step from health.flags('m')) f
$$;
select * from differ();
select * from health.flags('m', '1') where flag = 'tickets_spike';
select flag, since, value from health.flags('m', '1', '2025-02-28');
-- The day since when a flag is up is the one after the last day on which it was not.
create table daily as select day::date, f.account_id, f.flag from generate_series(date '2025-02-03', date '2025-03-03', '1 day') day, health.flags('m', null, day::date) f;
select count(*), count(distinct f.flag) as flags, count(*) filter (where f.since <> (
  select coalesce(max(c.day::date) + 1, '2025-02-03') from generate_series(date '2025-02-03', date '2025-03-03', '1 day') c (day)
  where not exists (select from daily d where d.day = c.day and (d.account_id, d.flag) = (f.account_id, f.flag)))) as wrong
from health.flags('m') f;
-- Who may read the view needs no other right; who may not, has none by it.
create role flag_reader;
grant usage on schema scores to flag_reader;
grant select on scores.m_flags to flag_reader;
set role flag_reader;
select count(*) from scores.m_flags;
select count(*) from scores.m;
select count(*) from scores.m_ledger;
select * from health.flags('m');
reset role;
-- Tracked, with facts that come, change and go.
select health.track('m');
call health.backfill('m');
select * from differ();
select relkind, obj_description(oid), has_table_privilege('flag_reader', oid, 'select') as readable from pg_class where relname = 'm_flags';
select attname from pg_attribute where attrelid = 'scores.m_flags'::regclass and attnum > 0 and col_description(attrelid, attnum) is null;
update app.tickets set opened = '2025-03-03' where opened = '2025-02-28';
insert into app.feedback values (1, 103, '2025-03-02', 'positive');
delete from app.subscriptions where account_id = 2;
call health.refresh('m');
truncate known;
insert into known select * from scores.m_flags;
select * from differ();
select account_id, flag, since, value from scores.m_flags where flag in ('tickets_spike', 'bugs', 'no_feedback', 'renewal_60') order by 1, 2;
-- Another version: flags alone change, and their view with its grants; then they go.
select health.alter_model('m', '{"flags": {"few_active": {"below": 0.5}}}');
call health.refresh('m');
select account_id, flag, threshold from scores.m_flags order by 1;
select health.alter_model('m', '{"flags": {"few_active": {"below": 0.5}, "dipping": false}}') as same_version;
select has_table_privilege('flag_reader', 'scores.m_flags', 'select');
select health.alter_model('m', '{"flags": null}');
call health.refresh('m');
select to_regclass('scores.m_flags');
select * from health.flags('m');
select health.alter_model('plain', '{"flags": {"renewal_30": true}}');
select health.refresh_score_view('scores.plain');
select account_id, flag, value from scores.plain_flags;
select health.rename_model('plain', 'renamed');
select account_id, flag from health.flags('renamed');
-- A name that is taken.
create table scores.taken_flags (x int);
select health.create_score_view('renamed', 'scores.taken');
select health.drop_score_view('scores.plain');
select to_regclass('scores.plain_flags');
-- What is wrong is told with its path; what a flag lacks, too, unless it is optional or one of all.
select * from health.validate_model(jsonb_set(:'document', '{flags}', '{"few_activ": true, "renewl_30": {}, "one_person": 3, "mine": {"metric": "events"}, "x": {"about": "chrn", "metric": "actve_users", "at_least": 3},
  "y": {"about": "churn", "measure": "scor", "below": 1}, "z": {"about": "churn", "metric": "events", "at_least": 3, "at_most": 2}, "premium_feature": true,
  "tickets_spike": {"fact": "tickts"}, "referrals": true, "fewer_votes": {"optional": true}, "few_active": {"below": "half"}, "dipping": {"at_lest": 1}}'));
select health.create_model('wrong', jsonb_set(:'document', '{flags}', '{"referrals": true}'));
set client_min_messages = notice;
select health.create_model('left_out', jsonb_set(:'document', '{flags}', '{"referrals": {"optional": true}, "dipping": true}'));
set client_min_messages = warning;
select health.model_definition('left_out', complete => true) -> 'flags';
select * from health.flags('left_out', '99');
select * from health.flags('left_out', null, 'infinity');
select health.flags('left_out', null, '2025-03-03') is not null as up;
-- Ready-made ones are flags like any other.
select count(*) as flags, count(*) filter (where definition ? 'next_step' and definition ? 'about') as with_words from health.ready_flags();
drop owned by flag_reader;
drop role flag_reader;
select health.untrack('m');
select health.drop_model(model, cascade => true) from health.models() where model in ('m', 'renamed', 'left_out');
drop schema app, scores cascade;
drop table known, daily;
drop function differ;

-- Since when, where the past of an expression or a variant is recorded: the day that the history says.
create schema since;
create table since.acc (id int primary key, since date, a numeric, b numeric);
insert into since.acc values (1, '2024-12-24', 90, 10);
create table since.ev (account int, who int, name text, at date);
insert into since.ev select 1, 10 + g % 2, 'e', date '2025-03-02' - g from generate_series(0, 60) g;
select '{"as_of": "2025-03-03", "history": {"days": 15}, "accounts": {"table": "since.acc", "id": "id", "start": "since"},
  "events": {"table": "since.ev", "account": "account", "user": "who", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "a", "column": "a", "normalize": {"kind": "identity"}}, {"name": "b", "column": "b", "normalize": {"kind": "identity"}}],
  "variants": [{"name": "young", "when": "as_of - account_start < 60", "weights": {"a": 0}}],
  "flags": {"mid": {"about": "churn", "measure": "score", "at_least": 40}}}' as d \gset
select health.create_model('since', :'d'), health.create_model('since_tracked', :'d');
select health.track('since_tracked');
call health.backfill('since_tracked');
select health.create_score_view('since', 'since.p'), health.create_score_view('since_tracked', 'since.t');
select 'plain' as mode, since from since.p_flags union all select 'tracked', since from since.t_flags union all select 'flags()', since from health.flags('since_tracked');
select as_of, score from since.t_history where as_of between '2025-02-21' and '2025-02-22' order by 1;
select health.drop_model(m, cascade => true) from unnest('{since,since_tracked}'::text[]) m \g /dev/null
drop schema since cascade;
