-- The ledgers that the metrics are read from: one pass, serial, over the rows as they are. ID_TYPE stands for the type of user ids.
truncate oracle.source, oracle.ledger, oracle.other, oracle.copied;
insert into oracle.source
select account, u, event, at, amount, zone, floor(random() * (1 + account % 13))::int
from (select account, u, event, at, amount from oracle.event
      union all select m.account, u, marker, (day + time '12:00') at time zone zone, null from oracle.marker m join oracle.account using (account)) s
     join oracle.account using (account)
order by random();
analyze oracle.source;
set local max_parallel_workers_per_gather = 0;
insert into oracle.ledger
select account, coalesce(u, '{}') from oracle.account
left join (select account, health.usage_agg(u::ID_TYPE, event, at, amount, zone) as u from oracle.source group by account) s using (account);
