-- Merged accounts: what they did is the account's that they were merged into, in every mode, told against a model in which their rows are its own.
\set SHOW_CONTEXT never
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create function app.dice(id int, n int, sides int) returns int language sql immutable as 'select ((hashint8(id::bigint * 1000003 + n)::bigint + 2147483648) % sides)::int';
-- Chains, circles, itself, ids of no account and of one that has ended; 9 has two rows, so that nobody knows where it went.
create table app.accounts (id int, start date, gone date, went_to text, seats int, csat numeric);
insert into app.accounts select g, case when g % 4 > 0 then date '2024-03-01' - g end, case when g % 11 = 0 then date '2025-01-20' end, case when g > 60 and g % 3 = 0 then (1 + app.dice(g, 1, g - 1))::text end,
  case when g % 3 > 0 then 10 + g % 7 end, app.dice(g, 2, 101) from generate_series(1, 150) g;
update app.accounts set went_to = case id when 1 then '2' when 2 then '3' when 3 then '1' when 4 then '1' when 5 then '5' when 6 then 'nobody' when 7 then '6' when 8 then '07' when 10 then '' when 12 then '13' when 13 then '14' end where id <= 13;
update app.accounts set went_to = '20' where id = 9;
insert into app.accounts select * from app.accounts where id = 9;
create table app.people (id text, account int, joined date, mail text, bot boolean);
insert into app.people select 'u' || app.dice(g, 20, 300), 1 + app.dice(g, 21, 150), date '2024-10-01' + app.dice(g, 22, 150), 'm' || g || '@x.example', app.dice(g, 20, 300) % 50 = 0 from generate_series(1, 600) g;
create table app.events (id int, account int, who text, name text, at timestamptz);
insert into app.events select g, account, id, (array['made', 'seen'])[1 + app.dice(g, 30, 2)], timestamptz '2024-12-01 00:00+00' + app.dice(g, 31, 93 * 24) * interval '1 hour'
from (select *, row_number() over (order by account, id, joined)::int as n from app.people) p, generate_series(n * 20, n * 20 + app.dice(n, 32, 20)) g where account % 7 > 0;
create table app.tickets (account int, opened date, closed date);
insert into app.tickets select 1 + app.dice(g, 40, 150), date '2024-12-01' + app.dice(g, 41, 93), case when g % 2 = 0 then date '2025-03-10' end from generate_series(1, 300) g;
-- By hand: where an account went in the end.
create view app.named as select id, case when count(*) = 1 then min(nullif(went_to, '')) end as went_to from app.accounts group by id;
create function app.next(account int) returns int language sql stable as 'select t.id from app.named n join app.named t on t.id::text = n.went_to where n.id = $1';
create function app.last(account int) returns int language plpgsql stable as $$
declare path int[] := '{}'; step int := account; circle int[] := '{}';
begin
  while step is not null and step <> all (path) loop path := path || step; step := app.next(step); end loop;
  if step is not null then circle := path[array_position(path, step):]; end if;
  foreach step in array path loop
    if step = any (circle) or app.next(step) is null then return step; end if;
  end loop;
end $$;
create view app.moves as select id, app.last(id) as into_id from app.named;
select count(*) filter (where id <> into_id) as merged, count(distinct into_id) filter (where id <> into_id) as targets, string_agg(id || '>' || into_id, ' ' order by id) filter (where id <= 13) as first from app.moves;
create view app.moved_people as select m.into_id, p.* from app.people p join app.moves m on m.id = p.account;
create view app.moved_events as select m.into_id, e.* from app.events e join app.moves m on m.id = e.account;
create view app.moved_tickets as select m.into_id, t.* from app.tickets t join app.moves m on m.id = t.account;
create view app.rest as select a.id, a.start, case when m.id = m.into_id then a.gone else '-infinity' end as gone, a.seats, a.csat from app.accounts a join app.moves m using (id);
select '{"as_of": "2025-03-03", "history": {"days": 40, "retention_months": 0}, "volume": "ignore",
  "catalog": {"made": {"role": "create", "value": 5}, "seen": {"role": "consume", "value": 1}},
  "signals": [
    {"name": "activation", "weight": 3, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 0.8}},
    {"name": "trend", "weight": 2, "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 0.5}},
    {"name": "seats", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "tickets", "fact": "tickets", "measure": "open", "normalize": {"kind": "linear", "worst": 9, "best": 0}},
    {"name": "csat", "column": "csat", "normalize": {"kind": "linear", "worst": 0, "best": 100}}],
  "flags": {"trend_down": true, "users_down": true}}' as shape \gset
select :'shape'::jsonb || '{"accounts": {"table": "app.accounts", "id": "id", "start": "start", "end": "gone", "seats": "seats", "merged_into": "went_to"},
  "users": {"table": "app.people", "id": "id", "account": "account", "joined": "joined", "exclude": "bot", "email": "mail"},
  "events": {"table": "app.events", "account": "account", "user": "who", "event": "name", "occurred_at": "at"},
  "facts": {"tickets": {"table": "app.tickets", "account": "account", "at": "opened", "until": "closed"}}}' as document \gset
select :'shape'::jsonb || '{"accounts": {"table": "app.rest", "id": "id", "start": "start", "end": "gone", "seats": "seats"},
  "users": {"table": "app.moved_people", "id": "id", "account": "into_id", "joined": "joined", "exclude": "bot", "email": "mail"},
  "events": {"table": "app.moved_events", "account": "into_id", "user": "who", "event": "name", "occurred_at": "at"},
  "facts": {"tickets": {"table": "app.moved_tickets", "account": "into_id", "at": "opened", "until": "closed"}}}' as moved \gset
select health.create_model(m, :'document') from unnest('{plain,tracked,windowed}'::text[]) m;
select health.create_model('oracle', :'moved');
select health.track('tracked'), health.track('windowed', window_days => 200) \g /dev/null
call health.backfill('tracked');
call health.backfill('windowed');
select count(health.create_score_view(m, 'scores.' || m)) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select health.create_score_view('plain', 'scores.live', materialized => false);

create function app.shown(mode text, suffix text) returns setof jsonb language plpgsql as $$ begin
  return query execute format('select to_jsonb(v) - ''{model,model_version,state_reason,state_since}''::text[] from scores.%I v', mode || suffix);
end $$;
-- What is recorded of days stays as it was recorded when their events change.
create view app.differences as select s.suffix, e, string_agg(m, ', ' order by m) as only_in from unnest('{plain,tracked,windowed,oracle}'::text[]) m, unnest('{"",_signals,_users,_flags}'::text[]) s (suffix), app.shown(m, s.suffix) e
group by s.suffix, e having count(*) <> 4;
select count(*) as rows from app.shown('oracle', '');
select * from app.differences;
select 'live', e from app.shown('live', '') e except select 'live', e from app.shown('oracle', '') e;
select m, e from unnest('{plain,tracked,windowed}'::text[]) m, app.shown(m, '_history') e except select m, e from unnest('{plain,tracked,windowed}'::text[]) m, app.shown('oracle', '_history') e;
select account_id, in_book, score, state, state_reason, account_end from scores.tracked where account_id <= 13 and not in_book order by 1;
select v.account_id = p.account_id and v.state_reason is not distinct from p.state_reason as same, count(*) from scores.tracked v join scores.plain p using (account_id) group by 1;
-- Of any day, of one account or of all; what was recorded of a day when the account was still one of its own does not change it.
create table app.days as select d::date as day from unnest('{2025-01-20,2025-03-03}'::date[]) d;
create function app.at(mode text) returns setof jsonb language sql as $$ select to_jsonb(s) - 'model_version' from app.days d, health.score_at(mode, d.day) s $$;
create view app.differences_at as select e, string_agg(m, ', ' order by m) as only_in from unnest('{plain,tracked,windowed,oracle}'::text[]) m, app.at(m) e group by e having count(*) <> 4;
select * from app.differences_at;
select m.mode, sum((a.score is distinct from b.score)::int) as different, count(*) from unnest('{plain,tracked}'::text[]) m (mode), unnest('{13,14}'::int[]) i,
  lateral (select sum(raw) + sum(points) as score from health.explain(m.mode, i)) a, lateral (select sum(raw) + sum(points) as score from health.explain('oracle', i)) b group by 1;
select finding, name, events, advice from health.tracking_plan('tracked') where finding ~ 'merge' order by finding desc, name limit 8;
select count(*) from health.tracking_plan('tracked') where finding = 'event after end' and account in (select id::text from app.moves where id <> into_id);

-- What changes: events of merged accounts, merges, ends of chains.
insert into app.events select 100000 + g, id, 'u' || g % 9, 'made', timestamptz '2025-03-01 12:00+00' from (select id, row_number() over (order by id) as n from app.moves where id <> into_id) m, generate_series(n * 10, n * 10 + 5) g where n % 3 = 0;
delete from app.events where account in (select id from app.moves where id <> into_id and id % 5 = 0);
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select * from app.differences;
-- Others are merged, some no more, one that had ended is open again.
update app.accounts set went_to = '70' where id in (20, 30, 14);
update app.accounts set went_to = null where id % 6 = 0 and id > 60;
update app.accounts set gone = null, went_to = '15' where id = 66;
delete from app.accounts where id = 99;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select * from app.differences;
select m, count(v) from unnest('{tracked,windowed}'::text[]) m left join health.verify(m) v on true group by 1 order by 1;
-- The next day: the history has what was recorded; then another merge.
select count(health.alter_model(m, '{"as_of": "2025-03-05"}')) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select * from app.differences;
update app.accounts set went_to = '40' where id in (23, 24, 25);
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed,oracle}'::text[]) m;
select * from app.differences;
select * from app.differences_at;
-- Recorded days are scored again when they are asked for: as one account then, too. What is gone from the table keeps its days.
select health.backfill_history('tracked', '2025-01-25', '2025-03-04') \g /dev/null
select h.e, string_agg(m, ', ') as only_in from unnest('{tracked,oracle}'::text[]) m, app.shown(m, '_history') h (e) where h.e ->> 'account_id' <> '99' and h.e ->> 'as_of' between '2025-01-25' and '2025-03-04' group by 1 having count(*) <> 2;
delete from app.people where id = 'u7';
delete from app.events where who = 'u7';
select health.forget_user('tracked', 'u7') \g /dev/null
select count(health.refresh_score_views(m)) from unnest('{plain,windowed,oracle}'::text[]) m;
select * from app.differences;
select kind, what, count(*) from health.story('tracked', 12, '2025-02-20', '2025-03-04') group by 1, 2 order by 1, 2;
select kind, count(*) > 0 as some from health.story('tracked', 70, '2025-02-20', '2025-03-04') group by 1 order by 1;

-- Merged accounts are not lost: cohorts are of the others.
select units = others as of_the_others from (select sum(c.units) as units from health.cohorts('plain', 'year', 'retention', at_least => 1) c where c."interval" = 1) c,
  (select count(*) as others from scores.plain where account_start <= '2025-03-02' and account_end is distinct from '-infinity') o;
-- Known later: nothing is read again for it. Ids of other types.
create table app.firms (id uuid primary key, into_id text);
insert into app.firms values ('00000000-0000-0000-0000-00000000000a', null), ('00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000A'), ('00000000-0000-0000-0000-00000000000c', '');
create table app.logins (firm uuid, who int, name text, at date);
insert into app.logins select ('00000000-0000-0000-0000-00000000000' || (array['a', 'b', 'c'])[1 + g % 3])::uuid, g % 7, 'login', date '2025-03-02' - g % 20 from generate_series(1, 60) g;
select '{"as_of": "2025-03-03", "events": {"table": "app.logins", "account": "firm", "user": "who", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100}}]}' as logins \gset
select health.create_model('firms', :'logins'::jsonb || '{"accounts": {"table": "app.firms", "id": "id"}}');
select health.track('firms');
call health.backfill('firms');
select health.create_score_view('firms', 'scores.firms');
select account_id, events, state_reason from scores.firms order by 1;
select health.alter_model('firms', '{"accounts": {"table": "app.firms", "id": "id", "merged_into": {"sql": "into_id"}}}');
call health.refresh('firms');
select account_id, in_book, events, state_reason from scores.firms order by 1;
select account_id, usage::text like '%{}' as empty, "$into" from scores.firms_ledger order by 1;
insert into app.logins values ('00000000-0000-0000-0000-00000000000b', 9, 'login', '2025-03-01');
call health.refresh('firms');
select account_id, events from scores.firms order by 1;
delete from app.firms where id = '00000000-0000-0000-0000-00000000000b';
delete from app.logins where firm = '00000000-0000-0000-0000-00000000000b';
select health.forget_account('firms', '00000000-0000-0000-0000-00000000000b') > 0 as had;
select account_id, events from scores.firms order by 1;
-- A merge holds for all days.
select health.create_model('dated', :'logins'::jsonb || '{"accounts": {"table": "app.firms", "id": "id", "merged_into": {"sql": "case when as_of > date ''2025-01-01'' then into_id end"}}}');
select health.drop_model(m, cascade => true) from unnest('{plain,tracked,windowed,oracle,firms}'::text[]) m \g /dev/null
drop schema app, scores cascade;
