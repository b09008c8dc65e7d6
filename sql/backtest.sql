-- Does the score predict? backtest(), and the statistics that it stands on.
\set ON_ERROR_STOP off
set client_min_messages = warning;
create schema proof;
set search_path = proof, public;

-- METRICS: health 10, 20, ... and churn: AUC .75, precision@3 .667, recall@3 .5, lift@3 1.667, Brier .20525, skill .1448
create table vector as select 100 - h as risk, c as churned from unnest('{10,20,30,40,50,60,70,80,90,95}'::float8[], '{t,t,f,t,f,f,f,f,t,f}'::bool[]) v (h, c);
select health.auc(risk, churned), health.auc(-risk, churned) as turned, health.auc(risk, churned) filter (where churned) as one_class from vector;
select t.k_used, round(t.precision::numeric, 3) as precision, t.recall, round(t.lift::numeric, 3) as lift
from (select array_agg(risk) as risks, array_agg(churned) as outcomes from vector) v, health_internal.top_k(risks, outcomes, 3) t;
select round(p.brier::numeric, 5) as brier, round(p.skill::numeric, 4) as skill
from (select array_agg(risk / 100) as p, array_agg(churned) as outcomes from vector) v, health_internal.probability_scores(v.p, outcomes) p;
-- Hanley and McNeil 1982, table I: AUC .893, DeLong standard error .0307244
with ratings as (
  select r as rating, d as diseased from (values (1, 33, 3), (2, 6, 2), (3, 6, 2), (4, 11, 11), (5, 2, 33)) t (r, healthy, ill), generate_series(1, greatest(healthy, ill)) n,
    (values (false), (true)) d (d) where n <= case when d then ill else healthy end)
select round(a.auc::numeric, 10) as auc, round(a.standard_error::numeric, 7) as se, round(a.low::numeric, 4) as low, round(a.high::numeric, 4) as high, a.positives, a.negatives
from (select array_agg(rating::float8) as risks, array_agg(diseased) as outcomes, null::int8[] as units from ratings) r, health_internal.auc_interval(risks, outcomes, units) a;
-- Rows in any order and in any number of workers give the same; the aggregate agrees with pairs counted one by one.
create table many as select g, (hashint4(g) & 15)::float8 as score, hashint4(g * 7) & 3 = 0 as outcome from generate_series(1, 3000) g;
select health.auc(score, outcome order by g) = health.auc(score, outcome order by -g) as same, round(health.auc(score, outcome)::numeric, 12) =
  round((select avg(case when a.score > b.score then 1 when a.score = b.score then 0.5 else 0 end) from many a, many b where a.outcome and not b.outcome)::numeric, 12) as counted from many;
set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
select health.auc(score, outcome) = (select health.auc(score, outcome order by g) from many) as parallel from many;
reset parallel_setup_cost; reset parallel_tuple_cost; reset min_parallel_table_scan_size;
select health.auc('NaN', true);
select health.auc(null::float8, true), health.auc(1, null);

-- 400 customers, a seventh of whom leave after a month of silence; a column that is set when they do.
create table customers (id int primary key, since date, until date, cancel_reason int);
insert into customers select g, date '2023-01-01' + g % 100, case when g % 7 = 0 then date '2025-01-01' + g % 150 end, case when g % 7 = 0 then 1 else 0 end from generate_series(1, 400) g;
create table uses (customer int, person int, name text, at timestamptz);
insert into uses select g, g * 10 + u, 'x', timestamptz '2025-06-29' - d * interval '1 day'
from generate_series(1, 400) g, generate_series(1, 3) u, generate_series(0, 540, 5) d
where (d + u * 7 + g * 13) % (1 + g % 9) = 0 and (g % 7 > 0 or (date '2025-06-29' - d) < date '2025-01-01' + g % 150 - 30);
select '{"as_of": "2025-06-30", "accounts": {"table": "customers", "id": "id", "start": "since", "columns": {"tier": {"sql": "case when src.id % 2 = 0 then ''big'' else ''small'' end"}}},
  "events": {"table": "uses", "account": "customer", "user": "person", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "act", "metric": "events", "normalize": {"kind": "percentile"}}, {"name": "rec", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}},
    {"name": "leak", "column": "cancel_reason", "weight": 5, "normalize": {"kind": "linear", "worst": 1, "best": 0}},
    {"name": "group", "signals": [{"name": "old_leak", "expression": "as_of - (since + cancel_reason)", "normalize": {"kind": "linear", "worst": 0, "best": 1000}}]},
    {"name": "tenure", "expression": "as_of - account_start", "weight": 0.1, "normalize": {"kind": "linear", "worst": 0, "best": 1000}}]}' as model \gset
select health.create_model('proved', :'model'), health.create_model('ending', jsonb_set(:'model', '{accounts,end}', '"until"')) \g /dev/null
select health.create_model('proved_alone', :'model'::jsonb || '{"signals": [{"name": "rec", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}},
  {"name": "tenure", "expression": "as_of - account_start", "weight": 0.1, "normalize": {"kind": "linear", "worst": 0, "best": 1000}}]}') \g /dev/null
\set figures 'section, item, n, events, round(value::numeric, 3) as value, round(low::numeric, 3) as low, round(high::numeric, 3) as high, left(note, 100) as note'
select :figures from health.backtest('ending', segment => 'tier', capacity => 10);
-- What a plain query says of the data: base rate, AUC of recency, rate of the last band
with dates as (select date '2024-05-28' + n * 28 as t from generate_series(0, 11) n),
observed as (
  select c.id, t, coalesce(until > t and until <= t + 90, false) as lost, (select t - max(at at time zone 'UTC')::date from uses where customer = c.id and (at at time zone 'UTC')::date < t) as recency
  from customers c, dates where since <= t and (until is null or until > t))
select count(*) as n, count(*) filter (where lost) as events, round(health.auc(coalesce(recency::float8, 'infinity'), lost)::numeric, 3) as recency from observed;
-- Outcomes of three kinds
select item, n, events, round(value::numeric, 3) as auc, note from health.backtest('proved', horizon => 28) where section = 'verdict';
select item, n, events, round(value::numeric, 3) as auc, note from health.backtest('proved', outcome => 'select id, until from customers where until is not null -- lost
;') where section = 'verdict';
select item, n, events, round(value::numeric, 3) as auc, note from health.backtest('proved', outcome => 'select id, until from customers where until is not null', gap => 30, step => 91, from_date => '2024-06-01', to_date => '2025-02-28') where section = 'verdict';
select item, n, events, value, round(low::numeric, 3) as low, note from health.backtest('proved', outcome => 'select id, until from customers where id in (7, 14, 21)', from_date => '2024-12-01', to_date => '2024-12-28') where section = 'verdict';
select note from health.backtest('proved', outcome => 'select 1, null::date') where section = 'verdict';
-- Random labels say nothing, nine times out of ten or more; labels that go by usage the wrong way round say inverse. The observations are those of
-- the model on its twelve dates, made once; that they are the same that backtest() makes, three of the hundred are asked of it.
create table scored as select d.t, s.account_id, s.score from generate_series(0, 11) n, lateral (select date '2025-06-30' - 60 - 28 * n as t) d, health.score_at('proved_alone', d.t) s
  where s.state not in ('prospect', 'ended');
create function told(seed int) returns text stable language sql as $$
  select health_internal.tell_backtest('lost', 60, count(*) filter (where o), count(*) filter (where not o), a.auc, a.low, a.high, 'b', 0.5, 0, 0, 0)
  from (select array_agg(100 - s.score order by c.id, s.t) as risks, array_agg(l.day > s.t and l.day <= s.t + 60 order by c.id, s.t) as outcomes, array_agg(c.id::bigint order by c.id, s.t) as units
        from scored s join customers c on c.id = s.account_id::int, lateral (select date '2024-06-01' + (hashtext(c.id::text || seed || 's') & 1023) as day) l
        where s.score is not null and l.day > s.t) x, health_internal.auc_interval(x.risks, x.outcomes, x.units) a, unnest(x.outcomes) o group by a.auc, a.low, a.high $$;
select count(*) >= 90 as says_nothing from generate_series(1, 100) seed where told(seed) like 'No signal%';
select count(*) as differ from generate_series(1, 3) seed,
  health.backtest('proved_alone', outcome => format('select id, date ''2024-06-01'' + (hashtext(id::text || %s || ''s'') & 1023) from customers', seed), horizon => 60) b
where section = 'verdict' and split_part(note, '. ', 1) is distinct from split_part(told(seed), '. ', 1);
select note from health.backtest('proved', outcome => 'select id, date ''2025-01-15'' + id % 60 from customers where id % 9 = 0', from_date => '2025-01-01', to_date => '2025-02-01') where section = 'verdict';
-- A tracked model says the same, from its ledgers.
select health.create_model('kept', jsonb_set(:'model', '{accounts,end}', '"until"')) \g /dev/null
select health.track('kept') \g /dev/null
call health.backfill('kept');
select count(*) as differ from (select * from health.backtest('kept', to_date => '2025-04-01', step => 28) except select * from health.backtest('ending', to_date => '2025-04-01', step => 28)) d;
-- Nothing of the day itself or later is seen: other events later, same observations.
select :figures from health.backtest('ending', from_date => '2024-09-01', to_date => '2024-09-01') where section in ('auc', 'band') \g /dev/null
create table before as select section, item, n, value from health.backtest('ending', from_date => '2024-09-01', to_date => '2024-09-01') where section in ('auc', 'band');
delete from uses where at >= '2024-09-01 00:00+00';
select count(*) as differ from (select * from before except select section, item, n, value from health.backtest('ending', from_date => '2024-09-01', to_date => '2024-09-01') where section in ('auc', 'band')) d;
-- What people decided about a score is left out; a pulse counts on dates after it was given.
select health.create_model('said', jsonb_set(:'model', '{signals}', '[{"name": "rec", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}}]') || '{"as_of": "2024-09-15"}') \g /dev/null
select health.create_model('unsaid', health.model_definition('said') || '{"as_of": "2025-06-30"}') \g /dev/null
select health.override('said', id, floor => 99, reason => 'we know them') from customers where id < 50 \g /dev/null
select health.alter_model('said', '{"as_of": "2025-06-30"}') \g /dev/null
select count(*) as overridden from health.score_at('said', '2024-10-01') where score = 99;
select count(*) as differ from (select * from health.backtest('said', from_date => '2024-10-01', to_date => '2024-11-01', horizon => 60)
  except select * from health.backtest('unsaid', from_date => '2024-10-01', to_date => '2024-11-01', horizon => 60)) d;
select health.alter_model('said', '{"as_of": "2024-09-15"}') \g /dev/null
select health.alter_model('said', '{"signals": [{"name": "felt", "pulse": {"valid_days": 90}, "normalize": {"kind": "linear", "worst": 1, "best": 5}}]}') \g /dev/null
select health.pulse('said', id, case when id % 7 = 0 then 1 else 5 end) from customers \g /dev/null
select health.alter_model('said', '{"as_of": "2025-06-30"}') \g /dev/null
select section, item, n, events, value from health.backtest('said', outcome => 'select id, until from customers where until is not null', from_date => '2024-08-20', to_date => '2024-10-15', step => 28)
where section in ('auc', 'left out') or item = 'without a score';
-- Wrong input
select * from health.backtest('proved', horizon => 0);
select * from health.backtest('proved', step => 0);
select * from health.backtest('proved', gap => -1);
select * from health.backtest('proved', capacity => 0);
select * from health.backtest('proved', to_date => '2025-06-01');
select * from health.backtest('proved', from_date => '2020-01-01', step => 1);
select * from health.backtest('proved', segment => 'teir');
select * from health.backtest('proved', outcome => 'select 1');
select * from health.backtest('proved', outcome => 'select 1, 2');
select * from health.backtest('proved', outcome => 'select * from nosuch');
select * from health.backtest('proved', outcome => 'cancelled');
select * from health.backtest('proved', outcome => 'select ''1'', current_date) as q, (select 1');
select * from health.backtest('proved', outcome => 'select $1, current_date');
select * from health.backtest('proved', outcome => 'delete from customers returning id, current_date');
select * from health.backtest('nope');
select health.create_model('columns', '{"as_of": "2025-06-30", "accounts": {"table": "customers", "id": "id"}, "signals": [{"name": "leak", "column": "cancel_reason", "normalize": {"kind": "linear", "worst": 1, "best": 0}}]}') \g /dev/null
select * from health.backtest('columns');
-- The query for outcomes runs as whoever asks, the model as its owner.
create role asker;
create table hidden as select 1 as id, date '2025-01-01' as day;
grant usage on schema proof to asker;
set role asker;
select count(*) from health.backtest('proved', outcome => 'select id, day from proof.hidden');
reset role;
reset search_path;
drop schema proof cascade;
drop role asker;
select health.drop_model(m.model) from health.models() m where m.model in ('proved', 'proved_alone', 'ending', 'kept', 'columns', 'said', 'unsaid') \g /dev/null
