-- When rows became known: past dates see what was known then, a source that says so. docs/reference/model.md, "known_at".
\set ON_ERROR_STOP off
set datestyle = 'ISO';
set timezone = 'America/New_York';
set client_min_messages = warning;
create schema late;
set search_path = late, public, health;

-- By hand: days are those of the model, in Berlin. NULL and what was known before it happened are known on their day; infinity: not yet.
create table clients (id int primary key, since date, until date);
insert into clients select g, '2024-01-01', null from generate_series(1, 9) g;
create table acts (client int, member int, what text, at timestamptz, loaded timestamptz);
insert into acts values
  (1, 11, 'sent', '2025-06-10 10:00+02', '2025-06-10 23:59:59.999999+02'), (2, 21, 'sent', '2025-06-10 10:00+02', '2025-06-11 00:00+02'),
  (3, 31, 'sent', '2025-06-10 10:00+02', '2025-07-01 12:00+02'), (4, 41, 'sent', '2025-06-10 10:00+02', '2025-06-01 12:00+02'),
  (5, 51, 'sent', '2025-06-10 10:00+02', null), (6, 61, 'sent', '2025-06-10 10:00+02', 'infinity'), (7, 71, 'sent', '2025-06-10 10:00+02', '-infinity'),
  (8, 81, 'sent', '2025-06-10 23:59+02', '2025-06-11 00:01+02'), (8, 81, 'sent', '2025-06-10 10:00+02', '2025-06-10 10:00+02');
select '{"as_of": "2025-06-30", "time_zone": "Europe/Berlin", "accounts": {"table": "late.clients", "id": "id", "start": "since"},
  "events": {"table": "late.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "at", "known_at": "loaded"},
  "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 4}}]}' as model \gset
select health.create_model('hand', :'model');
select health.create_score_view('hand', 'late.hand');
select account_id, c.day, c.event, c.count from hand_ledger l, health.cells(l.usage) c order by 1, 3;
-- Now everything is seen; on 11 June, what was known before it began.
select account_id, n.score as now, t.score as "06-11", u.score as "06-12", v.score as "07-01", w.score as "07-02"
from health.score_at('hand', '2025-06-30') n join health.score_at('hand', '2025-06-30', known_at => '2025-06-11') t using (account_id)
join health.score_at('hand', '2025-06-30', known_at => '2025-06-12') u using (account_id) join health.score_at('hand', '2025-06-30', known_at => '2025-07-01') v using (account_id)
join health.score_at('hand', '2025-06-30', known_at => '2025-07-02') w using (account_id) order by 1;
-- Before the first event nothing was known, of rows that came on their day either.
select account_id, score, state from health.score_at('hand', '2025-06-30', known_at => '2025-01-01') order by 1;
select account_id, events, active_users, last_event from hand order by 1;
select finding, source, name, events, users, first_day, last_day, advice from health.tracking_plan('hand') where name = 'known_at' order by 1;
select health.score_at('hand', '2025-06-30', known_at => 'infinity');
-- Times of other kinds: a date; a time without a zone, of its source's; both.
create table kinds (client int, member int, what text, on_day date, at timestamp, loaded timestamp, loaded_day date);
insert into kinds values (1, 11, 'sent', '2025-06-10', '2025-06-10 23:30', '2025-06-11 00:30', '2025-06-13'), (2, 21, 'sent', '2025-06-10', '2025-06-10 12:00', '2025-06-10 23:30', '2025-06-10');
select health.create_model('kind_' || n, :'model'::jsonb || jsonb_build_object('events', '{"table": "late.kinds", "account": "client", "user": "member", "event": "what"}'::jsonb || source))
from (values (1, '{"occurred_at": "on_day", "known_at": "loaded_day"}'::jsonb), (2, '{"occurred_at": "on_day", "known_at": "loaded"}'), (3, '{"occurred_at": "at", "known_at": "loaded"}'),
  (4, '{"occurred_at": "at", "known_at": "loaded_day", "time_zone": "UTC"}'), (5, '{"occurred_at": "at", "known_at": "loaded", "time_zone": "UTC"}')) v (n, source) \g /dev/null
select health.create_score_view('kind_' || n, 'late.kind_' || n) from generate_series(1, 5) n \g /dev/null
select n, account_id, c.day, c.event from (select 1 as n, * from kind_1_ledger union all select 2, * from kind_2_ledger union all select 3, * from kind_3_ledger union all select 4, * from kind_4_ledger
union all select 5, * from kind_5_ledger) l, health.cells(l.usage) c order by 1, 2;
-- Wrong ones
select health.create_model('wrong', jsonb_set(:'model', '{events,known_at}', '"loadet"'));
select health.create_model('wrong', jsonb_set(:'model', '{events,known_at}', '"what"'));
select health.create_model('wrong', jsonb_set(:'model', '{events,known_at}', '5'));
select health.create_model('without', :'model'::jsonb #- '{events,known_at}');
select * from health.score_at('without', '2025-06-30', known_at => '2025-06-11');
select health.create_model('moving', jsonb_set(:'model', '{events,known_at}', '{"sql": "now()"}'));
select health.track('moving');
-- What fails is left out in every mode, and told.
create table faulty (client int, member int, what text, on_day date, year int, month int);
insert into faulty values (1, 11, 'sent', '2025-06-10', 2025, 6), (2, 21, 'sent', '2025-06-10', 2025, 7), (3, 31, 'sent', '2025-06-10', 2025, 13);
select health.create_model(name, jsonb_set(:'model', '{events}', '{"table": "late.faulty", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day", "known_at": {"sql": "make_date(year, month, 1)"}}'))
from unnest('{failing,failing_tracked}'::text[]) name \g /dev/null
select health.track('failing_tracked') \g /dev/null
call health.backfill('failing_tracked');
insert into faulty values (4, 41, 'sent', '2025-06-10', 2025, 14), (5, 51, 'sent', '2025-06-10', 2025, 8);
call health.refresh('failing_tracked');
select health.create_score_view(name, 'late.' || name) from unnest('{failing,failing_tracked}'::text[]) name \g /dev/null
select account_id, p.usage, p.usage = t.usage as same from failing_ledger p join failing_tracked_ledger t using (account_id) where account_id < 6 order by 1;
select finding, source, name, events, advice, account, value from health.tracking_plan('failing') where source like 'events%' order by 1, 3, 6;

-- Random rows, half of them late by up to weeks: for every date, what was known is what a query says that asks only for rows loaded before.
create table book (id int primary key, since date, until date);
insert into book select g, date '2024-06-01' + g % 50, case when g % 4 = 0 then date '2025-04-01' + g % 120 end from generate_series(1, 120) g;
create table rows (id int primary key, customer int, person text, name text, at timestamptz, loaded timestamptz, minutes numeric, who text);
insert into rows select g, 1 + abs(hashint4(g)) % 120, 'p' || abs(hashint4(g * 3)) % 300, (array['view', 'edit', 'share'])[1 + abs(hashint4(g * 5)) % 3], t,
  case abs(hashint4(g * 7)) % 8 when 0 then null when 1 then t - interval '3 days' when 2 then t + interval '1 day' when 3 then t + interval '26 hours' when 4 then t + abs(hashint4(g * 11)) % 60 * interval '1 day'
    when 5 then case when g % 50 = 5 then 'infinity' else date_trunc('day', t, 'Europe/Berlin') + interval '1 day' end else t + interval '5 minutes' end, case when g % 3 = 0 then g % 90 end,
  case when g % 9 = 0 then 'agent' end
from generate_series(1, 4000) g, lateral (select timestamptz '2025-01-01 00:00+01' + abs(hashint4(g * 13)) % (170 * 1440) * interval '1 minute' as t) x;
create view known as select *, (at at time zone 'Europe/Berlin')::date as day, greatest(coalesce(loaded, at), at) at time zone 'Europe/Berlin' as known_time from rows;
create table clock (t date);
insert into clock values ('2025-03-01');
select '{"as_of": "2025-06-30", "time_zone": "Europe/Berlin", "accounts": {"table": "late.book", "id": "id", "start": "since"},
  "events": {"table": "late.rows", "account": "customer", "user": "person", "event": "name", "occurred_at": "at", "known_at": "loaded", "amount": "minutes", "actor": "who"},
  "catalog": {"view": {"role": "consume"}, "edit": {"role": ["create", "activate"], "value": 3}, "share": {"role": "interact", "value": 2}},
  "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "percentile"}}, {"name": "recent", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 9}},
    {"name": "growth", "metric": "growth", "shrink": 3, "normalize": {"kind": "linear", "worst": 0, "best": 1}}]}' as random, 
  '[{"name": "recent", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 9}}, {"name": "agents", "metric": "events", "actor": "agent", "normalize": {"kind": "linear", "worst": 0, "best": 9}},
    {"name": "minutes", "metric": "amount_sum", "actor": "any", "normalize": {"kind": "linear", "worst": 0, "best": 300}}, {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}}]' as unfrozen \gset
select health.create_model('plain', :'random'), health.create_model('kept', :'random'), health.create_model('windowed', :'random'),
  health.create_model('oracle', jsonb_set(:'random'::jsonb #- '{events,known_at}', '{events}', (:'random'::jsonb -> 'events') - '{known_at,table}'::text[] ||
    '{"query": "select * from late.known where known_time < (select t from late.clock)"}')) \g /dev/null
select health.track('kept'), health.track('windowed', window_days => 400) \g /dev/null
call health.backfill('kept');
call health.backfill('windowed');
select health.create_score_view(name, 'late.' || name) from unnest('{plain,kept,windowed}'::text[]) name \g /dev/null
-- Every date: figures of a backtest on that date alone, which freezes anew by what was known; and the scores of the day by a version that freezes nothing
select health.alter_model(name, jsonb_build_object('signals', :'unfrozen'::jsonb)) from unnest('{plain,kept,windowed,oracle}'::text[]) name \g /dev/null
call health.refresh('kept');
call health.refresh('windowed');
create function compare(model text, t date, out figures bigint, out scores bigint, out known bigint) language plpgsql as $$
begin
  update late.clock set t = compare.t;
  select count(*) filter (where (o.score, o.band, o.state, o.unknown_reason) is distinct from (n.score, n.band, n.state, n.unknown_reason)), count(n.score) into scores, known
  from health.score_at('oracle', compare.t) o full join health.score_at(compare.model, compare.t, known_at => compare.t) n using (account_id);
  select count(*) into figures from (
    select * from health.backtest('oracle', 'select id, until from late.book where until is not null', 60, compare.t, compare.t, version => 1)
    except all select * from health.backtest(compare.model, 'select id, until from late.book where until is not null', 60, compare.t, compare.t, version => 1)) d where item <> 'late rows';
end $$;
select m as model, count(*) as dates, sum(figures) as figures_differ, sum(scores) as scores_differ, sum(known) > 200 as enough
from (values ('plain', 12), ('kept', 24), ('windowed', 24)) m (m, step), generate_series(date '2025-03-01', '2025-04-30', step * interval '1 day') d, compare(m, d::date) group by 1 order by 1;
-- The metrics of every account on every date against SQL
select count(*) as asked, count(*) filter (where o.events is distinct from m.events or o.last is distinct from m.last_event or o.users is distinct from m.users) as differ
from (select l.account_id, t::date, health.events(k, t::date, window_days => 28) as events, health.last_event(k, t::date) as last_event, health.active_users(k, t::date, window_days => 28) as users
      from plain_ledger l, generate_series(date '2025-03-20', '2025-06-10', '1 day') t, health_internal.known_before(l.usage, t::date) k) m
join (select b.id, t::date, count(r.id) filter (where r.day >= t::date - 28) as events, max(r.day) as last, count(distinct r.person) filter (where r.day >= t::date - 28) as users
      from book b cross join generate_series(date '2025-03-20', '2025-06-10', '1 day') t left join known r on r.customer = b.id and r.day < t::date and r.known_time < t::date and r.who is null group by 1, 2) o
on o.id = m.account_id and o.t = m.t;
-- And without known_at? The same figures are others.
select health.create_model('unsaid', :'random'::jsonb #- '{events,known_at}') \g /dev/null
update clock set t = '2025-04-01';
select count(*) > 10 as figures_differ from (select * from health.backtest('oracle', 'select id, until from late.book where until is not null', 60, '2025-04-01', '2025-04-01', version => 1)
  except all select * from health.backtest('unsaid', 'select id, until from late.book where until is not null', 60, '2025-04-01', '2025-04-01')) d where item <> 'late rows';

-- What changes, comes late or goes is the same in every mode, also when a row becomes known at another time and nothing else changes.
update rows set loaded = loaded + interval '9 days' where id % 11 = 0 and loaded < 'infinity';
update rows set loaded = null where id % 17 = 0;
update rows set at = at - interval '30 hours', minutes = minutes + 1 where id % 13 = 0;
update rows set loaded = now() where loaded = 'infinity' and id % 100 = 5;
delete from rows where id % 7 = 0;
insert into rows select id + 100000, customer, person, name, at, at + interval '40 days', minutes, who from rows where id % 5 = 0;
call health.refresh('kept');
call health.refresh('windowed');
select health.refresh_score_view('late.plain') \g /dev/null
select count(*) as accounts, count(*) filter (where k.usage <> p.usage) as kept, count(*) filter (where w.usage <> p.usage) as windowed, bool_or(p.usage::text like '%$/%') as late
from plain_ledger p join kept_ledger k using (account_id) join windowed_ledger w using (account_id);
select count(*) as differ from plain p join kept k using (account_id) where to_jsonb(p) - '{model,change_7d,change_28d,main_reason}'::text[] <> to_jsonb(k) - '{model,change_7d,change_28d,main_reason}'::text[];
select count(*) as unverified from health.verify('kept') union all select count(*) from health.verify('windowed');
select count(*) as differ from (select day, sum(events) from health_internal.ledger_day d join health_internal.ledger_source s on s.id = d.source where s.model = 'kept' and day >= '2025-05-01' group by 1
  except select day, count(*) from known where who is null group by 1) d;
select m as model, sum(figures) as figures_differ, sum(scores) as scores_differ from unnest('{plain,kept}'::text[]) m, generate_series(date '2025-03-11', '2025-04-21', '30 days') d, compare(m, d::date) group by 1 order by 1;

-- Rows that come late, and of those who stay only, know the outcome. Without known_at the score seems to predict; with it, it says nothing.
create table leaks (customer int, person int, name text, at date, loaded date);
insert into leaks select b.id, b.id, 'x', d::date, d::date from book b, generate_series(date '2024-06-01', '2025-06-29', '1 day') d where abs(hashint8(b.id * 4001 + (d::date - date '2020-01-01'))) % 4 = 0;
insert into leaks select b.id, b.id, 'x', d::date, d::date + 120 from book b, generate_series(date '2024-06-01', '2025-06-29', '1 day') d where b.until is null and abs(hashint8(b.id * 9001 + (d::date - date '2020-01-01'))) % 9 = 0;
select '{"as_of": "2025-06-30", "accounts": {"table": "late.book", "id": "id", "start": "since", "end": "until"},
  "events": {"table": "late.leaks", "account": "customer", "user": "person", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "percentile"}}]}' as leak \gset
select health.create_model('leaking', :'leak'), health.create_model('honest', jsonb_set(:'leak', '{events,known_at}', '"loaded"')),
  health.create_model('mixed', jsonb_set(:'leak', '{events}', jsonb_build_array(:'leak'::jsonb -> 'events', :'leak'::jsonb -> 'events' || '{"known_at": "loaded"}'))) \g /dev/null
select m as model, section, item, round(value::numeric, 2) as value, note from unnest('{leaking,honest}'::text[]) with ordinality u (m, place), health.backtest(m, horizon => 60, from_date => '2025-03-01', to_date => '2025-04-26')
where section = 'auc' and item = 'score' or item = 'late rows' order by place, 2 desc;
select note from health.backtest('mixed', horizon => 60, from_date => '2025-03-01', to_date => '2025-04-26') where item = 'late rows';
-- Another way to the same: what_if between the two
select section, item, round(before::numeric, 2) as before, round(after::numeric, 2) as after from health.what_if('leaking', jsonb_build_object('events', jsonb_set(:'leak', '{events,known_at}', '"loaded"') -> 'events'), horizon => 60) where section = 'prediction';
-- Silence is told by all that is known now: 30 silent days are none if rows came for them later.
select o.as_of, o.score is not null as scored, o.active_after
from (select row(array[health.usage_agg(1, e, d)], '2025-06-30', '2024-01-01', null, null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state as a
      from (values ('x', date '2025-01-02'), ('$/50/x', '2025-02-10')) v (e, d)) s,
  health_internal.observe_dates('{"signals": [{"name": "s", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 9}}]}', s.a, '{2025-02-01,2025-02-11,2025-04-02}', 0, 28, null) o;

-- A user who is forgotten is in no late row either.
delete from rows where person = 'p7';
select count(*) > 0 as has_late_rows from kept_ledger l, health.cells(l.usage) c where c.user_id = 'p9' and c.event like '$/%';
delete from rows where person = 'p9';
select health.forget_user('kept', 'p9') >= 0 as forgotten;
select count(*) as left_over from kept_ledger l, health.cells(l.usage) c where c.user_id in ('p7', 'p9');
-- Taking known_at away or naming another column has the rows read again.
select health.alter_model('kept', jsonb_build_object('events', :'random'::jsonb #> '{events}' #- '{known_at}'), restart => true) \g /dev/null
call health.refresh('kept');
select count(*) as late_cells from kept_ledger l, health.cells(l.usage) c where c.event like '$/%';
select health.alter_model('kept', jsonb_build_object('events', :'random'::jsonb -> 'events'), restart => true) \g /dev/null
call health.refresh('kept');
select health.refresh_score_view('late.plain') \g /dev/null
select count(*) as accounts, count(*) filter (where k.usage <> p.usage) as differ, bool_or(k.usage::text like '%$/%') as late from plain_ledger p join kept_ledger k using (account_id);
select health.drop_model(m.model, cascade => true) from health.models() m \g /dev/null
reset client_min_messages;
drop schema late cascade;
