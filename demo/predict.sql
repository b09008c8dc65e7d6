-- Whether the presets predict, on the data that demo/score_and_print has loaded: each against the two baselines that need no model, its bands,
-- how often accounts change them, and whether anybody gains by falling silent. Any requirement that is not met is named and an error.
--
-- psql variables: document (of the demo: where accounts, users and events are, and what events mean), as_of ('' = the document's), title,
--                 dates: a file that sets from_date, to_date, step and horizon (days), and watched_from for bands. Fits 140 columns.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset border 0
\pset null ''
set datestyle = iso;
\i :dates
create schema predict;
create function pg_temp.share(figure double precision, low double precision default null, high double precision default null) returns text
  language sql immutable as $$
  select regexp_replace(to_char(figure, 'FM0.000') || coalesce(' (' || to_char(low, 'FM0.000') || ' to ' || to_char(high, 'FM0.000') || ')', ''),
                        '(^|[ (-])0[.]', '\1.', 'g')
$$;

-- Each preset as it is, over the events as the document names them: columns and signals of the document are left out.
create table predict.tested as
select p.position, p.name as preset, o.outcome, 'predict_' || p.name || '_' || o.outcome as model,
       jsonb_build_object('preset', p.name, 'as_of', coalesce(nullif(:'as_of', ''), d.document ->> 'as_of'),
           'accounts', d.accounts - 'columns' - case when o.outcome = 'silent' then 'end' else '' end,
           'catalog', coalesce(d.document -> 'catalog', own.definition -> 'catalog', '{}'),
           'history', jsonb_build_object('days', coalesce(nullif(:'as_of', ''), d.document ->> 'as_of')::date - date :'watched_from' + 1))
         || jsonb_strip_nulls(jsonb_build_object('users', d.document -> 'users', 'events', d.document -> 'events',
                                                 'time_zone', d.document -> 'time_zone')) as document
from health.presets() with ordinality as p (name, description, definition, position)
cross join (select :'document'::jsonb as document, :'document'::jsonb -> 'accounts' as accounts) as d
left join health.presets() as own on own.name = d.document ->> 'preset'
cross join lateral (select 'ended' as outcome where d.accounts ? 'end' union all select 'silent') as o
-- feedback_portal is about events of its own: feedback and votes.
where p.name <> 'feedback_portal' or coalesce(d.document -> 'catalog', own.definition -> 'catalog') ? 'feedback_submitted';
select health.create_model(model, document) from predict.tested order by position, outcome \g /dev/null

create table predict.figure as
select t.position, t.preset, t.outcome, b.*
from predict.tested t, health.backtest(t.model, horizon => :horizon, from_date => date :'from_date',
                                        to_date => nullif(:'to_date', '')::date, step => :step) b;

-- Every day of every account, in one pass; falling silent does not hang on the outcome.
create schema scores;
select health.create_score_view(model, 'scores.' || model, false) from predict.tested where outcome = 'silent' \g /dev/null
create table predict.day (preset text, account_id text, as_of date, score float8, band text, state text);
create table predict.size (account_id text primary key, users float8);
select format('insert into predict.day select %L, account_id::text, as_of, score, band, state from scores.%I', preset, model || '_history')
from predict.tested where outcome = 'silent' \gexec
select format('insert into predict.size select account_id::text, total_users from scores.%I', model)
from predict.tested where outcome = 'silent' order by position limit 1 \gexec
analyze predict.day;

create view predict.judged as
select t.position, t.preset, t.outcome, s.n, s.events, s.value as auc, s.low, s.high, b.item as baseline, b.value as baseline_auc,
       g.value as gain, g.low as gain_low, g.high as gain_high,
       (select string_agg(coalesce(to_char(100 * f.value, 'FM990.0'), '-'), ' / ' order by b.place)
        from unnest('{healthy,stable,at_risk,critical}'::text[]) with ordinality as b (name, place)
        left join predict.figure f on f.preset = t.preset and f.outcome = t.outcome and f.section = 'band' and f.item = b.name) as bands,
       (select string_agg(f.item || ' ' || f.note, '; ') from predict.figure f
        where f.preset = t.preset and f.outcome = t.outcome and f.section = 'band' and f.note is not null) as inverted
from predict.tested t
join predict.figure s on s.preset = t.preset and s.outcome = t.outcome and s.section = 'auc' and s.item = 'score'
left join lateral (select f.* from predict.figure f where f.preset = t.preset and f.outcome = t.outcome and f.section = 'auc' and f.item <> 'score'
                   order by f.value desc nulls last limit 1) b on true
left join predict.figure g on g.preset = t.preset and g.outcome = t.outcome and g.section = 'gain' and g.item = 'over ' || b.item;

-- Eight weeks end with the last day, and so on backwards; of an account that had a band on all their days.
create view predict.moves as
with days as (
  select d.*, t.until - d.as_of as age from predict.day d
  join (select preset, max(as_of) as until from predict.day group by 1) t using (preset)
  join predict.size z using (account_id) where z.users >= 5
), steps as (
  select d.preset, d.account_id, d.age / 56 as weeks8, d.band,
         lag(d.band) over (partition by d.preset, d.account_id order by d.as_of) as day_before,
         lag(d.band, 7) over (partition by d.preset, d.account_id order by d.as_of) as week_before, d.age % 7 = 0 as ends_week
  from days d
)
select preset, account_id, weeks8, count(*) filter (where band <> day_before) as by_days,
       count(*) filter (where ends_week and band <> week_before) as by_weeks
from steps group by 1, 2, 3 having count(band) = 56 and count(day_before) = 56 and count(*) filter (where ends_week and week_before is not null) = 8;

-- Of a day on which an account was silent: the lowest score that it had had before while it was active, and on its last silent day before.
create view predict.silent_day as
select d.*, min(d.score) filter (where d.state = 'active') over before as lowest_active,
       case when lag(d.state) over by_day = 'silent' then lag(d.score) over by_day end as day_before
from predict.day d
window by_day as (partition by d.preset, d.account_id order by d.as_of),
       before as (partition by d.preset, d.account_id order by d.as_of rows between unbounded preceding and 1 preceding);

create table predict.stability as
select t.position, t.preset, m.*, s.*
from predict.tested t,
  lateral (select count(*) as spans, count(distinct account_id) as accounts, percentile_disc(0.5) within group (order by by_weeks) as by_weeks,
                  percentile_disc(0.5) within group (order by by_days) as by_days, avg(by_weeks) as mean_by_weeks, avg(by_days) as mean_by_days
           from predict.moves m where m.preset = t.preset) m,
  lateral (select count(distinct d.account_id) filter (where d.lowest_active is not null) as fell_silent,
                  count(distinct d.account_id) filter (where d.score > d.lowest_active + 1e-9) as rose,
                  count(distinct d.account_id) filter (where d.score > d.day_before + 1e-9) as rose_while_silent
           from predict.silent_day d where d.preset = t.preset and d.state = 'silent') s
where t.outcome = 'silent';

\echo
\echo :title
select format('%s accounts; scored every %s days from %s to %s, what happened in the %s days after each', (select count(*) from predict.size), :step,
              split_part(note, ' ', 1), split_part(split_part(note, ' to ', 2), ',', 1), :horizon) as heading
from predict.figure where section = 'data' and item = 'dates' limit 1 \gset
\echo :heading
\echo
select preset, outcome, n, events, pg_temp.share(auc, low, high) as "AUC (95 %)", baseline || ' ' || pg_temp.share(baseline_auc) as "better baseline",
       pg_temp.share(gain, gain_low, gain_high) as "gain (95 %)", bands as "% of healthy / stable / at_risk / critical",
       coalesce(inverted, 'none') as inversions
from predict.judged order by outcome, position;
\echo 'Band changes in eight weeks of accounts with 5 or more users (median, mean), and what falling silent does to the score'
select preset, accounts, spans, by_weeks as "weekly", round(mean_by_weeks, 2) as "(mean)", by_days as "daily", round(mean_by_days, 2) as "(mean) ",
       fell_silent as "fell silent", rose as "rose by it", rose_while_silent as "rose while silent"
from predict.stability order by position;

create table predict.failure as
select preset || ': worse than ' || baseline || ' about "' || outcome || '"' as what from predict.judged where gain_high < 0
union all select preset || ': AUC ' || pg_temp.share(auc) || ', ' || baseline || ' ' || pg_temp.share(baseline_auc)
from predict.judged where auc < baseline_auc - 0.01 and exists (select from predict.tested where outcome = 'ended')
union all select preset || ': ' || inverted from predict.judged where inverted is not null
union all select preset || ': accounts rose by falling silent, ' || rose || ', while silent ' || rose_while_silent
from predict.stability where rose + rose_while_silent > 0
union all select preset || ': bands change ' || by_weeks || ' times in eight weeks' from predict.stability where by_weeks > 2;
select count(*) > 0 as failed from predict.failure \gset
\if :failed
  \pset tuples_only on
  \pset format unaligned
  select 'NOT MET: ' || what from predict.failure order by 1;
  do $$ begin raise exception 'a requirement is not met (above)'; end $$;
\endif
\echo 'All requirements are met.'
