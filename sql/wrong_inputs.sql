-- What people get wrong, and what they are told: the name of the thing, what is wrong with it, the way out; nothing of what is inside.
set client_min_messages = warning;
select setval('health_internal.ledger_source_id_seq', 9300), setval('health_internal.tracking_id_seq', 9300) \g /dev/null
create schema app;
create table app.accounts (account_id bigint primary key, company text, seats int, plan text, price money, since date);
insert into app.accounts select n, 'Company ' || n, 5, 'pro', 10, '2025-01-01' from generate_series(1, 3) n;
create table app.users (user_id bigint primary key, account_id bigint, joined date);
create table app.events (account_id bigint, user_id bigint, event_name text, occurred_at timestamptz, amount numeric);
insert into app.events select 1 + n % 3, n % 7, 'view', timestamptz '2025-06-29 12:00+00' - n * interval '5 hours', 1 from generate_series(1, 300) n;
create table app.empty (account_id bigint);
create function app.doc(changes jsonb default '{}') returns jsonb language sql return jsonb '{"as_of": "2025-06-30",
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "seats": "seats"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}' || changes;
create function app.signal(changes jsonb) returns jsonb language sql
  return app.doc(jsonb_build_object('signals', jsonb_build_array(jsonb '{"name": "s"}' || changes)));
create role wrong_inputs_guest;
grant usage on schema app to public;
grant execute on all functions in schema app to public;
select health.create_model('m', app.doc()), health.create_model('t', app.doc()), health.create_model('w', app.doc()),
       health.create_model('it''s "50%" \n', app.doc()) \g /dev/null
select health.create_score_view('m', 'app.score'), health.track('t'), health.track('w', window_days => 7) \g /dev/null
-- Names
select health.explain('n', 1);
select health.explain('M', 1);
select health.explain(null, 1);
select * from health.status('it''s "50%" \m');
select health.create_model('m', app.doc());
select health.create_model('', app.doc());
select health.create_model(null, app.doc());
select health.create_model(repeat('x', 101), app.doc());
select health.model_definition('m', 7);
select health.rename_model('m', 't');
select health.rename_model('n', 'o');
select health.drop_model('n');
select health.drop_model('m');
-- Documents
select health.create_model('d', null);
select health.create_model('d', '[]');
select health.create_model('d', '{}');
select health.create_model('d', '{"preset": "colaboration"}');
select health.create_model('d', '{"accounts": "app.accounts"}' || app.doc() - 'accounts');
select health.create_model('d', app.doc('{"acounts": {}}'));
select health.create_model('d', app.doc('{"as_of": "yesterday"}'));
select health.create_model('d', app.doc('{"as_of": "2025-02-30"}'));
select health.create_model('d', app.doc('{"time_zone": "Europe/Berln"}'));
select health.create_model('d', app.doc('{"window_days": 0}'));
select health.create_model('d', app.doc('{"window_days": "28"}'));
select health.create_model('d', app.doc('{"bands": [{"name": "good", "from": 50}]}'));
select health.create_model('d', app.doc('{"history": {"days": -1}}'));
select health.create_model('d', app.doc('{"history": {"dayz": 30}}'));
select health.create_model('d', app.doc('{"catalog": {"view": {"role": "look"}}}'));
select health.create_model('d', app.doc('{"catalog": {"view": {"value": -1}}}'));
select health.create_model('d', app.doc('{"signals": []}'));
select health.alter_model('m', '[]');
select health.alter_model('m', '{"signals": null}');
select health.alter_model('m', null);
select health.alter_model('n', '{}');
select health.create_model('d', '{"accounts": {');
-- Tables and columns
select health.create_model('d', app.doc('{"accounts": {"table": "app.acounts", "id": "account_id"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "ap.accounts", "id": "account_id"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "accounts", "id": "account_id"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "id": "id"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "id": "Account_ID"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "query": "select 1", "id": "account_id"}}'));
select health.create_model('d', app.doc('{"accounts": {"query": "select 1 as", "id": "account_id"}}'));
select health.create_model('d', app.doc('{"accounts": {"query": "delete from app.accounts", "id": "account_id"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "id": "account_id", "filter": "company"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "id": "account_id", "filter": "sets > 1"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "id": "account_id", "seats": "company"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.accounts", "id": "account_id", "columns": {"score": "plan"}}}'));
select health.create_model('d', app.doc('{"events": {"table": "app.events", "account": "account_id"}}'));
select health.create_model('d', app.doc(jsonb_build_object('events', app.doc() -> 'events' || '{"occurred_at": "event_name"}')));
select health.create_model('d', app.doc(jsonb_build_object('events', app.doc() -> 'events' || '{"account": "amount + "}')));
select health.create_model('d', app.doc(jsonb_build_object('events', app.doc() -> 'events' || '{"amount": "event_name"}')));
select health.create_model('d', app.doc(jsonb_build_object('events', app.doc() -> 'events' || '{"user_id": "user_id"}')));
select health.create_model('d', app.doc('{"users": {"table": "app.users", "id": "user_id", "account": "account"}}'));
select health.create_model('d', app.doc('{"users": {"table": "app.users", "id": ["user_id"], "account": "account_id"}}'));
-- Signals
select health.create_model('d', app.signal('{"metric": "trend", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"metric": "dau", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"metric": "activ_users", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"metric": "events"}'));
select health.create_model('d', app.signal('{"metric": "events", "normalize": "linear"}'));
select health.create_model('d', app.signal('{"metric": "events", "normalize": {"kind": "liner"}}'));
select health.create_model('d', app.signal('{"metric": "events", "normalize": {"kind": "linear", "worst": 5}}'));
select health.create_model('d', app.signal('{"metric": "events", "normalize": {"kind": "linear", "worst": 5, "best": 5}}'));
select health.create_model('d', app.signal('{"metric": "events", "weight": -1, "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"metric": "events", "missing": "zeo", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"metric": "events", "events": ["vew"], "normalize": {"kind": "identity"}}') || '{"catalog": {"view": {}}}');
select health.create_model('d', app.signal('{"column": "seat", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"column": "since", "normalize": {"kind": "linear", "worst": 0, "best": 1}}'));
select health.create_model('d', app.signal('{"expression": "seats +", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"expression": "nosuch(seats)", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"expression": "1; drop table app.accounts", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.signal('{"column": "seats", "metric": "events", "normalize": {"kind": "identity"}}'));
select health.create_model('d', app.doc('{"signals": [{"name": "a", "metric": "events", "normalize": {"kind": "identity"}},
  {"name": "a", "metric": "events", "normalize": {"kind": "identity"}}]}'));
-- Values that fail when they are computed
select health.create_model('x', app.signal('{"expression": "1 / (account_id - 2)", "normalize": {"kind": "identity"}}')) \g /dev/null
select health.create_score_view('x', 'app.x');
select health.explain('x', 2);
-- Metrics and aggregates
select health.events(null, '2025-06-30');
select health.nosuch_metric(null::health.usage, '2025-06-30');
select health.events(health.usage_agg(user_id, event_name, occurred_at), '2025-06-30', window_days => 0) from app.events;
select health.usage_agg(user_id, event_name, occurred_at, 'Mars') from app.events;
select health.usage_agg(user_id, event_name, occurred_at, 'NaN'::numeric) from app.events;
select health.usage_agg(user_id, event_name, 'infinity'::timestamptz) from app.events;
select 'nonsense'::health.usage;
select health.normalize(3, '{"kind": "cubic"}');
select health.health_score('{1,2}', '{1}');
select health.health_score(1.0, -1.0);
select health.top_users(health.usage_agg(user_id, event_name, occurred_at), '2025-06-30', 0) from app.events;
-- Views
select health.create_score_view('m', 'app.score');
select health.create_score_view('m', 'app.events');
select health.create_score_view('m', 'nosuch.score');
select health.create_score_view('m', 'a.b.c');
select health.create_score_view('m', '');
select health.create_score_view('n', 'app.n');
select health.refresh_score_view('app.scores');
select health.drop_score_view('app.scores');
create view app.mine as select * from app.score;
select health.drop_score_view('app.score');
select health.drop_model('m');
-- Accounts and days
select health.explain('m', 99);
select health.explain('m', 'Company 1');
select health.explain('m', null::bigint);
select health.explain('m', 1, '2025-06-30', '2025-06-01');
select health.explain('m', 1, null, '2025-06-01');
select health.score_at('m', null);
select health.score_at('m', '2025-06-01', version => 9);
select health.score_at('m', 'infinity');
-- Tracking
select health.track('t');
select health.track('m', window_days => 0);
select health.untrack('m');
select * from health.status('m');
select * from health.verify('t');
select * from health.verify('m');
call health.backfill('m');
select health.backfill_history('t', '2025-06-01', '2025-06-10');
call health.backfill('t');
select * from health.verify('t', 'Company 1');
select health.backfill_history('t', '2025-06-10', '2025-06-01');
select health.backfill_history('t', '2025-06-01', '2025-06-10', step => 0);
select health.signal_values_at('m', '{2025-06-01}');
select health.signal_values_at('t', null);
select health.forget_user('t', null);
select health.forget_user('t', '3');
begin;
call health.refresh('t');
rollback;
begin;
call health.backfill('t');
rollback;
do $$ begin call health.refresh('t'); exception when others then raise; end $$;
select 1 \; call health.refresh('t');
call health.refresh('n');
call health.backfill('n');
begin transaction isolation level repeatable read;
select health.refresh_score_views('t');
rollback;
-- Names that need quotes
create table app."Odd ""T" (id int primary key);
select health.create_model('d', app.doc('{"accounts": {"table": "app.\"Odd \"\"t\"", "id": "id"}}'));
select health.create_model('d', app.doc('{"accounts": {"table": "app.\"Odd \"\"T\"", "id": "od"}}'));
select health.create_model('a "b" %s \ ''c''', app.doc('{"accounts": {"table": "app.\"Odd \"\"T\"", "id": "id"}}')) \g /dev/null
select health.create_score_view('a "b" %s \ ''c''', 'app."S v"') \g /dev/null
select health.create_score_view('a "b" %s \ ''c''', 'app."S v"');
select health.refresh_score_view('app."s v"');
select health.drop_model('a "b" %s \ ''c''');
select health.explain('a "b" %s \ ''c''', 'x"y''z');
call health.backfill('a "b" %s \ ''c''');
select health.create_model('a "b" %s \ ''c''', '{}');
select health.create_model(E'two\nlines', app.doc('{"time_zone": "\"x\""}'));
create role "wrong ""inputs""";
set role "wrong ""inputs""";
select health.create_model('d', app.doc('{"accounts": {"table": "app.\"Odd \"\"T\"", "id": "id"}}'));
reset role;
drop role "wrong ""inputs""";
-- Rights
set role wrong_inputs_guest;
select health.explain('m', 1);
select health.alter_model('m', '{}');
select health.drop_model('m');
call health.refresh('m');
select health.create_model('g', app.doc());
select health.create_score_view('m', 'app.g');
select * from app.score;
reset role;
-- What was there is gone
alter table app.events rename to events_of_old;
select health.refresh_score_view('app.score');
call health.refresh('m');
call health.refresh('t');
call health.refresh('w');
select phase, error from health.status('w');
alter table app.events_of_old rename to events;
alter table app.accounts rename company to title;
call health.refresh('m');
alter table app.accounts rename title to company;
select 'drop table health_data.chunk_' || min(id) || ', health_data.score_' || (select id from health_internal.tracking where model = 't')
from health_internal.ledger_source where model = 't' \gexec
select account_id from health.explain('t', 1), app.accounts;
select * from health.verify('t');
call health.refresh('t');
select phase, error from health.status('t');
select health.untrack('t'), health.track('t') \g /dev/null
call health.backfill('t');
select phase, error from health.status('t');
drop view app.mine;
select count(health.drop_model(model, cascade => true)::text) as dropped from health.models();
drop owned by wrong_inputs_guest;
drop role wrong_inputs_guest;
drop schema app cascade;
