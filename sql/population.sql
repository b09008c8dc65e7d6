-- Who is in the book on which day: prospects and ended accounts. docs/reference/scoring.md, "States".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema pop;
create table pop.clients (id int primary key, since date, until date);
insert into pop.clients values (1, '2024-01-01', null), (2, '2025-09-01', null), (3, '2024-01-01', '2025-05-01'), (4, '2024-01-01', '2025-06-30'), (5, '2024-01-01', '2025-07-01'), (6, '2025-06-30', null),
  (7, 'infinity', null), (8, '-infinity', 'infinity'), (9, null, '-infinity'), (10, '2025-07-02', '2025-06-01');
create table pop.acts (client int, member int, what text, on_day date);
insert into pop.acts select c, c * 10 + m, 'x', d::date from generate_series(1, 10) c, generate_series(1, 2) m, generate_series(date '2025-01-01', date '2025-06-29', '1 day') d where c not in (3, 6) or c = 3 and d < '2025-05-01';
select '{"as_of": "2025-06-30", "history": {"days": 90}, "accounts": {"table": "pop.clients", "id": "id", "start": "since", "end": "until"},
  "events": {"table": "pop.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "signals": [{"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 4}},
              {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -1, "best": 1}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.track('tracked'), health.track('windowed', window_days => 100);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, 'pop.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;
-- From its start on, and until the day before its end.
select account_id, account_start, account_end, in_book, state, score, band, coalesce(unknown_reason, main_reason) as reason, change_28d, events from pop.plain order by 1;
select mode, count(*) as accounts, count(*) filter (where to_jsonb(p) - 'model' <> v - 'model') as different
from pop.plain p join (select 'tracked' as mode, account_id, to_jsonb(t) as v from pop.tracked t union all select 'windowed', account_id, to_jsonb(w) from pop.windowed w) o (mode, account_id, v)
using (account_id) group by 1 order by 1;
-- What they were before they ended, and since when they are, stays known.
select as_of_date, account_id, score, unknown_reason, state from unnest('{2025-02-01,2025-04-30,2025-05-01}'::date[]) d, health.score_at('tracked', d) where account_id in ('2', '3') order by 1, 2;
select state, count(*) as days, count(score) as known, min(as_of) as first, max(as_of) as last from pop.plain_history where account_id = 3 group by 1 order by 1;
select signal, raw, normalized, phrase from health.explain('plain', 3) order by "position";
select signal, raw, normalized, phrase from health.explain('tracked', 3, '2025-04-30') order by "position";
select phrase from health.explain('plain', 3, '2025-04-30', '2025-06-30');
-- One that ends, and one that begins, between two refreshes.
update pop.clients set until = '2025-07-10' where id = 1;
select health.alter_model(name, '{"as_of": "2025-07-20"}') from unnest('{plain,tracked}'::text[]) name;
call health.refresh('tracked');
select health.refresh_score_view('pop.plain');
select account_id, in_book, state, state_reason, score is null as unscored from pop.tracked where account_id in (1, 5, 10) order by 1;
select account_id, state, count(*), max(as_of) from pop.tracked_history where account_id in (1, 5) and as_of > '2025-06-25' group by 1, 2 order by 1, 2;
select health.drop_model(name, cascade => true) from unnest('{plain,tracked,windowed}'::text[]) name;
drop schema pop cascade;
