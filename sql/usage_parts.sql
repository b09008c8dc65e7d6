-- Parts of a ledger: slice(), without_users().
set datestyle = 'ISO';
set search_path = public, health;

create table l (n int, u usage);
insert into l values (1, 'bigint{1:2025-01-01/a*2,2025-01-03/b=1.5;2:2025-02-01/a}'), (2, '{}'), (3, 'text{anna:2025-01-01/a;bert:2025-01-03/b*-1}');
-- from_day is in, until_day is out; NULL and infinity are open ends.
select n, slice(u, '2025-01-03', '2025-02-01') as middle, slice(u, null, '2025-01-03') as before, slice(u, '2025-01-03', null) as after from l order by n;
select bool_and(slice(u, null, null) = u and slice(u, '-infinity', 'infinity') = u and slice(u, 'infinity', null) = '{}' and slice(u, '2025-01-03', '2025-01-01') = '{}') as ends from l;
select bool_and(slice(u, null, day) + slice(u, day, null) = u) as adds_up from l, unnest(array[date '2024-12-31', '2025-01-01', '2025-01-02', '2025-01-03', '2025-02-01', '2025-02-02']) as day;
select slice(null, '2025-01-01', '2025-01-02');

select n, without_users(u, '{2,anna}') as rest from l order by n;
select bool_and(health_internal.usage_send(without_users(u, '{}')) = health_internal.usage_send(u) and health_internal.usage_send(without_users(u, '{3,caesar,"",1.0," 1",00000000-0000-0000-0000-000000000001}')) = health_internal.usage_send(u)) as unchanged from l;
select without_users('bigint{1:2025-01-01/a;3:2025-01-01/a}', '{3,1,3}'), without_users('uuid{00000000-0000-0000-0000-000000000001:2025-01-01/a;00000000-0000-0000-0000-000000000002:2025-01-01/a}', '{00000000-0000-0000-0000-000000000002,2}');
-- The users may differ from call to call.
select n, x, without_users(u, x) as rest from l, (values ('{1}'::text[]), ('{2}'), ('{bert,1}')) as v (x) where n <> 2 order by n, x;
select without_users('{}', null), without_users(null, '{1}');
select without_users('{}', '{1,NULL}');
-- One call after another, as each user alone.
select count(*) filter (where without_users(u, array[a::text, b::text]) <> without_user(without_user(u, a), b)) as differ
from (select usage_agg(i % 9, 'e' || i % 3, date '2025-01-01' + i % 5) as u from generate_series(1, 50) as i) as x, generate_series(0, 10) as a, generate_series(0, 10) as b;
drop table l;
