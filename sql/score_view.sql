-- Score views: four relations with native types, unique indexes and comments, fresh after refresh, readable with SELECT alone.
set datestyle = 'ISO';
create schema app;
create schema scores;
create table app.accounts (account_id bigint primary key, company text, plan text, arr numeric(12,2), tickets int);
create table app.users (user_id int primary key, account_id bigint);
create table app.events (account_id bigint, user_id int, event_name text, occurred_at timestamptz);
create table app.surveys (account_id bigint, answered_on date, score int);
insert into app.accounts values (1, 'Acme', 'pro', 12000, 4), (2, 'Bolt', 'free', 0, null), (3, 'Calm', 'pro', 500, 0);
insert into app.users values (1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3);
insert into app.events select 1, u, 'login', timestamptz '2025-02-20 12:00+00' from generate_series(1, 3) u;
insert into app.events values (2, 5, 'login', '2025-02-20 12:00+00'), (2, 6, 'login', '2025-01-15 12:00+00');
insert into app.surveys values (1, '2025-01-10', 9), (1, '2025-02-10', 7), (2, '2025-02-01', 3);
select health.create_model('m', '{
  "as_of": "2025-03-03", "history": {"days": 14},
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "columns": {"plan": "plan", "arr": "arr"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "activation", "weight": 0.5, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "plan", "weight": 0.3, "column": "plan", "normalize": {"kind": "map", "map": {"pro": 80, "free": 20}}},
    {"name": "survey", "weight": 0.2, "query": "select account_id, score, answered_on from app.surveys", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
    {"name": "tickets", "weight": 0, "column": "tickets", "normalize": {"kind": "linear", "worst": 10, "best": 0}},
    {"name": "arr_per_user", "weight": 0, "expression": "arr / 100", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]
}');
select health.create_score_view('m', 'scores.acme');

-- Acme: .5 x 75 + .3 x 80 + .2 x 70 = 75.5 (its latest answer counts). Bolt: .5 x 50 + .3 x 20 + .2 x 30 = 37. Calm, without events: (0 + .3 x 80) / .8 = 30.
select account_id, name, plan, arr, round(score::numeric, 3) as score, band, round(data_coverage::numeric, 2) as data_coverage, round(change_28d::numeric, 3) as change_28d,
       model, model_version, as_of, survey, tickets, arr_per_user, active_users, total_users, round(activation_rate::numeric, 2) as activation_rate
from scores.acme order by account_id;
select account_id, signal, raw_text, round(points::numeric, 2) as points from scores.acme_signals where signal <> 'score' order by account_id, position;
select account_id, count(*), min(as_of), max(as_of), round((array_agg(score order by as_of desc))[1]::numeric, 3) as latest from scores.acme_history group by 1 order by 1;

-- One row per key, in the type of the account table; a comment on every relation and every column.
select c.relname, c.relkind, a.atttypid::regtype as account_id_type, pg_get_indexdef(i.indexrelid) as index
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' join pg_index i on i.indrelid = c.oid and i.indisunique
where c.relnamespace = 'scores'::regnamespace order by 1;
select c.relname, count(*) filter (where col_description(c.oid, a.attnum) is null) as columns_without_comment, obj_description(c.oid, 'pg_class') is null as without_comment
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relnamespace = 'scores'::regnamespace and c.relkind = 'm' group by c.oid, c.relname order by 1;
select col_description('scores.acme'::regclass, attnum) as comment from pg_attribute
where attrelid = 'scores.acme'::regclass and attname in ('data_coverage', 'coverage', 'arr', 'survey') order by attnum;
-- Concurrently is possible.
refresh materialized view concurrently scores.acme_ledger;

-- What a plain view computes on reading is the same.
select health.create_score_view('m', 'scores.live', materialized => false);
select count(*) as rows, count(*) filter (where to_jsonb(l) = to_jsonb(a)) as equal_rows from scores.live l join scores.acme a using (account_id);
select count(*) from scores.live_signals s full join scores.acme_signals a using (account_id, position) where to_jsonb(s) is distinct from to_jsonb(a);
select schema_name, view_name, model, model_version, materialized from health_internal.score_view order by view_name;

-- New events are seen after a refresh. Whoever asks need not know where the view is, when search_path does.
insert into app.events values (1, 4, 'login', '2025-02-21 12:00+00');
select health.refresh_score_view('scores.acme');
set search_path = scores, public;
select health.refresh_score_view('acme');
reset search_path;
select account_id, round(score::numeric, 3) as score from scores.acme order by 1;
-- Inside a transaction too; undone with it.
begin;
insert into app.events values (2, 6, 'login', '2025-02-21 12:00+00');
select health.refresh_score_views('m');
select round(score::numeric, 3) as score from scores.acme where account_id = 2;
rollback;
select round(score::numeric, 3) as score from scores.acme where account_id = 2;

-- A reader needs SELECT on the views and nothing else: no schema health, no table.
create role regress_health_bi;
grant usage on schema scores to regress_health_bi;
grant select on scores.acme, scores.acme_signals, scores.acme_history, scores.live to regress_health_bi;
revoke usage on schema health from public;
set role regress_health_bi;
select account_id, band from scores.acme order by 1;
select count(*) from scores.acme_signals;
select account_id, band from scores.live order by 1;
reset role;
grant usage on schema health to public;

-- A new version of the model is taken over by refresh, and grants stay.
select health.alter_model('m', '{"bands": [{"name": "fine", "from": 50}, {"name": "poor"}]}');
select distinct model_version, band from scores.acme order by 2;
select health.refresh_score_views('m');
select distinct model_version, band from scores.acme order by 2;
select has_table_privilege('regress_health_bi', 'scores.acme', 'SELECT') as acme, has_table_privilege('regress_health_bi', 'scores.acme_ledger', 'SELECT') as ledger;
-- Unless something depends on the view: then it stays as it is, and says so.
create view app.poor as select account_id from scores.acme where band = 'poor';
select health.alter_model('m', '{"bands": [{"name": "good", "from": 50}, {"name": "bad"}]}');
select health.refresh_score_view('scores.acme');
select distinct model_version, band from scores.acme order by 2;
select health.drop_score_view('scores.acme');
select health.drop_score_view('scores.acme', cascade => true);
select to_regclass('app.poor') as dependent_view, to_regclass('scores.acme_ledger') as ledger;

-- Mistakes.
select health.create_score_view('m', 'scores.live');
select health.create_score_view('m', 'scorse.live');
select health.create_score_view('m', 'a.b.c');
select health.create_score_view('m', 'scores.' || repeat('x', 56));
select health.create_score_view('mm', 'scores.x');
select health.refresh_score_view('scores.lives');
select health.drop_score_view('lives');
select health.drop_model('m');
-- What touches the catalog by hand.
\set SHOW_CONTEXT never
delete from health_internal.model where name = 'm';
\set SHOW_CONTEXT errors
create table app.twice as select * from app.accounts union all select * from app.accounts where account_id = 2;
select health.create_model('twice', health.model_definition('m') || '{"accounts": {"table": "app.twice", "id": "account_id", "columns": {"plan": "plan", "arr": "arr"}}}');
select health.create_score_view('twice', 'scores.twice');
select account_id, name, plan, arr, score, band, data_coverage, unknown_reason, main_reason from scores.twice order by 1;
delete from app.twice where ctid = (select max(ctid) from app.twice where account_id = 2);
insert into app.twice values (3, 'Calm again', 'free', 1, 1);
select health.refresh_score_view('scores.twice');
select account_id, plan, score is not null as scored, unknown_reason from scores.twice order by 1;
select health.drop_model('twice', cascade => true);
select count(*) from pg_class where relnamespace = 'scores'::regnamespace and relname like 'twice%';

-- A day before all data, or event names that no event has: said at once.
select health.alter_model('m', '{"as_of": "2019-01-01"}');
select health.create_score_view('m', 'scores.early');
select health.alter_model('m', '{"as_of": "2025-03-03", "catalog": {"Login": {"role": "create"}}}');
select health.create_score_view('m', 'scores.unlisted', materialized => false);

-- No accounts at all.
truncate app.accounts;
select health.create_score_view('m', 'scores.empty');
select (select count(*) from scores.empty) as accounts, (select count(*) from scores.empty_signals) as signals, (select count(*) from scores.empty_history) as days;
select health.refresh_score_view('scores.empty');
select health.drop_model('m', cascade => true);
select count(*) from health_internal.score_view;
set client_min_messages = warning;
drop schema scores cascade;
drop schema app cascade;
drop role regress_health_bi;
