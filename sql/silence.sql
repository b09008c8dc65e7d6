-- Accounts in which nobody is active: that is known, as bad as it gets, and the same in every mode. docs/reference/scoring.md, "Nobody active".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema quiet;
create table quiet.clients (id int primary key, since date, seats int);
insert into quiet.clients values (1, '2024-01-01', 4), (2, '2024-01-01', 4), (3, '2024-01-01', 4), (4, '2025-05-01', 4), (5, '2025-05-21', 4), (6, '2025-06-20', 4),
  (7, '2025-06-10', 4), (8, null, 4), (9, null, 4), (10, '2024-01-01', 4);
create table quiet.members (id int primary key, client int, joined date);
insert into quiet.members select c * 10 + m, c, '2024-02-01' from generate_series(1, 9) c, generate_series(1, 4) m;
-- 1 goes on; 2 stops on 12 May, 3 on 2 June, in the window; 4, 5 and 6 never begin; 7 is young; 8 stopped last year, 9 never began, and nobody knows since when they are
-- customers; 10 has neither users nor events.
create table quiet.acts (client int, member int, what text, on_day date);
insert into quiet.acts select c, c * 10 + m, w, d::date from (values (1, date '2025-02-01', date '2025-06-29'), (2, '2025-02-01', '2025-05-12'), (3, '2025-02-01', '2025-06-02'),
  (7, '2025-06-10', '2025-06-12'), (8, '2024-09-01', '2024-11-30')) a (c, first, last), generate_series(first, last, '1 day') d, generate_series(1, 3) m, unnest('{made,seen}'::text[]) w
where (d::date - date '2024-01-01') % m = 0;
select '{"as_of": "2025-06-30", "history": {"days": 40}, "silence": {"next_step": "Call them."},
  "accounts": {"table": "quiet.clients", "id": "id", "start": "since", "seats": "seats"},
  "users": {"table": "quiet.members", "id": "id", "account": "client", "joined": "joined"},
  "events": {"table": "quiet.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "catalog": {"made": {"role": ["create", "activate"], "value": 3, "feature": "making"}, "seen": {"role": "consume", "feature": "seeing"}},
  "signals": [{"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "next_step": {"low": "Invite the others."}},
              {"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}, "missing": "neutral"},
              {"name": "dips", "metric": "dip_streak", "normalize": {"kind": "steps", "below": 100, "steps": [{"from": 1, "score": 60}, {"from": 2, "score": 20}]}},
              {"name": "depth", "metric": "depth", "normalize": {"kind": "linear", "worst": 0, "best": 100}, "missing": "required"},
              {"name": "top", "metric": "power_user_dependency", "normalize": {"kind": "linear", "worst": 1, "best": 0.25}, "missing": {"carry_forward_days": 90}},
              {"name": "last", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}},
              {"name": "weeks", "metric": "cadence", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "slope", "metric": "slope_4w", "normalize": {"kind": "linear", "worst": -0.2, "best": 0.2}, "silent": "ignore"}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.track('tracked'), health.track('windowed', window_days => 150);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, 'quiet.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;

-- Where each stands. Too young to be silent (6) is a gap: depth is required. Nobody to have been active (10): every share is of nobody.
select account_id, in_book, state, state_reason, round(score::numeric, 1) as score, band, data_coverage, coalesce(unknown_reason, main_reason) as reason, next_step from quiet.plain order by 1;
-- What each signal is when nobody is active: a real value, or none, and then the lowest that the signal can be. "missing" does not come in.
select signal, raw_text, round(normalized::numeric, 1) as normalized, reason, phrase, next_step from quiet.plain_signals where account_id = 2 order by "position";
select account_id, array_agg(coalesce(round(raw::numeric, 2)::text, reason) order by "position") as raw, array_agg(round(normalized::numeric)::text order by "position") as normalized
from quiet.plain_signals where level = 1 and account_id > 3 group by 1 order by 1;
-- Metric columns say the same: counts are 0, nothing per head.
select account_id, total_users, active_users, events, activation_rate, coverage, adoption_rate, breadth, dormant_users, cadence, depth, stickiness, growth, hhi, recency_days, trend_4w
from quiet.plain where account_id in (2, 4, 10) order by 1;

-- Every mode says so, on every day; but a ledger that keeps two years cannot say that nobody ever was active in an account of unknown start (9).
select model, state, state_reason, round(score::numeric, 1) as score from (select * from quiet.plain union all select * from quiet.tracked union all select * from quiet.windowed) s where account_id = 9 order by 1;
select mode, count(*) as accounts, count(*) filter (where to_jsonb(p) - 'model' <> v - 'model') as different
from quiet.plain p join (select 'tracked' as mode, account_id, to_jsonb(t) as v from quiet.tracked t union all select 'windowed', account_id, to_jsonb(w) from quiet.windowed w) o (mode, account_id, v)
using (account_id) where account_id <> 9 group by 1 order by 1;
select mode, count(*) as signals, count(*) filter (where to_jsonb(p) <> v) as different
from quiet.plain_signals p join (select 'tracked' as mode, account_id, "position", to_jsonb(t) as v from quiet.tracked_signals t
                                 union all select 'windowed', account_id, "position", to_jsonb(w) from quiet.windowed_signals w) o (mode, account_id, "position", v)
using (account_id, "position") where account_id <> 9 or level > 0 group by 1 order by 1;
select m as mode, count(*) as days, count(*) filter (where row(p.score, p.band, p.data_coverage, p.unknown_reason) is distinct from row(o.score, o.band, o.data_coverage, o.unknown_reason)) as different,
       count(*) filter (where p.state is distinct from o.state and account_id <> '9') as other_state
from unnest('{2025-02-20,2025-03-24,2025-05-12,2025-05-13,2025-06-09,2025-06-10,2025-06-23}'::date[]) d, unnest('{tracked,windowed}'::text[]) m, health.score_at('plain', d) p
join lateral health.score_at(m, d) o using (account_id) group by 1 order by 1;
select count(*) as verified from health.verify('tracked') union all select count(*) from health.verify('windowed');

-- It never gets better by itself: the longer nobody comes, the lower; falling silent raises nothing.
select min(as_of) filter (where state = 'silent') as silent_from, count(*) filter (where state = 'silent') as days, round(max(score) filter (where state = 'silent')::numeric, 1) as first,
       round(min(score)::numeric, 1) as last, count(*) filter (where state = 'silent' and score > before) as rises
from (select s.as_of, s.score, s.state, lag(s.score) over (order by s.as_of) as before
      from health_internal.find_version('plain', 1) v, quiet.plain_ledger l,
           health.score_series(v.document, row(array[l.usage], date '2025-09-30', l.account_start, l.seats, l.inputs, l.observed, null, null, null, null, null, null, null, null, null, null)::health.account_state, '2025-06-01', '2025-09-30') s
      where l.account_id = 2) s;
select phrase from health.explain('plain', 2, '2025-06-08', '2025-06-20') where step = 'total';
select step, count(*), round(sum(points)::numeric, 1) as points from health.explain('plain', 2, '2025-05-13', '2025-06-30') group by 1 order by 1;
-- To delete all events of the window raises no signal, whoever the account is, and whatever day it is. Known ones stay known, but of 7 as long as it is too young to be silent.
with metric (name, worst, best) as (values ('total_users', 0, 5), ('active_users', 0, 5), ('events', 0, 100), ('activation_rate', 0, 1), ('coverage', 0, 1), ('adoption_rate', 0, 1), ('onboarding_activation', 0, 1),
  ('trend_4w', -1, 1), ('trend_4w_users', -1, 1), ('trend_4w_value', -1, 1), ('dropoff', -1, 1), ('slope_4w', -1, 1), ('dip_streak', 10, 0), ('cadence', 0, 1), ('events_per_user_week', 0, 20), ('stickiness', 0, 1),
  ('spread', 0, 1), ('creators', 0, 5), ('breadth', 0, 1), ('depth', 0, 100), ('value_points', 0, 300), ('recency_days', 100, 0), ('growth', 0, 1), ('dormant_users', 5, 0)),
model as (select (:'model'::jsonb - '{accounts,users,events,signals}'::text[]) || jsonb_build_object('signals', (select jsonb_agg(jsonb_build_object('name', name, 'metric', name,
  'normalize', jsonb_build_object('kind', 'linear', 'worst', worst, 'best', best))) from metric)) as document),
day as (select d::date as as_of from generate_series(date '2025-02-10', '2025-06-30', '10 days') d),
told as (select l.account_id, day.as_of, s.signal, s.normalized, w.normalized as without from model, day, quiet.plain_ledger l,
  lateral (select row(array[l.usage], day.as_of, l.account_start, l.seats, null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state as with,
                  row(array[health.slice(l.usage, null, day.as_of - 28)], day.as_of, l.account_start, l.seats, null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state as without) a,
  health.score_signals(document, a.with) s join lateral health.score_signals(document, a.without) w using (signal))
select count(*) > 3000 as many, count(*) filter (where normalized < without) as raised,
       count(*) filter (where normalized is not null and without is null and (account_id <> 7 or as_of > '2025-06-23')) as lost from told where signal <> 'score';

select health.drop_model(name, cascade => true) from unnest('{plain,tracked,windowed}'::text[]) name;
drop schema quiet cascade;
