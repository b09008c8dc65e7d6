-- Prints the report of a score view: the book, the portfolio, one score and one change explained, data checks, what to type.
--
-- psql variables: model (its score view is scores.<model>), title, model_file, account ('' = chosen here),
--                 load_seconds, score_seconds. Fits 120 columns.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset border 1
\pset null ''
\set view 'scores.' :model
set datestyle = iso;

create function pg_temp.percent(share double precision, signed boolean default false) returns text language sql immutable as $$
  select case when share is null then '' else to_char(100 * share, case when signed then 'SG99990' else 'FM99990' end) end
$$;
create function pg_temp.money(amount numeric) returns text language sql immutable as $$
  select to_char(amount, 'FM999,999,999,999')
$$;

-- The score view with the few columns that only some models have (kind, arr) taken out of their rows.
create temp view book as
select s.*, to_jsonb(s) ->> 'kind' as story, (to_jsonb(s) ->> 'arr')::numeric as money from :view s;
select as_of, model_version, count(*) as accounts, sum(total_users) as users, bool_or(story is not null) as has_stories,
       bool_or(money is not null) as has_money, as_of - 28 as four_weeks_before
from book group by as_of, model_version \gset

\echo
\echo :title — :accounts accounts, :users users, scored as of :as_of with model :model version :model_version
\echo 'loaded in' :load_seconds 's, scored with 8 weeks of history in' :score_seconds s
\echo
\echo 'THE BOOK'
select coalesce(b.band, 'not scored') as band, count(*) as accounts, round(100.0 * count(*) / :accounts) as "% of all",
       case when :'has_money' then pg_temp.money(sum(b.money)) end as "ARR",
       case when :'has_money' then round(100 * sum(b.money) / sum(sum(b.money)) over ()) end as "% of ARR",
       count(*) filter (where b.change_28d >= 5) as "up 5+ in 28 d", count(*) filter (where b.change_28d <= -5) as "down 5+",
       round(avg(b.data_coverage)::numeric, 2) as "data coverage",
       case when b.band is null then string_agg(distinct b.unknown_reason, '; ') else '' end as note
from book b group by b.band order by max(b.score) desc nulls last;

-- Which accounts to print: all of a small book; of a large one the ends, the movers and two of each story.
create temp view picked as
with ranked as (
  select account_id, story,
         rank() over (order by score desc nulls last, account_id) as best,
         rank() over (order by score nulls last, account_id) as worst,
         rank() over (order by change_28d desc nulls last, account_id) as riser,
         rank() over (order by change_28d nulls last, account_id) as faller,
         -- Two of a story: those nearest the story's median score, the typical ones.
         rank() over (partition by story order by abs(score - middle) nulls last, account_id) as typical
  from book left join (select story, percentile_cont(0.5) within group (order by score) as middle from book group by story) m using (story)
)
select account_id,
       case when :accounts <= 60 then ''
            when :'has_stories' and typical <= 2 then story
            when best <= case when :'has_stories' then 2 else 8 end then 'best'
            when worst <= case when :'has_stories' then 2 else 8 end then 'worst'
            when faller <= case when :'has_stories' then 2 else 4 end then 'falls most'
            when riser <= case when :'has_stories' then 2 else 4 end then 'rises most' end as why,
       case when :accounts > 60 and typical <= 2 and :'has_stories' then 0 else 1 end as place
from ranked;

\echo 'PORTFOLIO  (active: % of users in the window · trend: last 4 weeks against the 4 before, % · top: % by the busiest user · 28 d: points)'
select case when :accounts <= 60 then null else p.why end as why, left(b.name, 24) as account, round(b.score::numeric) as score, b.band,
       health.sparkline(b.weekly::numeric[]) as "12 weeks", pg_temp.percent(b.activation_rate) as active, pg_temp.percent(b.trend_4w, true) as trend,
       pg_temp.percent(b.power_user_dependency) as top, to_char(b.change_28d, 'SG990') as "28 d",
       coalesce(b.main_reason, b.unknown_reason) as "main reason"
from picked p join book b using (account_id)
where p.why is not null
order by p.place, case when p.place = 0 then p.why end, b.score desc nulls last, b.account_id;
\echo 'All of them:  select * from' :view 'order by score;'
\echo

-- The account whose score rests most on one person; the one that lost most.
select coalesce(nullif(:'account', ''),
         (select account_id::text from book where score >= 50 order by score - score_without_top_user desc nulls last, account_id limit 1),
         (select account_id::text from book order by score nulls last, account_id limit 1)) as explained,
       coalesce(nullif(:'account', ''),
         (select account_id::text from book order by change_28d nulls last, account_id limit 1)) as changed \gset
select name as explained_name, coalesce(round(score::numeric)::text, 'unknown') as explained_score,
       coalesce(round(score_without_top_user::numeric)::text, 'unknown') as without_top, next_step from book where account_id::text = :'explained' \gset
select name as changed_name from book where account_id::text = :'changed' \gset

\echo 'WHY HAS' :explained_name :explained_score POINTS?'  select * from health.explain('':model'', '':explained'');'
select repeat('  ', greatest(level - 1, 0)) || label as signal, coalesce(raw_text, round(raw::numeric, 2)::text) as measured,
       round(normalized::numeric) as score, round(weight::numeric, 3) as weight, round(points::numeric, 1) as points,
       coalesce(reason, phrase) as finding
from health.explain(:'model', :'explained') order by "position";
\echo 'Without its busiest user the score would be' :without_top'.' 'Next step:' :next_step
\echo

\echo 'WHAT MOVED' :changed_name'?  select * from health.explain('':model'', '':changed'', '':four_weeks_before'', '':as_of'');'
select step, coalesce(label, signal) as signal, raw_from as "from", raw_to as "to", round(points::numeric, 1) as points
from health.explain(:'model', :'changed', :'four_weeks_before', :'as_of') where step <> 'total' and points <> 0 order by abs(points) desc;
\pset tuples_only on
\pset format unaligned
select phrase from health.explain(:'model', :'changed', :'four_weeks_before', :'as_of') where step = 'total';
\pset tuples_only off
\pset format aligned

\echo
create temp table finding as select * from health.tracking_plan(:'model');
select count(*) > 0 as has_findings, count(*) as findings from finding \gset
\if :has_findings
  \echo 'CHECK THE DATA  select * from health.tracking_plan('':model'');  ':findings findings, the first 10:
  select finding, left(name, 20) as name, events, users, first_day, last_day, left(advice, 54) as advice
  from finding limit 10;
\endif

\echo 'FOR TABLES OF YOUR OWN'
\echo '  create extension account_health;'
\echo '  select name, description from health.presets();                -- start from one, or write signals of your own'
\echo '  \\set document `cat' :model_file'`' '   -- this report''s model: put in the names of your tables and columns'
\echo '  select * from health.validate_model(:''document'');              -- what is wrong with it, and the way out'
\echo '  select health.create_model(''mine'', :''document'');'
\echo '  select health.create_score_view(''mine'', ''customer_health'');    -- and _signals, _history for your BI tool'
\echo '  select name, score, band, main_reason, next_step from customer_health order by score;'
\echo '  select * from health.explain(''mine'', ''1001'');                  -- any account id of yours'
\echo '  select health.schedule(''mine'', ''0 4 * * *'');                   -- every night at 4, with pg_cron'
