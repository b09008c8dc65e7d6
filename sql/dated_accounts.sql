-- An account source whose rows are for times of their own: accounts.filter mentions as_of and is asked for each day. docs/reference/model.md, "accounts".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema pop;
create table pop.acts (client int, member int, what text, on_day date);
-- Customers by a contract table: a row per time, the condition is asked for each day. 1 goes on by a new contract, 2 is lost, 3 pauses in March, 4 is new, 5 has two contracts at once in May.
create table pop.contracts (client int, from_day date, to_day date, seats int);
insert into pop.contracts values (1, '2024-01-01', '2025-03-31', 4), (1, '2025-04-01', null, 4), (2, '2024-01-01', '2025-03-14', 4), (3, '2024-01-01', '2025-02-28', 4), (3, '2025-04-01', null, 4),
  (4, '2025-05-15', null, 4), (5, '2024-01-01', '2025-05-31', 4), (5, '2025-05-01', null, 4);
insert into pop.acts select c, c * 10 + m, 'x', d::date from generate_series(1, 5) c, generate_series(1, 2) m, generate_series(date '2024-09-01', date '2025-06-29', '1 day') d;
create sequence pop.asked;
create function pop.days_to(as_of date) returns int language plpgsql stable as $$ begin perform nextval('pop.asked'); return date '2026-01-01' - as_of; end $$;
select '{"as_of": "2025-06-30", "history": {"days": 60},
  "accounts": {"table": "pop.contracts", "id": "client", "seats": "seats", "filter": "from_day <= as_of and (to_day is null or as_of <= to_day)",
               "columns": {"days": {"sql": "pop.days_to(as_of)"}}},
  "events": {"table": "pop.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "signals": [{"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "renewal", "column": "days", "normalize": {"kind": "linear", "worst": 0, "best": 400}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.track('tracked'), health.track('windowed', window_days => 100);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, 'pop.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;
select account_id, in_book, seats, days, score, change_7d, change_28d, unknown_reason from pop.plain order by 1;
-- Each day has the customers of that day, and who is there twice is there twice on those days only.
select d as as_of, string_agg(account_id || ' ' || coalesce(round(score)::text, unknown_reason), ', ' order by account_id) as plain
from unnest('{2025-02-01,2025-03-10,2025-03-20,2025-04-10,2025-05-10,2025-05-31,2025-06-01,2025-06-30}'::date[]) d, health.score_at('plain', d) group by 1 order by 1;
select account_id, unknown_reason, min(as_of), max(as_of), count(*) from pop.plain_history group by 1, 2 order by 1, 2;
-- The lost customers are in the past that is written later, and each day that is asked for is evaluated, no other: 5 days of up to 8 rows.
select setval('pop.asked', 1);
select health.backfill_history('tracked', '2025-01-01', '2025-04-11', 25);
select nextval('pop.asked') between 10 and 100 as asked_for_5_days;
select as_of, string_agg(account_id || ' ' || coalesce(round(score)::text, unknown_reason), ', ' order by account_id) as tracked from pop.tracked_history where as_of < '2025-04-15' group by 1 order by 1;
-- Today, and each day of the three histories, is what score_at says of the day.
select o.mode, count(*) as accounts, count(*) filter (where to_jsonb(p) - 'model' <> v - 'model') as different
from pop.plain p join (select 'tracked' as mode, account_id, to_jsonb(t) as v from pop.tracked t union all select 'windowed', account_id, to_jsonb(w) from pop.windowed w) o (mode, account_id, v)
using (account_id) group by 1 order by 1;
select coalesce(s.mode, h.mode) as mode, count(h.as_of) as days, count(*) filter (where row(h.score, h.band, h.data_coverage, h.unknown_reason, h.state) is distinct from row(s.score, s.band, s.data_coverage, s.unknown_reason, s.state)) as different
from (select * from (select 'plain' as mode, * from pop.plain_history union all select 'tracked', * from pop.tracked_history union all select 'windowed', * from pop.windowed_history) h
      where as_of < '2025-05-02' or (as_of - date '2025-05-02') % 10 = 0) h
full join (select d::date as as_of, m as mode, s.* from unnest('{plain,tracked,windowed}'::text[]) m, generate_series(date '2025-05-02', '2025-06-30', '10 days') d, health.score_at('plain', d::date) s
           union all select d::date, 'tracked', s.* from generate_series(date '2025-01-01', '2025-04-11', '25 days') d, health.score_at('plain', d::date) s) s
on h.account_id::text = s.account_id and h.as_of = s.as_of and h.mode = s.mode group by 1 order by 1;
select count(*) as verified from health.verify('tracked') union all select count(*) from health.verify('windowed');
select health.drop_model(name, cascade => true) from unnest('{plain,tracked,windowed}'::text[]) name;
drop schema pop cascade;
