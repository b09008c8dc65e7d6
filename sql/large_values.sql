-- An account whose amounts or event names go beyond all measure is scored like the others, and harms none, in every mode.
\set SHOW_CONTEXT never
set client_min_messages = warning;
set datestyle = 'ISO';
create schema large;
create table large.accounts (account_id int primary key);
insert into large.accounts select generate_series(1, 3);
create table large.events (account_id int, user_id int, event_name text, occurred_at timestamptz, amount numeric);
insert into large.events select 1 + n % 3, n, 'made', timestamptz '2025-06-20 12:00+00' + n * interval '1 hour', n from generate_series(1, 60) n;
create function large.model() returns jsonb language sql return '{
  "accounts": {"table": "large.accounts", "id": "account_id"},
  "events": {"table": "large.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at",
             "amount": "amount"},
  "as_of": "2025-07-01",
  "signals": [{"name": "events", "metric": "events", "normalize": {"kind": "linear", "worst": 0, "best": 100000}},
              {"name": "amount", "metric": "amount_sum", "normalize": {"kind": "linear", "worst": 0, "best": 1e18}}]}'::jsonb;
select health.create_model(m, large.model()) from unnest(array['large_plain', 'large_tracked', 'large_window']) m;
select health.create_score_view(m, 'large.' || split_part(m, '_', 2)) from unnest(array['large_plain', 'large_tracked', 'large_window']) m;
select health.track('large_tracked');
select health.track('large_window', window_days => 30);
call health.backfill('large_tracked');
call health.backfill('large_window');
create procedure large.refresh() language plpgsql as $$
begin
  call health.refresh('large_plain');
  call health.refresh('large_tracked');
  call health.refresh('large_window');
end $$;
-- What the three modes say; one row an account when they are of one mind.
create view large.scores as
select account_id, string_agg(mode, ' ' order by mode) as modes, score, events, amount
from (select mode, account_id, round((max(raw) filter (where signal = 'score'))::numeric, 6) as score, max(raw) filter (where signal = 'events') as events,
             max(raw) filter (where signal = 'amount') as amount
      from (select 'plain' as mode, s.account_id, s.signal, s.raw from large.plain_signals s
            union all select 'tracked', s.account_id, s.signal, s.raw from large.tracked_signals s
            union all select 'window', s.account_id, s.signal, s.raw from large.window_signals s) x
      group by mode, account_id) x
group by account_id, score, events, amount;
create view large.health as
select m, s.mode, s.phase, s.changes_waiting, s.bad_rows, s.error, (select count(*) from health.verify(m)) as wrong
from unnest(array['large_tracked', 'large_window']) m, health.status(m) as s;
call large.refresh();
select * from large.scores order by 1;

-- Each amount is one that an event may carry; their sum is beyond 64 bits.
insert into large.events select 1, 1, 'paid', timestamptz '2025-06-25 12:00+00', 9e12 from generate_series(1, 3);
call large.refresh();
select * from large.scores order by 1;
select * from large.health order by 1;
delete from large.events where event_name = 'paid';
insert into large.events select 2, 1, 'paid', timestamptz '2025-06-25 12:00+00', -9e12 from generate_series(1, 1000);
call large.refresh();
select * from large.scores order by 1;
select * from large.health order by 1;
delete from large.events where event_name = 'paid';

-- Ids in event names: in one go, and in steps that add up.
insert into large.events select 1, n % 5, 'page/' || n, timestamptz '2025-06-26 12:00+00' from generate_series(1, 66000) n;
call large.refresh();
select * from large.scores order by 1;
select * from large.health order by 1;
do $$ begin
  for i in 1..4 loop
    insert into large.events select 2, 1, 'page/' || n, timestamptz '2025-06-26 12:00+00' from generate_series(i * 20000 + 1, i * 20000 + 20000) n;
    commit;
  end loop;
end $$;
insert into large.events values (3, 3, 'made', timestamptz '2025-06-27 12:00+00', 1);
call large.refresh();
select * from large.scores order by 1;
select * from large.health order by 1;

-- Without those rows all is as it was.
delete from large.events where event_name like 'page/%';
call large.refresh();
select * from large.scores order by 1;
select * from large.health order by 1;

-- Beyond what a ledger can hold at all: no events come to that, but the error names the account.
select 'health_data.chunk_' || id as chunks from health_internal.ledger_source where model = 'large_tracked' \gset
update :chunks set usage = 'bigint{1:2025-06-25/paid=9999999999999999999999}' where account_id = 2;
insert into large.events values (2, 1, 'paid', timestamptz '2025-06-25 12:00+00', 9e12);
call health.refresh('large_tracked');
select health.drop_model(m, cascade => true) from unnest(array['large_plain', 'large_tracked', 'large_window']) m;
drop schema large cascade;
