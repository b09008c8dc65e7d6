-- What to do: a text for weak, and one for strong signals, or for chosen values; and one for accounts in which nobody is active. docs/reference/model.md, "next_step".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema todo;
select '{"minimum_coverage": 0, "silence": {"next_step": "Call the sponsor."}, "catalog": {"make": {"role": "create"}}, "signals": [
  {"name": "trend", "metric": "trend_4w", "normalize": {"kind": "linear", "worst": -0.5, "best": 0.5},
   "next_step": {"low": {"text": "Down 15 % or more: call.", "at_most": -0.15}, "high": {"text": "Up a quarter: offer more.", "at_least": 0.25}}},
  {"name": "people", "next_step": {"low": "Who else?", "high": "Ask for a story."}, "signals": [
    {"name": "users", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
    {"name": "seats", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "next_step": {"low": {"text": "Seats stand empty.", "below": 0.6}, "high": {"text": "More seats?", "above": 0.9}}}]}]}' as model \gset
-- So many events in weeks 5 to 8, and so many in weeks 1 to 4. Exactly -15.0 % is down 15 %; -14 % and -14.98 % are not, though the signal is as weak.
create table todo.tries (previous int, current int);
insert into todo.tries values (100, 85), (100, 86), (10000, 8502), (10000, 8500), (400, 340), (400, 341), (100, 125), (1000, 1249), (100, 100), (100, 0);
create view todo.states as
select previous, current, row(array[format('bigint{%s:2025-05-20/make*%s%s}', 1, previous, case when current > 0 then format(',2025-06-20/make*%s', current) end)::health.usage], '2025-06-30', '2024-01-01', 1,
                              null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state as state from todo.tries;
select previous, current, round(s.raw::numeric, 4) as raw, round(s.normalized::numeric, 2) as normalized, s.next_step, a.next_step as account_step, a.state
from todo.states t, health.score_signals(:'model', t.state) s, health.score_account(:'model', t.state) a where s.signal = 'trend' order by 3, 1;
-- A signal without a step of its own has that of its group, by its own score; a condition is about what was measured, whatever the score.
select n as users, seats, s.signal, round(s.raw::numeric, 2) as raw, round(s.normalized::numeric) as normalized, s.next_step
from (values (1, 10), (5, 10), (6, 10), (7, 10), (8, 8), (10, 11)) v (n, seats),
  lateral (select row(array[(select health.usage_agg(m, 'make', date '2025-06-20') from generate_series(1, n) m)], '2025-06-30', '2024-01-01', seats, null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state as state) t,
  health.score_signals(:'model', t.state) s where s.signal in ('people', 'users', 'seats') order by 1, 2, s."position";
-- Nothing to do about what is unknown, or about a single signal of an account in which nobody is active.
select s.signal, s.reason, s.next_step from health.score_signals(:'model', row(null, '2025-06-30', '2024-01-01', 5, null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state) s;
select s.signal, s.reason, s.next_step from health.score_signals(:'model', row(array['bigint{1:2025-06-29/make}'], '2025-06-30', '2025-06-20', null, null, null, null, null, null, null, null, null, null, null, null, null)::health.account_state) s;
-- What is said wrong.
select path, problem, hint from health.model_problems(:'model'::jsonb || '{"silence": {"next_steps": "x"}, "accounts": {"table": "a", "id": "i"}, "events": {"table": "e", "account": "a", "user": "u", "event": "n", "occurred_at": "t"}, "signals": [
  {"name": "a", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "next_step": {"low": {"at_most": 1}, "high": {"text": "x", "above": "1"}}},
  {"name": "b", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "next_step": {"low": {"text": "x", "at_most": 1, "at_least": 2}, "high": {"text": "x", "between": [1, 2]}}},
  {"name": "c", "next_step": {"low": {"text": "x", "below": 1}}, "signals": [{"name": "d", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 1}, "silent": "zero"}]}]}');
-- In a score view, signal by signal.
create table todo.clients (id int primary key, since date, seats int);
insert into todo.clients values (1, '2024-01-01', 10), (2, '2024-01-01', 10);
create table todo.acts (client int, member int, what text, on_day date);
insert into todo.acts select 1, m, 'make', d::date from generate_series(1, 3) m, generate_series(date '2025-04-01', date '2025-06-29', '1 day') d where d < '2025-06-02' or m < 3;
select health.create_model('todo', :'model'::jsonb || '{"as_of": "2025-06-30", "accounts": {"table": "todo.clients", "id": "id", "start": "since", "seats": "seats"},
  "events": {"table": "todo.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"}}');
select health.create_score_view('todo', 'todo.scores');
select account_id, round(score::numeric, 1) as score, main_reason, next_step from todo.scores order by 1;
select account_id, signal, raw_text, round(normalized::numeric) as normalized, next_step from todo.scores_signals where next_step is not null order by 1, "position";
select health.drop_model('todo', cascade => true);
drop schema todo cascade;
