-- The shapes in which users have their data: all of them give the score that the plain shape gives.
set datestyle = 'ISO';
set timezone = 'America/New_York';    -- must not matter
create schema app;
create schema scored;

-- The plain shape: bigint ids, timestamptz. Berlin's days differ from UTC's at 23:30.
create table app.accounts (id bigint primary key, name text);
create table app.users (id bigint primary key, account bigint, joined timestamptz, deactivated timestamptz, bot boolean not null default false);
create table app.events (account bigint, who bigint, what text, at timestamptz, minutes numeric);
insert into app.accounts values (1, 'One'), (2, 'Two'), (3, 'No events');
insert into app.users (id, account, joined, deactivated, bot) values (1, 1, '2024-12-01 08:00+00', null, false), (2, 1, '2024-12-01 08:00+00', null, false), (3, 1, null, null, false), (4, 2, '2025-02-01 08:00+00', null, false),
  (5, 2, '2024-12-01 08:00+00', null, false), (6, 3, '2024-12-01 08:00+00', null, false), (7, 1, '2024-12-01 08:00+00', null, true),
  (8, 2, '2024-12-01 08:00+00', '2025-02-15 08:00+00', false);
insert into app.events select 1 + (u > 3)::int, u, w, timestamptz '2025-03-02 23:30+00' - d * interval '1 day', d % 7 + 0.25
from generate_series(1, 5) u, generate_series(0, 90) d, unnest('{create,view}'::text[]) w where (d * u) % 4 <> 1;
insert into app.events values (1, 7, 'create', '2025-02-20 12:00+00', 1), (2, 8, 'create', '2025-02-10 12:00+00', 1);

create function app.document(accounts text, users text, events text) returns jsonb language sql as $$
  select jsonb_build_object('as_of', '2025-03-03', 'time_zone', 'Europe/Berlin', 'accounts', accounts::jsonb, 'users', users::jsonb, 'events', events::jsonb,
    'catalog', '{"create": {"role": ["create", "activate"], "value": 5}, "view": {"role": "consume", "value": 1}}'::jsonb,
    'signals', '[{"name": "coverage", "metric": "coverage", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
                 {"name": "depth", "metric": "depth", "normalize": {"kind": "linear", "worst": 0, "best": 300}},
                 {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}}]'::jsonb) $$;
create table app.shape (name text primary key, position serial);
create procedure app.add_shape(shape text, accounts text, users text, events text) language plpgsql as $$
begin
  perform health.create_model(shape, app.document(accounts, users, events));
  perform health.create_score_view(shape, 'scored.' || shape, false);
  insert into app.shape (name) values (shape);
end $$;

call app.add_shape('plain', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- By hand: One has users 1, 2, 3 (7 is a bot), all act. Two has 4 and 5; 8 has left, but acted before. No events has one silent user.
select account_id, name, total_users, active_users, round(coverage::numeric, 3) as coverage, round(amount_mean::numeric, 4) as amount_mean, last_event,
       round(score::numeric, 4) as score, pg_typeof(account_id) as id_type
from scored.plain order by account_id;
-- The same numbers in plain SQL: users, events and days of the window [2025-02-03, 2025-03-03) in Berlin.
select account, count(distinct who) as active_users, count(*) as events, max((at at time zone 'Europe/Berlin')::date) as last_day
from app.events where (at at time zone 'Europe/Berlin')::date between '2025-02-03' and '2025-03-02' and who <> 7 group by 1 order by 1;
select account_id, active_users, events, last_event from scored.plain order by 1;

-- Accounts keyed by text, users by uuid.
create table app.text_accounts as select 'acc-' || id as id, name from app.accounts;
create table app.uuid_users as select md5(id::text)::uuid as id, 'acc-' || account as account, joined, deactivated, bot from app.users;
create table app.uuid_events as select 'acc-' || account as account, md5(who::text)::uuid as who, what, at, minutes from app.events;
call app.add_shape('text_and_uuid', '{"table": "app.text_accounts", "id": "id", "name": "name"}',
  '{"table": "app.uuid_users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.uuid_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- Ids that are integers here and text there.
create table app.mixed_events as select account::text as account, who::varchar as who, what, at, minutes from app.events;
call app.add_shape('mixed_ids', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.mixed_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- Ids padded with blanks.
create table app.padded_accounts as select id::char(8), name from app.accounts;
create table app.padded_users as select id::char(8), account::char(8), joined, deactivated, bot from app.users;
create table app.padded_events as select account::char(8), who::char(8), what, at, minutes from app.events;
call app.add_shape('padded_ids', '{"table": "app.padded_accounts", "id": "id", "name": "name"}',
  '{"table": "app.padded_users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.padded_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- Infinity for "has not left", -infinity for "since ever".
create table app.infinite_users as select id, account, coalesce(joined, '-infinity') as joined, coalesce(deactivated, 'infinity') as deactivated, bot from app.users;
call app.add_shape('infinite_days', '{"table": "app.accounts", "id": "id", "name": "name", "start": {"sql": "date ''-infinity''"}}',
  '{"table": "app.infinite_users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- Timestamps without a zone, written in UTC; in the model's own zone; plain dates.
create table app.utc_events as select account, who, what, at at time zone 'UTC' as at, minutes from app.events;
call app.add_shape('timestamps_in_utc', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.utc_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes", "time_zone": "UTC"}');
create table app.berlin_events as select account, who, what, at at time zone 'Europe/Berlin' as at, minutes from app.events;
call app.add_shape('local_timestamps', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.berlin_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
create table app.date_events as select account, who, what, (at at time zone 'Europe/Berlin')::date as at, minutes from app.events;
call app.add_shape('dates', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.date_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- A partitioned table and a view.
create table app.partitioned (account bigint, who bigint, what text, at timestamptz, minutes numeric) partition by range (at);
create table app.partitioned_old partition of app.partitioned for values from (minvalue) to ('2025-01-01');
create table app.partitioned_new partition of app.partitioned for values from ('2025-01-01') to (maxvalue);
insert into app.partitioned select * from app.events;
call app.add_shape('partitioned', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.partitioned", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
create view app.account_view as select id, name from app.accounts;
create materialized view app.event_view as select * from app.events;
call app.add_shape('views', '{"table": "app.account_view", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.event_view", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');
-- Queries, expressions, filters.
call app.add_shape('queries', '{"query": "select id as key, name from app.accounts;", "id": "key", "name": "name"}',
  '{"query": "select * from app.users -- all", "id": "id", "account": "account", "joined": {"sql": "joined::date"}, "deactivated": {"sql": "coalesce(deactivated, null)"}, "filter": "not bot", "exclude": "bot"}',
  '{"query": "select *, minutes * 60 as seconds from app.events union all select 1, 1, ''create'', ''2030-01-01'', 0, 0", "account": {"sql": "account + 0"}, "user": "who", "event": {"sql": "lower(what)"},
    "occurred_at": "at", "amount": {"sql": "seconds / 60"}, "filter": "at < ''2025-03-03''"}');
-- Several event sources; the account of an event found through its user.
call app.add_shape('two_sources', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '[{"table": "app.events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes", "filter": "what = ''create''"},
    {"table": "app.mixed_events", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes", "filter": "what <> ''create''"}]');
-- Names that need quotes.
create table app."Event Log" ("Account" bigint, "user" bigint, "select" text, "At""" timestamptz, minutes numeric);
insert into app."Event Log" select * from app.events;
call app.add_shape('quoted', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.\"Event Log\"", "account": "Account", "user": "user", "event": "select", "occurred_at": "At\"", "amount": "minutes"}');
-- Domains and smallints.
create domain app.event_name as varchar(20);
create table app.small_events as select account::smallint as account, who::int as who, what::app.event_name as what, at, minutes::real as minutes from app.events;
call app.add_shape('small_types', '{"table": "app.accounts", "id": "id", "name": "name"}',
  '{"table": "app.users", "id": "id", "account": "account", "joined": "joined", "deactivated": "deactivated", "exclude": "bot"}',
  '{"table": "app.small_events", "account": "account", "user": "who", "event": "what", "occurred_at": "at", "amount": "minutes"}');

-- All of them equal the plain shape in score and in every metric (the names of users differ where the ids do).
create table app.outcome (shape text, name text, row jsonb);
select format('insert into app.outcome select %L, v.name, to_jsonb(v) - ''{account_id,model,top_user}''::text[] from scored.%I v', s.name, s.name) from app.shape s
\gexec
select s.position, s.name, count(*) as accounts, count(*) filter (where o.row = p.row) as equal_to_plain
from app.shape s join app.outcome o on o.shape = s.name join app.outcome p on p.shape = 'plain' and p.name = o.name group by 1, 2 order by 1;
-- explain reads one account of any of them.
select s.name, round(e.normalized::numeric, 4) as score from app.shape s, health.explain(s.name, case s.name when 'text_and_uuid' then 'acc-2' else '2' end) e where e.signal = 'score' order by s.position;
select pg_typeof(account_id) as id_type from scored.text_and_uuid limit 1;

-- Without a user source, users are those who have been seen.
select health.create_model('no_users', health.model_definition('plain') - 'users');
select account_id, e.raw_text from (values (1), (2), (3)) a (account_id), health.explain('no_users', a.account_id) e where e.signal = 'coverage';
-- Without a fixed date, a model is as of today in its time zone.
select health.create_model('today', health.model_definition('plain') - 'as_of');
set client_min_messages = warning;    -- its notice names the day
select health.create_score_view('today', 'scored.today', false);
reset client_min_messages;
select bool_and(as_of = (now() at time zone 'Europe/Berlin')::date) as is_today, count(*) from scored.today;

select count(health.drop_model(name, cascade => true)::text) as dropped from health_internal.model;
set client_min_messages = warning;
drop schema scored, app cascade;
