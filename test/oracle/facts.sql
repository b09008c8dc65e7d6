-- Looks up what the metrics of docs/reference/metrics.md need to know of events, users and memberships. Plain SQL, no function of the extension.
truncate oracle.fact, oracle.membership, oracle.user_rank;

insert into oracle.fact
select e.account, e.u, e.event, (e.at at time zone a.zone)::date, round(e.amount::numeric, 6),
       coalesce(a.catalog, '{}') = '{}' or a.catalog ? e.event,
       case jsonb_typeof(rule -> 'role') when 'string' then array[rule ->> 'role'] when 'array' then array(select jsonb_array_elements_text(rule -> 'role')) else '{}' end,
       coalesce((rule ->> 'value')::numeric, 1),
       coalesce(rule ->> 'feature', e.event)
from oracle.event e join oracle.account a using (account), lateral (select a.catalog -> e.event as rule) r
where e.u is not null and e.event is not null and e.at is not null;

insert into oracle.membership
select j.account, j.u, j.day, (select min(d.day) from oracle.marker d where (d.account, d.u, d.marker) = (j.account, j.u, '$deactivated') and d.day >= j.day)
from (select distinct account, u, day from oracle.marker where marker = '$joined') j;

-- Without a roster those belong to the account who were seen lately, whatever the event, and never deactivated.
insert into oracle.membership
select s.account, s.u, s.day, least(s.day + a.inactive_after_days + 1, (select min(d.day) from oracle.marker d where (d.account, d.u, d.marker) = (s.account, s.u, '$deactivated')))
from (select distinct account, u, day from oracle.fact) s join oracle.account a using (account)
where not exists (select from oracle.marker m where m.account = s.account and m.marker = '$joined');

insert into oracle.user_rank
select account, u, row_number() over (partition by account order by
           case when current_setting('oracle.kind') = 'bigint' then u::bigint end,
           case when current_setting('oracle.kind') = 'uuid' then u::uuid end, u collate "C")
from (select account, u from oracle.fact union select account, u from oracle.marker) users;

analyze oracle.fact, oracle.membership, oracle.user_rank;
