-- As-of exactness of facts: every measure on every day of two weeks is what plain SQL says over the table as it is, in all three modes,
-- with late, changed, moved and deleted rows; a thousand accounts are a thousand seeds. docs/reference/facts.md.
set datestyle = 'ISO';
set timezone = 'America/New_York';
set client_min_messages = error;
create schema ora;
set search_path = ora, public, health;
create table accounts (id int primary key);
insert into accounts select generate_series(1, 1000);
create table facts (id int primary key, account int, person text, at timestamptz, until timestamptz, value numeric, kind text);
-- The n-th of so many random numbers of a row.
create function dice(id int, n int, sides int) returns int language sql immutable as 'select ((hashint8(id::bigint * 1000003 + n)::bigint + 2147483648) % sides)::int';
-- Rows of half a year, on the hours of Berlin; one in ten is of a day on which the clock is moved.
create view made as
select g as id, 1 + dice(g, 1, 1000) as account, (array['ann', 'bob', 'cy', null])[1 + dice(g, 2, 4)] as person, t.at,
  case dice(g, 4, 8) when 0 then null when 1 then t.at when 2 then timestamptz 'infinity' when 3 then t.at - interval '2 days' when 4 then t.at + dice(g, 5, 400) * interval '1 day'
    else t.at + dice(g, 5, 60 * 24) * interval '1 hour' end as until,
  case dice(g, 6, 12) when 0 then null when 1 then numeric 'NaN' else dice(g, 7, 11) end as value, (array['bug', 'how/to', '"', '', null])[1 + dice(g, 8, 5)] as kind
from generate_series(1, 12000) g, lateral (select case when g % 997 = 0 then null when g % 991 = 0 then 'infinity' when g % 10 = 0 then timestamptz '2025-03-30 00:30+01' + dice(g, 3, 6) * interval '30 minutes'
  else timestamptz '2025-01-01 00:00+01' + dice(g, 3, 181 * 24) * interval '1 hour' end as at) t;
insert into facts select * from made where id % 4 > 0;
select '{"as_of": "2025-06-30", "time_zone": "Europe/Berlin", "history": {"days": 14}, "accounts": {"table": "ora.accounts", "id": "id"},
  "facts": {"f": {"table": "ora.facts", "account": "account", "user": "person", "at": "at", "until": "until", "value": "value", "kind": "kind"},
    "nps": {"table": "ora.facts", "account": "account", "user": "person", "at": "at", "value": "value", "scale": "nps", "kind": "kind"},
    "csat": {"table": "ora.facts", "account": "account", "user": "person", "at": "at", "value": "value", "scale": "csat"},
    "ces": {"table": "ora.facts", "account": "account", "at": "at", "value": "value", "scale": "ces"}}}'::jsonb
  || jsonb_build_object('signals', (select jsonb_agg(('{"normalize": {"kind": "linear", "worst": 0, "best": 9}}'::jsonb || s) order by o) from jsonb_array_elements('[
    {"name": "count", "fact": "f", "measure": "count"}, {"name": "sum", "fact": "f", "measure": "sum", "window_days": 40}, {"name": "mean", "fact": "f", "measure": "mean"},
    {"name": "change", "fact": "f", "measure": "change"}, {"name": "open", "fact": "f", "measure": "open"}, {"name": "open_sum", "fact": "f", "measure": "open_sum"},
    {"name": "days_since", "fact": "f", "measure": "days_since", "kind": ["how/to", "\""]}, {"name": "days_left", "fact": "f", "measure": "days_left"}, {"name": "mean_days", "fact": "f", "measure": "mean_days"},
    {"name": "latest", "fact": "f", "measure": "latest"}, {"name": "nps", "fact": "nps", "measure": "nps"}, {"name": "csat", "fact": "csat", "measure": "csat", "valid_days": 60},
    {"name": "ces", "fact": "ces", "measure": "ces"}, {"name": "share", "fact": "f", "measure": "share", "kind": "bug", "window_days": 90}]') with ordinality as e (s, o))) as model \gset
select create_model(name, :'model') from unnest('{plain,tracked,windowed}'::text[]) name;
select track('tracked'), track('windowed', window_days => 45);
call backfill('tracked');
call backfill('windowed');
select create_score_view(name, 'ora.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;

-- What the table says, by local days; not what cannot be: without a time, no number, an end before its start, an answer off its scale.
create table dates as select d::date as d from generate_series(date '2025-06-16', '2025-06-30', '1 day') d;
create view days as select id, account, person, value, coalesce(kind, '') as kind, (at at time zone 'Europe/Berlin')::date as at, (nullif(until, timestamptz 'infinity') at time zone 'Europe/Berlin')::date as until
  from facts where isfinite(at) and value is distinct from 'NaN';
create view rows as select * from days where until is null or until >= at;
create view answers as
select 'latest' as what, 180 as valid, account, coalesce(person, id::text) as voter, at, value as vote from rows where value is not null
union all select 'nps', 180, account, coalesce(person, id::text), at, case when value >= 9 then 100 when value <= 6 then -100 else 0 end from days where value is not null
union all select 'csat', 60, account, coalesce(person, id::text), at, case when value >= 4 then 100 else 0 end from days where value between 1 and 5
union all select 'ces', 180, account, id::text, at, value from days where value is not null;
create function ask() returns table (account int, d date, what text, value numeric) language sql as $$
  with r as materialized (select a.id as account, d.d, f.at, f.until, f.value, f.kind, f.at < d and coalesce(f.until >= d, true) as open from accounts a cross join dates d left join rows f on f.account = a.id),
  m as (select account, d,
      count(*) filter (where at >= d - 28 and at < d) as count, coalesce(sum(value) filter (where at >= d - 40 and at < d), 0) as sum, avg(value) filter (where at >= d - 28 and at < d) as mean,
      count(*) filter (where at >= d - 28 and at < d)::numeric / nullif(count(*) filter (where at >= d - 56 and at < d - 28), 0) - 1 as change,
      count(*) filter (where open) as open, coalesce(sum(value) filter (where open), 0) as open_sum, d - max(at) filter (where at < d and kind in ('how/to', '"')) as days_since,
      case when bool_or(open) then min(until) filter (where open) else max(until) filter (where until < d) end - d as days_left,
      avg(until - at) filter (where until >= d - 28 and until < d) as mean_days,
      count(*) filter (where at >= d - 90 and at < d and kind = 'bug')::numeric / nullif(count(*) filter (where at >= d - 90 and at < d), 0) as share
    from r group by account, d)
  select account, d, key, value::text::numeric from m, lateral jsonb_each_text(to_jsonb(m) - 'account' - 'd') where value is not null
  union all
  select account, d, what, avg(vote) from (select what, account, d, voter, avg(vote) as vote
    from (select *, rank() over (partition by what, account, d, voter order by at desc) from answers, dates where at >= d - valid and at < d) l where rank = 1 group by what, account, d, voter) v
  group by what, account, d
$$;
create table signals as select signal ->> 'name' as what, n from jsonb_array_elements(:'model'::jsonb -> 'signals') with ordinality s (signal, n);
create function answer() returns table (mode text, account int, d date, what text, value float8) language sql as $$
  select mode, account_id::int, d.d, s.what, raw[d.n][s.n] from (values ('tracked'), ('windowed')) m (mode), signal_values_at(mode, array(select d from dates order by d)),
    (select d, row_number() over (order by d) as n from dates) d, signals s
  union all
  select 'plain', l.account_id::int, d, s.signal, s.raw from plain_ledger l, dates,
    score_signals(model_definition('plain'), row (array[l.usage], d, l.account_start, l.seats, l.inputs, null, null, null, null, NULL, null, null, null, null, null, null)::account_state) s where s.level > 0
$$;
create table asked as select * from ask() limit 0;
create table answered as select * from answer() limit 0;
create procedure compare() language plpgsql as $$ begin
  truncate asked, answered;
  insert into asked select * from ask();
  insert into answered select * from answer();
end $$;
create view differences as
select mode, what, count(*) as compared, count(a.value) as known, count(*) filter (where a.value is null <> (o.value is null) or abs(a.value - o.value) > 1e-9) as different
from answered a left join asked o using (account, d, what) group by mode, what;
call compare();
select what, string_agg(distinct mode, ', ') as modes, sum(compared) as compared, min(known) = max(known) as same_known, sum(different) as different from differences group by what order by what;
select what, min(known) as too_few from differences where mode = 'plain' group by what having min(known) <= 2000;

-- Late, changed, moved and deleted rows of the last days; ends that were given, changed and taken away, of old rows too.
insert into facts select * from made where id % 4 = 0 and id % 3 = 0 and (at >= '2025-05-20' and coalesce(until, 'infinity') > '2025-05-20');
update facts set value = (value + 3) % 11, kind = 'bug' where at >= '2025-05-20' and coalesce(until, 'infinity') > '2025-05-20' and id % 5 = 0;
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
update facts set account = 1 + account % 1000, person = 'dan' where at >= '2025-05-20' and coalesce(until, 'infinity') > '2025-05-20' and id % 7 = 1;
update facts set at = at + interval '3 days' where at >= '2025-05-20' and coalesce(until, 'infinity') > '2025-05-24' and id % 7 = 2;
update facts set until = '2025-06-10 00:30+02' where at < '2025-06-10' and coalesce(until, 'infinity') > '2025-05-20' and id % 6 = 0;
update facts set until = case id % 3 when 0 then null when 1 then 'infinity' else timestamptz '2026-01-01' end where until > '2025-05-20' and until > at + interval '1 day' and id % 6 = 1;
delete from facts where at >= '2025-05-20' and coalesce(until, 'infinity') > '2025-05-20' and id % 7 = 3;
insert into facts select * from made where id % 4 = 0 and id % 3 = 1 and (at >= '2025-05-20' and coalesce(until, 'infinity') > '2025-05-20');
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
call compare();
select what, string_agg(distinct mode, ', ') as modes, sum(compared) as compared, min(known) = max(known) as same_known, sum(different) as different from differences group by what order by what;
select m, count(v) as to_verify from unnest('{tracked,windowed}'::text[]) m left join lateral verify(m) v on true group by 1 order by 1;

-- What is late by more than the window is in the tracked ledger at once, and is found in the other by verify.
insert into facts select * from made where id % 4 = 0 and id % 3 = 2;
update facts set value = 5, until = null where at < '2025-03-01' and id % 9 = 0;
delete from facts where at < '2025-03-01' and id % 9 = 1;
select count(refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
delete from dates where d < '2025-06-28';
call compare();
select mode, sum(different) > 0 as different from differences group by mode order by mode;
select m, count(v) > 0 as to_verify from unnest('{tracked,windowed}'::text[]) m left join lateral verify(m) v on true group by 1 order by 1;
select health.drop_model(name, cascade => true) from unnest('{plain,tracked,windowed}'::text[]) name;
drop schema ora cascade;
