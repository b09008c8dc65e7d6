-- Random event sets, one per account. Settings: oracle.seed (-1..1), oracle.kind (bigint, uuid, text), oracle.accounts.
truncate oracle.account, oracle.event, oracle.marker, oracle.question, oracle.ledger;
select setseed(current_setting('oracle.seed')::float8);

create temp table shape on commit drop as
select n as account,
       case when random() < 0.1 then 0 else floor(41 * random() ^ 1.5)::int end as users,
       case when random() < 0.03 then 0 else floor(401 * random() ^ 2)::int end as events,
       1 + floor(20 * random() ^ 1.5)::int as names,
       (array['2024-03-31', '2024-10-27', '2024-11-03', '2025-03-09', '2025-03-30', '2011-12-30', '1999-12-31', '2024-02-29']::date[])[1 + floor(8 * random())::int] as middle,
       1 + floor(250 * random() ^ 2)::int as span,
       random() < 0.6 as has_roster
from generate_series(1, current_setting('oracle.accounts')::int) n;

-- A user's id: numbers of both signs, uuids, names with spaces and letters beyond ASCII.
create or replace function pg_temp.user_name(account int, n int) returns text language sql as $$
    select case current_setting('oracle.kind')
        when 'bigint' then (n::bigint * n * 37 - 500 + case when n = 7 then 9000000000000000000 when n = 8 then -9000000000000000000 else 0 end)::text
        when 'uuid' then md5(account || '/' || n)::uuid::text
        else (array['', 'user ', 'Ä', 'a"b', 'user'])[1 + n % 5] || n end $$;

insert into oracle.account
select account, case when random() < 0.4 then 'UTC' else (array['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Sao_Paulo', 'Pacific/Apia', 'Africa/Casablanca', 'Pacific/Kiritimati'])[1 + floor(8 * random())::int] end,
       case when random() < 0.25 then null when random() < 0.1 then '{}'::jsonb
            else (select jsonb_object_agg('e' || e, jsonb_strip_nulls(jsonb_build_object(
                      'role', (select case count(*) when 0 then null when 1 then to_jsonb(min(r)) else jsonb_agg(r) end
                               from unnest(array['create', 'consume', 'interact', 'activate', 'session']) r
                               where random() < 0.25 and account > 0 and e > 0),
                      'value', (array[null, 0, 0.5, 1, 2, 3, 10])[1 + floor(7 * random())::int],
                      'feature', (array[null, 'f1', 'f2', 'f3', 'f4'])[1 + floor(5 * random())::int])))
                  from generate_series(1, names + 1) e where random() < 0.7 and account > 0) end,
       (array[28, 28, 28, 30, 7, 1, 90])[1 + floor(7 * random())::int],
       case when random() < 0.3 then middle + floor(span * (2 * random() - 1))::int end,
       (array[null, 0, 5, 10, 2.5])[1 + floor(5 * random())::int],
       1 + floor(14 * random())::int, 1 + floor(3 * random() ^ 2)::int, 7 + floor(60 * random())::int,
       case when random() < 0.6 then null when random() < 0.1 then '{}' else array['f1', 'e1', 'e2', 'f3', 'f9', 'f1'] end,
       case when random() < 0.4 then (array[0, 3, 10.5])[1 + floor(3 * random())::int] end,
       (array[365, 365, 365, 60, 14])[1 + floor(5 * random())::int]
from shape order by account;

insert into oracle.event
select account,
       case when random() > 0.01 then pg_temp.user_name(account, floor(users * random() ^ 2)::int) end,
       case when random() > 0.01 then 'e' || (1 + floor(names * random() ^ 1.5)::int) end,
       case when random() < 0.01 then null
            -- around local midnight, where days of 23 and 25 hours would show
            when random() < 0.4 then ((middle + floor(span * (random() - 0.5))::int)::timestamp + interval '1 second' * (floor(random() * 5) - 2)) at time zone zone
            else middle::timestamptz + interval '1 second' * (86400 * span * (random() - 0.5)) end,
       case when random() < 0.3 then round((200 * random() - 20)::numeric, 4 + floor(3 * random())::int)::float8 end
from shape join oracle.account using (account), generate_series(1, events)
where users > 0
order by account, generate_series;
-- Some events come twice, some come late: the order of rows is no order of time anyway.
insert into oracle.event select * from oracle.event where random() < 0.1;

-- Of the user table: joined (NULL is recorded as the first day there is), deactivated, joined again, invited.
insert into oracle.marker
select account, pg_temp.user_name(account, n), marker, day
from shape, generate_series(0, users + 3) n,
     lateral (select middle + floor(span * 1.5 * (random() - 0.5))::int - 20 as joined, random() as r, floor(40 * random())::int as later where n >= 0) dates,
     lateral (values
        ('$joined', case when has_roster and r < 0.8 then case when r < 0.12 then date '0001-01-01' else joined end end),
        ('$deactivated', case when r between 0.2 and 0.4 or r > 0.97 then joined + later end),
        ('$joined', case when has_roster and r between 0.3 and 0.4 then joined + 2 * later + n % 2 end),
        ('$deactivated', case when r between 0.35 and 0.4 then joined + 3 * later end),
        ('$invited', case when r between 0.1 and 0.5 then joined - later % 10 end)) m (marker, day)
where day is not null and (has_roster or random() < 0.1);

-- Samoa had no 30 December 2011.
update oracle.marker m set day = (((day + time '12:00') at time zone zone) at time zone zone)::date from oracle.account a where a.account = m.account;

insert into oracle.question
select distinct account, as_of
from shape, generate_series(1, 4) n,
     lateral (select case n when 1 then middle + span / 2 + 1 when 2 then date_trunc('week', middle + span / 4.0 * interval '1 day')::date
                     else middle + floor((span + 120) * (random() - 0.4))::int end as as_of) q;

analyze oracle.account, oracle.event, oracle.marker, oracle.question;
