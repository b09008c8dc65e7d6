-- The past of a score view is what explain says about each past day: expressions with that day's as_of, the last answer before it.
set datestyle = 'ISO';
create schema app;
-- Columns with names that the compiled query might use itself.
create table app.accounts (account_id int primary key, company text, since date, seats int, plan text, renewal date, value numeric, answers int, days int);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
create table app.surveys (account_id int, score int, answered_at timestamptz);
create table app.calls (account_id int, mood text, called_on date);
create function app.roll(text, int) returns int language sql immutable as $$ select abs(hashtext($1)::bigint)::int % $2 $$;
insert into app.accounts
select a, 'Company ' || a, case when a % 3 > 0 then date '2025-02-01' - app.roll('since' || a, 300) else '2025-02-20' end, 5 + a, case when a % 2 = 0 then 'pro' else 'free' end,
       case when a <> 4 then date '2025-03-03' + app.roll('renewal' || a, 120) - 40 end, a * 1.5, 10 - a, a * 7
from generate_series(1, 6) a;
insert into app.events
select a, a * 10 + u, (array['made', 'read'])[1 + app.roll('event' || n || a, 2)], timestamptz '2024-12-01 12:00+00' + n * interval '1 day' + u * interval '3 hours'
from generate_series(1, 5) a, generate_series(1, 4) u, generate_series(0, 95) n where app.roll(concat_ws('-', 'day', a, u, n), 7) < 4 - u + a % 3;
-- Several answers a day, answers of the future, without a date, without a value; account 6 has never answered.
insert into app.surveys
select a, nullif(app.roll(concat('score', a, '-', n), 11), 3), case when n < 11 then timestamptz '2025-03-10 20:00+00' - app.roll(concat('answer', a, '-', n), 90 * 24) * interval '1 hour' end
from generate_series(1, 5) a, generate_series(1, 12) n where n < 12 or a = 2;
insert into app.surveys select account_id, 10 - coalesce(score, 0), answered_at from app.surveys where account_id < 3;
insert into app.calls
select a, (array['good', 'bad', 'fair'])[1 + app.roll(concat('mood', a, '-', n), 3)], date '2025-03-03' - app.roll(concat('call', a, '-', n), 60)
from generate_series(2, 6) a, generate_series(1, 5) n;

select health.create_model('past', '{
  "as_of": "2025-03-03", "time_zone": "Europe/Berlin", "minimum_coverage": 0.2, "history": {"days": 36},
  "accounts": {"table": "app.accounts", "id": {"sql": "account_id"}, "name": "company", "start": {"sql": "since"}, "seats": "seats",
               "columns": {"plan": "plan", "value": {"sql": "value + 0"}, "days": {"sql": "renewal - AS_OF"}, "tenure": {"sql": "as_of - since"}}},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "trend", "weight": 3, "metric": "dropoff", "normalize": {"kind": "linear", "worst": -1, "best": 0.5}},
    {"name": "use", "weight": 2, "metric": "adoption_rate", "normalize": {"kind": "percentile", "segment": "plan", "reference": {"segments": {
      "pro": {"values": [0.1, 0.3, 0.5]}, "free": {"values": [0.2, 0.4]}}}}},
    {"name": "renewal", "weight": 2, "column": "days", "normalize": {"kind": "linear", "worst": -20, "best": 90}},
    {"name": "age", "expression": "tenure * value / nullif(answers, 0)", "normalize": {"kind": "linear", "worst": 0, "best": 2000}},
    {"name": "young", "expression": "as_of - since < 60", "normalize": {"kind": "map", "map": {"true": 40, "false": 90}}},
    {"name": "voice", "weight": 4, "signals": [
      {"name": "survey", "query": "select account_id, score, answered_at from app.surveys", "normalize": {"kind": "linear", "worst": 0, "best": 10},
       "missing": {"carry_forward_days": 9}},
      {"name": "mood", "query": "select account_id, mood, called_on from app.calls", "normalize": {"kind": "map", "map": {"good": 100, "fair": 60, "bad": 10}}},
      {"name": "ever", "query": "select account_id, count(*) from app.surveys group by 1", "normalize": {"kind": "linear", "worst": 0, "best": 20}}]}]
}');
create schema scores;
select health.create_score_view('past', 'scores.past');

-- Every account, every day: the score of the history, the change of the view and its main reason are those of explain.
create temporary table told as
select h.account_id, h.as_of, h.score, e.normalized_from, e.normalized_to, e.points
from scores.past_history h, health.explain('past', h.account_id, h.as_of, '2025-03-03') e where e.step = 'total';
select count(*) as days, count(score) as known, count(distinct score) > 100 as varied, count(*) filter (where score is distinct from normalized_from) as wrong,
       count(*) filter (where as_of < since) as before_start, count(*) filter (where (score is null) <> (as_of < since)) as else_unknown
from told join app.accounts a using (account_id);
select count(*) as accounts, count(v.change_28d) as changes,
       count(*) filter (where v.change_7d is distinct from case when v.account_start <= v.as_of - 7 then w.points end) as wrong_7d,
       count(*) filter (where v.change_28d is distinct from case when v.account_start <= v.as_of - 28 then t.points end) as wrong_28d,
       count(*) filter (where v.score is distinct from t.normalized_to) as wrong_score
from scores.past v
join told w on w.account_id = v.account_id and w.as_of = v.as_of - 7
join told t on t.account_id = v.account_id and t.as_of = v.as_of - 28;
select v.account_id, v.main_reason, main_reason in (select e.phrase from health.explain('past', v.account_id, '2025-02-03', '2025-03-03') e) as is_a_part
from scores.past v where account_start <= '2025-02-03' order by 1;
select account_id, cardinality(past_inputs) / cardinality(inputs) as days, past_inputs[1:3][2:5] as first, past_observed[28:28] as month_ago
from scores.past_ledger where account_id = 3;

-- Plain views compute the same.
select health.create_score_view('past', 'scores.live', materialized => false);
select count(*) from ((table scores.live_history except table scores.past_history) union all (table scores.past_history except table scores.live_history)) d;
select count(*) from ((table scores.live except table scores.past) union all (table scores.past except table scores.live)) d;

-- A refresh, under the search_path that PostgreSQL 17 has then.
set search_path = pg_catalog, pg_temp;
select health.refresh_score_view('scores.past');
reset search_path;

-- A short history: the change in 28 days is known all the same.
select health.alter_model('past', '{"history": {"days": 1}}');
create temporary table change as select account_id, change_7d, change_28d from scores.past;
select health.refresh_score_view('scores.past');
select count(*) from scores.past_history;
select count(*) from (table change except select account_id, change_7d, change_28d from scores.past) d;

-- Inputs that do not depend on the date are not kept for every day.
select health.create_model('plain', health.model_definition('past') || '{
  "accounts": {"table": "app.accounts", "id": "account_id", "columns": {"seats_as_ofs": {"sql": "seats + 1"}}},
  "signals": [{"name": "value", "column": "value", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
              {"name": "ever", "query": "select account_id, count(*) from app.surveys group by 1", "normalize": {"kind": "linear", "worst": 0, "best": 20}}]}');
select health.create_score_view('plain', 'scores.plain');
select count(*), count(past_inputs) as past_inputs, count(past_observed) as past_observed, min(inputs::text) as inputs from scores.plain_ledger;

-- By hand: row n is of n days before; before the last row that one stands. A row of observed dates belongs to each.
\set one '{"signals": [{"name": "a", "column": "a", "normalize": {"kind": "identity"}}]}'
select s.as_of, s.score from health.score_series(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{{40},{30}}', null, NULL, null, null, null, null, null, null)::health.account_state, '2025-05-30', '2025-06-02') s;
select s.as_of, s.score from health.score_series(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{{40},{30}}', '{{2025-05-31},{2025-05-27}}', NULL, null, null, null, null, null, null)::health.account_state, '2025-05-28', '2025-06-02', 2) s;
select score, change_7d, change_28d, main_reason from health.score_account(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{{1},{2},{3},{4},{5},{6},{7},{8}}', null, NULL, null, null, null, null, null, null)::health.account_state);
select score, change_7d from health.score_account(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{}', '{}', NULL, null, null, null, null, null, null)::health.account_state);
select health.score_account(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{40}', null, NULL, null, null, null, null, null, null)::health.account_state);
select health.score_account(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{{40,30}}', null, NULL, null, null, null, null, null, null)::health.account_state);
select health.score_account(:'one', row(null, '2025-06-02', null, null, '{50}', null, null, '{{40},{30}}', '{{2025-05-31}}', NULL, null, null, null, null, null, null)::health.account_state);

select count(health.drop_model(name, cascade => true)::text) as dropped from health_internal.model;
set client_min_messages = warning;
drop schema app, scores cascade;
