-- Days that the ledger of a tracked model does not keep: what would take them is unknown, before_ledger. docs/reference/scoring.md, "Unknown values".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema pop;
create table pop.acts (client int, member int, what text, on_day date);
-- What would take days that the ledger does not keep is unknown, with the day; what takes later ones is as it is elsewhere. 1 October is the first
-- kept day: of 2 and 3, which began then or later, nothing lacks.
create table pop.firms (id int primary key, since date);
insert into pop.firms values (1, '2021-01-01'), (2, '2024-10-10'), (3, '2024-10-01'), (4, '2021-01-01'), (5, null);
insert into pop.acts select c, c * 10 + m, 'x', d::date from generate_series(1, 3) c, generate_series(1, 2) m, generate_series(date '2024-06-01', date '2025-06-29', '1 day') d where c = 1 or d >= '2024-10-10';
insert into pop.acts values (4, 41, 'x', '2024-10-01');
select '{"as_of": "2025-06-30", "history": {"days": 1, "retention_months": 6}, "inactive_after_days": 60,
  "accounts": {"table": "pop.firms", "id": "id", "start": "since"}, "events": {"table": "pop.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 4}},
              {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}},
              {"name": "last", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.track('tracked'), health.track('windowed', window_days => 100);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, 'pop.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;
select min(kept_from) as kept_from, max(kept_from) from health_internal.ledger_source where model in ('tracked', 'windowed');
select d as as_of, account_id, round(p.score)::text as plain, p.state as plain_state, coalesce(round(t.score)::text, t.unknown_reason) as tracked, t.state, w is not distinct from t as windowed_too
from unnest('{2024-09-20,2024-10-28,2024-11-25,2024-11-26,2025-06-30}'::date[]) d, health.score_at('plain', d) p join health.score_at('tracked', d) t using (account_id) join health.score_at('windowed', d) w using (account_id)
order by 2, 1;
select signal, raw, normalized, reason, phrase from health.explain('tracked', 1, '2024-11-25') order by "position";
select model, account_id, state, state_reason, round(score::numeric, 1) as score from (select * from pop.plain union all select * from pop.tracked) s where account_id > 3 order by 2, 1;
select health.backfill_history('tracked', '2024-11-19', '2024-11-26', 7);
select as_of, account_id, round(score::numeric, 1) as score, state, unknown_reason from pop.tracked_history where as_of < '2025-06-01' order by 2, 1;
select health.drop_model(name, cascade => true) from unnest('{plain,tracked,windowed}'::text[]) name;
drop schema pop cascade;
