-- rollup: the sum of ledgers.
set datestyle = 'ISO';
set search_path = public, health;
create table daily as select n % 4 as account, d::date as day, usage_agg(n % 9, 'event ' || n % 5, d::date, n / 8.0) as u
from generate_series(1, 200) n, generate_series(timestamptz '2025-01-01', '2025-01-10', '1 day') d group by 1, 2;

select rollup(u) from (values ('bigint{1:2025-01-01/a}'::usage), ('bigint{1:2025-01-01/a=2}'), (null), ('{}'), ('bigint{0:2024-12-31/b}')) v (u);
select rollup(u) from daily where false;
select rollup(null::usage);
-- From days to accounts to everything: the same as from the events.
create table accounts as select account, rollup(u) as u from daily group by account;
select count(*), bool_and(validate(u)) from accounts;
select (select rollup(u) from accounts) = usage_agg(n % 9, 'event ' || n % 5, d::date, n / 8.0) as same from generate_series(1, 200) n, generate_series(timestamptz '2025-01-01', '2025-01-10', '1 day') d;
-- In any order, with a part taken away again, over a window.
select bool_and(a = b) as any_order from (select rollup(u order by day) as a, rollup(u order by day desc) as b from daily group by account) x;
select rollup(u) - (select u from daily where account = 1 and day = '2025-01-01') = (select rollup(u) from daily where account = 1 and day > '2025-01-01') as less_a_day from daily where account = 1;
select day, events(rollup(u) over (order by day rows 2 preceding), day + 1) as last_three_days from daily where account = 1 order by day;
select rollup(u) from (values ('bigint{1:2025-01-01/a}'::usage), ('text{1:2025-01-01/a}')) v (u);
-- Kept up to date with INSERT ... ON CONFLICT.
create table kept (account int primary key, u usage);
insert into kept select account, u from accounts;
insert into kept values (1, 'bigint{5:2025-02-01/late}'), (9, 'bigint{5:2025-02-01/new}') on conflict (account) do update set u = kept.u + excluded.u;
select account, events(u, '2025-02-02', window_days => 1) from kept order by account;
drop table daily, accounts, kept;
