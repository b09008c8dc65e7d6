-- What a changed model would do, without storing anything.
set client_min_messages = warning;
create schema supposed;
set search_path = supposed, public;
create table clients (id int primary key, name text, since date, arr int);
insert into clients select g, 'Client ' || g, '2023-01-01', g * 1000 from generate_series(1, 12) g;
create table uses (client int, person int, name text, at timestamptz);
insert into uses select g, g * 10 + u, case when u = 1 then 'make' else 'view' end, timestamptz '2025-06-29 09:00+00' - d * interval '1 day'
from generate_series(1, 12) g, generate_series(1, 4) u, generate_series(0, 500) d where d % (g + u) = 0 and (g < 10 or d > 40 * (g - 9));
select health.create_model('present', '{"as_of": "2025-06-30", "accounts": {"table": "clients", "id": "id", "name": "name", "start": "since", "columns": {"arr": "arr"}},
  "events": {"table": "uses", "account": "client", "user": "person", "event": "name", "occurred_at": "at"}, "catalog": {"make": {"role": "create"}, "view": {"role": "consume"}},
  "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 4}}]}') \g /dev/null
\set figures 'section, item, name, round(before::numeric, 1) as before, round(after::numeric, 1) as after, round(change::numeric, 1) as change, band_before, band_after, n, revenue, note'
\set changes '''{"signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 4}}, {"name": "made", "metric": "events", "role": "create", "normalize": {"kind": "linear", "worst": 0, "best": 8}}]}'''
select :figures from health.what_if('present', :changes);
-- Before is what the view has, after what the model would have once it is altered.
select health.create_score_view('present', 'present_view') \g /dev/null
select count(*) as accounts, count(*) filter (where w.before = v.score and w.band_before = v.band) as same from health.what_if('present', :changes) w join present_view v on v.account_id::text = w.item where w.section = 'account';
create table foretold as select item, after, band_after from health.what_if('present', :changes) where section = 'account';
select model, version from health.models() where model = 'present';
select health.alter_model('present', :changes) \g /dev/null
select health.refresh_score_view('present_view') \g /dev/null
select count(*) as accounts, count(*) filter (where f.after = v.score and f.band_after = v.band) as same from foretold f join present_view v on v.account_id::text = f.item;
-- A past day, another revenue column, an outcome
select :figures from health.what_if('present', '{"minimum_coverage": 0.2}', as_of => '2024-06-01') where section <> 'account';
select section, item, round(before::numeric, 3) as before, round(after::numeric, 3) as after, change, low, high, n, note
from health.what_if('present', '{"signals": [{"name": "made", "metric": "events", "role": "create", "normalize": {"kind": "linear", "worst": 0, "best": 8}}]}', horizon => 60) where section = 'prediction';
select section, item, round(before::numeric, 3) as before, round(after::numeric, 3) as after, n, note
from health.what_if('present', '{"minimum_coverage": 0.2}', outcome => 'select id, date ''2025-01-01'' + id from clients') where section = 'prediction';
-- Another input is another question to the accounts: each version has its own. No account has the percentile, and nothing advises what would not help.
set client_min_messages = notice;
select section, item, round(before::numeric, 3) as before, round(after::numeric, 3) as after, n, note from health.what_if('present', '{"signals": [
  {"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 4}}, {"name": "paid", "expression": "arr / 1000", "normalize": {"kind": "linear", "worst": 0, "best": 12}},
  {"name": "nothing", "expression": "nullif(arr, arr)", "normalize": {"kind": "percentile"}}]}') where section in ('summary', 'signal');
set client_min_messages = warning;
-- Wrong input
select * from health.what_if('present', '[]');
select * from health.what_if('present', '{"minimum_coverag": 0.2}');
select * from health.what_if('present', '{"signals": []}');
select * from health.what_if('present', '{}', revenue => 'mrr');
select * from health.what_if('present', '{}', as_of => 'infinity');
select * from health.what_if('present', '{}', horizon => 0);
select * from health.what_if('nope', '{}');
select health.drop_model('present', cascade => true);
reset search_path;
drop schema supposed cascade;
