-- Who will be active again: cadence_recency and recency_weeks, with parameters that are fitted to the book and frozen. docs/reference/metrics.md, "Active again".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema back;
create table back.clients (id int primary key, plan text);
insert into back.clients select g, (array['free', 'pro'])[1 + g % 2] from generate_series(1, 60) g;
-- Account g began 5 + g weeks before the last, is active by its own habit, and may have left some weeks ago.
create table back.acts (client int, member bigint, what text, on_day date);
insert into back.acts select c.id, 1 + k % 3, case when k % 4 = 0 then 'make' else 'look' end, date '2025-06-29' - 7 * k - abs(hashint4(c.id * 100 + k)) % 7
from back.clients c, generate_series(0, 5 + c.id) k
where k = 5 + c.id or abs(hashint4(c.id * 977 + k * 31)) % 10 < 2 + c.id % 8 and k > abs(hashint4(c.id)) % 23 - 8;
create table back.ledgers as select client, health.usage_agg(member, what, on_day) as u from back.acts group by 1;
select '{"as_of": "2025-06-30", "history": {"days": 20},
  "accounts": {"table": "back.clients", "id": "id", "columns": {"plan": "plan"}},
  "events": {"table": "back.acts", "account": "client", "user": "member", "event": "what", "occurred_at": "on_day"},
  "signals": [{"name": "back", "metric": "cadence_recency", "normalize": {"kind": "linear", "worst": 0, "best": 100}},
              {"name": "makers", "metric": "cadence_recency", "events": ["make"], "normalize": {"kind": "percentile", "segment": "plan"}},
              {"name": "quiet", "metric": "recency_weeks", "normalize": {"kind": "linear", "worst": 8, "best": 0}}]}' as model \gset
select health.create_model(name, :'model') from unnest('{plain,tracked}'::text[]) name;
select health.track('tracked');
call health.backfill('tracked');
select health.create_score_view(name, 'back.' || name) from unnest('{plain,tracked}'::text[]) name;

-- Fitted to the book, as the aggregate fits it by hand; the percentile's reference is made of the values that follow.
create view back.frozen as
select m.model, l.signal ->> 'name' as signal, health_internal.frozen_parameters(l.signal) as parameters, (l.signal #>> '{frozen,accounts}')::int as accounts, l.signal #> '{normalize,reference}' as reference
from health.models() m, lateral health_internal.leaf_signals(health.model_definition(m.model, complete => true)) l;
select model, signal, array(select round(p::numeric, 1) from unnest(parameters) p) as parameters, accounts from back.frozen where parameters is not null order by 1, 2;
select f.signal, f.parameters = case f.signal when 'back' then (select health.fit_bgbb(u, '2025-06-30') from back.ledgers) else (select health.fit_bgbb(u, '2025-06-30', null, '{make}', null) from back.ledgers) end as by_hand
from back.frozen f where model = 'plain' and signal <> 'quiet' order by 1;
select count(*) as ranked from back.frozen f, jsonb_each(f.reference -> 'segments') s, jsonb_array_elements_text(s.value -> 'counts') n where model = 'plain' and signal = 'makers';

-- By the paper in plain SQL, from the events alone: L(x, t_x, n), the likelihood of a gap of four more weeks.
create function pg_temp.rising(a float8, n int) returns float8 language sql as $$ select coalesce(exp(sum(ln(a + i))), 1) from generate_series(0, n - 1) i $$;
create function pg_temp.likelihood(p float8[], x int, t int, n int) returns float8 language sql as $$
  select pg_temp.rising(p[1], x) * (pg_temp.rising(p[2], n - x) / pg_temp.rising(p[1] + p[2], n) * pg_temp.rising(p[4], n) / pg_temp.rising(p[3] + p[4], n)
       + coalesce((select sum(pg_temp.rising(p[2], i - x) / pg_temp.rising(p[1] + p[2], i) * p[3] * pg_temp.rising(p[4], i) / pg_temp.rising(p[3] + p[4], i + 1)) from generate_series(t, n - 1) i), 0)) $$;
create function pg_temp.weeks(as_of date, names text[], out client int, out x int, out t int, out n int) returns setof record language sql as $$
  select client, count(distinct k)::int - 1, case when min(k) < max(k) then max(k) - min(k) else 0 end, max(k)
  from (select a.client, (as_of - 1 - on_day) / 7 as k from back.acts a where on_day < as_of and (names is null or what = any (names))) w group by 1 $$;
select p.signal, count(*) as accounts, count(*) filter (where p.raw is null) as unknown,
       count(*) filter (where case when w.n >= 2 then abs(p.raw - 100 * (1 - pg_temp.likelihood(f.parameters, w.x, w.t, w.n + 4) / pg_temp.likelihood(f.parameters, w.x, w.t, w.n))) > 1e-8 is not false else p.raw is not null end) as wrong
from back.plain_signals p join back.frozen f on f.model = 'plain' and f.signal = p.signal
left join lateral (select w.* from pg_temp.weeks('2025-06-30', case p.signal when 'makers' then '{make}'::text[] end) w where w.client = p.account_id) w on true
where p.signal in ('back', 'makers') group by 1 order by 1;
select count(*) as wrong_weeks from back.plain_signals p join pg_temp.weeks('2025-06-30', null) w on w.client = p.account_id where signal = 'quiet' and p.raw is distinct from case when w.n >= 2 then w.n - w.t end;
select count(*) as accounts, count(*) filter (where v.cadence_recency is distinct from s.raw) as other_column, count(*) filter (where v.cadence_recency is distinct from health.cadence_recency(l.u, '2025-06-30', f.parameters)) as other_function,
       count(*) filter (where v.cadence_recency is distinct from (health.metrics(l.u, '2025-06-30', parameters => f.parameters)).cadence_recency) as other_record, count(*) filter (where v.recency_weeks is distinct from health.recency_weeks(l.u, '2025-06-30')) as other_weeks
from back.plain v join back.plain_signals s on s.account_id = v.account_id and s.signal = 'back' join back.ledgers l on l.client = v.account_id join back.frozen f on f.model = 'plain' and f.signal = 'back';
select signal, raw_text, round(normalized::numeric, 1) as normalized, phrase from back.plain_signals where account_id in (7, 8, 21) and signal <> 'score' order by account_id, "position";
select state, count(*) as accounts, round(min(cadence_recency)::numeric, 1) as least, round(max(cadence_recency)::numeric, 1) as most from back.plain group by 1 order by 1;

-- A tracked model says the same, today and on past days; so do explain() of a day, score_at() and verify().
select count(*) as accounts, count(*) filter (where to_jsonb(p) - 'model' <> to_jsonb(t) - 'model') as different from back.plain p full join back.tracked t using (account_id);
select count(*) as signals, count(*) filter (where to_jsonb(p) <> to_jsonb(t)) as different from back.plain_signals p full join back.tracked_signals t using (account_id, "position");
select count(*) as days, count(*) filter (where p.score is distinct from t.score) as different from back.plain_history p join back.tracked_history t using (account_id, as_of);
select count(*) as found from health.verify('tracked');
select count(*) as accounts, count(*) filter (where s.score is distinct from h.score) as different from health.score_at('tracked', '2025-06-20') s join back.plain_history h on h.account_id::text = s.account_id::text and h.as_of = '2025-06-20';
select count(*) as accounts, count(*) filter (where e.raw is distinct from health.cadence_recency(l.u, '2025-06-10', f.parameters)) as different
from back.ledgers l join back.frozen f on f.model = 'tracked' and f.signal = 'back', lateral health.explain('tracked', l.client, date '2025-06-10') e where e.signal = 'back';

-- Frozen with the version: what others do moves nobody, a change of something else keeps it, refreezing takes the present book.
create table back.before as select * from back.frozen;
insert into back.acts select id, 1, 'make', '2025-06-28' from back.clients where id between 20 and 40;
insert into back.acts select id, 1, 'look', '2025-06-01' from back.clients where id between 20 and 40;
select health.refresh_score_view('back.plain');
select health.alter_model('plain', '{"minimum_coverage": 0.4}');
select count(*) as kept from back.frozen f join back.before b using (model, signal) where f.parameters = b.parameters and f.reference is not distinct from b.reference and f.accounts = b.accounts;
select health.refreeze_references('plain');
select f.signal, f.parameters <> b.parameters as moved, f.accounts from back.frozen f join back.before b using (model, signal) where model = 'plain' and f.parameters is not null order by 1;
call health.refresh('tracked');
select health.refreeze_references('tracked');
call health.refresh('tracked');
select health.refresh_score_view('back.plain');
select count(*) as signals, count(*) filter (where (p.raw, p.normalized) is distinct from (t.raw, t.normalized)) as different from back.plain_signals p full join back.tracked_signals t using (account_id, "position");

-- A backtest and a what-if fit as of their first date.
truncate back.ledgers;
insert into back.ledgers select client, health.usage_agg(member, what, on_day) from back.acts group by 1;
select d.from_date, health_internal.frozen_parameters(l.signal) = (select health.fit_bgbb(u, d.from_date) from back.ledgers) as as_of_the_first_date
from (values (date '2025-03-10')) d (from_date), lateral health_internal.leaf_signals(health_internal.freeze_references(health_internal.without_frozen(health.model_definition('plain', complete => true)), null, d.from_date, 'events', 'plain')) l where l.signal ->> 'name' = 'back';
select section, item, n, events, round(value::numeric, 2) as value from health.backtest(model => 'plain', horizon => 28, from_date => '2025-03-10', to_date => '2025-06-02', step => 28) where section in ('auc', 'signal') order by 1, 2;
select count(*) filter (where p is null or t is null) as different from health.backtest(model => 'plain', horizon => 28, from_date => '2025-03-10', to_date => '2025-06-02', step => 28) p full join health.backtest(model => 'tracked', horizon => 28, from_date => '2025-03-10', to_date => '2025-06-02', step => 28) t on p = t;
select section, item, n, after is not null as has_score from health.what_if('plain', jsonb_build_object('signals', (:'model'::jsonb -> 'signals') || '{"name": "lookers", "metric": "cadence_recency", "events": ["look"], "normalize": {"kind": "linear", "worst": 0, "best": 100}}')) where section in ('summary', 'signal');

-- Too few accounts to fit it to: unknown, whatever "missing" says, and no zero; who is told what to do.
set client_min_messages = notice;
select health.create_model('few', jsonb_set(jsonb_set(:'model', '{accounts,filter}', '"id <= 9"'), '{signals,1}', '{"name": "strict", "metric": "cadence_recency", "missing": "zero", "normalize": {"kind": "linear", "worst": 0, "best": 100}}'));
set client_min_messages = warning;
select e.signal, e.raw, e.normalized, e.reason, e.phrase from health.explain('few', 7) e;
select finding, source, name, advice from health.tracking_plan('few') where finding = 'signal not fitted' order by name;
-- A new version tries again.
select health.alter_model('few', '{"accounts": {"table": "back.clients", "id": "id", "columns": {"plan": "plan"}}}');
select signal, parameters is not null as fitted, accounts from back.frozen where model = 'few' order by 1;
select count(*) as found from health.tracking_plan('few') where finding = 'signal not fitted';

-- By hand: NULL where there is nothing to fit, in any order and in parallel the same.
select health.fit_bgbb(u, '2025-06-30') as of_none from back.ledgers where false;
select health.fit_bgbb(u, '2025-06-30') as of_nine from back.ledgers where client <= 9;
select health.fit_bgbb(u, null) as of_no_day, health.fit_bgbb(null, '2025-06-30') as of_nothing from back.ledgers;
select (select health.fit_bgbb(u, '2025-06-30' order by client desc) from back.ledgers) = (select health.fit_bgbb(u, '2025-06-30' order by hashint4(client)) from back.ledgers) as same;
alter table back.ledgers set (parallel_workers = 2);
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select (select health.fit_bgbb(u, '2025-06-30') from back.ledgers) = (select health.fit_bgbb(u, '2025-06-30' order by client) from back.ledgers) as same;
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
select count(*) as windows, count(f) as fitted from (select health.fit_bgbb(u, '2025-06-30') over (order by client) f from back.ledgers) w;
select metric, reason from health.unknown_metrics((select u from back.ledgers where client = 7), '2025-06-30') where metric in ('cadence_recency', 'recency_weeks');
select round(health.cadence_recency(u, '2025-06-30', '{1.2035,0.7497,0.6567,2.7834}')::numeric, 2) as probability, health.recency_weeks(u, '2025-06-30') as weeks
from (values ('bigint{1:2025-05-12/a,2025-05-19/a,2025-05-26/a,2025-06-02/a,2025-06-09/a,2025-06-16/a,2025-06-23/a}'::health.usage), ('bigint{1:2025-05-12/a}'), ('bigint{1:2025-06-12/a}'), ('{}')) v (u);
select health.cadence_recency('bigint{1:2025-05-12/a}', '2025-06-30', '{1,2,3}');
select health.cadence_recency('bigint{1:2025-05-12/a}', '2025-06-30', '{1,2,3,0}');
select health.cadence_recency('bigint{1:2025-05-12/a}', '2025-06-30', '{1,2,NaN,1}');
select health.cadence_recency('bigint{1:2025-05-12/a}', '2025-06-30', '{1,2,null,1}');
select health.metrics('{}', '2025-06-30', parameters => '{}');
select health_internal.fit_bgbb_combine('{7}', '{0}');
select path, problem, hint from health.validate_model(jsonb_set(jsonb_set(jsonb_set(:'model', '{signals,0,frozen}', '{"parameters": [1, 2, -1, 3]}'), '{signals,1,shrink}', '3'), '{signals,2,frozen}', '{"parameters": [1, 2, 3, 4]}'));
select health.drop_model(name, cascade => true) from unnest('{plain,tracked,few}'::text[]) name;
drop schema back cascade;
