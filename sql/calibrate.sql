-- What probability goes with a score: calibrate().
\set ON_ERROR_STOP off
set client_min_messages = warning;
create schema fit;
set search_path = fit, public;

-- Maps, and what cannot be one
select health_internal.calibrated('{{10,20,40},{0.8,0.2,0.1}}', s) as isotonic from unnest('{0,10,15,20,30,100}'::float8[]) s;
select round(health_internal.calibrated('{0.05,-2}', 60)::numeric, 6) as platt, round((1 / (1 + exp(0.05 * 60 - 2)))::numeric, 6) as by_hand;
select health_internal.calibrated('{{50},{0.2}}', 3) as one_point, health_internal.calibrated(null, 3) as no_map, health_internal.calibrated('{0,0}', null) as no_score;
select health_internal.calibrated('{1,2,3}', 3);
select health_internal.calibrated('{{1},{2},{3}}', 3);
select health_internal.calibrated('{1,null}', 3);
select health_internal.calibrated('{{1,2},{0.5,0.5}}', 'NaN');
select health_internal.calibrated('{}', 3);

-- 400 customers. Those who are used little leave more often, and those who are used much expand.
create table customers (id int primary key, since date, until date, note int);
create table uses (customer int, person int, name text, at timestamptz);
insert into customers select g, date '2023-01-01' + g % 100, case when (hashint4(g) & 255) < 14 * (g % 9) then date '2024-07-01' + g * 13 % 330 end, g % 10 from generate_series(1, 400) g;
insert into uses select c.id, c.id * 10 + u, 'x', timestamptz '2025-06-29' - d * interval '1 day'
from customers c, generate_series(1, 3) u, generate_series(0, 560, 3) d
where (d + u * 7 + c.id * 13) % (1 + c.id % 9) = 0 and (c.until is null or date '2025-06-29' - d < c.until - 10);
create table upgrades as select id as customer, date '2024-07-01' + n * 50 + id % 40 as day from customers, generate_series(0, 6) n where (hashint4(id * 7 + n) & 255) < 12 * (9 - id % 9);
select '{"as_of": "2025-06-30", "accounts": {"table": "customers", "id": "id", "start": "since", "end": "until"},
  "events": {"table": "uses", "account": "customer", "user": "person", "event": "name", "occurred_at": "at"},
  "signals": [{"name": "act", "metric": "events", "normalize": {"kind": "percentile"}}, {"name": "rec", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}}]}' as model \gset
select health.create_model('plain', :'model'), health.create_model('kept', :'model') \g /dev/null
select health.create_score_view('plain', 'plain', false), health.create_score_view('plain', 'stored'), health.create_score_view('kept', 'kept') \g /dev/null
select health.track('kept') \g /dev/null
call health.backfill('kept');
select count(*) as rows, count(churn_probability) as churn, count(expansion_likelihood) as expansion from plain;
select col_description('plain'::regclass, (select attnum from pg_attribute where attrelid = 'plain'::regclass and attname = 'churn_probability')) as comment;
\set figures 'section, item, n, events, round(value::numeric, 3) as value, round(low::numeric, 3) as low, round(high::numeric, 3) as high, note'
select :figures from health.calibrate('plain', horizon => 60);
select count(*) from health.calibrate('kept', horizon => 60);
-- Shown at once, the same of every kind of view; nobody without a score has a probability.
select count(*) as rows, count(churn_probability) as known, count(*) filter (where (churn_probability is null) <> (score is null)) as otherwise, count(expansion_likelihood) as expansion from plain;
select count(*) as different from plain p full join stored s using (account_id) full join kept k using (account_id)
where (p.churn_probability, p.score) is distinct from (s.churn_probability, s.score) or (p.churn_probability, p.score) is distinct from (k.churn_probability, k.score);
-- With all digits, whatever the session shows of numbers
set extra_float_digits = -10;
select count(*) from health.calibrate('plain', horizon => 60);
reset extra_float_digits;
select count(*) as different from plain p join kept k using (account_id) where p.churn_probability is distinct from k.churn_probability;
-- By plain SQL: the two points around a score and the line between them, or the curve.
create function fit.by_hand(map float8[], s float8) returns float8 language sql as $$
  select case when array_ndims(map) = 1 then 1 / (1 + exp(map[1] * s + map[2])) else
    (with p as (select map[1][i] as x, map[2][i] as y from generate_series(1, array_length(map, 2)) i), l as (select * from p where x <= s order by x desc limit 1), r as (select * from p where x >= s order by x limit 1)
     select case when l.x is null then r.y when r.x is null then l.y when l.x = r.x then l.y else l.y + (r.y - l.y) * (s - l.x) / (r.x - l.x) end from (select) one left join l on true left join r on true) end $$;
create temp table ways as select m.method, (select array_agg(note) from health.calibrate('plain', horizon => 60, method => m.method) where section = 'verdict') as said,
  (select round(avg(abs(p.churn_probability - by_hand(c.map, p.score)))::numeric, 12) from plain p, health.calibrations('plain') c where c.in_force and p.score is not null) as apart,
  (select count(*) from plain a join plain b on a.score < b.score and a.churn_probability < b.churn_probability) as rising
from unnest('{isotonic,platt}'::text[]) m (method);
select * from ways;
-- An isotonic map says of the observations together about what happened, and is never certain.
select count(*) from health.calibrate('plain', horizon => 60, method => 'isotonic');
with observed as (
  select s.score, coalesce(c.until > t.day and c.until <= t.day + 60, false) as lost
  from (select date '2025-05-01' - n * 28 as day from generate_series(0, 11) n) t, lateral health.score_at('plain', t.day) s join customers c on c.id = s.account_id::int
  where s.score is not null)
select count(*) as n, count(*) filter (where lost) as events, abs(avg(by_hand(c.map, o.score)) - avg(o.lost::int)) < 0.001 as the_base_rate, min(by_hand(c.map, o.score)) > 0 and max(by_hand(c.map, o.score)) < 0.5 as not_certain
from observed o, health.calibrations('plain') c where c.in_force group by c.map;
-- A past day, by the calibration of the version
select count(*) as rows, count(s.churn_probability) as known, count(*) filter (where abs(s.churn_probability - by_hand(c.map, s.score)) > 1e-12) as otherwise
from health.score_at('plain', '2025-01-15') s, health.calibrations('plain') c where c.in_force;
-- Expansion goes the other way; accounts expand more than once.
select :figures from health.calibrate('plain', kind => 'expansion', outcome => 'select customer, day from upgrades', horizon => 60) where section in ('verdict', 'data', 'auc');
select count(*) filter (where expansion_likelihood is null and score is not null) as unknown,
  (select count(*) from plain a join plain b on a.score < b.score and a.expansion_likelihood > b.expansion_likelihood) as falling from plain;
with dates as (select date '2025-05-01' - n * 28 as t from generate_series(0, 11) n)
select count(*) as n, count(*) filter (where exists (select from upgrades u where u.customer = c.id and u.day > t and u.day <= t + 60)) as events
from customers c, dates where since <= t and (until is null or until > t);
select version, kind, method, outcome, horizon, gap, from_date, to_date, n, events, in_force, created_by = current_user as by_me from health.calibrations('plain');
select a.attname, col_description(a.attrelid, a.attnum) from pg_attribute a where a.attrelid = 'stored'::regclass and a.attname in ('churn_probability', 'expansion_likelihood') order by 1;
-- Readers of a view need SELECT on it and nothing else; what is of another owner stays so.
create role reader;
grant usage on schema fit to reader;
grant select on plain, kept, stored to reader;
set role reader;
select (select count(churn_probability) from plain) > 0 as plain, (select count(churn_probability) from kept) > 0 as kept, (select count(churn_probability) from stored) > 0 as stored;
select count(*) from health_internal.calibration;
select * from health.calibrate('plain');
select * from health.calibrations('plain');
insert into health_internal.calibration (model, version, kind, number, method, created_by) values ('plain', 1, 'churn', 99, 'none', 'reader');
reset role;
revoke all on plain, kept, stored from reader; revoke usage on schema fit from reader; drop role reader;
-- A refresh keeps it, a restated model too; a new version is not calibrated and says so.
call health.refresh('kept');
select count(churn_probability) > 0 as kept from kept;
select health.alter_model('kept', '{"window_days": 28}');
call health.refresh('kept');
select count(churn_probability) > 0 as kept from kept;
select health.alter_model('kept', '{"minimum_coverage": 0.4}'), health.alter_model('plain', '{"minimum_coverage": 0.4}');
select health.refresh_score_views('plain') \g /dev/null
call health.refresh('kept');
select (select count(churn_probability) from plain) as plain, (select count(churn_probability) from kept) as kept, (select count(churn_probability) from stored) as stored;
select count(churn_probability) > 0 as by_version_1 from health.score_at('plain', '2025-01-15', 1);
-- Of another version than the views have, it waits for them.
select count(*) from health.calibrate('plain', horizon => 60, version => 1);
select count(churn_probability) as plain from plain;
select count(*) from health.calibrate('plain', horizon => 60);
select health.rename_model('plain', 'renamed') \g /dev/null
select (select count(churn_probability) from plain) > 0 as plain, (select count(churn_probability) from stored) > 0 as stored;
select health.refresh_score_views('renamed') \g /dev/null
select count(churn_probability) > 0 as stored from stored;
-- Taken away
select section, item, note from health.calibrate('renamed', method => 'none');
select (select count(churn_probability) from plain) as plain, (select count(churn_probability) from stored) as stored;
select * from health.calibrate('renamed', method => 'none');
-- An outcome that the score knows nothing of, and one that it has the wrong way round
create table drawn as select id, date '2024-06-01' + (hashint4(id * 31) & 255) as day from customers where hashint4(id) & 1 = 0;
select m.method, regexp_replace(c.note, '[.]\d\d', '.nn', 'g') as note from unnest('{auto,platt,isotonic}'::text[]) m (method), health.calibrate('renamed', 'select id, day from drawn', horizon => 60, method => m.method) c where c.section = 'verdict';
select m.method, regexp_replace(c.note, '[.]\d\d', '.nn', 'g') as note from unnest('{platt,isotonic}'::text[]) m (method), health.calibrate('renamed', 'select id, until from customers where until is not null', kind => 'expansion', horizon => 60, method => m.method) c where c.section = 'verdict';
select count(distinct round(expansion_likelihood::numeric, 9)) as different from plain;
-- What cannot be
select * from health.calibrate('renamed', 'select id, until from customers where id in (select id from customers where until is not null order by id limit 9)');
select * from health.calibrate('renamed', 'select 1, null::date');
select * from health.calibrate('renamed', kind => 'contraction');
select * from health.calibrate('renamed', method => 'spline');
select * from health.calibrate('renamed', kind => 'expansion');
select * from health.calibrate('renamed', horizon => 0);
select * from health.calibrate('renamed', version => 7);
select * from health.calibrate('nope');
select * from health.calibrations('nope');
select health.create_model('taken', jsonb_set(:'model', '{accounts,columns}', '{"churn_probability": "note"}'));
update health_internal.calibration_table set map = '{1,1}' where version = 1;
-- A column has no past: what is calibrated does not have it, and that is said.
select health.create_model('columns', jsonb_set(:'model', '{signals,2}', '{"name": "note", "column": "note", "normalize": {"kind": "linear", "worst": 0, "best": 9}}')) \g /dev/null
select section, item, right(note, 60) as note from health.calibrate('columns', horizon => 60) where section in ('verdict', 'left out');
reset search_path;
select health.untrack('kept') \g /dev/null
select health.drop_model(m.model, true) from health.models() m where m.model in ('renamed', 'kept', 'columns') \g /dev/null
select count(*) as left_over from health_internal.calibration_table;
drop schema fit cascade;
