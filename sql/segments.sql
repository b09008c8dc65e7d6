-- Segments: groups of accounts by thresholds, parts of the book, rules, columns and expressions; their view and their figures.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create table app.accounts (account_id int primary key, company text, since date, left_on date, plan text, arr numeric, seats int, renewal date, industry text);
create table app.users (user_id int primary key, account_id int);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
-- 1 to 12: revenue exactly at, just above and just below the thresholds; NULL; NaN. 20: ended 90 days ago, 21: 89 days ago, 22: today, 23: not yet a customer.
insert into app.accounts values
  (1, 'Above', '2020-01-01', null, 'pro', 100000.01, 10, '2025-03-03', 'retail'), (2, 'Exactly 100', '2020-01-01', null, 'pro', 100000, 1, '2025-06-01', 'retail'),
  (3, 'Below 100', '2020-01-01', null, 'pro', 99999.99, 0, null, 'media'), (4, 'Exactly 10', '2020-01-01', null, 'free', 10000, null, null, 'media'),
  (5, 'Below 10', '2020-01-01', null, 'free', 9999.99, 5, null, ''), (6, 'Nothing', '2020-01-01', null, 'free', 0, 5, null, null),
  (7, 'Unknown', '2020-01-01', null, null, null, 5, null, null), (8, 'Not a number', '2025-02-20', null, 'trial', 'NaN', 5, null, 'unknown'),
  (20, 'Long gone', '2020-01-01', '2024-12-03', 'pro', 50000, 5, null, 'media'), (21, 'Gone', '2020-01-01', '2024-12-04', 'pro', 50000, 5, null, 'media'),
  (22, 'Gone today', '2020-01-01', '2025-03-03', 'pro', 500000, 5, null, 'media'), (23, 'To come', '2025-03-04', null, 'pro', 50000, 5, null, 'media');
insert into app.users select a * 10 + u, a from unnest('{1,2,3,4,5,6,7,8,20,21,22,23}'::int[]) a, generate_series(1, 10) u;
-- The active share of 1 is exactly .7, of 2 .6, of 3 exactly .3, of 4 .2, of 5 and 6 0.
insert into app.events select a, a * 10 + u, 'login', timestamptz '2025-02-20 12:00+00'
from (values (1, 7), (2, 6), (3, 3), (4, 2), (7, 10), (8, 10)) v (a, n), generate_series(1, n) u;
select '{
  "as_of": "2025-03-03",
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "start": "since", "end": "left_on", "seats": "seats",
               "columns": {"plan": "plan", "arr": "arr", "renewal_date": "renewal", "industry": "industry"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "activation", "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
    {"name": "per_seat", "weight": 0, "expression": "arr / nullif(seats, 0)", "normalize": {"kind": "linear", "worst": 0, "best": 1000}}],
  "segments": {
    "revenue": {"column": "arr", "description": "dollars a year",
                "steps": [{"name": "over 100k", "above": 100000}, {"name": "10k to 100k", "from": 10000}, {"name": "below 10k"}]},
    "rank": {"column": "arr", "shares": [{"name": "top 20 %", "percent": 20}, {"name": "middle 60 %", "percent": 60}, {"name": "bottom 20 %", "percent": 20}]},
    "tier": {"column": "plan"},
    "industry": {"column": "industry"},
    "size": {"expression": "case when seats >= 10 then ''large'' when seats < 10 then ''small'' end"},
    "price": {"expression": "arr / seats", "steps": [{"name": "high", "from": 10000}, {"name": "low"}]},
    "engagement": {"column": "activation_rate", "steps": [{"name": "high", "from": 0.7}, {"name": "moderate", "from": 0.3}, {"name": "low or none"}]},
    "initial": {"expression": "left(account_name, 1)"},
    "lifecycle": {"rules": [
      {"name": "churned", "when": "state = ''ended''"}, {"name": "trial", "when": "plan = ''trial''"}, {"name": "onboarding", "when": "as_of - account_start < 90"},
      {"name": "renewing", "when": "renewal_date - as_of between 0 and 90"}, {"name": "mature"}]}
  }}' as document \gset
select * from health.validate_model(:'document');
select health.create_model('m', :'document');
select health.create_score_view('m', 'scores.m');

select * from (select a.account_id, s.segment, s.value from scores.m a join scores.m_segments s using (account_id)) v order by segment, account_id;
select count(*) as rows, count(distinct (account_id, segment)) as keys, count(*) filter (where value is null) as nulls from scores.m_segments;

-- What the fields were typed by is what the view has.
select c.name, c.type, a.atttypid::regtype
from health_internal.score_columns(:'document', array(select f from health_internal.model_fields(:'document') f)) c
full join (select * from pg_attribute where attrelid = 'scores.m'::regclass and attnum > 0) a on a.attname = c.name
where c.type is distinct from a.atttypid::regtype;
select c.relkind, obj_description(c.oid) is not null as commented, (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0 and col_description(c.oid, attnum) is null) as without_comment
from pg_class c where c.oid = 'scores.m_segments'::regclass;

-- Figures, against the plain SQL of what they mean.
select segment, value, accounts, round(share::numeric, 3) as share, revenue_sum, round(mean_score::numeric, 2) as mean, median_score as median, healthy_share as healthy,
       round(at_risk_share::numeric, 3) as at_risk, active_users as active, churned_90d as churned
from health.segments('m') where segment in ('revenue', 'rank', 'lifecycle', 'engagement');
create function scores.check_segments(model text, revenue text default null) returns table (differences bigint) language plpgsql as $$
begin
  return query execute format($q$
    with oracle as (
      select s.segment, s.value, count(*) filter (where a.in_book) as accounts, sum(nullif(a.arr::numeric, 'NaN')) filter (where a.in_book) as revenue_sum, avg(score) filter (where in_book) as mean_score,
             percentile_cont(0.5) within group (order by score) filter (where in_book) as median_score,
             avg((band = 'healthy')::int) filter (where in_book) as healthy, avg((band in ('at_risk', 'critical'))::int) filter (where in_book) as at_risk,
             sum(active_users) filter (where in_book) as active_users, count(*) filter (where account_end between date '2025-03-03' - 89 and '2025-03-03') as churned
      from scores.%1$I a join scores.%2$I s using (account_id) group by 1, 2)
    select count(*) from (select * from oracle where accounts > 0 or churned > 0) o full join health.segments(%1$L, %3$L) s using (segment, value)
    where (o.accounts, o.revenue_sum, o.active_users::bigint, o.churned) is distinct from (s.accounts, s.revenue_sum, s.active_users, s.churned_90d)
       or abs(o.mean_score - s.mean_score) > 1e-9 or abs(o.median_score - s.median_score) > 1e-9
       or abs(o.healthy - s.healthy_share) > 1e-9 or abs(o.at_risk - s.at_risk_share) > 1e-9$q$, model, model || '_segments', revenue);
end $$;
select * from scores.check_segments('m');
select sum(share) as whole, count(*) from health.segments('m') group by segment having abs(sum(share) - 1) > 1e-12;
select segment, revenue_sum from health.segments('m', revenue => 'seats') where value = 'large';
select * from health.segments('m', revenue => 'ar');
select * from health.segments('m', revenue => 'plan');

-- Tracked, the same; and as a plain view.
create table scores.plain as select * from scores.m_segments;
create table scores.figures as select row_number() over () as n, s.* from health.segments('m') s;
select health.create_score_view('m', 'scores.live', materialized => false);
select count(*) from scores.live_segments l full join scores.plain p using (account_id, segment, value) where l is null or p is null;
select health.track('m');
call health.backfill('m');
call health.refresh('m');
select count(*), count(*) filter (where p is null) as other from scores.m_segments l full join scores.plain p using (account_id, segment, value);
select count(*), count(*) filter (where to_jsonb(f) is distinct from to_jsonb(s)) as other
from scores.figures f full join (select row_number() over () as n, s.* from health.segments('m') s) s using (n);
-- A change of the table is seen with the next refresh, as in the scores.
update app.accounts set arr = 250000 where account_id = 6;
select value from scores.m_segments where account_id = 6 and segment = 'revenue';
call health.refresh('m');
select value from scores.m_segments where account_id = 6 and segment = 'revenue';

-- Another name, another version, grants, drop.
create role segments_reader;
grant usage on schema scores to segments_reader;
grant select on scores.m_segments to segments_reader;
select health.rename_model('m', 'customers');
-- Whoever reads evaluates the expressions, guarded ones too, with his rights; the scores he need not see.
create table scores.as_owner as select * from scores.m_segments;
grant select on scores.as_owner to segments_reader;
set role segments_reader;
select count(*) as read, count(*) filter (where o is null) as other from scores.m_segments s full join scores.as_owner o using (account_id, segment, value);
select * from scores.m;
reset role;
select obj_description('scores.m_segments'::regclass);
select health.alter_model('customers', '{"segments": {"tier": {"column": "plan"}}}');
call health.refresh('customers');
select segment, value, count(*) from scores.m_segments group by 1, 2 order by 1, 2;
set role segments_reader;
select count(*) > 0 as read from scores.m_segments;
reset role;
-- The ledger was not read again for it, and no reference was frozen anew.
select model_version, ledger_key = health_internal.ledger_key(health.model_definition('customers', complete => true)) as same from health_internal.tracking;
select health.alter_model('customers', '{"segments": null}');
call health.refresh('customers');
select to_regclass('scores.m_segments') as segments, to_regclass('scores.m') is not null as scores;
select * from health.segments('customers');
-- What has the name and is somebody's own stays; the model then says so.
create table scores.m_segments (note text);
select health.refresh_score_view('scores.m');
select health.alter_model('customers', '{"segments": {"tier": {"column": "plan"}}}');
call health.refresh('customers');
drop table scores.m_segments;
call health.refresh('customers');
create view scores.dependent as select * from scores.m_segments;
select health.drop_score_view('scores.m');
select health.drop_score_view('scores.m', cascade => true);
select to_regclass('scores.m_segments'), to_regclass('scores.dependent');
select health.untrack('customers');
select count(*) from scores.live_segments;
select health.drop_score_view('scores.live');
select count(*) from pg_class where relnamespace = 'scores'::regnamespace and relkind in ('v', 'm');
-- A table of the name in the way of a new score view; a name that is too long with _segments.
create table scores.n_segments ();
select health.create_score_view('customers', 'scores.n');
select health.create_score_view('customers', 'scores.' || repeat('n', 55));
select health.drop_model('customers');

-- Nobody in the book, one account, and an account of which everything is unknown.
create table app.few (like app.accounts);
select health.create_model('few', jsonb_set(:'document', '{accounts,table}', '"app.few"'));
select * from health.segments('few');
select health.create_score_view('few', 'scores.few', materialized => false);
insert into app.few select * from app.accounts where account_id = 20;
select segment, value from scores.few_segments order by 1;
insert into app.few select * from app.accounts where account_id = 1;
select account_id, value from scores.few_segments where segment = 'rank' order by 1;
delete from app.few;
insert into app.few (account_id) values (9);
select segment, value from scores.few_segments order by 1;
select * from scores.check_segments('few');

-- Parts of the book at random, with ties: mid-rank by brute force.
create table app.many (account_id int, arr float8, left_on date);
insert into app.many select i, case when i % 11 = 0 then null else (hashint4(i) % 7)::float8 end, case when i % 5 = 0 then date '2025-02-01' end from generate_series(1, 97) i;
select health.create_model('many', '{"as_of": "2025-03-03", "accounts": {"table": "app.many", "id": "account_id", "end": "left_on", "columns": {"arr": "arr"}},
  "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 7}}],
  "segments": {"rank": {"column": "arr", "shares": [{"name": "a", "percent": 12.5}, {"name": "b", "percent": 37.5}, {"name": "c", "percent": 25}, {"name": "d", "percent": 25}]},
               "five": {"expression": "account_id % 5"}}}');
select health.create_score_view('many', 'scores.many', materialized => false);
with place as (
  select m.account_id, m.arr, (select count(*) from app.many p where p.left_on is null and p.arr > m.arr) as above,
         (select count(*) from app.many p where p.left_on is null and p.arr = m.arr) as equal,
         (select count(*) from app.many p where p.left_on is null and p.arr is not null) as n from app.many m)
select s.value, count(*), count(*) filter (where s.value <> case when p.arr is null then 'unknown' when (above + equal / 2.0) < n * .125 then 'a' when (above + equal / 2.0) < n * .5 then 'b'
                                                 when (above + equal / 2.0) < n * .75 then 'c' else 'd' end) as wrong
from scores.many_segments s join place p using (account_id) where segment = 'rank' group by 1 order by 1;
select * from scores.check_segments('many');
-- Exactly at the border of a part: of five accounts the two highest are equal, and stand with the middle.
truncate app.many;
insert into app.many values (1, 9), (2, 9), (3, 5), (4, 2), (5, 2);
select health.alter_model('many', '{"segments": {"rank": {"column": "arr", "shares": [{"name": "top", "percent": 20}, {"name": "middle", "percent": 60}, {"name": "bottom", "percent": 20}]}}}');
select health.refresh_score_view('scores.many');
select account_id, value from scores.many_segments order by 1;
update app.many set arr = account_id;
select account_id, value from scores.many_segments order by 1;

-- What is wrong is told with its path.
create function app.problems(segments jsonb) returns table (path text, problem text, hint text) language sql as $$
  select * from health.validate_model('{"accounts": {"table": "app.accounts", "id": "account_id", "columns": {"plan": "plan", "arr": "arr"}},
    "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 7}}]}'::jsonb || jsonb_build_object('segments', segments)) $$;
\pset format unaligned
\pset tuples_only on
select * from app.problems('{"a": {"column": "industry"}, "b": {"expression": "arrr > 1"}, "c": {"rules": [{"name": "x", "when": "plan"}, {"name": "y", "when": "1/0 = 1"}]},
                             "d": {"column": "plan", "steps": [{"name": "x", "from": 1}, {"name": "y"}]}, "e": {"column": "metric"}, "f": {"expression": "sum(arr)"}, "g": {"expression": "now() - now()"}, "h": {"column": "seats"}, "i": {"rules": [{"name": "x", "when": "account_end < as_of"}]}}');
select * from app.problems('[]');
select * from app.problems('{}');
select * from app.problems('{"": {"column": "arr"}, "a": 1, "b": {}, "c": {"column": "arr", "expression": "1"}, "d": {"colum": "arr"}}');
select * from app.problems('{"a": {"column": "arr", "steps": [{"name": "x", "from": 1}, {"name": "x", "above": 1}, {"from": 0.5, "above": 0.5, "name": "unknown"}, {"name": "z", "from": 0}]},
                             "b": {"column": "arr", "steps": []}, "c": {"column": "arr", "steps": [{"name": "x"}, {"name": "y"}], "shares": [{"name": "x", "percent": 100}]}}');
select * from app.problems('{"a": {"column": "arr", "shares": [{"name": "x", "percent": 50}, {"name": "y", "percent": 49.5}]}, "b": {"column": "arr", "shares": [{"name": "x", "percent": 0}]},
                             "c": {"rules": [{"name": "x"}, {"name": "y"}]}, "d": {"rules": [{"name": "x", "when": "true"}], "steps": [{"name": "y"}]}, "e": {"rules": "arr"}}');
select * from app.problems('{"a": {"column": "arr", "steps": [{"name": "x", "above": 5}, {"name": "y", "from": 5}, {"name": "z"}]}, "b": {"rules": [{"name": "x", "when": "arr > 5"}]}, "c": {"column": "arr", "steps": [{"name": "all"}]},
                             "d": {"column": "arr", "shares": [{"name": "all", "percent": 100}]}, "e": {"rules": [{"name": "all"}]}, "it''s \"f\" %s": {"expression": "''%''||plan"}}');
\pset format aligned
\pset tuples_only off
select health.create_model('odd', '{"accounts": {"table": "app.accounts", "id": "account_id", "columns": {"plan": "plan", "arr": "arr"}},
    "signals": [{"name": "arr", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 7}}],
    "segments": {"a": {"column": "arr", "steps": [{"name": "x", "above": 10000}, {"name": "exactly", "from": 10000}, {"name": "z"}]}, "b": {"rules": [{"name": "x", "when": "arr / 5 > 5"}]}, "c": {"column": "arr", "steps": [{"name": "all"}]},
                 "d": {"column": "arr", "shares": [{"name": "all", "percent": 100}]}, "e": {"rules": [{"name": "100 % ''all''"}]}, "it''s \"f\" %s": {"expression": "''%''||plan"}}}');
select health.create_score_view('odd', 'scores.odd');
select segment, value, count(*) from scores.odd_segments group by 1, 2 order by 1, 2;
select segment, value, accounts from health.segments('odd');

-- Somebody else's model.
create role segments_other;
set role segments_other;
select * from health.segments('odd');
reset role;
select health.drop_model('odd', cascade => true);
select health.drop_model('few', cascade => true);
select health.drop_model('many', cascade => true);
drop schema app, scores cascade;
drop role segments_reader, segments_other;
