-- Who fell silent, and what is behind a change: counted once more in plain SQL.
\pset null ~
set datestyle = 'ISO, YMD';
set client_min_messages = warning;
create schema went_quiet;
set search_path = went_quiet, public;
create table event (account_id int, user_id text, name text, at date, n int);
-- Windows before 31 March: [02-03, 03-03) and [03-03, 03-31).
insert into event values
    (1, 'ann', 'comment_left', '2025-02-10', 100), (1, 'ann', 'comment_left', '2025-03-10', 10), (1, 'bob', 'video_created', '2025-02-11', 45),
    (1, 'cy', 'comment_left', '2025-02-12', 40), (1, 'cy', 'comment_left', '2025-03-12', 10), (1, 'cy', 'video_created', '2025-03-13', 15),
    (1, 'dan', 'video_created', '2025-03-14', 5), (1, 'eve', 'comment_left', '2025-02-01', 9), (1, '$bot', 'comment_left', '2025-02-13', 45);
create view ledger as select health.usage_agg(user_id, name, at) as usage from event, generate_series(1, n) where account_id = 1;
-- ann 100 -> 10, bob 45 -> 0, $bot 45 -> 0, cy 40 -> 25 is more than half; all lost 90 + 45 + 45 + 15 = 195.
select * from health.quiet_users((select usage from ledger), '2025-03-31');
select user_id, before, now, round(share_of_fall::numeric, 4) as share from health.quiet_users((select usage from ledger), '2025-03-31', events => '{comment_left}');
select user_id, before, now, lost from health.quiet_users((select usage from ledger), '2025-03-31', catalog => '{"comment_left": {"value": 2.5}, "video_created": {"value": 10}}', by_value => true);
select user_id, before, now, lost from health.quiet_users((select usage from ledger), '2025-03-31', catalog => '{"comment_left": {"value": 2.5}, "video_created": {"value": 10}}', by_value => true, daily_cap => 30);
select user_id, last_day from health.quiet_users((select usage from ledger), '2025-02-24', window_days => 7);
select count(*) from health.quiet_users('{}', '2025-03-31');
select count(*) from health.quiet_users(null, '2025-03-31');
select * from health.quiet_users('{}', 'infinity');
select * from health.quiet_users('{}', '2025-03-31', window_days => 0);

-- Any ledger, any date, any window: what plain SQL finds in its cells.
create table usages as
select a as account, health.usage_agg((hashint4(a * 1000 + i) & 1073741823) % 9, 'e' || (hashint4(i * 31 + a) & 1073741823) % 3, date '2025-01-01' + (hashint4(i * 7 + a * 13) & 1073741823) % 100) as usage
from generate_series(1, 30) as a, generate_series(1, 120) as i group by 1;
with asked as (
    select u.account, u.usage, d::date as as_of, w from usages as u, generate_series('2025-02-01'::timestamp, '2025-04-15', '11 days') as d, unnest('{1,7,28}'::int[]) as w
), counted as (
    select a.account, a.as_of, a.w, c.user_id, coalesce(sum(c.count) filter (where c.day < a.as_of - a.w), 0) as before,
           coalesce(sum(c.count) filter (where c.day >= a.as_of - a.w), 0) as now, max(c.day) as last_day
    from asked as a, health.cells(a.usage) as c where c.day >= a.as_of - 2 * a.w and c.day < a.as_of group by 1, 2, 3, 4
), plain as (
    select c.account, c.as_of, c.w, c.user_id, c.last_day, c.before::float8, c.now::float8, (c.before - c.now)::float8 as lost,
           (c.before - c.now)::float8 / nullif(sum(greatest(c.before - c.now, 0)) over (partition by c.account, c.as_of, c.w), 0)::float8 as share
    from counted as c
), quiet_users as (
    select a.account, a.as_of, a.w, q.* from asked as a, health.quiet_users(a.usage, a.as_of, window_days => a.w) as q
)
select (select count(*) from quiet_users) > 500 as many,
       (select count(*) from (select * from plain as p where p.before > 0 and 2 * p.now <= p.before except table quiet_users) as d) as lacking,
       (select count(*) from (table quiet_users except select * from plain as p where p.before > 0 and 2 * p.now <= p.before) as d) as beyond;

-- What is behind a change of a score: of account 1 the events of 28 days are 185 + 45, then 20 + 20.
create table account (id int primary key);
insert into account values (1), (2);
create view events as select account_id, user_id, name, at from event, generate_series(1, n);
insert into event values (2, 'zoe', 'video_created', '2025-02-10', 10), (2, 'zoe', 'video_created', '2025-03-10', 10), (2, 'zoe', 'comment_left', '2025-03-11', 30),
                         (2, 'yan', 'comment_left', '2025-03-11', 30), (2, 'yan', 'comment_left', '2025-01-11', 1), (1, 'ann', 'comment_left', '2025-01-01', 1);
select health.create_model('moved', '{"time_zone": "UTC", "as_of": "2025-03-31", "accounts": {"table": "account", "id": "id"},
    "events": {"table": "events", "account": "account_id", "user": "user_id", "event": "name", "occurred_at": "at"},
    "catalog": {"comment_left": {"role": "interact", "value": 2, "feature": "discussion"}, "video_created": {"role": "create", "value": 10}},
    "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 500}},
                {"name": "people", "metric": "active_users", "normalize": {"kind": "linear", "worst": 0, "best": 10}},
                {"name": "value", "metric": "value_points", "normalize": {"kind": "linear", "worst": 0, "best": 5000}},
                {"name": "trend", "metric": "trend_4w", "events": ["comment_left"], "normalize": {"kind": "linear", "worst": -1, "best": 1}},
                {"name": "dropoff", "metric": "dropoff", "normalize": {"kind": "linear", "worst": -1, "best": 1}},
                {"name": "spread", "metric": "spread", "normalize": {"kind": "identity"}}]}');
select signal, raw_from, raw_to, because from health.explain('moved', 1, '2025-03-03', '2025-03-31') where step <> 'total';
select signal, raw_from, raw_to, because from health.explain('moved', 2, '2025-03-03', '2025-03-31') where step <> 'total';
select health.drop_model('moved');
set client_min_messages = warning;
drop schema went_quiet cascade;
