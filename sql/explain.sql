-- Why an account has its score, and why it moved: numbers that can be checked by hand.
set datestyle = 'ISO';
create schema app;
create table app.accounts (account_id int primary key, company text, plan text, tickets int);
create table app.users (user_id int primary key, account_id int);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
insert into app.accounts values (1, 'Acme', 'pro', 4), (2, 'Bolt', 'free', null), (3, 'Calm', 'enterprise', 0);
insert into app.users values (1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3);
-- February: three of Acme's four users and one of Bolt's two. January: all four of Acme.
insert into app.events select 1, u, 'login', timestamptz '2025-02-20 12:00+00' from generate_series(1, 3) u;
insert into app.events values (2, 5, 'login', '2025-02-20 12:00+00');
insert into app.events select 1, u, 'login', timestamptz '2025-01-20 12:00+00' from generate_series(1, 4) u;

select health.create_model('m', '{
  "as_of": "2025-03-03",
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "columns": {"plan_tier": "plan"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "activation", "weight": 0.5, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "business", "weight": 0.5, "signals": [
      {"name": "plan", "weight": 0.6, "column": "plan_tier", "normalize": {"kind": "map", "map": {"pro": 80, "free": 20}}},
      {"name": "tickets", "weight": 0.4, "column": "tickets", "normalize": {"kind": "linear", "worst": 10, "best": 0}}]}]
}');

-- Acme: .5 x 75 + .3 x 80 + .2 x 60 = 73.5. Bolt has no tickets, so its plan is all of business: .5 x 50 + .5 x 20 = 35.
-- Calm's plan is not in the map: .5 x 0 + .5 x 100 = 50.
select a.account_id, e.signal, e.raw_text, round(e.normalized::numeric, 3) as normalized, round(e.weight::numeric, 4) as weight,
       round(e.points::numeric, 3) as points, e.reason
from app.accounts a, health.explain('m', a.account_id) e order by a.account_id, e.position;
-- The points of the leaves are the score.
select a.account_id, abs(sum(e.points) filter (where e.signal in ('activation', 'plan', 'tickets')) - max(e.normalized) filter (where e.signal = 'score')) < 1e-9 as adds_up
from app.accounts a, health.explain('m', a.account_id) e group by 1 order by 1;
select phrase from health.explain('m', 1) where signal = 'score';

-- From 3 February (4 of 4 active: 86) to 3 March (3 of 4: 73.5): activation alone, -12.5.
select step, signal, raw_from, raw_to, round(points::numeric, 3) as points, phrase from health.explain('m', 1, '2025-02-03', '2025-03-03');
-- A change of the model is a step of its own, and the parts still add up.
select health.alter_model('m', '{"signals": [
    {"name": "activation", "weight": 0.25, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "plan", "weight": 0.75, "column": "plan_tier", "normalize": {"kind": "map", "map": {"pro": 100, "free": 20, "enterprise": 100}}}]}');
select step, signal, round(points::numeric, 3) as points from health.explain('m', 1, '2025-02-03', '2025-03-03', from_version => 1);
select abs(sum(points) filter (where step <> 'total') - sum(points) filter (where step = 'total')) < 1e-9 as adds_up
from health.explain('m', 1, '2025-02-03', '2025-03-03', from_version => 1);

-- Accounts can be given as text too. Mistakes are answered.
select normalized from health.explain('m', '1') where signal = 'score';
select * from health.explain('m', 11);
select * from health.explain('m', 'Acme');
select * from health.explain('m', 'Acme', '2025-02-03', '2025-03-03');
select * from health.explain('m', 1, '2025-03-03', '2025-02-03');
select * from health.explain('m', 1, '2025-03-03', 'infinity');
select * from health.explain('m', 1, '2025-03-03', null);
select * from health.explain('n', 1);
-- No account is not any account.
select * from health.explain('m', (select account_id from app.accounts where company = 'Acmee'));
select * from health.explain('m', null::bigint, '2025-02-03', '2025-03-03');
select * from health.explain('m', 1, '2025-02-03', '2025-03-03', 7);

select health.drop_model('m');
set client_min_messages = warning;
drop schema app cascade;
