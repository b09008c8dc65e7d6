-- Which weights would have told best what happened: suggest_weights().
\set ON_ERROR_STOP off
set client_min_messages = warning;
create schema weigh;
set search_path = weigh, public;

-- 240 customers with readings on each date: one foretells who leaves, two are noise. A third is as good, and turned round.
create table customers (id int primary key, since date, plan int);
insert into customers select g, date '2023-01-01', g % 100 from generate_series(1, 240) g;
create table readings (customer int, day date, good float8, noise float8, more_noise float8);
insert into readings
select c.id, date '2024-01-01' + d * 28, h.a & 127, h.b & 127, h.c & 127
from customers c, generate_series(0, 11) d, lateral (select hashint8(c.id * 1000003::bigint + d * 31 + 1), hashint8(c.id * 1000003::bigint + d * 31 + 2), hashint8(c.id * 1000003::bigint + d * 31 + 3)) h (a, b, c);
create index on readings (customer, day);
create view left_since as
select distinct on (customer) customer, day + 10 as day from readings where (hashint8(customer * 7919::bigint + (day - date '2024-01-01')) & 1023) < 4 * (127 - good) - 300 order by customer, day;
select count(*) from left_since;
create function weigh.reading(what text) returns text language sql as
  $$ select format('(select r.%s from weigh.readings r where r.customer = id and r.day <= as_of order by r.day desc limit 1)', what) $$;
select jsonb_build_object('as_of', '2025-06-30', 'accounts', '{"table": "customers", "id": "id", "start": "since", "columns": {"plan": "plan"}}'::jsonb, 'signals', jsonb_build_array(
  jsonb_build_object('name', 'mixed', 'weight', 2, 'signals', jsonb_build_array(
    jsonb_build_object('name', 'good', 'weight', 1, 'expression', reading('good'), 'normalize', '{"kind": "linear", "worst": 0, "best": 127}'::jsonb),
    jsonb_build_object('name', 'noise', 'weight', 3, 'expression', reading('noise'), 'normalize', '{"kind": "linear", "worst": 0, "best": 127}'::jsonb))),
  jsonb_build_object('name', 'useless', 'weight', 1, 'signals', jsonb_build_array(
    jsonb_build_object('name', 'turned', 'weight', 2, 'expression', reading('good'), 'normalize', '{"kind": "linear", "worst": 127, "best": 0}'::jsonb),
    jsonb_build_object('name', 'more_noise', 'weight', 3, 'expression', reading('more_noise'), 'normalize', '{"kind": "linear", "worst": 0, "best": 127}'::jsonb))),
  '{"name": "plan", "column": "plan", "weight": 1, "normalize": {"kind": "linear", "worst": 0, "best": 100}}'::jsonb)) as model \gset
select health.create_model('weighed', :'model');
\set span 'from_date => ''2024-01-01'', to_date => ''2024-11-04'', horizon => 27'
create temp table found as select * from health.suggest_weights('weighed', 'select customer, day from left_since', :span);
select section, item, n, events, round(now::numeric, 3) as now, round(suggested::numeric, 3) as suggested, round(change::numeric, 3) as change, round(low::numeric, 3) as low, round(high::numeric, 3) as high, note, document is null as no_document from found;
-- What is now is what a backtest says, and shares are those of the weights multiplied down the tree.
select b.value = f.now as same from health.backtest('weighed', 'select customer, day from left_since', :span) b, found f where b.section = 'verdict' and f.section = 'verdict';
select item, round(now::numeric, 6) as now from found where section = 'weight';
select sum(now) as now, round(sum(suggested)::numeric, 12) as suggested from found where section = 'weight';
-- The document is laid over the model, as it is: groups weigh what is in them, one that counts nothing keeps its proportions, a signal without a past its share.
select s ->> 'name' as signal, s -> 'weight' as weight, (select string_agg(format('%s %s', m ->> 'name', m ->> 'weight'), ', ') from jsonb_array_elements(s -> 'signals') m) as members
from found, jsonb_array_elements(document -> 'signals') s where section = 'verdict';
select health.alter_model('weighed', document) as version from found where section = 'verdict';
select round(b.value::numeric, 2) > round(f.now::numeric, 2) as better, abs(b.value - f.suggested) < 0.02 as as_promised from health.backtest('weighed', 'select customer, day from left_since', :span) b, found f where b.section = 'verdict' and f.section = 'verdict';
-- Then there is nothing left to gain.
select note, document is null as no_document from health.suggest_weights('weighed', 'select customer, day from left_since', :span) where section = 'verdict';
select item, round(now::numeric, 3) as now, suggested from health.suggest_weights('weighed', 'select customer, day from left_since', :span) where section = 'weight';
-- Which signals point the wrong way: a model takes no such weight.
select item, sign(round(suggested::numeric, 2)) as sign, note from health.suggest_weights('weighed', 'select customer, day from left_since', :span, version => 1, allow_negative => true) where section = 'weight';
select regexp_replace(note, '[.]\d\d', '.nn', 'g') as note, document from health.suggest_weights('weighed', 'select customer, day from left_since', :span, version => 1, allow_negative => true) where section = 'verdict';
-- Random labels: nothing is to be changed.
create table drawn as select seed, id as customer, date '2024-01-01' + (hashint4(id * 17 + seed * 7907) & 511) as day from customers, generate_series(1, 6) seed where hashint4(id * 31 + seed * 104729) & 3 = 0;
select count(*) filter (where v.note like 'Do not change anything: AUC%' or v.note like 'Do not change anything: no signal%') >= 5 as left_alone, count(v.document) <= 1 as no_documents
from generate_series(1, 6) seed, lateral health.suggest_weights('weighed', format('select customer, day from weigh.drawn where seed = %s', seed), :span) v where v.section = 'verdict';
-- Unknown values: left out as the score leaves them out, so that they do not tell.
update readings set good = null where customer % 3 = 0 and day < '2024-06-01';
select regexp_replace(note, '[.]\d\d', '.nn', 'g') as note from health.suggest_weights('weighed', 'select customer, day from left_since', :span, version => 1) where section = 'verdict';
-- Too few, of either kind
select note, document from health.suggest_weights('weighed', 'select customer, day from left_since where customer < 20', :span) where section = 'verdict';
select note from health.suggest_weights('weighed', 'select 1, null::date', :span) where section = 'verdict';
select note from health.suggest_weights('weighed', 'select 1, null::date', horizon => 27, from_date => '2020-01-01', to_date => '2020-01-02') where section = 'verdict';
select health.create_model('single', jsonb_set(:'model', '{signals}', jsonb_build_array(jsonb_path_query_first(:'model', '$.signals[0].signals[0]')))) \g /dev/null
select left(note, 23) as note, document from health.suggest_weights('single', 'select customer, day from left_since', :span) where section = 'verdict';
-- What makes no sense
select * from health.suggest_weights('weighed', horizon => 0);
select * from health.suggest_weights('weighed', outcome => 'select 1');
select * from health.suggest_weights('weighed', version => 9);
select * from health.suggest_weights('weighed', allow_negative => null);
select * from health.suggest_weights('nope');
select health.create_model('columns', '{"as_of": "2025-06-30", "accounts": {"table": "customers", "id": "id"}, "signals": [{"name": "plan", "column": "plan", "normalize": {"kind": "linear", "worst": 1, "best": 0}}]}') \g /dev/null
select * from health.suggest_weights('columns');
create role asker;
set role asker;
select * from health.suggest_weights('weighed');
reset role;
drop role asker;
reset search_path;
select health.drop_model(m.model) from health.models() m where m.model in ('weighed', 'single', 'columns') \g /dev/null
drop schema weigh cascade;
