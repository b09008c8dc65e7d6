-- What customers answer in surveys: nps, csat, ces. docs/reference/revenue.md, "Opinions".
\pset null '(null)'

-- The vector of the reference: 5 promoters and 2 detractors of 10.
select health.nps(a) as nps from unnest('{9,10,9,10,9,0,6,7,8,7}'::int[]) a;
-- The bounds, and the types that answers have.
select a, health.nps(a) as nps from generate_series(0, 10) a group by 1 order by 1;
select a, health.csat(a) as csat from generate_series(1, 5) a group by 1 order by 1;
select health.nps(a::smallint) as nps, health.nps(a::numeric) as of_numeric, health.csat(a::float8 - 5) as csat, health.ces(a::bigint) as ces, health.ces(a / 10.0) as of_tenths from generate_series(6, 10) a;
-- NULL is no answer; without answers it is unknown, never 0.
select health.nps(a) as nps, health.csat(a) as csat, health.ces(a) as ces from (values (5), (null), (4)) v (a);
select health.nps(null) as nps, health.csat(null) as csat, health.ces(null) as ces;
select health.nps(a) as nps, health.csat(a) as csat, health.ces(a) as ces from (select 1 where false) v (a);
select health.nps(a) filter (where a > 8) as some, health.nps(a) filter (where a > 11) as none from generate_series(0, 10) a;
select a, health.nps(a) over (order by a) as nps, round(health.ces(a) over (order by a rows 2 preceding)::numeric, 3) as ces from generate_series(5, 10) a;

-- Each person's latest answer: ann's 6 is later than her 9.
select health.nps(answer) as nps
from (select distinct on (person) answer from (values ('ann', 9, date '2025-01-01'), ('ann', 6, '2025-02-01'), ('bob', 10, '2025-01-01'), ('cy', 7, '2025-01-01')) v (person, answer, on_day) order by person, on_day desc) l;

-- Plain SQL over random answers of 40 surveys says the same, in any order and in parallel.
create table answers as
select g % 40 as survey, nullif(x % 12, 11)::int as nps, nullif(x % 6, 0)::int as csat, case when x % 13 > 0 then (x % 6000 + 1000) / 1000.0 end as ces, g
from generate_series(1, 20000) g, abs(hashint4(g)::bigint) x;
create view told as
select survey, health.nps(nps order by abs(hashint4(g * 7))) as nps, health.csat(csat order by g desc) as csat, health.ces(ces order by ces) as ces from answers group by 1;
select count(*) as surveys, count(*) filter (where t.nps is distinct from p.nps::float8) as other_nps, count(*) filter (where t.csat is distinct from p.csat::float8) as other_csat, count(*) filter (where abs(t.ces - p.ces) > 1e-14 is not false) as other_ces
from told t join (select survey, 100.0 * (count(*) filter (where nps >= 9) - count(*) filter (where nps <= 6)) / count(nps) as nps, 100.0 * count(*) filter (where csat >= 4) / count(csat) as csat, avg(ces) as ces from answers group by 1) p using (survey);
select count(*) as surveys, count(*) filter (where (a.nps, a.csat, a.ces) is distinct from (t.nps, t.csat, t.ces)) as different
from told t join (select survey, health.nps(nps) as nps, health.csat(csat) as csat, health.ces(ces) as ces from answers group by 1) a using (survey);
create table serial as select health.nps(nps) as nps, health.csat(csat) as csat, health.ces(ces) as ces from answers;
alter table answers set (parallel_workers = 2);
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set max_parallel_workers_per_gather = 2;
explain (costs off) select health.nps(nps), health.csat(csat), health.ces(ces) from answers;
select (health.nps(nps), health.csat(csat), health.ces(ces)) = (select (nps, csat, ces) from serial) as same from answers;
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
reset max_parallel_workers_per_gather;

-- An answer that is not on the scale is named.
select health.nps(11);
select health.nps(-1);
select health.nps(8.5);
select health.nps('NaN'::float8);
select health.csat(0);
select health.csat(6);
select health.csat('Infinity'::float8);
select health.ces('NaN'::float8);
select health.ces('-Infinity'::float8);
select health.ces(1e7);
-- States are for the aggregates only; made up ones are refused or harmless.
select health_internal.nps_result('{}');
select health_internal.csat_result('{0,1,-1}');
select health_internal.opinions_combine('{9223372036854775807,0,1}', '{9223372036854775807,0,1}');
select health_internal.opinions_combine('{0,1,9223372036854775807}', '{0,1,9223372036854775807}');
select health_internal.opinions_combine('{{0,1,1}}', '{0,1,1}');
select health_internal.nps_result('{-1,-1,1}') as nps, health_internal.ces_result('{0,0,0}') as ces, health_internal.ces_add(null, null) as no_answer, health_internal.nps_add('{0,1,1}', 3) as state;
drop view told;
drop table answers, serial;
