-- Variants of a model: other weights for the accounts of which a condition is true; chosen by order, known for each day, the same in all modes.
-- Weighted means by plain SQL are the oracle. docs/reference/model.md, "Variants".
set datestyle = 'ISO';
set client_min_messages = warning;
create schema app;
create schema scores;
create table app.accounts (account_id int primary key, company text, since date, plan text, arr numeric, seats int, renewal date);
create table app.plans (account_id int, plan text, from_day date);
create table app.users (user_id int primary key, account_id int);
create table app.events (account_id int, user_id int, event_name text, occurred_at timestamptz);
create function app.dice(id int, n int, sides int) returns int language sql immutable as 'select ((hashint8(id::bigint * 1000003 + n)::bigint + 2147483648) % sides)::int';
-- 1 to 8 by hand: both conditions, one, none, NULL, one that fails, moves within the week, begins young. From 11 on by dice.
insert into app.accounts values
  (1, 'Both', '2020-01-01', 'trial', 500000, 10, '2025-06-01'), (2, 'Big', '2020-01-01', 'pro', 500000, 10, '2025-03-10'), (3, 'None', '2020-01-01', 'pro', 5000, 5, null),
  (4, 'Null', '2020-01-01', null, null, 5, '2025-04-01'), (5, 'Fails', '2020-01-01', 'pro', 9000, 0, '2025-04-01'), (6, 'Moves', '2020-01-01', 'pro', 9000, 9, '2025-04-01'),
  (7, 'Young', '2025-02-10', 'pro', 9000, 9, '2025-08-01'), (8, 'Silent', '2020-01-01', 'trial', 9000, 9, '2025-08-01');
insert into app.accounts
select i, 'Company ' || i, date '2025-02-25' - app.dice(i, 1, 200), (array['trial', 'pro', 'free', null])[1 + app.dice(i, 2, 4)], case when app.dice(i, 3, 5) > 0 then app.dice(i, 4, 200) * 1000 end,
  app.dice(i, 5, 4) * 5, case when app.dice(i, 6, 3) > 0 then date '2025-03-01' + app.dice(i, 7, 300) end
from generate_series(11, 80) i;
insert into app.plans values (6, 'pro', '2020-01-01'), (6, 'enterprise', '2025-02-28'), (2, 'pro', '2020-01-01');
insert into app.users select a.account_id * 100 + u, a.account_id from app.accounts a, generate_series(1, 5) u;
insert into app.events select a.account_id, a.account_id * 100 + u, 'work', timestamptz '2025-03-03 09:00+00' - (1 + app.dice(a.account_id * 10 + u, d, 60)) * interval '1 day'
from app.accounts a, generate_series(1, 5) u, generate_series(1, 4) d where a.account_id <> 8 and app.dice(a.account_id, u, 3) > 0;
select '{
  "as_of": "2025-03-03", "minimum_coverage": 0.2, "history": {"days": 30, "retention_months": 0},
  "accounts": {"table": "app.accounts", "id": "account_id", "name": "company", "start": "since", "columns": {"plan": "plan", "arr": "arr"}},
  "users": {"table": "app.users", "id": "user_id", "account": "account_id"},
  "events": {"table": "app.events", "account": "account_id", "user": "user_id", "event": "event_name", "occurred_at": "occurred_at"},
  "signals": [
    {"name": "usage", "weight": 2, "signals": [
      {"name": "activation", "weight": 3, "metric": "activation_rate", "normalize": {"kind": "linear", "worst": 0, "best": 1}},
      {"name": "seen", "metric": "recency_days", "normalize": {"kind": "recency", "half_life_days": 14}}]},
    {"name": "contract", "signals": [
      {"name": "revenue", "column": "arr", "normalize": {"kind": "linear", "worst": 0, "best": 100000}, "next_step": {"low": "Sell more."}},
      {"name": "renewal", "weight": 2, "expression": "renewal - as_of", "missing": "required", "normalize": {"kind": "linear", "worst": 0, "best": 200}}]}],
  "variants": [
    {"name": "trial", "when": "plan = ''trial''", "weights": {"contract": 0}},
    {"name": "enterprise", "when": "arr > 100000 or (select p.plan from app.plans p where p.account_id = src.account_id and p.from_day <= as_of order by p.from_day desc limit 1) = ''enterprise''",
     "weights": {"usage": 3, "renewal": 0, "seen": 2}},
    {"name": "it''s \"young\"", "when": "as_of - account_start < 30 -- days", "weights": {"usage": 5, "activation": 0}},
    {"name": "dense", "when": "100 / seats > 15", "weights": {"usage": 0}}]
  }' as document \gset
select * from health.validate_model(:'document');
select health.create_model(name, :'document') from unnest('{plain,tracked,windowed}'::text[]) name;
select health.track('tracked'), health.track('windowed', window_days => 45);
call health.backfill('tracked');
call health.backfill('windowed');
select health.create_score_view(name, 'scores.' || name) from unnest('{plain,tracked,windowed}'::text[]) name;
call health.refresh('tracked');
call health.refresh('windowed');

select account_id, name, variant, round(score::numeric, 2) as score, round(data_coverage::numeric, 2) as coverage, unknown_reason, round(change_7d::numeric, 2) as change_7d, main_reason, next_step
from scores.plain where account_id < 10 order by 1;
select signal, parent, round(normalized::numeric, 1) as normalized, round(weight::numeric, 3) as weight, round(points::numeric, 2) as points, phrase from scores.plain_signals where account_id = 2 order by position;
select position, signal, phrase from health.explain('plain', 1) where level = 0;

-- The oracle: which variant counts, and its weighted means, group by group. Only the scores of signals are taken from the view.
create view scores.expected as
with chosen as (
  select a.account_id, case when plan = 'trial' then 'trial'
    when arr > 100000 or (select p.plan from app.plans p where p.account_id = a.account_id and p.from_day <= '2025-03-03' order by p.from_day desc limit 1) = 'enterprise' then 'enterprise'
    when date '2025-03-03' - since < 30 then 'it''s "young"' when 100 / nullif(seats, 0) > 15 then 'dense' end as variant, renewal
  from app.accounts a
), weights (variant, usage, activation, seen, contract, revenue, renewal) as (values
  (null, 2, 3, 1, 1, 1, 2), ('trial', 2, 3, 1, 0, 1, 2), ('enterprise', 3, 3, 2, 1, 1, 0), ('it''s "young"', 5, 0, 1, 1, 1, 2), ('dense', 0, 3, 1, 1, 1, 2)
), leaves as (
  select c.account_id, c.variant, c.renewal is null and coalesce(c.variant not in ('trial', 'enterprise'), true) as lacks, s.signal, s.parent, s.normalized::numeric, s.weight as view_weight, s.points as view_points,
    case s.signal when 'activation' then w.activation when 'seen' then w.seen when 'revenue' then w.revenue else w.renewal end::numeric as w, case s.parent when 'usage' then w.usage else w.contract end::numeric as g
  from chosen c join weights w on w.variant is not distinct from c.variant join scores.plain_signals s using (account_id) where s.parent is not null
), groups as (
  select account_id, variant, bool_or(lacks) as lacks, parent, g, sum(w * normalized) / nullif(sum(w) filter (where normalized is not null), 0) as score, sum(w) filter (where normalized is not null) as known,
    coalesce(sum(w) filter (where normalized is not null), 0) / sum(w) as coverage from leaves group by account_id, variant, parent, g
), wholes as (
  select account_id, variant, bool_or(lacks) as lacks, sum(g * score) / nullif(sum(g) filter (where score is not null), 0) as score, sum(g) filter (where score is not null) as known, sum(g * coverage) / sum(g) as coverage
  from groups group by account_id, variant
)
select l.account_id, l.variant, l.signal, case when t.lacks or t.coverage < 0.2 then null else t.score end as score, t.coverage,
  case when l.normalized is null or g.score is null then 0 else l.w / nullif(g.known, 0) * l.g / nullif(t.known, 0) end as weight, l.view_weight
from leaves l join groups g using (account_id, parent) join wholes t on t.account_id = l.account_id;
select count(*) as rows, count(distinct e.account_id) as accounts, count(distinct e.variant) as variants, count(distinct e.account_id) filter (where e.variant is null) as without, count(e.score) > 150 as scored,
  count(*) filter (where e.variant is distinct from p.variant) as other_variant, count(*) filter (where (e.score is null) <> (p.score is null) or abs(e.score - p.score) > 1e-9) as other_score,
  count(*) filter (where abs(e.coverage - p.data_coverage) > 1e-9) as other_coverage, count(*) filter (where abs(coalesce(e.weight, 0) - e.view_weight) > 1e-9) as other_weight
from scores.expected e join scores.plain p using (account_id);
select count(*) as off from (select account_id, sum(points) filter (where parent is not null) as leaves, max(points) filter (where signal = 'score') as score from scores.plain_signals group by 1) s
where abs(leaves - score) > 1e-9;

-- All modes say the same, row by row.
create function scores.differences(a text, b text) returns table (relation text, rows bigint, differences bigint) language plpgsql as $$
declare
  s text;
begin
  foreach s in array array['', '_signals', '_history'] loop
    return query execute format('select %L, (select count(*) from scores.%I), (select count(*) from (select to_jsonb(x) - ''model'' - ''model_version'' from scores.%2$I x except all select to_jsonb(y) - ''model'' - ''model_version'' from scores.%3$I y) d)'
      ' + (select count(*) from (select to_jsonb(y) - ''model'' - ''model_version'' from scores.%3$I y except all select to_jsonb(x) - ''model'' - ''model_version'' from scores.%2$I x) d)', s, a || s, b || s);
  end loop;
end $$;
select * from scores.differences('plain', 'tracked');
select * from scores.differences('plain', 'windowed');
select m, count(v) as to_verify from unnest('{tracked,windowed}'::text[]) m left join lateral health.verify(m) v on true group by 1 order by 1;

-- 6 is of another variant from the last day of February on: each day has its own, and the change has a part for it.
select as_of, round(score::numeric, 2) as score from scores.plain_history where account_id = 6 and as_of >= '2025-02-26' order by 1;
select count(*) as days, count(*) filter (where h.score is distinct from s.score) as off
from scores.plain_history h, lateral health.score_at('plain', h.as_of) s where h.account_id = 6 and s.account_id = '6' and h.as_of >= '2025-02-20';
select c.position, c.step, c.signal, round(c.points::numeric, 3) as points, c.phrase from health.explain('plain', 6, '2025-02-24', '2025-03-03') c order by 1;
select count(*) as changes, count(*) filter (where abs(parts - total) > 1e-9) as off, count(*) filter (where moved) as moved, count(*) filter (where moved is distinct from switched) as other_step
from (select a.account_id, sum(c.points) filter (where c.step <> 'total') as parts, max(c.points) filter (where c.step = 'total') as total, coalesce(bool_or(c.step = 'model'), false) as moved,
        a.account_id = 6 or (a.variant is distinct from 'trial' and a.variant is distinct from 'enterprise' and date '2025-03-03' - a.account_start >= 30 and date '2025-01-20' - a.account_start < 30) as switched
      from scores.plain a, lateral health.explain('plain', a.account_id, '2025-01-20', '2025-03-03') c where a.account_start < '2025-01-20' and a.account_id < 45 group by 1, a.variant, a.account_start) d where total is not null;

select day, kind, what, details from health.story('plain', 6, '2025-02-25', '2025-03-03') where kind ~ 'score' order by day;

-- Without the most active user the account has the same variant: where usage weighs nothing, nobody is missed.
select variant = 'dense' as dense, count(*) > 2 as many, count(*) filter (where score_without_top_user is distinct from score) > 0 as missed, count(*) filter (where score_without_top_user > score) as above
from scores.plain where score is not null and active_users > 0 and (variant = 'dense' or variant is null) group by 1 order by 1;

-- A condition that fails for a row is not true there, and is found.
select finding, source, name, account, value, advice from health.tracking_plan('plain') where source like 'variants%' order by account limit 2;
select count(*) from health.tracking_plan('plain') where source like 'variants%';

-- Tables move, and so do variants.
update app.accounts set plan = 'trial' where account_id in (3, 5);
update app.accounts set seats = 1 where account_id = 5;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select account_id, variant, round(score::numeric, 2) as score from scores.plain where account_id in (3, 5) order by 1;
select count(*) as off from scores.plain p join scores.tracked t using (account_id) where (p.variant, p.score) is distinct from (t.variant, t.score);
select m, count(v) as to_verify from unnest('{tracked,windowed}'::text[]) m left join lateral health.verify(m) v on true group by 1 order by 1;

-- The next day: a tracked model knows which variant each day had, the other what the table says today.
drop view scores.expected;
select count(health.alter_model(m, '{"as_of": "2025-03-04"}')) from unnest('{plain,tracked,windowed}'::text[]) m;
update app.accounts set plan = 'pro' where account_id = 5;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;
select m, account_id, variant, round(score::numeric, 2) as score from (select 'plain' as m, * from scores.plain union all select 'tracked', * from scores.tracked union all select 'windowed', * from scores.windowed) v where account_id = 5 order by 1;
select m, h.as_of, round(h.score::numeric, 2) as score, h.score is not distinct from s.score as same from (select 'plain' as m, * from scores.plain_history union all select 'tracked', * from scores.tracked_history
  union all select 'windowed', * from scores.windowed_history) h, lateral health.score_at(m, h.as_of) s where h.account_id = 5 and s.account_id = '5' and h.as_of >= '2025-03-03' order by 1, 2;
select m, c.step, c.signal, round(c.points::numeric, 2) as points, c.phrase from unnest('{plain,tracked,windowed}'::text[]) m, lateral health.explain(m, 5, '2025-03-03', '2025-03-04') c order by m, c.position;
select m, count(v) as to_verify from unnest('{tracked,windowed}'::text[]) m left join lateral health.verify(m) v on true group by 1 order by 1;
select count(health.alter_model(m, '{"as_of": "2025-03-03"}', restart => true)) from unnest('{plain,tracked,windowed}'::text[]) m;
select count(health.refresh_score_views(m)) from unnest('{plain,tracked,windowed}'::text[]) m;

-- A tracked model gets variants, is said the same in another way, and loses them.
select (:'document'::jsonb - 'variants')::text as before_document \gset
select health.create_model('later', :'before_document');
select health.track('later');
call health.backfill('later');
select health.create_score_view('later', 'scores.later');
call health.refresh('later');
select count(*) as columns from pg_attribute where attrelid = 'scores.later'::regclass and attname = 'variant';
select health.alter_model('later', jsonb_build_object('variants', :'document'::jsonb -> 'variants'));
call health.refresh('later');
select m, count(v) as to_verify from health.verify('later') v right join (values ('later')) n (m) on true group by 1;
select count(*) as off from scores.plain p join scores.later t using (account_id) where (p.variant, p.score, p.data_coverage) is distinct from (t.variant, t.score, t.data_coverage);
select health.alter_model('later', jsonb_set(jsonb_build_object('variants', :'document'::jsonb -> 'variants'), '{variants,0,weights}', '{"contract": 0, "usage": 2, "activation": null}'));
select count(*) as to_verify from health.verify('later');
select step, phrase from health.explain('later', 2, '2025-03-03', '2025-03-03', 1, 2);
select health.alter_model('later', '{"variants": null}');
call health.refresh('later');
select count(*) as columns from pg_attribute where attrelid = 'scores.later'::regclass and attname = 'variant';

-- Columns, comments, inputs, segments.
select c.relname, col_description(c.oid, a.attnum) from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = 'scores'::regnamespace and a.attname = 'variant' and c.relname in ('plain', 'tracked', 'plain_ledger') order by 1;
select position, path, name, kind, left(source, 40) as source from health.model_inputs(:'document');
select health.alter_model('plain', '{"segments": {"by_variant": {"column": "variant"}}}');
select segment, value, accounts from health.segments('plain');

-- What might be otherwise, and what was.
select section, item, n, round(change::numeric, 2) as change from health.what_if('plain', '{"variants": null, "segments": null}') where section = 'summary';
select section, item, note from health.backtest('plain', horizon => 14, from_date => '2025-02-01', to_date => '2025-02-15', step => 7) where section = 'left out';
select health.create_model('dated', (:'document'::jsonb || '{"variants": [{"name": "young", "when": "as_of - account_start between 0 and 90", "weights": {"usage": 3, "revenue": 5, "contract": 1}},
  {"name": "bought", "when": "(select p.plan from app.plans p where p.account_id = src.account_id and p.from_day <= as_of order by p.from_day desc limit 1) = ''enterprise''", "weights": {}}]}'));
select section, item, note from health.backtest('dated', horizon => 14, from_date => '2025-02-01', to_date => '2025-02-15', step => 7) where section = 'left out';
select health.create_model('stuck', (:'document'::jsonb || '{"variants": [{"name": "young", "when": "as_of - account_start < 90", "weights": {"usage": 0, "contract": 1}}]}'));
select count(*) from health.backtest('stuck', horizon => 14, from_date => '2025-02-01', to_date => '2025-02-15', step => 7);
select count(*) from health.suggest_weights('plain', horizon => 14);
select health.create_model('starts', :'document'::jsonb || '{"catalog": {"work": {"role": "activate"}}}');
select count(*) > 0 as told from health.time_to_value_summary('starts');
select count(*) > 0 as told from health.cohorts('plain', 'month', 'engagement');

select condition, note from health.compare('plain', 'variant = ''trial''', horizon => 14);
select length(health.report_html('plain')) > 1000 as book, length(health.report_html('plain', '6')) > 1000 as account;
select count(*) as dashboards from health.create_dashboards('plain', 'scores');

-- An override stands behind the signals, on top of the variant's score.
select health.override('plain', '2', cap => 50, expires => '2999-01-01', owner => 'maria', reason => 'sponsor left');
select health.refresh_score_view('scores.plain');
select position, signal, round(weight::numeric, 3) as weight, round(points::numeric, 2) as points, phrase from scores.plain_signals where account_id = 2 and (parent is null or signal = 'score') order by 1;

-- By hand.
select variant, score from (values ('trial'), ('enterprise'), ('no such'), (null)) v (variant),
  lateral health.score_account('{"signals": [{"name": "a", "column": "a", "normalize": {"kind": "identity"}}, {"name": "b", "column": "b", "normalize": {"kind": "identity"}}],
    "variants": [{"name": "trial", "when": "x", "weights": {"a": 0}}, {"name": "enterprise", "when": "y", "weights": {"a": 3}}]}',
    row('{}', '2025-03-03', null, null, array['80', '40', variant], null, null, null, null, null, null, null, null, null, null, null)::health.account_state);

-- What is wrong is told with its place.
select * from health.model_problems((:'document'::jsonb || '{"variants": [{"name": "a", "when": "true", "weights": {"usge": 1, "contract.renewal": 2, "seen": -1}}, {"name": "a", "weights": {"usage": 0, "contract": 0}},
  {"when": "", "weights": 3, "wieghts": 1}, {"name": "c", "when": "true", "weights": {"revenue": 0, "renewal": 0}}]}'));
select * from health.model_problems(:'document'::jsonb || '{"variants": []}');
select path, problem, hint from health.validate_model(:'document'::jsonb || '{"variants": [{"name": "a", "when": "plna = ''pro''", "weights": {}}, {"name": "b", "when": "arr", "weights": {}}, {"name": "c", "when": "plan = ", "weights": {}},
  {"name": "d", "when": "count(*) > 1", "weights": {}}]}');
select health.create_model('wrong', :'document'::jsonb || '{"variants": [{"name": "a", "when": "plna = ''pro''", "weights": {}}]}');
select health.create_model('wrong', jsonb_set(:'document', '{accounts,columns,variant}', '"plan"'));

select count(health.drop_model(m, cascade => true)) from unnest('{plain,tracked,windowed,later,dated,stuck,starts}'::text[]) m;
drop schema app, scores cascade;
