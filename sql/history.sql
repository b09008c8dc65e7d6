-- The history of a tracked model: a row per account and month, days as their version scored them.
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create table app.accounts (account_id int primary key, seats int);
insert into app.accounts select a, 5 + a from generate_series(1, 6) a;
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
insert into app.events
select a, a * 10 + u, 'e', timestamptz '2025-01-10 12:00+00' + d * interval '1 day'
from generate_series(1, 5) a, generate_series(1, 6) u, generate_series(0, 90) d where (hashint4(a * 1000 + u * 100 + d) & 7) < 5 - a % 4;
select health.create_model('h', '{"as_of": "2025-03-30", "accounts": {"table": "app.accounts", "id": "account_id", "seats": "seats"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [{"name": "adoption", "metric": "adoption_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
              {"name": "dropoff", "metric": "dropoff", "normalize": {"kind": "linear", "worst": -1, "best": 0.2}},
              {"name": "seats", "expression": "seats + (as_of - date ''2025-03-01'') / 10", "normalize": {"kind": "linear", "worst": 0, "best": 12}}]}');
select health.track('h');
call health.backfill('h');
select health.create_score_view('h', 'app.h');
-- Other bands, and later days of which some were never refreshed.
select health.alter_model('h', '{"bands": [{"name": "good", "from": 50}, {"name": "bad"}]}');
call health.refresh('h');
select health.alter_model('h', '{"as_of": "2025-03-31"}'), health.alter_model('h', '{"as_of": "2025-04-02"}');
call health.refresh('h');
select to_char(as_of, 'YYYY-MM') as month, model_version, count(*), count(distinct as_of) as days, array_agg(distinct band order by band) as bands from app.h_history
group by 1, 2 order by 1, 2;
-- Each day as its version scores it, to the last bit.
select count(*) as days, count(*) filter (where row(h.score, h.band, h.data_coverage, h.unknown_reason) is distinct from row(s.score, s.band, s.data_coverage, s.unknown_reason)) as differences
from app.h_history h, lateral (select * from health.score_at('h', h.as_of, h.model_version) s where s.account_id = h.account_id::text) s;
select 'health_data.history_' || id as history from health_internal.tracking where model = 'h' \gset
-- One row per account and month; nothing is written when nothing is different.
select count(*), max(cardinality(days)) as days, bool_and(cardinality(days) = cardinality(scores)) as complete from :history;
create temporary table before as select tableoid::regclass::text as partition, ctid as place, account_id, month from :history;
call health.refresh('h');
select count(*) as written from (select tableoid::regclass::text, ctid, account_id, month from :history except table before) d;
-- A past day again, with the account data of the day.
update app.accounts set seats = seats + 10;
call health.refresh('h');
select health.backfill_history('h', '2025-03-25', '2025-03-28'), health.backfill_history('h', '2025-01-30', '2025-02-02', 2);
select count(*) as days, min(as_of), count(distinct model_version) as versions from app.h_history where as_of < '2025-03-29';
select health.drop_model('h', cascade => true);
drop schema app cascade;
