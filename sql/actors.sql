-- Who acts: people, or agents and integrations beside them. Metrics and silence are about people unless the model or the signal says otherwise. docs/reference/model.md, "actor".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema bots;
create table bots.clients (id int primary key, since date, seats int);
insert into bots.clients select g, '2024-01-01', 4 from generate_series(1, 4) g;
create table bots.members (id int primary key, client int, joined date);
insert into bots.members select c * 10 + m, c, '2024-02-01' from generate_series(1, 4) c, generate_series(1, 3) m;
-- 1: people and their agents; 2: people until May, agents since; 3: agents alone, ever; 4: people alone. Nobody named, and "", is a person; a name may have a slash or blanks.
create table bots.acts (client int, member int, what text, on_day date, who text, minutes numeric);
insert into bots.acts select c, c * 10 + m, w, d::date, who, case when who is null then 5 else 1 end
from (values (1, null, date '2025-06-29'), (1, 'agent', '2025-06-29'), (1, 'sync/nightly', '2025-06-29'), (2, 'human', '2025-05-11'), (2, 'agent', '2025-06-29'), (3, 'agent', '2025-06-29'), (4, '', '2025-06-29')) a (c, who, last),
     generate_series(date '2025-02-01', last, '1 day') d, generate_series(1, 3) m, unnest('{sent,read}'::text[]) w where m < 3 or who = 'agent' and w = 'sent';
select '{"as_of": "2025-06-30", "history": {"days": 60},
  "accounts": {"table": "bots.clients", "id": "id", "start": "since", "seats": "seats"},
  "users": {"table": "bots.members", "id": "id", "account": "client", "joined": "joined"},
  "events": {"table": "bots.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day", "actor": "who", "amount": "minutes"},
  "catalog": {"sent": {"role": ["create", "activate"], "value": 2, "feature": "mail"}, "read": {"role": "consume", "feature": "mail"}},
  "signals": [{"name": "active", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 500}},
              {"name": "agents", "metric": "events", "actor": "agent", "normalize": {"kind": "linear", "worst": 0, "best": 500}},
              {"name": "sent_by_agents", "metric": "events_per_user_week", "actor": "agent", "role": "create", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
              {"name": "all", "metric": "events", "actor": "any", "normalize": {"kind": "linear", "worst": 0, "best": 500}},
              {"name": "syncs", "metric": "events", "actor": "sync_nightly", "events": ["read"], "normalize": {"kind": "linear", "worst": 0, "best": 500}},
              {"name": "minutes", "metric": "amount_sum", "actor": "any", "normalize": {"kind": "linear", "worst": 0, "best": 1000}},
              {"name": "top", "metric": "power_user_dependency", "actor": "any", "normalize": {"kind": "linear", "worst": 1, "best": 0}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.create_model('everybody', :'model'::jsonb || '{"actor": "any"}'), health.create_model('machines', :'model'::jsonb || '{"actor": "agent"}');
select health.track('tracked'), health.track('windowed', window_days => 150);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, 'bots.' || name) from unnest('{plain,tracked,windowed,everybody,machines}'::text[]) name;
-- People: 2 fell silent and 3 never began, however busy their agents are.
select model, account_id, state, state_reason, total_users, active_users, events, coverage, last_event, round(score::numeric, 1) as score
from (select * from bots.plain union all select * from bots.everybody union all select * from bots.machines) s order by 1 desc, 2;
-- Counted by hand, of 28 days: people 2 events of 2 each day; agents those of 2, and 1 of the third.
select account_id, signal, coalesce(raw_text, reason) as raw, round(normalized::numeric, 1) as normalized, phrase from bots.plain_signals where level = 1 order by "position", 1;
select client, coalesce(nullif(who, ''), 'human') as who, count(*) as events, count(distinct member) as users, sum(minutes) as minutes from bots.acts where on_day between '2025-06-02' and '2025-06-29' group by 1, 2 order by 1, 2;
-- In the ledger, agents stand beside the event.
select distinct event from bots.plain_ledger l, health.cells(l.usage) c where account_id < 3 order by 1;
select a as actor, health.active_users(l.usage, '2025-06-30', actor => a), health.events(l.usage, '2025-06-30', actor => a), health.recency_days(l.usage, '2025-06-30', actor => a), health.last_event(l.usage, '2025-06-30', actor => a)
from bots.plain_ledger l, unnest('{human,agent,any,sync_nightly,nobody}'::text[]) with ordinality v (a, n) where account_id = 2 order by n;

-- Every mode counts the same, also what changes, comes late or goes.
insert into bots.acts values (4, 41, 'sent', '2025-06-28', 'agent', 7), (4, 42, 'sent', '2025-06-28', 'human', 7);
update bots.acts set who = 'agent' where client = 4 and on_day = '2025-06-20' and what = 'read';
update bots.acts set who = null where client = 2 and on_day = '2025-06-21' and member = 21 and what = 'sent';
delete from bots.acts where client = 1 and who = 'sync/nightly' and on_day > '2025-06-15';
call health.refresh('tracked');
call health.refresh('windowed');
select health.refresh_score_view('bots.plain');
select account_id, state, active_users, events, last_event, round(score::numeric, 1) as score from bots.plain order by 1;
select mode, count(*) as accounts, count(*) filter (where to_jsonb(p) - ignored <> v - ignored) as different
from bots.plain p join (select 'tracked' as mode, account_id, to_jsonb(t) as v from bots.tracked t union all select 'windowed', account_id, to_jsonb(w) from bots.windowed w) o (mode, account_id, v)
using (account_id), (select '{model,change_7d,change_28d,main_reason}'::text[]) i (ignored) group by 1 order by 1;
select mode, count(*) as signals, count(*) filter (where to_jsonb(p) <> v) as different
from bots.plain_signals p join (select 'tracked' as mode, account_id, "position", to_jsonb(t) as v from bots.tracked_signals t
                                union all select 'windowed', account_id, "position", to_jsonb(w) from bots.windowed_signals w) o (mode, account_id, "position", v)
using (account_id, "position") group by 1 order by 1;
select count(*) as verified from health.verify('tracked') union all select count(*) from health.verify('windowed');
-- The tracking plan calls events by their own names.
insert into bots.acts values (4, 41, 'snoozed', '2025-06-28', 'agent', 7);
select finding, name, events, advice from health.tracking_plan('plain') order by 1, 2;
select health.drop_model(name, cascade => true) from unnest('{plain,tracked,windowed,everybody,machines}'::text[]) name;
drop schema bots cascade;
