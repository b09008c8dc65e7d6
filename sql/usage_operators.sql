-- Ledgers add up: +, -, without_user().
set datestyle = 'ISO';
set search_path = public, health;
create table l (n int, u usage);
insert into l values (1, 'bigint{42:2025-01-03/a*2,2025-01-04/b=1.5;43:2025-01-04/a}'), (2, 'bigint{41:2024-12-31/c;42:2025-01-03/a,2025-01-04/b*2=0.5#1}'), (3, '{}'), (4, 'bigint{43:2025-01-04/a*-1}');
select x.n, y.n, x.u + y.u as sum from l x, l y where x.n < y.n order by 1, 2;
select x.n, y.n, x.u - y.u as difference from l x, l y where x.n <> y.n order by 1, 2;
select bool_and(x.u + y.u = y.u + x.u) as commutative, bool_and(health_internal.usage_send(x.u + y.u - y.u) = health_internal.usage_send(x.u)) as inverse, bool_and(x.u + '{}' = x.u) as identity, bool_and(x.u - x.u = '{}') as nothing_left from l x, l y;
select bool_and((x.u + y.u) + z.u = x.u + (y.u + z.u)) as associative from l x, l y, l z;
-- An amount without its event is a value like any other.
select 'bigint{1:2025-01-01/a=5}'::usage - 'bigint{1:2025-01-01/a=3}'::usage as rest;
select null::usage + 'bigint{1:2025-01-01/a}'::usage as unknown;

select 'bigint{1:2025-01-01/a}'::usage + 'text{1:2025-01-01/a}'::usage;
select 'bigint{1:2025-01-01/a*1152921504606846976}'::usage + 'bigint{1:2025-01-01/a}'::usage;
select 'bigint{1:2025-01-01/a=6000000000000000000000}'::usage + 'bigint{1:2025-01-01/a=6000000000000000000000}'::usage;

-- Sums of amounts are not bound to what one event may carry.
select u + u as sum, u + u - u = u as inverse, c.* from (select 'bigint{1:2025-01-01/a=9223372036854.775807}'::usage as u) x, cells(u + u + u) as c;
select c.*, amount_sum(u, '2025-01-29') from (select usage_agg(1, 'a', date '2025-01-01', 9e12) as u from generate_series(1, 100000)) x, cells(u) as c;

select without_user(u, 42), without_user(u, 7), without_user(u, '42'::text) from l where n = 1;
select without_user('text{anna:2025-01-01/a;bert:2025-01-01/b}', 'bert'::text), without_user('uuid{00000000-0000-0000-0000-000000000001:2025-01-01/a}', '00000000-0000-0000-0000-000000000001'::uuid);
select without_user('bigint{1:2025-01-01/a}', 'anna'::text);
select without_user('{}', 1), without_user(null, 1);
drop table l;
