-- The same ledgers in other ways; each must come out byte for byte the same. ID_TYPE stands for the type of user ids.
set local max_parallel_workers_per_gather = 0;
insert into oracle.other
select 'chunks, rollup in any order', account, health.rollup(u order by random())
from (select account, chunk, health.usage_agg(u::ID_TYPE, event, at, amount, zone) as u from oracle.source group by account, chunk) c group by account;
insert into oracle.other
select 'chunks, + in any order', account, oracle.plus(u order by random())
from (select account, chunk, health.usage_agg(u::ID_TYPE, event, at, amount, zone) as u from oracle.source group by account, chunk) c group by account;
insert into oracle.other
select 'events and dated markers, each by itself, and a lot that is taken away again', account, health.rollup(u) - (select u from oracle.ledger where account = 1) + (select u from oracle.ledger where account = 1)
from (select account, health.usage_agg(u::ID_TYPE, event, at, amount, zone) as u from oracle.event join oracle.account using (account) group by account
      union all select account, health.usage_agg(u::ID_TYPE, marker, day) from oracle.marker group by account) c group by account;
insert into oracle.other select 'text', account, u::text::health.usage from oracle.ledger;
insert into oracle.other select 'u + v - v', l.account, l.u + v.u - v.u from oracle.ledger l join oracle.ledger v on v.account = l.account % (select count(*) from oracle.account) + 1;
insert into oracle.other select 'v - (v - u)', l.account, v.u - (v.u - l.u) from oracle.ledger l join oracle.ledger v on v.account = l.account % (select count(*) from oracle.account) + 1;
insert into oracle.other
select 'rows of cells()', account, health.usage_agg(user_id::ID_TYPE, event, day, amount::float8)
from oracle.ledger, lateral (select c.user_id, c.event, c.day, case when n = 1 then c.amount when n <= c.amount_count then 0 end as amount
                             from health.cells(u) c, generate_series(1, c.count) n) c group by account;
set local enable_hashagg = off;
insert into oracle.other select 'sorted', account, health.usage_agg(u::ID_TYPE, event, at, amount, zone) from oracle.source group by account;
reset enable_hashagg;

-- Workers that each see a part.
set local max_parallel_workers_per_gather = 2;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
set local min_parallel_table_scan_size = 0;
create temp table parallel on commit drop as select account, health.usage_agg(u::ID_TYPE, event, at, amount, zone) as u from oracle.source group by account;
insert into oracle.other select 'parallel workers', account, u from parallel;
set local max_parallel_workers_per_gather = 0;
