-- usage_agg and rollup over a distributed table give what they give over a local copy of the same rows.
set client_min_messages = warning;
-- Where the operators of health.usage are.
set search_path = public, health;
create table local_events (account_id int, user_id bigint, event_name text, occurred_at timestamptz, amount float8);
select setseed(0.42) \g /dev/null
insert into local_events
select (random() * 40)::int, (random() * 300)::bigint, 'event_' || (random() * 12)::int,
       '2025-01-01 00:00+00'::timestamptz + random() * interval '200 days', case when random() < 0.3 then round((random() * 100)::numeric, 3) end
from generate_series(1, 50000);
create table events (like local_events);
select create_distributed_table('events', 'account_id', shard_count => 8) \g /dev/null
insert into events select * from local_events;

-- What every query below is held against, made on one node.
create table expected_by_account as
select account_id, health.usage_agg(user_id, event_name, occurred_at, amount) as usage from local_events group by account_id;
create table expected_by_event as
select event_name, health.usage_agg(user_id, event_name, occurred_at) as usage from local_events group by event_name;

-- The aggregates are distributed only when the coordinator does not pull the rows to itself.
set citus.coordinator_aggregation_strategy = 'disabled';

create function plan_of(query text) returns text language plpgsql as $$
declare
  line text;
  plan text := '';
begin
  for line in execute 'explain (verbose, costs off) ' || query loop
    plan := plan || line || E'\n';
  end loop;
  return plan;
end $$;
select 'usage_agg without grouping is computed on the workers and combined on the coordinator',
  plan_of('select health.usage_agg(user_id, event_name, occurred_at) from events') ~ 'worker_partial_agg';

select 'usage_agg grouped by the distribution column',
  (select count(*) = 41 and bool_and(u.usage = e.usage)
   from (select account_id, health.usage_agg(user_id, event_name, occurred_at, amount) as usage from events group by account_id) u
   join expected_by_account e using (account_id));
select 'usage_agg grouped by another column',
  (select count(*) = 13 and bool_and(u.usage = e.usage)
   from (select event_name, health.usage_agg(user_id, event_name, occurred_at) as usage from events group by event_name) u
   join expected_by_event e using (event_name));
select 'usage_agg without grouping',
  (select health.usage_agg(user_id, event_name, occurred_at, amount) from events)
  = (select health.usage_agg(user_id, event_name, occurred_at, amount) from local_events);
select 'usage_agg with a time zone, without grouping',
  (select health.usage_agg(user_id, event_name, occurred_at, 'Pacific/Auckland') from events)
  = (select health.usage_agg(user_id, event_name, occurred_at, 'Pacific/Auckland') from local_events);
select 'usage_agg of text users and dates, grouped by another column',
  (select bool_and(u.usage = e.usage) and count(*) = 13
   from (select event_name, health.usage_agg('user ' || user_id, event_name, (occurred_at at time zone 'UTC')::date) as usage from events group by 1) u
   join (select event_name, health.usage_agg('user ' || user_id, event_name, (occurred_at at time zone 'UTC')::date) as usage from local_events group by 1) e
     using (event_name));
select 'usage_agg of uuid users, without grouping',
  (select health.usage_agg(md5(user_id::text)::uuid, event_name, occurred_at) from events)
  = (select health.usage_agg(md5(user_id::text)::uuid, event_name, occurred_at) from local_events);
select 'usage_agg with FILTER, grouped by another column',
  (select bool_and(u.usage = e.usage)
   from (select event_name, health.usage_agg(user_id, event_name, occurred_at) filter (where user_id % 2 = 0) as usage from events group by 1) u
   join (select event_name, health.usage_agg(user_id, event_name, occurred_at) filter (where user_id % 2 = 0) as usage from local_events group by 1) e
     using (event_name));
select 'usage_agg of no rows is the empty ledger',
  (select health.usage_agg(user_id, event_name, occurred_at) = '{}'::health.usage from events where account_id = -1);
select 'usage_agg of rows in a single shard',
  (select health.usage_agg(user_id, event_name, occurred_at, amount) from events where account_id = 7)
  = (select usage from expected_by_account where account_id = 7);

create table ledgers (account_id int primary key, region int, usage health.usage);
select create_distributed_table('ledgers', 'account_id', shard_count => 8) \g /dev/null
insert into ledgers select account_id, account_id % 3, usage from expected_by_account;
select 'a ledger stored in a distributed table comes back as it was',
  (select count(*) = 41 and bool_and(l.usage = e.usage) from ledgers l join expected_by_account e using (account_id));
select 'rollup grouped by the distribution column',
  (select bool_and(r.usage = e.usage) from (select account_id, health.rollup(usage) as usage from ledgers group by 1) r join expected_by_account e using (account_id));
select 'rollup grouped by another column',
  (select count(*) = 3 and bool_and(r.usage = e.usage)
   from (select region, health.rollup(usage) as usage from ledgers group by region) r
   join (select account_id % 3 as region, health.rollup(usage) as usage from expected_by_account group by 1) e using (region));
select 'rollup without grouping', (select health.rollup(usage) from ledgers) = (select health.rollup(usage) from expected_by_account);
select 'rollup without grouping is computed on the workers and combined on the coordinator',
  plan_of('select health.rollup(usage) from ledgers') ~ 'worker_partial_agg';
create table read_on_workers as select account_id, (health.metrics(usage, '2025-07-01')).* from ledgers;
select 'metrics are read on the workers',
  (select count(*) = 41 and bool_and(to_jsonb(w) - 'account_id' = to_jsonb(health.metrics(e.usage, '2025-07-01')))
   from read_on_workers w join expected_by_account e using (account_id));
create table kept (account_id int primary key, usage health.usage);
select create_distributed_table('kept', 'account_id', shard_count => 8) \g /dev/null
insert into kept select account_id, health.usage_agg(user_id, event_name, occurred_at, amount) from events group by account_id;
select 'INSERT ... SELECT of ledgers between distributed tables',
  (select count(*) = 41 and bool_and(k.usage = e.usage) from kept k join expected_by_account e using (account_id));
