-- Small and young accounts: few people say little, so the book's median counts as well; the youngest have no band. docs/reference/scoring.md, "Small accounts".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema few;
-- Teams of 1 to 12, of whom some are active; 13 is silent, 14 is 13 days old, 15 is 14 days old, 16 is 15 days old and unused, 17 is too young to be silent. One creator makes most of it.
create table few.clients (id int primary key, since date, seats int);
insert into few.clients select g, '2024-01-01', 2 * g from generate_series(1, 13) g;
insert into few.clients values (14, '2025-06-17', 2), (15, '2025-06-16', 2), (16, '2025-06-15', 2), (17, '2025-06-20', 2);
create table few.members (id int primary key, client int, joined date);
insert into few.members select c.id * 100 + m, c.id, greatest(c.since, '2024-02-01') from few.clients c, generate_series(1, case when c.id < 13 then c.id else 2 end) m;
create table few.acts (client int, member int, what text, on_day date);
insert into few.acts select c.id, c.id * 100 + m, case when m = 1 then 'make' else 'look' end, d::date
from few.clients c, generate_series(1, case when c.id < 13 then c.id else 2 end) m, generate_series(greatest(c.since, '2025-03-01'), date '2025-06-29', '1 day') d
where (m = 1 or m * 3 < c.id * 2) and c.id <> 16 and c.id <> 17 and (c.id <> 13 or d < '2025-05-01');
select '{"as_of": "2025-06-30", "history": {"days": 20}, "minimum_age_days": 14,
  "accounts": {"table": "few.clients", "id": "id", "start": "since", "seats": "seats"},
  "users": {"table": "few.members", "id": "id", "account": "client", "joined": "joined"},
  "events": {"table": "few.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "catalog": {"make": {"role": "create"}, "look": {"role": "consume"}},
  "signals": [{"name": "activation", "metric": "activation_rate", "shrink": 3, "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "spread", "metric": "spread", "shrink": 3, "normalize": {"kind": "linear", "worst": 0, "best": 0.5}},
              {"name": "top", "metric": "power_user_dependency", "shrink": 3, "normalize": {"kind": "linear", "worst": 1, "best": 0.2}},
              {"name": "trend", "metric": "trend_4w", "shrink": 20, "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5}},
              {"name": "seats", "metric": "adoption_rate", "shrink": 3, "normalize": {"kind": "percentile"}},
              {"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 10}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked}'::text[]) name;
select health.track('tracked');
call health.backfill('tracked');
select health.create_score_view(name, 'few.' || name) from unnest('{plain,tracked}'::text[]) name;
select account_id, state, round(score::numeric, 1) as score, band, data_coverage, coalesce(state_reason, main_reason) as reason from few.plain order by 1;
select state, band is null as no_band, count(*) as days, count(score) as known, min(as_of), max(as_of) from few.plain_history where account_id in (14, 15) group by 1, 2 order by 1, 2;
select count(*) as accounts, count(*) filter (where to_jsonb(p) - 'model' <> to_jsonb(t) - 'model') as different from few.plain p full join few.tracked t using (account_id);
select count(*) as signals, count(*) filter (where to_jsonb(p) <> to_jsonb(t)) as different from few.plain_signals p full join few.tracked_signals t using (account_id, "position");

-- (n x + k m) / (n + k): m is the median of what is known of accounts that are not silent (13, and 16 that could have begun), n what the value rests on.
create table few.frozen as select l.signal ->> 'name' as signal, (l.signal ->> 'shrink')::float8 as k, (l.signal #>> '{frozen,median}')::float8 as median, (l.signal #>> '{frozen,accounts}')::int as accounts
from health_internal.leaf_signals(health.model_definition('plain', complete => true)) l where l.signal ? 'shrink';
select f.signal, f.k, round(f.median::numeric, 4) as median, f.accounts,
       f.median = (select percentile_cont(0.5) within group (order by s.raw) from few.plain_signals s where s.signal = f.signal and s.account_id not in (13, 16)) as is_median
from few.frozen f order by 1;
select account_id, signal, round(raw::numeric, 4) as raw, basis, round(counted::numeric, 4) as counted, round(normalized::numeric, 1) as normalized, phrase
from few.plain_signals where account_id in (1, 2, 12, 13) and signal <> 'score' order by 1, "position";
select count(*) as shrunk, count(*) filter (where abs(s.counted - (s.basis * s.raw + f.k * f.median) / (s.basis + f.k)) < 1e-12 is not true) as wrong,
       count(*) filter (where s.basis <> case s.signal when 'activation' then a.total_users when 'seats' then a.seats when 'trend' then (select sum(e) from unnest(a.weekly[5:8]) e) else a.active_users end) as other_basis
from few.plain_signals s join few.frozen f using (signal) join few.plain a using (account_id) where s.counted is not null;
select count(*) as not_shrunk from few.plain_signals s join few.frozen f using (signal) where raw is not null and counted is null and account_id not in (13, 16);
-- The reference of a percentile is made of what is scored.
select (select array_agg(round(v::text::numeric, 4) order by v::text::float8) from jsonb_array_elements(l.signal #> '{normalize,reference,values}') v) as reference
from health_internal.leaf_signals(health.model_definition('plain', complete => true)) l where l.signal ->> 'name' = 'seats';
select array_agg(distinct round(coalesce(counted, raw)::numeric, 4)) as scored from few.plain_signals where signal = 'seats' and raw is not null;

-- Frozen with the version: others move nobody, and a change of something else keeps it.
create table few.before as select * from few.plain_signals;
insert into few.acts select client, member + 1, 'make', '2025-06-28' from few.acts where client between 3 and 6 and on_day = '2025-06-28' and member % 100 < client - 1;
select health.refresh_score_view('few.plain');
select count(*) as moved from few.before b join few.plain_signals p using (account_id, "position") where account_id not between 3 and 6 and to_jsonb(b) <> to_jsonb(p);
select health.alter_model('plain', '{"minimum_coverage": 0.4}');
select health.model_definition('plain', complete => true) -> 'signals' -> 0 -> 'frozen' = (select jsonb_build_object('median', median, 'accounts', accounts) from few.frozen where signal = 'activation') as kept;
select health.refreeze_references('plain');
select health.model_definition('plain', complete => true) -> 'signals' -> 1 -> 'frozen' = (select jsonb_build_object('median', median, 'accounts', accounts) from few.frozen where signal = 'spread') as kept;
-- Fewer than ten accounts with a value say nothing of the others.
delete from few.clients where id between 4 and 10;
select health.refreeze_references('plain');
select l.signal ->> 'name' as signal, l.signal #> '{frozen,accounts}' as accounts from health_internal.leaf_signals(health.model_definition('plain', complete => true)) l where l.signal ? 'frozen' order by 1;
select count(*) as shrunk from health.explain('plain', 2) where counted is not null;
select path, problem, hint from health.validate_model(jsonb_set(jsonb_set(:'model', '{signals,5,shrink}', '3'), '{signals,0,shrink}', '-1'));

-- A reason tells numbers apart that round to the same.
select w as weight, a.coverage, a.unknown_reason from unnest('{0.497,0.4999,0.49999999,0.5,0.2,0.104}'::numeric[]) with ordinality v (w, n),
  health.score_account(jsonb_build_object('minimum_coverage', case when w < 0.2 then 0.104999 else 0.5 end, 'signals', jsonb_build_array(jsonb_build_object('name', 'a', 'column', 'a', 'weight', w, 'normalize', '{"kind": "identity"}'::jsonb),
    jsonb_build_object('name', 'b', 'column', 'b', 'weight', 1 - w, 'normalize', '{"kind": "identity"}'::jsonb))),
  row(null, '2025-06-30', null, null, '{90,NULL}', null, null, null, null, null, null, null, null, null, null, null)::health.account_state) a order by n;
select health.drop_model(name, cascade => true) from unnest('{plain,tracked}'::text[]) name;
drop schema few cascade;
