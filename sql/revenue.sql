-- Recurring revenue: nrr, grr, logo_churn, mrr_bridge, mrr_movement, annual_churn, clv. docs/reference/revenue.md.
\pset null '(null)'

-- The vector of the reference: a, b, c, d at the start; c is lost, e is new.
create temp table customers (name text, mrr_start numeric, mrr_end numeric, had_before boolean);
insert into customers values ('a', 100, 150, true), ('b', 200, 180, true), ('c', 50, 0, true), ('d', 150, 150, true), ('e', 0, 500, false);
select health.nrr(mrr_start, mrr_end), health.grr(mrr_start, mrr_end), health.logo_churn(mrr_start, mrr_end) from customers;
\x
select (health.mrr_bridge(mrr_start, mrr_end, had_before)).* from customers;
\x
select name, health.mrr_movement(mrr_start, mrr_end, had_before) from customers order by name;
-- Integers, doubles and NULL for no revenue say the same; with FILTER.
select health.nrr(mrr_start::int, nullif(mrr_end::int, 0)), health.grr(mrr_start::bigint, mrr_end::float8), health.logo_churn(nullif(mrr_start, 0)::real, mrr_end),
       health.nrr(mrr_start, mrr_end) filter (where name < 'c') as of_a_and_b from customers;
-- As a window aggregate the state goes on.
select name, health.nrr(mrr_start, mrr_end) over (order by name), health.logo_churn(mrr_start, mrr_end) over (order by name rows 1 preceding) from customers order by name;

-- Who comes back; NULL for had_before is false; no change is NULL, as is less than 10^-6.
select b, a, h, health.mrr_movement(b, a, h)
from (values (0, 5, true), (0, 5, false), (0, 5, null), (null, 5, true), (5, null, true), (5, 6, null), (6, 5, false), (5, 5, true), (0, null, true), (5, 5.0000004, true), (5, 5.000001, true)) v (b, a, h);
-- Tenths add up, where doubles do not.
select health.nrr(a, b) = 1 as is_kept, sum(b) / sum(a) = 1 as in_doubles from (values (0.1::float8, 0.3::float8), (0.2, 0)) v (a, b);

-- Nobody paid at the start, or nobody is there: unknown, never 0.
select health.nrr(0, 5) as nrr, health.grr(0, 5) as grr, health.logo_churn(null, 5) as logo_churn;
select health.nrr(a, b) as nrr, health.grr(a, b) as grr, health.logo_churn(a, b) as logo_churn, health.mrr_bridge(a, b, null) as bridge from (select 1, 2 where false) v (a, b);
select health.mrr_bridge(5, 0, true) as all_lost;
select health.mrr_bridge(null, null, null) as nothing;

-- Plain SQL over random customers in 50 books says the same, in any order.
create table book as
select g % 50 as book, case when x % 5 = 0 then 0 when x % 7 = 0 then null else (x % 9999991) / 100.0 end as mrr_start,
       case when y % 4 = 0 then 0 when y % 6 = 0 then (x % 9999991) / 100.0 else (y % 9999991) / 100.0 end as mrr_end, case when y % 11 < 10 then y % 11 > 5 end as had_before, g
from generate_series(1, 20000) g, abs(hashint4(g)::bigint) x, abs(hashint4(-g)::bigint) y;
create view plain as
select book, (nullif(sum(e) filter (where s > 0), 0) / sum(s))::float8 as nrr, (sum(least(s, e)) / nullif(sum(s), 0))::float8 as grr,
       count(*) filter (where s > 0 and e = 0)::float8 / nullif(count(*) filter (where s > 0), 0) as logo_churn, sum(s)::float8 as mrr_start, count(*) filter (where s > 0) as customers_start,
       sum(e) filter (where s = 0 and not h)::float8 as new_mrr, count(*) filter (where s = 0 and e > 0 and not h) as new_customers,
       sum(e - s) filter (where s > 0 and e > s)::float8 as expansion, count(*) filter (where s > 0 and e > s) as expanded_customers,
       sum(s - e) filter (where e > 0 and e < s)::float8 as contraction, count(*) filter (where e > 0 and e < s) as contracted_customers,
       sum(s) filter (where e = 0)::float8 as churn, count(*) filter (where e = 0 and s > 0) as lost_customers,
       sum(e) filter (where s = 0 and h)::float8 as reactivation, count(*) filter (where s = 0 and e > 0 and h) as reactivated_customers,
       sum(e)::float8 as mrr_end, count(*) filter (where e > 0) as customers_end, (sum(e) / count(*) filter (where e > 0))::float8 as arpa
from (select book, coalesce(mrr_start, 0) as s, coalesce(mrr_end, 0) as e, coalesce(had_before, false) as h from book) b group by 1;
select count(*) as books, count(*) filter (where nrr between 0.1 and 10) as plausible, count(*) filter (where lost_customers > 0 and reactivated_customers > 0 and contracted_customers > 0) as with_all from plain;
create view told as
select book, (health.mrr_bridge(mrr_start, mrr_end, had_before order by abs(hashint4(g * 7)))).* from book group by 1;
-- To the last digit of a sum, and to one of a ratio.
select count(*) as books,
       count(*) filter (where (t.mrr_start, t.customers_start, t.new_mrr, t.new_customers, t.expansion, t.expanded_customers, t.contraction, t.contracted_customers, t.churn, t.lost_customers, t.reactivation, t.reactivated_customers, t.mrr_end, t.customers_end, t.logo_churn)
                        is distinct from (p.mrr_start, p.customers_start, p.new_mrr, p.new_customers, p.expansion, p.expanded_customers, p.contraction, p.contracted_customers, p.churn, p.lost_customers, p.reactivation, p.reactivated_customers, p.mrr_end, p.customers_end, p.logo_churn)) as other_sums,
       count(*) filter (where abs(t.nrr - p.nrr) > 1e-15 * p.nrr is not false or abs(t.grr - p.grr) > 1e-15 is not false or abs(t.arpa - p.arpa) > 1e-15 * p.arpa is not false) as other_ratios
from told t join plain p using (book);
select count(*) as books, count(*) filter (where (n, r, c) is distinct from (t.nrr, t.grr, t.logo_churn)) as different
from (select book, health.nrr(mrr_start, mrr_end order by g desc) n, health.grr(mrr_start, mrr_end) r, health.logo_churn(mrr_start, mrr_end order by mrr_end) c from book group by 1) b join told t using (book);
-- A movement is what the bridge counts.
select count(*) as books, count(*) filter (where (b.new, b.expansion, b.contraction, b.churn, b.reactivation) is distinct from (t.new_customers, t.expanded_customers, t.contracted_customers, t.lost_customers, t.reactivated_customers)) as different
from (select book, count(*) filter (where m = 'new') as new, count(*) filter (where m = 'expansion') as expansion, count(*) filter (where m = 'contraction') as contraction,
             count(*) filter (where m = 'churn') as churn, count(*) filter (where m = 'reactivation') as reactivation
      from (select book, health.mrr_movement(mrr_start, mrr_end, had_before) as m from book) x group by 1) b join told t using (book);
-- In parallel workers the same to the bit.
create table serial as select health.mrr_bridge(mrr_start, mrr_end, had_before) as bridge, health.nrr(mrr_start, mrr_end) as nrr from book;
alter table book set (parallel_workers = 2);
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set max_parallel_workers_per_gather = 2;
explain (costs off) select health.mrr_bridge(mrr_start, mrr_end, had_before), health.nrr(mrr_start, mrr_end) from book;
select health.mrr_bridge(mrr_start, mrr_end, had_before) = (select bridge from serial) as same, health.nrr(mrr_start, mrr_end) = (select nrr from serial) as same_nrr from book;
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
reset max_parallel_workers_per_gather;

-- 3 % a month is 30.6 % a year; lifetime value, unknown where nobody leaves.
select round(health.annual_churn(0.03)::numeric, 4) as year, health.annual_churn(0) as none, health.annual_churn(1) as everybody, health.annual_churn(null) as of_unknown;
select health.clv(100, 0.8, 0.02) as clv, health.clv(100, 0.8, 0) as without_churn, health.clv(null, 0.8, 0.02) as of_unknown, health.clv(0, 0.8, 0.02) as of_nothing;

-- What is refused, each with what to do.
\set VERBOSITY default
select health.nrr(-1, 5);
select health.grr(1, 'NaN'::float8);
select health.logo_churn('Infinity'::float8, 1);
select health.mrr_bridge(1, 'NaN'::numeric, false);
select health.nrr(1e13, 5);
select health.mrr_movement(1, -5, true);
select health.mrr_movement('NaN', 5, true);
select health.annual_churn(3);
select health.annual_churn('NaN');
select health.annual_churn(-0.01);
select health.clv(-1, 0.8, 0.02);
select health.clv(100, 80, 0.02);
select health.clv(100, 0.8, 2);
select health.clv(1e308, 1, 1e-9);
-- States are for the aggregates only; made up ones are refused or harmless.
select health_internal.nrr_result('{}');
select health_internal.nrr_result('{1,2,3}');
select health_internal.grr_result(array_fill(-1::bigint, '{18}'));
select health_internal.mrr_bridge_combine(array_fill(9223372036854775807, '{18}'), array_fill(9223372036854775807, '{18}'));
select health_internal.mrr_bridge_result(array_fill(null::bigint, '{18}'));
select health_internal.logo_churn_result(array_fill(0::bigint, '{18}')), health_internal.mrr_bridge_add(null, 1, 2), health_internal.mrr_bridge_add(health_internal.mrr_bridge_add(null, 1, 2), 0, 3, true);
drop view told, plain;
drop table book, serial;
